"""Read the events of a day that are needed to judge its visitors, a few at a time."""

from collections.abc import Callable, Iterator

import msgspec

from visitor_tracker.days import bounds
from visitor_tracker.ingest.judging import EVENTS_LEAST, DayJudged, judge_day, words_of
from visitor_tracker.ingest.people import Rule
from visitor_tracker.sessions.fact import Fact
from visitor_tracker.sites import Site
from visitor_tracker.store import verdicts
from visitor_tracker.store.facts import facts_between
from visitor_tracker.store.session import Database, Session
from visitor_tracker.store.verdicts import Overruled

_CHUNK = 10_000  # events read at once


def facts_to_judge(
    database: Database, site: Site, rule: Rule, day: int, rest: Callable[[], bool] = bool
) -> list[Fact] | None:
    """Return the events of those who are to be judged; `rest` is called in between, and None: it said to stop."""
    span = bounds(site.timezone, day)

    def whom(session: Session) -> set[bytes]:
        said = words_of(session, site.id, day, rule)
        return verdicts.candidates(session, site.id, span, EVENTS_LEAST) | said.keys()

    visitors = database.read(whom)
    found: list[Fact] = []
    for chunk in _chunks(database, site, span) if visitors else ():
        found += [fact for fact in chunk if fact.visitor in visitors and fact.day == day]
        if rest():
            return None
    return found


class State(msgspec.Struct, frozen=True):
    """What verdicts of a day depend on, where rules and settings are the same."""

    events: int
    words: dict[bytes, Overruled]


class JudgedFacts(msgspec.Struct, frozen=True):
    """Events of a day, what was found of it, and the state in which that was so."""

    day: int
    state: State
    facts: list[Fact]
    verdicts: DayJudged


def state_of(database: Database, site: Site, rule: Rule, day: int) -> State:
    span = bounds(site.timezone, day)
    return database.read(
        lambda session: State(
            verdicts.count_events(session, site.id, span), dict(words_of(session, site.id, day, rule))
        )
    )


def judge_facts(  # noqa: PLR0913 - a day of a site
    database: Database, site: Site, rule: Rule, day: int, now_ms: int, rest: Callable[[], bool] = bool
) -> JudgedFacts | None:
    """Read and judge a day; None: `rest` said to stop."""
    state = state_of(database, site, rule, day)  # first: what comes while it is read makes it another one
    facts = facts_to_judge(database, site, rule, day, rest)
    if facts is None:
        return None
    judged = database.read(lambda session: judge_day(session, site.id, day, rule, facts, now_ms))
    return JudgedFacts(day, state, facts, judged)


def _chunks(database: Database, site: Site, span: tuple[int, int]) -> Iterator[list[Fact]]:
    start, after = span[0], b""
    while True:
        chunk = _read(database, site, (start, span[1] - 1), after)
        yield chunk
        if len(chunk) < _CHUNK:
            return
        start, after = chunk[-1].ts, chunk[-1].id


def _read(database: Database, site: Site, moments: tuple[int, int], after: bytes) -> list[Fact]:
    return database.read(
        lambda session: facts_between(session, site.id, *moments, _CHUNK, after, timezone=site.timezone)
    )
