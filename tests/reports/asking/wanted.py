"""Filters of queries, and what they select, said by hand."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from tests.reports.counted_by_hand import LISTED, Visited, path
from visitor_tracker.event import Event


@dataclass(frozen=True)
class Wanted:
    """A filter in the language, and which events of a visit it selects.

    `marks` are those at which visit and visitor count; of_events: the filter is asked of each event.
    """

    text: str
    selected: Callable[[Visited], list[Event]]
    marks: Callable[[Visited], list[Event]]
    of_events: bool = False


def _acts(visit: Visited) -> list[Event]:
    return visit.acts


def by_visit(text: str, holds: Callable[[Visited], bool]) -> Wanted:
    return Wanted(
        text,
        lambda visit: list(visit.events) if holds(visit) else [],
        lambda visit: visit.acts if holds(visit) else [],
    )


def by_event(text: str, holds: Callable[[Visited, Event], bool]) -> Wanted:
    def selected(visit: Visited) -> list[Event]:
        return [each for each in visit.events if holds(visit, each)]

    return Wanted(text, selected, selected, of_events=True)


def by_page(text: str, holds: Callable[[str], bool]) -> Wanted:
    def selected(visit: Visited) -> list[Event]:
        has_seen = any(holds(path(each)) for each in visit.views)
        looks = [each for each in visit.events if each.kind not in LISTED and holds(path(each))]
        return looks + [each for each in visit.acts if each.kind != "pageview" and has_seen]

    return Wanted(text, selected, lambda visit: [each for each in visit.views if holds(path(each))])


EVERYTHING = Wanted("", lambda visit: list(visit.events), _acts)


def filters() -> Mapping[str, Wanted]:
    """Return filters of every sort."""
    found = [
        EVERYTHING,
        by_visit("country is DE", lambda visit: visit.head.place.country == "DE"),
        by_visit(
            "not (country is FR or browser is Firefox)",
            lambda visit: visit.head.place.country != "FR" and visit.head.agent.browser != "Firefox",
        ),
        by_visit("entry contains A", lambda visit: "a" in visit.entry),
        by_visit('source is "" and channel glob d*', lambda visit: _is_direct(visit)),
        by_page("page is /a", lambda page: page == "/a"),
        Wanted("event is signup", _signing_up, lambda visit: [each for each in visit.events if _is_signup(each)]),
        by_event("prop:plan is pro", lambda visit, each: each.properties.get("plan") == "pro"),
        by_event("kind is pageview,custom", lambda visit, each: each.kind in ("pageview", "custom")),
        by_event(
            "country is DE and value >= 1", lambda visit, each: visit.head.place.country == "DE" and each.value >= 1
        ),
    ]
    return {each.text: each for each in found}


def _is_direct(visit: Visited) -> bool:
    source = visit.head.source
    is_inside = source.channel == "internal"
    return (is_inside or not source.name) and ("direct" if is_inside else source.channel).startswith("d")


def _is_signup(each: Event) -> bool:
    return each.kind == "custom" and each.name == "signup"


def _signing_up(visit: Visited) -> list[Event]:
    """Everything of visits with a sign-up, but of their custom events only the sign-ups."""
    if not any(map(_is_signup, visit.events)):
        return []
    return [each for each in visit.events if each.kind != "custom" or _is_signup(each)]
