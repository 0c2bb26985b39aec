"""/unsubscribe: who gets reports by mail ends that here, without an account, by the link of the mail.

Opening the link changes nothing: programs that look at mails open links, too. The button does, and what mail readers
send when their own button is pressed (RFC 8058).
"""

from html import escape
from typing import Annotated

import msgspec

from visitor_tracker.access.limits import RateLimiter
from visitor_tracker.access.unsubscribing import Recipient, UnsubscribeTokens
from visitor_tracker.access.who import Who
from visitor_tracker.errors import HttpError
from visitor_tracker.http.message import Answer, Request, Response
from visitor_tracker.reports.digest.schedules import digest_of
from visitor_tracker.store.report_schedules import ReportSchedule, ReportSchedules
from visitor_tracker.web.asked import query_as
from visitor_tracker.web.parts import Parts
from visitor_tracker.web.plain_page import plain_page
from visitor_tracker.web.router import HTML, Route

_BODY_MOST = 4_096
_PER_SECOND, _BURST = 1.0, 20  # of an address
_UNDO = b"undo="

RECIPIENT = Who("nobody", "recipient")


class UnsubscribeQuery(msgspec.Struct, frozen=True):
    """The token of the mail; mail programs may add parameters of their own."""

    token: Annotated[str, msgspec.Meta(max_length=256, description="As the mail's link has it")] = ""


class UnsubscribeRoutes:
    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._tokens = UnsubscribeTokens(parts.secret)
        self._schedules = ReportSchedules(parts.store.database)
        self._limiter = RateLimiter(_PER_SECOND, _BURST, enabled=parts.config.rate_limit.enabled)

    def routes(self) -> list[Route]:
        return [
            Route(
                "GET", "/unsubscribe", self.ask, "the button that ends reports by mail, for who gets them",
                query=UnsubscribeQuery, media=HTML,
            ),
            Route(
                "POST", "/unsubscribe", self.stop, "end reports by mail, also with one click (RFC 8058)",
                query=UnsubscribeQuery, body_most=_BODY_MOST, media=HTML,
            ),
        ]  # fmt: skip

    def ask(self, request: Request) -> Answer:
        """GET /unsubscribe?token=: a page with a button."""
        found = self._found(request)
        if found is None:
            return self._gone()
        who, schedule, address = found
        if who.recipient in self._schedules.stopped(who.site_id, who.schedule_id):
            return self._stopped(schedule, address)
        text = f"<p>{self._what(schedule)} goes to <strong>{escape(address)}</strong>.</p>"
        return self._page("Unsubscribe?", text + _button("Unsubscribe"))

    def stop(self, request: Request) -> Answer:
        """POST /unsubscribe?token=: the button, or that of a mail reader; with undo=1 in the body the way back."""
        found = self._found(request)
        if found is None:
            return self._gone()
        who, schedule, address = found
        is_back = _UNDO in request.body
        if is_back:
            self._schedules.go_on(who.site_id, who.schedule_id, who.recipient)
        else:
            self._schedules.stop(who.site_id, who.schedule_id, who.recipient, self._parts.clock())
        action = "report.subscribed" if is_back else "report.unsubscribed"
        detail = {"id": schedule.id.hex()}
        self._parts.audit.note(RECIPIENT, action, site_id=who.site_id, target=f"{schedule.every} report", detail=detail)
        if not is_back:
            return self._stopped(schedule, address)
        text = f"<p>{self._what(schedule)} goes to <strong>{escape(address)}</strong> again.</p>"
        return self._page("Subscribed again", text + _button("Unsubscribe"))

    def _found(self, request: Request) -> tuple[Recipient, ReportSchedule, str] | None:
        """Return who the token is of, and what of; None for one that is of nobody any more. Raises HttpError 429."""
        address = self._parts.guards.limit(request)
        if wait := self._limiter.allow(address):
            raise HttpError(429, "rate_limited", "too many requests", f"wait {wait} s", retry_after=wait)
        who = self._tokens.read(query_as(request, UnsubscribeQuery).token)
        schedule = None if who is None else self._schedules.find(who.site_id, who.schedule_id)
        if who is None or schedule is None or who.site_id not in self._parts.snapshot().by_id:
            return None
        to = next((each for each in schedule.recipients if digest_of(each) == who.recipient), None)
        return None if to is None else (who, schedule, _masked(to))

    def _what(self, schedule: ReportSchedule) -> str:
        site = self._parts.snapshot().by_id[schedule.site_id]
        return f"The {schedule.every} report of <strong>{escape(site.name)}</strong>"

    def _stopped(self, schedule: ReportSchedule, address: str) -> Response:
        text = f"<p>{self._what(schedule)} is not sent to <strong>{escape(address)}</strong> any more.</p>"
        return self._page("Unsubscribed", text + _button("Undo", undo=True))

    def _gone(self) -> Response:
        text = "<p>This link belongs to no report that is still sent. There is nothing to unsubscribe from.</p>"
        return self._page("Nothing to unsubscribe from", text, status=404)

    def _page(self, title: str, content: str, *, status: int = 200) -> Response:
        return plain_page(self._parts.assets, title, content, status=status, like_login=True)


def _button(text: str, *, undo: bool = False) -> str:
    """Return a form that leads back to this address; a page cannot tell its own."""
    field = '<input type="hidden" name="undo" value="1">' if undo else ""
    return f'<form method="post">{field}<button class="primary" type="submit">{escape(text)}</button></form>'


def _masked(address: str) -> str:
    """Return an address as who has it knows it: mails are passed on, with their links."""
    name, _, domain = address.rpartition("@")
    return f"{name[:1]}…@{domain}"
