"""Judge visitors by what they did: of past days once these are over, of today now and then for the list.

    day ─▶ who has enough events ─▶ these events, some at a time ─▶ verdicts
                                                                      ├ no signals change ─▶ stored
                                                                      └ they do ─▶ the day is made again

A day is judged again when events came late, a person has said something, or rules and settings are others. Days of
more than two weeks ago are left alone, but for what people said: `visitor-tracker rebuild` judges them.
"""

import logging
import time
from collections.abc import Callable

import msgspec

from visitor_tracker.access.snapshot import SnapshotReader
from visitor_tracker.days import HOUR_MS, bounds, day_after, day_of
from visitor_tracker.errors import TrackerError
from visitor_tracker.ingest.judging import DayJudged, rules_of, store_judged
from visitor_tracker.ingest.judging_facts import JudgedFacts, judge_facts
from visitor_tracker.ingest.people import Rule
from visitor_tracker.ingest.rebuild import LeaseLost, RawGone, Rebuilder, ZoneChanged
from visitor_tracker.ingest.restating import Restater
from visitor_tracker.metrics import Cell, Counters
from visitor_tracker.sites import Site
from visitor_tracker.store import verdicts
from visitor_tracker.store.session import Session
from visitor_tracker.store.sql import SqlStore
from visitor_tracker.store.verdicts import JudgedDay

log = logging.getLogger(__name__)

EVERY_SECONDS = 60.0  # what a person said is done within that time
AUTOMATIC_DAYS = 14  # events that are older do not come late, but from a log
_OVER_MS = HOUR_MS  # after the end of a day: what waits in journals of nodes has come, too
_AGAIN_MS = 15 * 60_000  # until a day to which events come is judged again
_REST_MOST_SECONDS = 5.0  # after a step that took as long: the fold is in the same process


class DayDone(msgspec.Struct, frozen=True):
    """What came of a day: how many visitors have a verdict, and how many events other signals than before."""

    day: int
    visitors: int
    robots: int
    changed: int


class DayJudge:
    """Judges days of one site; belongs to one thread."""

    def __init__(self, store: SqlStore, site: Site, rule: Rule, rest: Callable[[], bool] = bool) -> None:
        """`rest` is called between steps, and says whether to stop."""
        self._store = store = store.of_site(site.id)
        self._database = store.database
        self._site = site
        self._rule = rule
        self._rest = rest

    def due(self, now_ms: int) -> list[int]:
        """Return the days to judge now, the latest first."""
        today = day_of(self._site.timezone, now_ms)
        first = day_after(today, 1 - AUTOMATIC_DAYS)

        def work(session: Session) -> tuple[dict[int, JudgedDay], dict[int, int]]:
            return verdicts.judged_days(session, self._site.id), verdicts.events_of(session, self._site.id, first)

        judged, events = self._database.read(work)
        said = {day for day, known in judged.items() if not known.rules}
        fresh = {day for day, number in events.items() if self._is_due(day, number, judged.get(day), now_ms)}
        return sorted((day for day in said | fresh if day <= today), reverse=True)

    def days(self, first_day: int, last_day: int) -> list[int]:
        """Return the days of a span that have events."""
        site_id = self._site.id
        return sorted(self._database.read(lambda session: verdicts.events_of(session, site_id, first_day, last_day)))

    def _is_due(self, day: int, events: int, known: JudgedDay | None, now_ms: int) -> bool:
        if known is None:
            return True
        is_other = known.rules != rules_of(self._rule) or known.is_over != self._is_over(day, now_ms)
        return is_other or (known.events != events and now_ms - known.at >= _AGAIN_MS)

    def _is_over(self, day: int, now_ms: int) -> bool:
        return now_ms >= bounds(self._site.timezone, day)[1] + _OVER_MS

    def judge(self, day: int, now_ms: int) -> DayDone | None:
        """Judge a day, and make it again where that changes its numbers; None: told to stop, nothing was done."""
        site_id = self._site.id
        events = self._database.read(lambda session: verdicts.events_of(session, site_id, day, day)).get(day, 0)
        found = judge_facts(self._database, self._site, self._rule, day, now_ms, self._rest)
        if found is None:
            return None
        is_over, judged = self._is_over(day, now_ms), found.verdicts
        changed = sum(judged.signals(fact) != fact.signals for fact in found.facts)
        if not (changed and is_over and self._made_again(found, now_ms)):
            self._put(day, judged, JudgedDay(rules_of(self._rule), events, is_over, now_ms))
            changed = 0
        return DayDone(day, len(judged.rows), len(judged.robots), changed)

    def _made_again(self, found: JudgedFacts, now_ms: int) -> bool:
        """Make the day's numbers by the verdicts; False: they stay, for its events are not all there any more."""
        note = JudgedDay(rules_of(self._rule), 0, True, now_ms)
        try:
            if self._rule.daily:
                Restater(self._store, self._site, self._rule).restate(found, note)
            else:
                self._rebuild(found.day, note)
        except (RawGone, ZoneChanged) as error:
            log.info("robots of %s were found on %d, but %s", self._site.name, found.day, error)
            return False
        return True

    def _rebuild(self, day: int, note: JudgedDay) -> None:
        rebuilder = Rebuilder(self._store, self._site.id, self._rule)
        try:
            self._database.write(lambda session: verdicts.put_judged(session, self._site.id, day, note))
            rebuilder.rebuild(day)
            self._database.write(lambda session: self._note(session, day, note))
        finally:
            rebuilder.let_go()

    def _note(self, session: Session, day: int, note: JudgedDay) -> None:
        """Note with how many events the day was judged, while nobody may fold; unless a person has said more since."""
        site_id = self._site.id
        if verdicts.judged_days(session, site_id, day, day).get(day) == note:
            events = verdicts.events_of(session, site_id, day, day).get(day, 0)
            verdicts.put_judged(session, site_id, day, note._replace(events=events))

    def _put(self, day: int, judged: DayJudged, note: JudgedDay) -> None:
        def work(session: Session) -> None:
            verdicts.put_judged(session, self._site.id, day, note)
            store_judged(session, self._site.id, day, self._rule, judged)

        self._database.write(work)


