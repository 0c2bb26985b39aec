"""Reports of a site: as pages, and by mail: when, to whom, what came of it."""

import secrets
from typing import Annotated, Final, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from visitor_tracker.access.accounts import Accounts
from visitor_tracker.access.limits import RateLimiter
from visitor_tracker.access.who import Who
from visitor_tracker.errors import HttpError
from visitor_tracker.http.message import Answer, Headers, Request, Response
from visitor_tracker.ingest.zones import country_name
from visitor_tracker.outgoing.mail import Mailer, MailError
from visitor_tracker.reports.digest.calendar import WEEKDAYS, Every, Times, last_due, next_due, told
from visitor_tracker.reports.digest.collecting import Collector
from visitor_tracker.reports.digest.content import Digest
from visitor_tracker.reports.digest.formats import Formats
from visitor_tracker.reports.digest.letter import base_of, letter
from visitor_tracker.reports.digest.page import page_of
from visitor_tracker.reports.digest.said import Links, Said
from visitor_tracker.reports.digest.schedules import HOUR_MOST, checked_schedule, digest_of, times_of, weekday_of
from visitor_tracker.reports.digest.text import text_of
from visitor_tracker.reports.digest.words import Language
from visitor_tracker.reports.words import iso
from visitor_tracker.sites import Site
from visitor_tracker.store.report_schedules import Outcome, ReportDeliveries, ReportSchedule, ReportSchedules
from visitor_tracker.web.api.kept import BODY_MOST, Desk, NoQuery, body_of, gone, id_in, made, refused, unknown
from visitor_tracker.web.asked import answer, query_as
from visitor_tracker.web.parts import Parts
from visitor_tracker.web.remembered import Remembered
from visitor_tracker.web.routed import who_of
from visitor_tracker.web.router import HTML, Route
from visitor_tracker.web.turns import long_turn

_PATH: Final = "/api/v1/sites/{site}/reports"
_HINT = (
    "use recipients (mail addresses), every (daily, weekly, monthly), hour (0 to 23, by the clock of the site), weekday"
    " (of weekly ones, such as monday), language (en, de, fr, es) and is_on"
)
_DELIVERIES = 200  # that are shown
_GOAL_VISITS_MOST = 20_000  # five seconds, while somebody waits
_SENDS_A_SECOND, _SENDS_AT_ONCE = 0.05, 10  # trial mails of a site
_PAGE_HEADERS: Headers = (
    ("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none';"
     " frame-ancestors 'self'; sandbox allow-popups"),
    ("X-Content-Type-Options", "nosniff"),
    ("X-Frame-Options", "SAMEORIGIN"),
    ("Referrer-Policy", "no-referrer"),
    ("Cache-Control", "no-store"),
)  # fmt: skip

_Recipients = Annotated[list[str], Meta(description="Addresses that it is sent to")]
_Hour = Annotated[int, Meta(ge=0, le=HOUR_MOST, description="By the clock of the site's time zone")]
_Weekday = Annotated[str, Meta(description=f"Of weekly reports: {', '.join(WEEKDAYS)}")]


