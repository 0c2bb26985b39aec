"""Goals of a site: list, make, change and remove them, and how they are reached."""

from dataclasses import replace
from typing import Annotated

import msgspec
from msgspec import UNSET, Meta, UnsetType

from visitor_tracker.errors import HttpError
from visitor_tracker.http.message import Answer, Request
from visitor_tracker.reports.attribution import (
    LOOKBACK_DAYS,
    LOOKBACK_MOST,
    AttributedBy,
    AttributionAnswer,
    Model,
    attribution,
)
from visitor_tracker.reports.goals import GoalsAnswer, goal_report
from visitor_tracker.reports.query import LIMIT_MOST, OFFSET_MOST, Question
from visitor_tracker.reports.saved import ENGAGED_MOST_MS, checked_goal
from visitor_tracker.reports.words import iso
from visitor_tracker.store.insight import Goal, GoalKind
from visitor_tracker.web.api.kept import (
    BODY_MOST,
    Chosen,
    Desk,
    InTime,
    NoQuery,
    body_of,
    gone,
    id_in,
    made,
    refused,
    unknown,
)
from visitor_tracker.web.asked import answer, query_as
from visitor_tracker.web.routed import who_of
from visitor_tracker.web.router import Route
from visitor_tracker.web.typed import question_of

_PATH = "/api/v1/sites/{site}/goals"
_HINT = (
    "use name, kind (page, event, scroll, engaged, revenue) and what the kind needs: page; event and where;"
    " percent and page; engaged_ms and page"
)

_Page = Annotated[str, Meta(description="A path such as /thanks or /blog/*, or host and path; * is any text")]
_Event = Annotated[str, Meta(description="The name of a custom event")]
_Where = Annotated[str, Meta(description="What must hold for the event, such as `prop:plan is pro and value > 10`")]
_Percent = Annotated[int, Meta(ge=0, le=100, description="How far the page was scrolled")]
_Engaged = Annotated[int, Meta(ge=0, le=ENGAGED_MOST_MS, description="How long a page, or the visit, was looked at")]