class Judging:
    """Judges all sites; one thread."""

    def __init__(
        self,
        store: SqlStore,
        snapshot: SnapshotReader,
        rule_of: Callable[[Site], Rule],
        counters: Counters,
        clock: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
    ) -> None:
        """`rule_of` says how a site counts; `clock` is epoch ms."""
        self._store = store
        self._snapshot = snapshot
        self._rule_of = rule_of
        self._counters = counters
        self._clock = clock

    def run(self, rest: Callable[[float], bool]) -> None:
        """Work until `rest`, which waits for so many seconds, says that it is over."""
        while not rest(0):
            try:
                self.step(rest)
            except TrackerError as error:
                log.warning("robots by behaviour wait for the store: %s", error)
            except Exception:
                log.exception("robots by behaviour cannot be looked for, and are tried again")
            if rest(EVERY_SECONDS):
                return

    def step(self, rest: Callable[[float], bool]) -> None:
        """Judge every site's days that are due."""
        since = time.monotonic()

        def is_over() -> bool:
            nonlocal since
            over = rest(min(time.monotonic() - since, _REST_MOST_SECONDS))
            since = time.monotonic()
            return over

        self._snapshot.refresh()
        for site in self._snapshot.now.sites:
            judge = DayJudge(self._store, site, self._rule_of(site), is_over)
            for day in judge.due(self._clock()):
                if is_over():
                    return
                self._judge(judge, site, day)

    def _judge(self, judge: DayJudge, site: Site, day: int) -> None:
        try:
            done = judge.judge(day, self._clock())
        except LeaseLost:
            return  # somebody was erased, or the day is being made again: the next step looks at it
        if done is None:
            return
        self._counters.add(Cell.JUDGED_VISITORS, done.visitors)
        self._counters.add(Cell.JUDGED_ROBOTS, done.robots)
        if done.changed:
            self._counters.add(Cell.JUDGED_DAYS_CHANGED)
            log.info("%s: %d is counted without %d robots by behaviour", site.name, day, done.robots)