class ReportMade(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A new report by mail."""

    recipients: _Recipients
    every: Every = "weekly"
    hour: _Hour = 8
    weekday: _Weekday = "monday"
    language: Language = "en"
    is_on: bool = True


class ReportChanged(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is to be another; it holds from the next time on."""

    recipients: _Recipients | UnsetType = UNSET
    every: Every | UnsetType = UNSET
    hour: _Hour | UnsetType = UNSET
    weekday: _Weekday | UnsetType = UNSET
    language: Language | UnsetType = UNSET
    is_on: bool | UnsetType = UNSET


class RecipientShown(msgspec.Struct, frozen=True):
    """An address, and since when it wants no more of these mails."""

    address: str
    unsubscribed_at: str | None


class ReportShown(msgspec.Struct, frozen=True):
    """A report by mail; `next_at` is when it is sent next. `hint` says what keeps it from being sent."""

    id: str
    recipients: list[RecipientShown]
    every: Every
    hour: int
    weekday: str
    language: Language
    is_on: bool
    timezone: str
    next_at: str | None
    hint: str


class ReportsShown(msgspec.Struct, frozen=True):
    """Reports by mail, the oldest first. `mail_is_set_up`: the settings name a mail server."""

    reports: list[ReportShown]
    mail_is_set_up: bool


class DeliveryShown(msgspec.Struct, frozen=True):
    """A report that was, is or is to be sent; `recipient` is "" for one that is no more on the list."""

    due_at: str
    recipient: str
    outcome: Outcome
    tries: int
    next_at: str | None
    said: Annotated[str, Meta(description="What the mail server answered last")]


class DeliveriesShown(msgspec.Struct, frozen=True):
    """The newest first."""

    deliveries: list[DeliveryShown]


class TrialAsked(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """To whom a report is sent now: one of its recipients, or who asks."""

    to: Annotated[str, Meta(description="One of its recipients; without it the address of your account")] = ""


class TrialSent(msgspec.Struct, frozen=True):
    """What the mail server answered."""

    to: str
    said: str


class PreviewQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which report."""

    every: Every = "weekly"
    language: Language = "en"
    format: Annotated[Literal["html", "text"], Meta(description="A page, or plain text as in mails")] = "html"


class ReportRoutes:
    """Handlers: readers see the report itself, owners say who gets it."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._desk = Desk(parts)
        self._schedules = ReportSchedules(parts.store.database)
        self._deliveries = ReportDeliveries(parts.store.database)
        self._mailer = Mailer(parts.config.mail)
        self._accounts = Accounts(parts.store)
        self._digests: Remembered[Digest] = Remembered()
        limits = parts.config.rate_limit
        self._limiter = RateLimiter(_SENDS_A_SECOND, _SENDS_AT_ONCE, enabled=limits.enabled)

    def routes(self) -> list[Route]:
        one = f"{_PATH}/{{report}}"
        return [
            Route("GET", _PATH, self.all, "reports by mail of a site", "manage", query=NoQuery, answer=ReportsShown),
            Route(
                "POST", _PATH, self.add, "have a report sent by mail", "manage",
                query=NoQuery, body=ReportMade, answer=ReportShown, status=201, body_most=BODY_MOST,
            ),
            Route(
                "GET", f"{_PATH}/preview", self.show, "the last report of a site, whether it is sent or not", "read",
                query=PreviewQuery, media=HTML,
            ),
            Route(
                "PATCH", one, self.change, "change a report by mail", "manage",
                query=NoQuery, body=ReportChanged, answer=ReportShown, body_most=BODY_MOST,
            ),
            Route("DELETE", one, self.remove, "send a report no more", "manage", query=NoQuery, status=204),
            Route(
                "GET", f"{one}/preview", self.preview, "what was sent last, or would have been", "manage",
                query=NoQuery, media=HTML,
            ),
            Route(
                "GET", f"{one}/deliveries", self.deliveries, "what was sent, and what came of it", "manage",
                query=NoQuery, answer=DeliveriesShown,
            ),
            Route(
                "POST", f"{one}/send", self.send, "send a report now, for trial", "manage",
                query=NoQuery, body=TrialAsked, answer=TrialSent, body_most=BODY_MOST,
            ),
        ]  # fmt: skip

    def all(self, request: Request) -> Answer:
        """GET /api/v1/sites/{site}/reports: {reports, mail_is_set_up}."""
        query_as(request, NoQuery)
        site = self._desk.site(request)
        shown = [self._shown(site, each) for each in self._schedules.of_site(site.id)]
        return answer(ReportsShown(shown, self._mailer.is_set_up))

    def add(self, request: Request) -> Answer:
        """POST /api/v1/sites/{site}/reports: 201 and the report."""
        site, now = self._desk.site(request), self._parts.clock()
        asked = body_of(request, ReportMade, _HINT)
        with refused():
            schedule = checked_schedule(
                ReportSchedule(
                    tuple(asked.recipients),
                    asked.every,
                    asked.hour,
                    weekday_of(asked.weekday),
                    asked.language,
                    asked.is_on,
                    site.id,
                    new_id(now),
                    now,
                    who_of(request).id[:64],
                )
            )
            self._schedules.add(schedule)
        self._note(request, "report.added", schedule)
        return made(self._shown(site, schedule))

    def change(self, request: Request) -> Answer:
        """PATCH /api/v1/sites/{site}/reports/{report}: the report."""
        site = self._desk.site(request)
        schedule = self._schedule(request, site)
        asked = body_of(request, ReportChanged, _HINT)
        changes = {name: each for name, each in msgspec.structs.asdict(asked).items() if each is not UNSET}
        with refused():
            if isinstance(asked.weekday, str):
                changes["weekday"] = weekday_of(asked.weekday)
            if not isinstance(asked.recipients, UnsetType):
                changes["recipients"] = tuple(asked.recipients)
            changed = checked_schedule(msgspec.structs.replace(schedule, **changes, at=self._parts.clock()))
        self._schedules.change(changed)
        self._note(request, "report.changed", changed)
        return answer(self._shown(site, changed))

    def remove(self, request: Request) -> Answer:
        """DELETE /api/v1/sites/{site}/reports/{report}: 204."""
        site = self._desk.site(request)
        schedule = self._schedule(request, site)
        self._schedules.remove(site.id, schedule.id)
        self._note(request, "report.removed", schedule)
        return gone()

    def show(self, request: Request) -> Answer:
        """GET /api/v1/sites/{site}/reports/preview?every=&language=&format=."""
        asked, site = query_as(request, PreviewQuery), self._desk.site(request)
        said = self._said(site, Times(asked.every), asked.language)
        if asked.format == "text":
            return _page("text/plain", text_of(said, Links()))
        return _page(HTML, page_of(said, Links()))

    def preview(self, request: Request) -> Answer:
        """GET /api/v1/sites/{site}/reports/{report}/preview: a page."""
        query_as(request, NoQuery)
        site = self._desk.site(request)
        schedule = self._schedule(request, site)
        return _page(HTML, page_of(self._said(site, times_of(schedule), schedule.language), Links()))

    def deliveries(self, request: Request) -> Answer:
        """GET /api/v1/sites/{site}/reports/{report}/deliveries: {deliveries: [{due_at, recipient, outcome, …}]}."""
        query_as(request, NoQuery)
        site = self._desk.site(request)
        schedule = self._schedule(request, site)
        names = {digest_of(address): address for address in schedule.recipients}
        found = self._deliveries.latest(site.id, schedule.id, _DELIVERIES)
        shown = [
            DeliveryShown(
                iso(each.due_at),
                names.get(each.recipient, ""),
                each.outcome,
                each.tries,
                iso(each.next_at) if each.outcome in ("waiting", "sending") else None,
                each.said,
            )
            for each in found
        ]
        return answer(DeliveriesShown(shown))

    def send(self, request: Request) -> Answer:
        """POST /api/v1/sites/{site}/reports/{report}/send: {to, said}; 502 with what the mail server said."""
        query_as(request, NoQuery)
        site = self._desk.site(request)
        schedule = self._schedule(request, site)
        asked = body_of(request, TrialAsked, "use to: one of the report's recipients")
        to = self._recipient(who_of(request), schedule, asked.to)
        if not self._mailer.is_set_up:
            raise HttpError(409, "mail_not_set_up", "the server sends no mail", _NO_MAIL)
        if asked.to and digest_of(to) in self._schedules.stopped(site.id, schedule.id):
            raise HttpError(
                409, "unsubscribed", f"{to} has unsubscribed from this report", "send it to another recipient"
            )
        if wait := self._limiter.allow(f"site {site.id}"):
            raise HttpError(429, "rate_limited", "too many trial mails", f"wait {wait} s", retry_after=wait)
        said = self._said(site, times_of(schedule), schedule.language)
        try:
            told_by_server = self._mailer.send(letter(said, Links(base_of(self._parts.config), to)))
        except MailError as error:
            raise HttpError(502, "mail_refused", str(error), "see the settings mail.…") from error
        self._note(request, "report.tried", schedule)
        return answer(TrialSent(to, told_by_server))

    def _recipient(self, who: Who, schedule: ReportSchedule, named: str) -> str:
        """Return to whom a trial may go: nobody else gets mail from here."""
        account = self._accounts.find(who.id) if who.kind == "user" else None
        own = "" if account is None else account.email
        to = named or own
        known: dict[str, str] = {each.lower(): each for each in (*schedule.recipients, *([own] if own else ()))}
        if to.lower() not in known:
            raise HttpError(
                400,
                "invalid_to",
                "to must be one of the report's recipients" if to else "your account has no mail address",
                f"use {', '.join(schedule.recipients[:5])}",
            )
        return known[to.lower()]

    def _said(self, site: Site, times: Times, language: Language) -> Said:
        """Return the report that was due last; one of a report's kind serves all who ask within a minute."""
        now = self._parts.clock()
        due = last_due(times, site.timezone, now)
        days = told(times.every, due.day)

        def make() -> Digest:
            with long_turn():
                policy = self._parts.snapshot().policy_of(site.id).visitor
                goals = self._desk.kept.goals(site.id)
                collector = Collector(self._desk.table, site, policy, now, _GOAL_VISITS_MOST)
                return collector.digest(times.every, days, goals)

        digest = self._digests.answer((site.id, site.timezone, times.every, days), make)
        return Said(digest, Formats(language, country_name))

    def _schedule(self, request: Request, site: Site) -> ReportSchedule:
        found = self._schedules.find(site.id, id_in(request, "report"))
        if found is None:
            raise unknown("report")
        return found

    def _shown(self, site: Site, schedule: ReportSchedule) -> ReportShown:
        stopped = self._schedules.stopped(site.id, schedule.id)
        return shown(
            site, schedule, stopped, self._parts.clock(), hint_of(self._mailer, self._parts.config.server.public_url)
        )

    def _note(self, request: Request, action: str, schedule: ReportSchedule) -> None:
        detail = {"id": schedule.id.hex(), "recipients": len(schedule.recipients), "is_on": schedule.is_on}
        self._parts.audit.note(
            who_of(request), action, site_id=schedule.site_id, target=f"{schedule.every} report", detail=detail
        )


_NO_MAIL = "name a mail server in the settings: mail.host and mail.sender"
_NO_URL = "set server.public_url: links in the mails, also to unsubscribe, lead to a guess of the server's address"


def hint_of(mailer: Mailer, public_url: str) -> str:
    """Return what keeps reports from being sent, or from being of use; "" for nothing."""
    if not mailer.is_set_up:
        return f"the server sends no mail: {_NO_MAIL}"
    return "" if public_url else _NO_URL


def shown(site: Site, schedule: ReportSchedule, stopped: dict[bytes, int], now_ms: int, hint: str) -> ReportShown:
    """Return a schedule as answers have it."""
    recipients = []
    for address in schedule.recipients:
        since = stopped.get(digest_of(address))
        recipients.append(RecipientShown(address, None if since is None else iso(since)))
    due = next_due(times_of(schedule), site.timezone, now_ms) if schedule.is_on else None
    return ReportShown(
        schedule.id.hex(),
        recipients,
        schedule.every,
        schedule.hour,
        WEEKDAYS[schedule.weekday],
        schedule.language,
        schedule.is_on,
        site.timezone,
        None if due is None else iso(due.at_ms),
        hint,
    )


def new_id(now_ms: int) -> bytes:
    """Return an id that begins with the time, so that lists are in the order in which things were made."""
    return max(now_ms, 0).to_bytes(6, "big") + secrets.token_bytes(10)


def _page(media: str, text: str) -> Response:
    return Response(200, text.encode(), (("Content-Type", f"{media}; charset=utf-8"), *_PAGE_HEADERS))


def routes(parts: Parts) -> list[Route]:
    """Return the routes of this file."""
    return ReportRoutes(parts).routes()
