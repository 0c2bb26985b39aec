"""GET /bots, as clients of the privacy-focused tracker of old ask for it: who of the last week is a robot."""

from typing import Annotated

import msgspec

from visitor_tracker.days import bounds, day_after, day_of
from visitor_tracker.errors import HttpError
from visitor_tracker.http.message import Answer, Request
from visitor_tracker.ingest.behaviour.reasons import Reason
from visitor_tracker.ingest.bots import reasons
from visitor_tracker.ingest.judging import words_of
from visitor_tracker.ingest.judging_facts import judge_facts
from visitor_tracker.ingest.people import Rule
from visitor_tracker.sites import Site, site_id_of
from visitor_tracker.store import verdicts
from visitor_tracker.store.apart import of_site
from visitor_tracker.store.session import Session
from visitor_tracker.store.verdicts import Found
from visitor_tracker.web.asked import answer, query_as
from visitor_tracker.web.parts import Parts
from visitor_tracker.web.remembered import Remembered
from visitor_tracker.web.routed import may, sees_all, visible
from visitor_tracker.web.router import Route
from visitor_tracker.web.turns import long_turn

_DAYS = 7
_VISITORS_LEAST = 10
_LISTED_MOST = 1_000
_EVENTS_MOST = 100_000  # of today, to be judged while somebody waits: some seconds


class BotsQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    site_id: Annotated[str, msgspec.Meta(description="name of the site")] = "default"


class Bot(msgspec.Struct, frozen=True):
    """A visitor of a day; `ip_hash` is the visitor's, of address and user agent."""

    ip_hash: str
    request_count: int
    reason: str


class Bots(msgspec.Struct, frozen=True):
    """The most active first; without a role on the site nobody is listed."""

    detected_bots_count: int
    bots: list[Bot]


class NoBots(msgspec.Struct, frozen=True):
    message: str


class BotRoutes:
    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._database = parts.store.database
        self._today: Remembered[list[Found]] = Remembered()

    def routes(self) -> list[Route]:
        said = "robots of the last week: ?site_id="
        return [Route("GET", "/bots", self.bots, said, "read", query=BotsQuery, answer=Bots | NoBots)]

    def bots(self, request: Request) -> Answer:
        """GET /bots?site_id=; a site with few visitors, also one nobody knows yet, is answered {message}."""
        asked = query_as(request, BotsQuery)
        site = visible(self._parts.snapshot(), request).by_name.get(asked.site_id)
        if site is None and not sees_all(request):
            raise HttpError(404, "unknown_site", "there is no such site", "visitor-tracker site list  shows the names")
        site = site or Site(site_id_of(asked.site_id), asked.site_id)
        database = of_site(self._database, site.id)
        if database.read(lambda session: verdicts.visitors(session, site.id, _VISITORS_LEAST)) < _VISITORS_LEAST:
            return answer(NoBots(f"Not enough data: robots are looked for among {_VISITORS_LEAST} visitors and more"))
        with long_turn():
            found = self._found(site)
        # Single visitors are for who has a role on the site, as everywhere; readers of a public one learn how many.
        may_see = may(request, "visitors", site)
        return answer(Bots(len(found), found[:_LISTED_MOST] if may_see else []))

    def _found(self, site: Site) -> list[Bot]:
        today = day_of(site.timezone, self._parts.clock())
        first = day_after(today, 1 - _DAYS)
        is_daily = self._parts.snapshot().policy_of(site.id).visitor == "daily"
        rule = Rule(site.timezone, is_daily, self._parts.config.robots.behaviour)
        judged = [*self._judged(site, first, day_after(today, -1)), *self._of_today(site, rule, today)]
        bots = {(row.visitor, row.day): _bot(row) for row in judged if row.standing == verdicts.ROBOT}
        human = {(row.visitor, row.day) for row in judged if row.overruled == verdicts.HUMAN}
        for visitor, day, signals, events in self._by_signals(site, first, today):
            if (visitor, day) not in bots and (visitor, day) not in human:
                bots[visitor, day] = Bot(visitor.hex(), events, ", ".join(reasons(signals)))
        return sorted(bots.values(), key=lambda bot: (-bot.request_count, bot.ip_hash))

    def _judged(self, site: Site, first: int, last: int) -> list[Found]:
        def work(session: Session) -> list[Found]:
            return verdicts.listed(session, site.id, first, last, least=verdicts.ROBOT, limit=_LISTED_MOST)

        return of_site(self._database, site.id).read(work)

    def _of_today(self, site: Site, rule: Rule, today: int) -> list[Found]:
        """Judge today's visitors as of now, where they are not too many for that."""
        events = of_site(self._database, site.id).read(
            lambda session: verdicts.events_of(session, site.id, today, today)
        )
        if rule.behaviour == "off" or events.get(today, 0) > _EVENTS_MOST:
            return self._judged(site, today, today)
        words = of_site(self._database, site.id).read(lambda session: words_of(session, site.id, today, rule))

        def look() -> list[Found]:
            found = judge_facts(self._database, site, rule, today, self._parts.clock())
            return list(found.verdicts.rows) if found else []

        # What a person says holds at once; who comes is judged a minute later by clients that ask all the time.
        return self._today.answer((site, rule, today, frozenset(words.items())), look)

    def _by_signals(self, site: Site, first: int, last: int) -> list[tuple[bytes, int, int, int]]:
        """Return visitor, day, signals and events of those whose requests said it."""
        start, end = bounds(site.timezone, first)[0], bounds(site.timezone, last)[1]
        found: dict[tuple[bytes, int], tuple[int, int]] = {}
        rows = of_site(self._database, site.id).read(
            lambda session: verdicts.by_signals(session, site.id, start, end, _LISTED_MOST)
        )
        for visitor, day, signals, events in rows:
            so_far, number = found.get((visitor, day), (0, 0))
            found[visitor, day] = (so_far | signals, number + events)
        return [(*who, *said) for who, said in found.items()]


def _bot(row: Found) -> Bot:
    if row.overruled == verdicts.ROBOT:
        return Bot(row.visitor.hex(), row.events, f"{row.overruled_by} says so")
    against = [each.text for each in msgspec.json.decode(row.reasons, type=list[Reason]) if each.weight > 0]
    return Bot(row.visitor.hex(), row.events, "; ".join(against))
