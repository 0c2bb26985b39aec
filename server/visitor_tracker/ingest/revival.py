"""Read what was set aside: events that an inbox row held, or a record of the journal."""

import os
import time

import msgspec

from visitor_tracker.event import Batch, Event, InboxRow, decode_batch, decode_events, encode_batch, encode_events
from visitor_tracker.ingest.parcel import read_record
from visitor_tracker.store.inbox import DeadLetter


class Unrevivable(ValueError):
    """A letter that cannot be tried again; says why."""


def events_of(letter: DeadLetter) -> list[Event]:
    """Return the events of a letter; raises Unrevivable."""
    try:
        return decode_events(letter.body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        pass
    try:
        batch = decode_batch(letter.body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Unrevivable(f"its content cannot be read: {error}") from error
    if batch.visits:
        raise Unrevivable("nobody knows whether its visits were counted: another try might count them twice")
    return batch.events


def rows_again(letter: DeadLetter) -> list[InboxRow]:
    """Return inbox rows of the letter's events, one for each site; raises Unrevivable."""
    sites: dict[int, list[Event]] = {}
    events = events_of(letter)
    for refused in read_record(encode_batch(Batch(bytes(16), 0, events)), 0).refused:
        raise Unrevivable(refused.reason)  # no table would refuse all of it: a hash too short is one to SQLite
    for event in events:
        sites.setdefault(event.site_id, []).append(event)
    if not sites:
        raise Unrevivable("there is no event in it")
    now = time.time_ns() // 1_000_000
    return [
        InboxRow(site_id, now.to_bytes(6, "big") + os.urandom(10), now, len(own), encode_events(own))
        for site_id, own in sites.items()
    ]
