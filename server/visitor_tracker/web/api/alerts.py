"""Alerts and their channels by REST: of sites for who manages them, of the server itself for admins."""

import threading
import time
from collections import defaultdict, deque
from collections.abc import Sequence
from typing import Annotated, Final

import msgspec
from msgspec import Meta

from visitor_tracker.access.alert_channels import Channels
from visitor_tracker.access.who import Access
from visitor_tracker.errors import HttpError
from visitor_tracker.http.message import Answer, Request
from visitor_tracker.outgoing.channels import Channel, Message
from visitor_tracker.outgoing.courier import Courier, courier_of, parts_of
from visitor_tracker.reports.alert_rules import checked_rule
from visitor_tracker.sites import Site
from visitor_tracker.store.alert_deliveries import LAST_ID, DeliveryTable
from visitor_tracker.store.alerts import AlertTables, Rule, new_id
from visitor_tracker.store.insight import InsightTable
from visitor_tracker.web.api.alert_shapes import (
    AlertChanged,
    AlertMade,
    AlertShown,
    AlertsShown,
    History,
    Tested,
    Tried,
    alert_shown,
    delivery_shown,
)
from visitor_tracker.web.api.kept import BODY_MOST, NoQuery, body_of, gone, id_in, made, refused, unknown
from visitor_tracker.web.asked import answer, query_as, site_named
from visitor_tracker.web.parts import Parts
from visitor_tracker.web.routed import argument_named, visible, who_of
from visitor_tracker.web.router import Route
from visitor_tracker.web.typed import question_of

OF_SITE, OF_SERVER = "/api/v1/sites/{site}", "/api/v1/server"
SERVER: Final = Site(0, "")
LIMIT, LIMIT_MOST = 50, 500

_HINT = "docs/alerts.md says what each kind of alert needs"
_AT_ONCE = 2  # tests of one process: a receiver that hangs keeps a thread
_TESTS_MOST, _TESTS_MS = 50, 600_000  # messages of a site and process: nobody's mailbox is filled by them
_TEST_SECONDS = 30.0  # after which no other receiver is tried

_tests = threading.BoundedSemaphore(_AT_ONCE)


class HistoryQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`before` is that of the answer before."""

    limit: Annotated[int, Meta(ge=1, le=LIMIT_MOST)] = LIMIT
    before: Annotated[str, Meta(pattern="^([0-9a-f]{32})?$", max_length=32)] = ""


class AlertDesk:
    """What the handlers of channels and alerts share; of one process."""

    def __init__(self, parts: Parts, courier: Courier | None = None) -> None:
        self.parts = parts
        self.channels = Channels(parts.store.database, parts.secret)
        self.rules = AlertTables(parts.store.database)
        self.deliveries = DeliveryTable(parts.store.database)
        self.goals = InsightTable(parts.store.database)
        self._courier = courier or courier_of(parts.config)
        self._lately: defaultdict[int, deque[int]] = defaultdict(lambda: deque(maxlen=_TESTS_MOST))

    def site(self, request: Request) -> Site:
        """Return the site of the path, or the server itself; raises HttpError 404."""
        if request.path.startswith(f"{OF_SERVER}/"):
            return SERVER
        return site_named(argument_named(request, "site"), visible(self.parts.snapshot(), request))

    def channel(self, request: Request, site: Site) -> Channel:
        found = self.channels.find(site.id, id_in(request, "channel"))
        if found is None:
            raise unknown("channel")
        return found

    def note(self, request: Request, action: str, site: Site, thing_id: bytes, target: str) -> None:
        """Write a line into the audit log."""
        detail = {"id": thing_id.hex()}
        self.parts.audit.note(who_of(request), action, site_id=site.id, target=target, detail=detail)

    def tested(self, site: Site, channels: Sequence[Channel], about: str) -> Tested:
        """Send a message to the channels now, and tell what the other side said; raises HttpError 429 and 503."""
        if self._is_spared(site):
            raise HttpError(429, "too_many_tests", "there were many tests lately", "try again later", retry_after=600)
        if not _tests.acquire(blocking=False):
            raise HttpError(503, "busy", "other tests are going on", "try again", retry_after=10)
        try:
            until = time.monotonic() + _TEST_SECONDS
            tried = [self._tried(site, part, about, until) for channel in channels for part in parts_of(channel)]
        finally:
            _tests.release()
        return Tested(all(each.sent for each in tried), tried)

    def _is_spared(self, site: Site) -> bool:
        """Say whether a site has sent so many messages lately that no other one is."""
        lately = self._lately[site.id]
        return len(lately) == _TESTS_MOST and self.parts.clock() - lately[0] < _TESTS_MS

    def _tried(self, site: Site, channel: Channel, about: str, until: float) -> Tried:
        now, to = self.parts.clock(), ", ".join(channel.to)
        if self._is_spared(site):
            return Tried(channel.name, to, sent=False, answer="not tried: there were many tests lately")
        if time.monotonic() > until:
            return Tried(channel.name, to, sent=False, answer="not tried: the others took too long")
        self._lately[site.id].append(now)
        outcome = self._courier.deliver(channel, test_message(site, about, now, self.parts.config.server.public_url))
        return Tried(channel.name, to, outcome.is_sent, outcome.answer)


def test_message(site: Site, about: str, now: int, public_url: str) -> Message:
    """Return what a test sends; `about` is the alert, "" where only the channel is tested."""
    address = public_url.rstrip("/")
    link = f"{address}/dashboard/{site.name}" if address and site.name else ""
    what = f"the alert “{about}” reaches you here" if about else "messages reach you here"
    return Message(
        new_id(now).hex(),
        "Test",
        f"This is a test: {what}.",
        now,
        severity="info",
        phase="test",
        site=site.name,
        rule=about,
        kind="test",
        link=link,
    )


class AlertRoutes:
    """Handlers of `…/alerts`."""

    def __init__(self, desk: AlertDesk) -> None:
        self._desk = desk

    def routes(self) -> list[Route]:
        return [*self._routes(OF_SITE, "a site"), *self._routes(OF_SERVER, "the server itself")]

    def _routes(self, base: str, whose: str) -> list[Route]:
        one = f"{base}/alerts/{{alert}}"
        may: Access = "admin" if base == OF_SERVER else "manage"
        return [
            Route("GET", f"{base}/alerts", self.all, f"alerts of {whose}", may, query=NoQuery, answer=AlertsShown),
            Route(
                "POST", f"{base}/alerts", self.add, f"make an alert of {whose}", may,
                query=NoQuery, body=AlertMade, answer=AlertShown, status=201, body_most=BODY_MOST,
            ),
            Route(
                "GET", f"{base}/alerts/history", self.history, f"what alerts of {whose} have sent, and what waits", may,
                query=HistoryQuery, answer=History,
            ),
            Route(
                "PATCH", one, self.change, f"change an alert of {whose}", may,
                query=NoQuery, body=AlertChanged, answer=AlertShown, body_most=BODY_MOST,
            ),
            Route("DELETE", one, self.remove, f"remove an alert of {whose}", may, query=NoQuery, status=204),
            Route(
                "POST", f"{one}/test", self.test, f"send a test by the channels of an alert of {whose}", may,
                query=NoQuery, answer=Tested,
            ),
        ]  # fmt: skip

    def all(self, request: Request) -> Answer:
        """GET …/alerts: {alerts}."""
        query_as(request, NoQuery)
        return answer(AlertsShown([alert_shown(each) for each in self._desk.rules.rules(self._desk.site(request).id)]))

    def add(self, request: Request) -> Answer:
        """POST …/alerts: 201 and the alert."""
        site = self._desk.site(request)
        asked = msgspec.structs.asdict(body_of(request, AlertMade, _HINT))
        with refused():
            rule = Rule(**asked | {"channels": tuple(asked["channels"])}, at=self._desk.parts.clock())
            rule = self._desk.rules.add_rule(site.id, self._checked(site, rule))
        self._desk.note(request, "alert.added", site, rule.id, rule.name)
        return made(alert_shown(rule))

    def change(self, request: Request) -> Answer:
        """PATCH …/alerts/{alert}: the alert."""
        site = self._desk.site(request)
        rule = self._rule(request, site)
        asked = msgspec.structs.asdict(body_of(request, AlertChanged, _HINT))
        changes = {name: each for name, each in asked.items() if each is not msgspec.UNSET}
        if "channels" in changes:
            changes["channels"] = tuple(changes["channels"])
        with refused():
            rule = self._checked(site, msgspec.structs.replace(rule, **changes, problem=""))
            self._desk.rules.change_rule(site.id, rule)
        self._desk.note(request, "alert.changed", site, rule.id, rule.name)
        return answer(alert_shown(rule))

    def remove(self, request: Request) -> Answer:
        """DELETE …/alerts/{alert}: 204."""
        site = self._desk.site(request)
        rule = self._rule(request, site)
        self._desk.rules.remove_rule(site.id, rule.id)
        self._desk.note(request, "alert.removed", site, rule.id, rule.name)
        return gone()

    def test(self, request: Request) -> Answer:
        """POST …/alerts/{alert}/test: {sent, receivers}."""
        site = self._desk.site(request)
        rule = self._rule(request, site)
        wanted = [each for each in self._desk.channels.all(site.id) if each.id.hex() in rule.channels]
        tested = self._desk.tested(site, wanted, rule.name)
        self._desk.note(request, "alert.tested", site, rule.id, rule.name)
        return answer(tested)

    def history(self, request: Request) -> Answer:
        """GET …/alerts/history: {deliveries, before}."""
        site, asked = self._desk.site(request), question_of(request, HistoryQuery)
        before = bytes.fromhex(asked.before) if asked.before else LAST_ID
        found = self._desk.deliveries.history(site.id, asked.limit, before)
        names = {channel.id: channel.name for channel in self._desk.channels.all(site.id)}
        last = found[-1].id.hex() if len(found) == asked.limit else None
        return answer(History([delivery_shown(each, names) for each in found], last))

    def _rule(self, request: Request, site: Site) -> Rule:
        wanted = id_in(request, "alert")
        found = next((each for each in self._desk.rules.rules(site.id) if each.id == wanted), None)
        if found is None:
            raise unknown("alert")
        return found

    def _checked(self, site: Site, rule: Rule) -> Rule:
        desk = self._desk
        return checked_rule(
            rule,
            is_of_server=site.id == SERVER.id,
            goals={each.id.hex() for each in desk.goals.goals(site.id)},
            channels={each.id.hex() for each in desk.channels.all(site.id)},
        )
