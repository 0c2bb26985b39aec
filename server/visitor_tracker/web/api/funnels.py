"""Funnels of a site: list, make, change and remove them, and how many go how far."""

from typing import Annotated

import msgspec
from msgspec import UNSET, Meta, UnsetType

from visitor_tracker.errors import HttpError
from visitor_tracker.http.message import Answer, Request
from visitor_tracker.reports.funnels import STEPS_LEAST, STEPS_MOST, FunnelAnswer, funnel_report
from visitor_tracker.reports.query import Question
from visitor_tracker.reports.saved import DAYS_MOST, MINUTES_MOST, checked_funnel
from visitor_tracker.reports.words import iso
from visitor_tracker.store.insight import Funnel, Step, StepOrder
from visitor_tracker.web.api.kept import (
    BODY_MOST,
    BrokenDown,
    Desk,
    NoQuery,
    body_of,
    gone,
    id_in,
    made,
    refused,
    unknown,
)
from visitor_tracker.web.asked import answer, query_as
from visitor_tracker.web.routed import may, who_of
from visitor_tracker.web.router import Route
from visitor_tracker.web.typed import question_of

_PATH = "/api/v1/sites/{site}/funnels"
_REPORT = "/api/v1/stats/funnel"
_HINT = (
    f"use name, steps ({STEPS_LEAST} to {STEPS_MOST} of page, event or filter), order (loose, strict), and minutes"
    " within a visit or days across visits"
)


