"""Events of the erased, as the fold and a rebuild meet them: out of a journal, or a browser that held them back."""

from collections.abc import Iterable, Mapping, Sequence

from visitor_tracker.days import bounds, day_after
from visitor_tracker.ingest.folding import Prepared
from visitor_tracker.ingest.people import Rule
from visitor_tracker.sessions.fact import Fact
from visitor_tracker.store import erasing
from visitor_tracker.store.erasing import Spans
from visitor_tracker.store.inbox import add_days
from visitor_tracker.store.session import Session
from visitor_tracker.store.visits import sessions_in


def without_erased(session: Session, site_id: int, rule: Rule, events: Sequence[Prepared]) -> Sequence[Prepared]:
    """Return the events that may be stored; in a transaction of the fold, which has the site's lease.

    That an erased visitor was there on a day was noted when the event was drained, and is put right here.
    """
    marks = erasing.marks(session, site_id, {event.fact.visitor for event in events})
    if not marks:
        return events
    kept = [event for event in events if not _is_erased(marks, site_id, event.fact)]
    if len(kept) < len(events):
        stay = {event.fact.id for event in kept}
        _forget_days(session, site_id, rule, marks, [e.fact for e in events if e.fact.id not in stay])
    back = [event.fact for event in kept if event.fact.visitor]
    add_days(session, [(site_id, fact.visitor, fact.day, fact.ts) for fact in back])
    return kept


def facts_that_stay(marks: Spans, site_id: int, facts: Iterable[Fact]) -> Iterable[Fact]:
    """Return the events of a rebuild that may be counted: the others are being deleted just now."""
    return facts if not marks else [fact for fact in facts if not _is_erased(marks, site_id, fact)]


def _is_erased(marks: Spans, site_id: int, fact: Fact) -> bool:
    return erasing.is_erased(marks, site_id, fact.visitor, fact.ts)


def _forget_days(session: Session, site_id: int, rule: Rule, marks: Spans, facts: Iterable[Fact]) -> None:
    """Forget that visitors were there on days, but where they came again after they were erased."""
    latest: dict[tuple[bytes, int], int] = {}
    for fact in facts:
        if fact.visitor:
            key = (fact.visitor, fact.day)
            latest[key] = max(latest.get(key, fact.ts), fact.ts)
    for (visitor, day), _ in sorted(latest.items()):
        erasing.forget_day(session, site_id, visitor, day, _until(marks, site_id, visitor))
    add_days(session, [(site_id, *each) for each in days_of_sessions(session, site_id, rule, latest)])


def _until(marks: Spans, site_id: int, visitor: bytes) -> int:
    spans = (*marks.get(erasing.mark_of(site_id, visitor), ()), *marks.get(erasing.EVERYBODY, ()))
    return max((last for _, last in spans), default=0)


def days_of_sessions(
    session: Session, site_id: int, rule: Rule, wanted: Mapping[tuple[bytes, int], object]
) -> list[tuple[bytes, int, int]]:
    """Return (visitor, day, when first) of those of these visitors' days that a session of theirs touches."""
    keys = {(bucket, visitor) for visitor, day in wanted for bucket in (0, day_after(day, -1), day)}
    found: list[tuple[bytes, int, int]] = []
    for _, visitor, own in sessions_in(session, site_id, keys):
        for known, day in wanted:
            if known == visitor and own.first_day <= day <= own.last_day:
                first_at = own.first_ts if own.first_day == day else bounds(rule.timezone, day)[0]
                found.append((visitor, day, first_at))
    return found