class GoalMade(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A new goal. A page needs `page`, an event and revenue `event`, scroll `percent`, engaged `engaged_ms`."""

    name: str
    kind: GoalKind
    page: _Page = ""
    event: _Event = ""
    where: _Where = ""
    percent: _Percent = 0
    engaged_ms: _Engaged = 0


class GoalChanged(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is to be another; with another `kind` all that belongs to the old one goes."""

    name: str | UnsetType = UNSET
    kind: GoalKind | UnsetType = UNSET
    page: _Page | UnsetType = UNSET
    event: _Event | UnsetType = UNSET
    where: _Where | UnsetType = UNSET
    percent: _Percent | UnsetType = UNSET
    engaged_ms: _Engaged | UnsetType = UNSET


class GoalShown(msgspec.Struct, frozen=True):
    """A goal; what its kind does not have is empty or 0."""

    id: str
    name: str
    kind: GoalKind
    page: str
    event: str
    where: str
    percent: int
    engaged_ms: int
    created_at: str


class GoalsShown(msgspec.Struct, frozen=True):
    """Goals, the oldest first."""

    goals: list[GoalShown]


class GoalsQuery(InTime, frozen=True, forbid_unknown_fields=True):
    """Which goals, over which days."""

    goal: Annotated[str, Meta(description="Id or name of one goal; without it all of the site")] = ""


class GoalTried(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What would reach a goal that is not made yet; a name is not needed."""

    kind: GoalKind
    page: _Page = ""
    event: _Event = ""
    where: _Where = ""
    percent: _Percent = 0
    engaged_ms: _Engaged = 0
    name: str = "goal"


class GoalAsked(InTime, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A goal that is not saved, over some days."""

    goal: GoalTried


class AttributionQuery(Chosen, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Which goal, and how its conversions are credited."""

    goal: Annotated[str, Meta(description="Id or name of a goal")]
    model: Annotated[Model, Meta(description="The first visit, or the last that was not direct")] = "last"
    by: AttributedBy = "channel"
    lookback: Annotated[int, Meta(ge=1, le=LOOKBACK_MOST, description="Days before a conversion")] = LOOKBACK_DAYS
    limit: Annotated[int, Meta(ge=1, le=LIMIT_MOST, description="Rows")] = 10
    offset: Annotated[int, Meta(ge=0, le=OFFSET_MOST, description="Rows to leave out")] = 0


class GoalRoutes:
    """Handlers of goals: readers see them, owners change them."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def routes(self) -> list[Route]:
        one = f"{_PATH}/{{goal}}"
        return [
            Route("GET", _PATH, self.all, "goals of a site", "read", query=NoQuery, answer=GoalsShown),
            Route(
                "POST", _PATH, self.add, "make a goal", "manage",
                query=NoQuery, body=GoalMade, answer=GoalShown, status=201, body_most=BODY_MOST,
            ),
            Route(
                "PATCH", one, self.change, "change a goal", "manage",
                query=NoQuery, body=GoalChanged, answer=GoalShown, body_most=BODY_MOST,
            ),
            Route("DELETE", one, self.remove, "remove a goal", "manage", query=NoQuery, status=204),
            Route(
                "GET", "/api/v1/stats/goals", self.report, "how often goals were reached, and by whom", "read",
                query=GoalsQuery, answer=GoalsAnswer,
            ),
            Route(
                "POST", "/api/v1/stats/goals", self.ask, "how often a goal would have been reached", "read",
                query=NoQuery, body=GoalAsked, answer=GoalsAnswer, body_most=BODY_MOST,
            ),
            Route(
                "GET", "/api/v1/stats/attribution", self.attribution, "what brought those who reached a goal", "read",
                query=AttributionQuery, answer=AttributionAnswer,
            ),
        ]  # fmt: skip

    def all(self, request: Request) -> Answer:
        """GET /api/v1/sites/{site}/goals: {goals}."""
        query_as(request, NoQuery)
        return answer(GoalsShown([shown(each) for each in self._desk.kept.goals(self._desk.site(request).id)]))

    def add(self, request: Request) -> Answer:
        """POST /api/v1/sites/{site}/goals: 201 and the goal."""
        site = self._desk.site(request)
        asked = body_of(request, GoalMade, _HINT)
        with refused():
            goal = checked_goal(Goal(**msgspec.structs.asdict(asked), at=self._desk.parts.clock()))
            goal = self._desk.kept.kept_goals.add(site.id, goal)
        self._note(request, "goal.added", site.id, goal)
        return made(shown(goal))

    def change(self, request: Request) -> Answer:
        """PATCH /api/v1/sites/{site}/goals/{goal}: the goal."""
        site = self._desk.site(request)
        goal = self._goal(request, site.id)
        asked = body_of(request, GoalChanged, _HINT)
        changes = {name: each for name, each in msgspec.structs.asdict(asked).items() if each is not UNSET}
        if changes.get("kind", goal.kind) != goal.kind:
            goal = Goal(goal.name, goal.kind, id=goal.id, at=goal.at)
        with refused():
            goal = checked_goal(msgspec.structs.replace(goal, **changes))
            self._desk.kept.kept_goals.change(site.id, goal)
        self._note(request, "goal.changed", site.id, goal)
        return answer(shown(goal))

    def remove(self, request: Request) -> Answer:
        """DELETE /api/v1/sites/{site}/goals/{goal}: 204."""
        site = self._desk.site(request)
        goal = self._goal(request, site.id)
        self._desk.kept.kept_goals.remove(site.id, goal.id)
        self._note(request, "goal.removed", site.id, goal)
        return gone()

    def report(self, request: Request) -> Answer:
        """GET /api/v1/stats/goals: {visitors, visits, goals: [{conversions, visitors, rate, series, …}]}."""
        sent = question_of(request, GoalsQuery)
        with self._desk.asked(request, sent) as question:
            goals = self._desk.kept.goals(question.site.id)
            goals = [self._named(question, sent.goal)] if sent.goal else goals
            return answer(goal_report(self._desk.table, question, goals))

    def ask(self, request: Request) -> Answer:
        """POST /api/v1/stats/goals: the same for the goal of the body, which is not kept; its `id` is ""."""
        query_as(request, NoQuery)
        sent = body_of(request, GoalAsked, f"{_HINT} in goal; and site, period, filter, segment, by, interval")
        with self._desk.asked(request, sent) as question:
            goal = checked_goal(Goal(**msgspec.structs.asdict(sent.goal)))
            return answer(goal_report(self._desk.table, question, [goal]))

    def attribution(self, request: Request) -> Answer:
        """GET /api/v1/stats/attribution: {conversions, rows: [{value, conversions, share, …}]}."""
        sent = question_of(request, AttributionQuery)
        with self._desk.asked(request, sent) as question:
            goal = self._named(question, sent.goal)
            question = replace(question, limit=sent.limit, offset=sent.offset)
            found = attribution(
                self._desk.table, question, goal, model=sent.model, by=sent.by, lookback_days=sent.lookback
            )
        return answer(found)

    def _goal(self, request: Request, site_id: int) -> Goal:
        found = self._desk.kept.kept_goals.find(site_id, id_in(request, "goal"))
        if found is None:
            raise unknown("goal")
        return found

    def _named(self, question: Question, name: str) -> Goal:
        return named_goal(self._desk.kept.goals(question.site.id), name)

    def _note(self, request: Request, action: str, site_id: int, goal: Goal) -> None:
        detail = {"id": goal.id.hex(), "kind": goal.kind}
        self._desk.parts.audit.note(who_of(request), action, site_id=site_id, target=goal.name, detail=detail)


def named_goal(goals: list[Goal], name: str) -> Goal:
    """Return the goal of that id or name; raises HttpError 404."""
    found = [each for each in goals if each.id.hex() == name] or [each for each in goals if each.name == name]
    if not found:
        known = ", ".join(each.name for each in goals[:20]) or "POST one to the site's goals first"
        raise HttpError(404, "unknown_goal", f"the site has no goal {name[:40]!r}", f"goals: {known}")
    return found[0]


def shown(goal: Goal) -> GoalShown:
    return GoalShown(
        goal.id.hex(),
        goal.name,
        goal.kind,
        goal.page,
        goal.event,
        goal.where,
        goal.percent,
        goal.engaged_ms,
        iso(goal.at),
    )
