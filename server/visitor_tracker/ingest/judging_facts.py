"""Read the events of a day that are needed to judge its visitors, a few at a time."""

from collections.abc import Callable, Collection, Iterator
from functools import partial

import msgspec

from visitor_tracker.days import HOUR_MS, bounds
from visitor_tracker.ingest.judging import DayJudged, Tallies, add_tallies, judge_day, whom_to_judge, words_of
from visitor_tracker.ingest.people import Rule
from visitor_tracker.sessions.fact import Fact
from visitor_tracker.sites import Site
from visitor_tracker.store import verdicts
from visitor_tracker.store.apart import of_site
from visitor_tracker.store.facts import facts_between
from visitor_tracker.store.session import Database, Session
from visitor_tracker.store.verdicts import Overruled

_CHUNK = 10_000  # events read at once


def _facts(
    database: Database, site: Site, day: int, words: Collection[bytes], rest: Callable[[], bool]
) -> list[Fact] | None:
    """Return the events of those who are to be judged; `rest` is called in between, and None: it said to stop."""
    span = bounds(site.timezone, day)
    tallies: Tallies = {}
    for start in range(*span, HOUR_MS):  # a whole day may take a database server longer than a statement may
        end = min(start + HOUR_MS, span[1])
        add_tallies(
            tallies, of_site(database, site.id).read(partial(verdicts.tallies, site_id=site.id, start=start, end=end))
        )
        if rest():
            return None
    visitors = whom_to_judge(tallies) | set(words)
    found: list[Fact] = []
    for chunk in _chunks(database, site, span) if visitors else ():
        found += [fact for fact in chunk if fact.visitor in visitors and fact.day == day]
        if rest():
            return None
    return found


class JudgedFacts(msgspec.Struct, frozen=True):
    """Events of those who were judged, what was found of the day, and how many events there were in all by then."""

    day: int
    events: int
    facts: list[Fact]
    verdicts: DayJudged


def state_of(session: Session, site: Site, rule: Rule, day: int) -> tuple[int, dict[bytes, Overruled]]:
    """Return what verdicts depend on: how many events a day has, and what people said."""
    events = verdicts.count_events(session, site.id, bounds(site.timezone, day))
    return events, words_of(session, site.id, day, rule)


def judge_facts(  # noqa: PLR0913 - a day of a site
    database: Database, site: Site, rule: Rule, day: int, now_ms: int, rest: Callable[[], bool] = bool
) -> JudgedFacts | None:
    """Read and judge a day; None: `rest` said to stop."""
    # First: what comes while the day is read makes these others.
    events, words = of_site(database, site.id).read(lambda session: state_of(session, site, rule, day))
    facts = _facts(database, site, day, words.keys(), rest)
    if facts is None:
        return None
    judged = of_site(database, site.id).read(
        lambda session: judge_day(session, site.id, day, rule, facts, words, now_ms)
    )
    return JudgedFacts(day, events, facts, judged)


def _chunks(database: Database, site: Site, span: tuple[int, int]) -> Iterator[list[Fact]]:
    start, after = span[0], b""
    while True:
        chunk = _read(database, site, (start, span[1] - 1), after)
        yield chunk
        if len(chunk) < _CHUNK:
            return
        start, after = chunk[-1].ts, chunk[-1].id


def _read(database: Database, site: Site, moments: tuple[int, int], after: bytes) -> list[Fact]:
    return of_site(database, site.id).read(
        lambda session: facts_between(session, site.id, *moments, _CHUNK, after, timezone=site.timezone)
    )
