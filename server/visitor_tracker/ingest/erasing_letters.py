"""Take the erased out of what was set aside for a person to look at."""

import msgspec

from visitor_tracker.event import Batch, Event, decode_batch, decode_events, encode_batch, encode_events
from visitor_tracker.store.dead_letters import DeadLetters
from visitor_tracker.store.erasing import Job
from visitor_tracker.store.inbox import DeadLetter
from visitor_tracker.store.session import Database

_LETTERS = 20  # read at once: each may have a megabyte
_UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


def forget_in_letters(database: Database, job: Job) -> int:
    """Take a job's events out of every letter; one that cannot be read and may be about them goes. Return how many."""
    letters = DeadLetters(database)
    changed, after = 0, b""
    while found := letters.after(after, _LETTERS):
        for letter in found:
            body = _without(letter, job)
            if body != letter.body:
                letters.replace(letter, body)
                changed += 1
        after = found[-1].id
    return changed


def _without(letter: DeadLetter, job: Job) -> bytes:
    """Return the body without what the job erases, empty where nothing is left."""
    body = letter.body
    if job.visitor and job.visitor not in body:
        return body
    try:
        events = decode_events(body)
    except _UNREADABLE:
        return _without_in_batch(letter, job)
    kept = [event for event in events if not _is_erased(job, event)]
    if len(kept) == len(events):
        return body
    return encode_events(kept) if kept else b""


def _without_in_batch(letter: DeadLetter, job: Job) -> bytes:
    try:
        batch = decode_batch(letter.body)
    except _UNREADABLE:
        return b"" if job.visitor or letter.site_id == job.site_id else letter.body
    kept = [event for event in batch.events if not _is_erased(job, event)]
    if len(kept) == len(batch.events):
        return letter.body
    return encode_batch(Batch(batch.id, batch.at, kept, batch.visits)) if kept or batch.visits else b""


def _is_erased(job: Job, event: Event) -> bool:
    is_meant = event.site_id == job.site_id and (not job.visitor or event.visitor == job.visitor)
    return is_meant and job.first_ts <= event.ts <= job.last_ts