class StepAsked(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One of page, event and filter, and a name if another one is to be shown."""

    page: Annotated[str, Meta(description="A path such as /thanks or /blog/*, or host and path; * is any text")] = ""
    event: Annotated[str, Meta(description="The name of a custom event")] = ""
    filter: Annotated[str, Meta(description="What must hold for one event, such as `outbound contains pay`")] = ""
    name: str = ""


_Steps = Annotated[list[StepAsked], Meta(min_length=STEPS_LEAST, max_length=STEPS_MOST)]
_Order = Annotated[StepOrder, Meta(description="strict: nothing else in between")]
_Minutes = Annotated[int, Meta(ge=1, le=MINUTES_MOST, description="From the first step to the last, within a visit")]
_Days = Annotated[int, Meta(ge=1, le=DAYS_MOST, description="From the first step to the last, across visits")]


class FunnelMade(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A new funnel; with neither minutes nor days it is within a visit, however long that is."""

    name: str
    steps: _Steps
    order: _Order = "loose"
    minutes: _Minutes | None = None
    days: _Days | None = None


class FunnelChanged(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is to be another; null takes minutes or days away."""

    name: str | UnsetType = UNSET
    steps: _Steps | UnsetType = UNSET
    order: _Order | UnsetType = UNSET
    minutes: _Minutes | UnsetType | None = UNSET
    days: _Days | UnsetType | None = UNSET


class FunnelShown(msgspec.Struct, frozen=True):
    id: str
    name: str
    steps: list[StepAsked]
    order: StepOrder
    minutes: int | None
    days: int | None
    created_at: str


class FunnelsShown(msgspec.Struct, frozen=True):
    """Funnels, the oldest first."""

    funnels: list[FunnelShown]


class FunnelQuery(BrokenDown, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A saved funnel over some days."""

    funnel: Annotated[str, Meta(description="Id or name of a funnel")]


class FunnelAsked(BrokenDown, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A funnel that is not saved, over some days."""

    steps: _Steps
    order: _Order = "loose"
    minutes: _Minutes | None = None
    days: _Days | None = None
    name: str = "funnel"


class FunnelRoutes:
    """Handlers of funnels: readers see them, owners change them."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def routes(self) -> list[Route]:
        one = f"{_PATH}/{{funnel}}"
        return [
            Route("GET", _PATH, self.all, "funnels of a site", "read", query=NoQuery, answer=FunnelsShown),
            Route(
                "POST", _PATH, self.add, "make a funnel", "manage",
                query=NoQuery, body=FunnelMade, answer=FunnelShown, status=201, body_most=BODY_MOST,
            ),
            Route(
                "PATCH", one, self.change, "change a funnel", "manage",
                query=NoQuery, body=FunnelChanged, answer=FunnelShown, body_most=BODY_MOST,
            ),
            Route("DELETE", one, self.remove, "remove a funnel", "manage", query=NoQuery, status=204),
            Route(
                "GET", _REPORT, self.report, "how many went how far in a saved funnel", "read",
                query=FunnelQuery, answer=FunnelAnswer,
            ),
            Route(
                "POST", _REPORT, self.ask, "how many went how far along any steps", "read",
                query=NoQuery, body=FunnelAsked, answer=FunnelAnswer, body_most=BODY_MOST,
            ),
        ]  # fmt: skip

    def all(self, request: Request) -> Answer:
        """GET /api/v1/sites/{site}/funnels: {funnels}."""
        query_as(request, NoQuery)
        return answer(FunnelsShown([shown(each) for each in self._desk.kept.funnels(self._desk.site(request).id)]))

    def add(self, request: Request) -> Answer:
        """POST /api/v1/sites/{site}/funnels: 201 and the funnel."""
        site = self._desk.site(request)
        asked = body_of(request, FunnelMade, _HINT)
        funnel = Funnel(asked.name, steps_of(asked.steps), asked.order, asked.minutes, asked.days)
        with refused():
            funnel = checked_funnel(msgspec.structs.replace(funnel, at=self._desk.parts.clock()))
            funnel = self._desk.kept.kept_funnels.add(site.id, funnel)
        self._note(request, "funnel.added", site.id, funnel)
        return made(shown(funnel))

    def change(self, request: Request) -> Answer:
        """PATCH /api/v1/sites/{site}/funnels/{funnel}: the funnel."""
        site = self._desk.site(request)
        funnel = self._funnel(request, site.id)
        asked = body_of(request, FunnelChanged, _HINT)
        changes = {name: each for name, each in msgspec.structs.asdict(asked).items() if each is not UNSET}
        if not isinstance(asked.steps, UnsetType):
            changes["steps"] = steps_of(asked.steps)
        with refused():
            funnel = checked_funnel(msgspec.structs.replace(funnel, **changes))
            self._desk.kept.kept_funnels.change(site.id, funnel)
        self._note(request, "funnel.changed", site.id, funnel)
        return answer(shown(funnel))

    def remove(self, request: Request) -> Answer:
        """DELETE /api/v1/sites/{site}/funnels/{funnel}: 204."""
        site = self._desk.site(request)
        funnel = self._funnel(request, site.id)
        self._desk.kept.kept_funnels.remove(site.id, funnel.id)
        self._note(request, "funnel.removed", site.id, funnel)
        return gone()

    def report(self, request: Request) -> Answer:
        """GET /api/v1/stats/funnel: {steps: [{visitors, visits, dropped, median_seconds, …}]}."""
        sent = question_of(request, FunnelQuery)
        with self._desk.asked(request, sent) as question:
            funnel = named_funnel(self._desk.kept.funnels(question.site.id), sent.funnel)
            return self._answer(request, question, funnel)

    def ask(self, request: Request) -> Answer:
        """POST /api/v1/stats/funnel: the same for the steps of the body."""
        query_as(request, NoQuery)
        sent = body_of(request, FunnelAsked, f"{_HINT}; site, period, filter, segment, by, limit")
        with self._desk.asked(request, sent) as question:
            funnel = Funnel(sent.name, steps_of(sent.steps), sent.order, sent.minutes, sent.days)
            return self._answer(request, question, checked_funnel(funnel))

    def _answer(self, request: Request, question: Question, funnel: Funnel) -> Answer:
        with_sessions = may(request, "visitors", question.site)
        return answer(funnel_report(self._desk.table, question, funnel, with_sessions=with_sessions))

    def _funnel(self, request: Request, site_id: int) -> Funnel:
        found = self._desk.kept.kept_funnels.find(site_id, id_in(request, "funnel"))
        if found is None:
            raise unknown("funnel")
        return found

    def _note(self, request: Request, action: str, site_id: int, funnel: Funnel) -> None:
        detail = {"id": funnel.id.hex(), "steps": len(funnel.steps)}
        self._desk.parts.audit.note(who_of(request), action, site_id=site_id, target=funnel.name, detail=detail)


def named_funnel(funnels: list[Funnel], name: str) -> Funnel:
    """Return the funnel of that id or name; raises HttpError 404."""
    found = [each for each in funnels if each.id.hex() == name] or [each for each in funnels if each.name == name]
    if not found:
        known = ", ".join(each.name for each in funnels[:20]) or "POST one to the site's funnels first"
        raise HttpError(404, "unknown_funnel", f"the site has no funnel {name[:40]!r}", f"funnels: {known}")
    return found[0]


def steps_of(asked: list[StepAsked]) -> tuple[Step, ...]:
    return tuple(Step(each.page, each.event, each.filter, each.name) for each in asked)


def shown(funnel: Funnel) -> FunnelShown:
    steps = [StepAsked(each.page, each.event, each.filter, each.name) for each in funnel.steps]
    return FunnelShown(funnel.id.hex(), funnel.name, steps, funnel.order, funnel.minutes, funnel.days, iso(funnel.at))
