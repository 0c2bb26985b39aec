"""What goals and steps ask of one event, as filters.

A pattern of pages has * for any text and ? for one character. One that begins with / or * is compared with the path;
any other with host and path, whatever stands before "://". Queries are no part of a page, here as in every report.
"""

from visitor_tracker.measures import Dimension
from visitor_tracker.reports.fields import FIELDS
from visitor_tracker.reports.filters import All, Compared, Filter, Glob, Is, Told, read_filter
from visitor_tracker.store.insight import Goal, Step

VIEWED = Told(FIELDS["kind"], "is", ("pageview",))
SENT = Told(FIELDS["kind"], "is", ("custom",))


def pages(pattern: str) -> Filter:
    """Return the filter of a pattern of pages."""
    if pattern.startswith(("/", "*")):
        return Glob(Dimension.PAGE, (pattern,))
    host, _, path = pattern.rpartition("://")[2].partition("/")
    return All((Glob(Dimension.HOST, (host.lower(),)), Glob(Dimension.PAGE, (f"/{path}",))))


def step_filter(step: Step) -> Filter:
    """Return what an event must be to make the step; raises FilterError."""
    if step.page:
        return All((VIEWED, pages(step.page)))
    return _event(step.event) if step.event else read_filter(step.filter)


def goal_filter(goal: Goal) -> Filter:
    """Return what one event must be to reach the goal; raises FilterError.

    A goal of engaged time is of no single event: the events that add to it.
    """
    parts: list[Filter] = []
    if goal.kind == "page":
        parts.append(VIEWED)
    elif goal.kind == "scroll":
        parts.append(Compared(FIELDS["scroll"], ">=", goal.percent))
    if goal.page:
        parts.append(pages(goal.page))
    if goal.event:
        parts.append(_event(goal.event))
    if goal.where:
        parts.append(read_filter(goal.where))
    return All(tuple(parts))


def in_visits(goal: Goal) -> bool:
    """Say whether visits know enough to tell whether they reached the goal; else raw events have to be read."""
    return goal.kind in ("page", "engaged") or (goal.kind == "event" and not goal.where)


def _event(name: str) -> Filter:
    return All((SENT, Is(Dimension.EVENT, (name,))))


def both(one: Filter | None, other: Filter | None) -> Filter | None:
    """Return the filter that holds where both do; None stands for everything."""
    if one is None or other is None:
        return other if one is None else one
    return All((one, other))
