"""Check what people save: goals, funnels, segments and annotations. Raises QueryError that names the part."""

import unicodedata
from datetime import datetime
from typing import get_args
from urllib.parse import urlsplit

import msgspec

from visitor_tracker.days import zone_of
from visitor_tracker.reports.filters import LENGTH_MOST, FilterError, read_filter
from visitor_tracker.reports.funnels import STEPS_LEAST, STEPS_MOST
from visitor_tracker.reports.query import QueryError
from visitor_tracker.sessions.profiles import TEXT_MOST
from visitor_tracker.store.insight import Annotation, Funnel, Goal, GoalKind, Segment, Step, StepOrder

NAME_MOST, NOTE_MOST, LINK_MOST = 80, 500, 2_048  # characters
ENGAGED_MOST_MS = 86_400_000
MINUTES_MOST, DAYS_MOST = 1_440, 90
FIRST_YEAR, LAST_YEAR = 1970, 2999

_NO_TEXT = frozenset({"Cc", "Cs", "Zl", "Zp"})  # categories: control characters, halves of pairs, line ends
_TURNS = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")  # text that reads backwards

_FIELDS: dict[GoalKind, tuple[tuple[str, ...], tuple[str, ...]]] = {  # needed, possible
    "page": (("page",), ()),
    "event": (("event",), ("where",)),
    "scroll": (("percent",), ("page",)),
    "engaged": (("engaged_ms",), ("page",)),
    "revenue": (("event",), ("where",)),
}
_ALL_FIELDS = ("page", "event", "where", "percent", "engaged_ms")


def checked_goal(goal: Goal) -> Goal:
    """Return the goal with its texts trimmed."""
    if goal.kind not in _FIELDS:
        raise QueryError("kind", f"kind cannot be {goal.kind[:40]!r}: use {', '.join(_FIELDS)}")
    needed, possible = _FIELDS[goal.kind]
    for name in _ALL_FIELDS:
        is_given = bool(getattr(goal, name))
        if name in needed and not is_given:
            raise QueryError(name, f"a goal of the kind {goal.kind} needs {name}: {_WHAT[name]}")
        if is_given and name not in needed and name not in possible:
            known = " and ".join((*needed, *possible))
            raise QueryError(name, f"a goal of the kind {goal.kind} has no {name}, but {known}")
    if needed == ("percent",) and not 1 <= goal.percent <= 100:
        raise QueryError("percent", f"percent must be {_WHAT['percent']}, not {goal.percent}")
    if needed == ("engaged_ms",) and not 1 <= goal.engaged_ms <= ENGAGED_MOST_MS:
        raise QueryError("engaged_ms", f"engaged_ms must be {_WHAT['engaged_ms']}, not {goal.engaged_ms}")
    return msgspec.structs.replace(
        goal,
        name=plain("name", goal.name, NAME_MOST),
        page=_pattern(goal.page),
        event=plain("event", goal.event, TEXT_MOST) if goal.event else "",
        where=filter_text("where", goal.where) if goal.where else "",
    )


_WHAT = {
    "page": "a path such as /thanks or /blog/*, or a host and a path such as shop.example.com/thanks",
    "event": "the name of a custom event, such as signup",
    "percent": "a whole number from 1 to 100",
    "engaged_ms": f"a whole number of milliseconds from 1 to {ENGAGED_MOST_MS}",
}


def checked_funnel(funnel: Funnel) -> Funnel:
    """Return the funnel with its texts trimmed."""
    if not STEPS_LEAST <= len(funnel.steps) <= STEPS_MOST:
        raise QueryError("steps", f"a funnel has {STEPS_LEAST} to {STEPS_MOST} steps, not {len(funnel.steps)}")
    if funnel.order not in get_args(StepOrder):
        raise QueryError("order", f"order cannot be {funnel.order[:40]!r}: use {', '.join(get_args(StepOrder))}")
    if funnel.minutes is not None and funnel.days is not None:
        raise QueryError("minutes", "use minutes, within a visit, or days, across visits: not both")
    for name, number, most in (("minutes", funnel.minutes, MINUTES_MOST), ("days", funnel.days, DAYS_MOST)):
        if number is not None and not 1 <= number <= most:
            raise QueryError(name, f"{name} must be a whole number from 1 to {most}, not {number}")
    steps = tuple(_step(number, step) for number, step in enumerate(funnel.steps, 1))
    return msgspec.structs.replace(funnel, name=plain("name", funnel.name, NAME_MOST), steps=steps)


def _step(number: int, step: Step) -> Step:
    if sum(map(bool, (step.page, step.event, step.filter))) != 1:
        raise QueryError("steps", f"step {number} must have one of page, event and filter")
    try:
        return Step(
            _pattern(step.page),
            plain("event", step.event, TEXT_MOST) if step.event else "",
            filter_text("filter", step.filter) if step.filter else "",
            plain("name", step.name, NAME_MOST) if step.name else "",
        )
    except QueryError as error:
        raise QueryError("steps", f"step {number}: {error}") from error


def checked_segment(segment: Segment) -> Segment:
    """Return the segment with its texts trimmed."""
    return msgspec.structs.replace(
        segment, name=plain("name", segment.name, NAME_MOST), filter=filter_text("filter", segment.filter)
    )


def checked_annotation(annotation: Annotation) -> Annotation:
    """Return the annotation with its texts trimmed."""
    link = plain("link", annotation.link, LINK_MOST) if annotation.link else ""
    if link and not _is_address(link):
        raise QueryError("link", "link must be an address that begins with https:// or http://")
    return msgspec.structs.replace(annotation, text=plain("text", annotation.text, NOTE_MOST), link=link)


def moment_of(text: str, timezone: str) -> int:
    """Return a day, or a date and time, as epoch ms; without an offset it is one of the time zone."""
    wrong = QueryError(
        "at", f"at cannot be {text[:40]!r}: use a day such as 2026-03-31, or a time such as 2026-03-31T14:00:00Z"
    )
    try:
        found = datetime.fromisoformat(text.strip())
    except ValueError as error:
        raise wrong from error
    if not FIRST_YEAR < found.year < LAST_YEAR:
        raise wrong
    return int((found if found.tzinfo is not None else found.replace(tzinfo=zone_of(timezone))).timestamp() * 1000)


def filter_text(name: str, text: str) -> str:
    """Return a filter that can be read."""
    text = plain(name, text, LENGTH_MOST)
    try:
        read_filter(text)
    except FilterError as error:
        raise QueryError(name, str(error).replace("filter", name, 1)) from error
    return text


def plain(name: str, text: str, most: int) -> str:
    """Return a text of one line without the space around it."""
    text = text.strip()
    if not 1 <= len(text) <= most:
        raise QueryError(name, f"{name} must have 1 to {most} characters, not {len(text)}")
    if any(unicodedata.category(each) in _NO_TEXT or each in _TURNS for each in text):
        raise QueryError(name, f"{name} must be one line of text, without control characters")
    return text


def _pattern(text: str) -> str:
    return plain("page", text, TEXT_MOST) if text else ""


def _is_address(link: str) -> bool:
    try:
        parts = urlsplit(link)
        return parts.scheme.lower() in ("http", "https") and bool(parts.hostname) and " " not in link
    except ValueError:
        return False
