"""What the routes of goals, funnels, segments and annotations share: sites, ids, bodies, questions, refusals."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Annotated, Final, TypeVar
from urllib.parse import urlsplit

import msgspec
from msgspec import Meta

from visitor_tracker.access.who import Who
from visitor_tracker.errors import HttpError
from visitor_tracker.http.message import Request, Response
from visitor_tracker.http.url import normalise
from visitor_tracker.reports.about import OF_A_VISIT
from visitor_tracker.reports.filters import LENGTH_MOST, Filter, FilterError, read_filter
from visitor_tracker.reports.patterns import both
from visitor_tracker.reports.query import (
    LIMIT_MOST,
    OFFSET_MOST,
    Asked,
    Interval,
    QueryError,
    Question,
    WeekStart,
    read_question,
)
from visitor_tracker.sites import Site
from visitor_tracker.store.insight import InsightTable, NameTaken, Segment, TooMany
from visitor_tracker.store.reports import ReportTable
from visitor_tracker.web.asked import JSON, site_named
from visitor_tracker.web.parts import Parts
from visitor_tracker.web.routed import argument_named, visible, who_of
from visitor_tracker.web.site_query import OfPeriod
from visitor_tracker.web.turns import long_turn

BODY_MOST: Final = 64 * 1024  # bytes

_ID = re.compile(r"[0-9a-f]{32}").fullmatch
_PLACE = re.compile(r" - at `\$\.?([^`]*)`")

T = TypeVar("T")

FilterText = Annotated[
    str, Meta(description="Which visits, such as `country is DE and page glob /blog/*`", max_length=LENGTH_MOST)
]
SegmentName = Annotated[str, Meta(description="Name of a saved segment: a filter that must hold, too", max_length=80)]
FirstOfWeek = Annotated[WeekStart, Meta(description="What weeks begin with")]
ByVisits = Annotated[str, Meta(description=f"A dimension of visits to break down by: {', '.join(OF_A_VISIT)}")]


class NoQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A route without parameters."""


class Chosen(OfPeriod, frozen=True, forbid_unknown_fields=True):
    """Some visits of a site: those of a period that a filter selects."""

    filter: FilterText = ""
    segment: SegmentName = ""


class BrokenDown(Chosen, frozen=True, forbid_unknown_fields=True):
    """The same, broken down."""

    by: ByVisits = ""
    limit: Annotated[int, Meta(ge=1, le=LIMIT_MOST, description="Rows of a breakdown")] = 10
    offset: Annotated[int, Meta(ge=0, le=OFFSET_MOST, description="Rows to leave out")] = 0


class InTime(BrokenDown, frozen=True, forbid_unknown_fields=True):
    """The same, with a series."""

    interval: Annotated[Interval | None, Meta(description="Of the series; by default what suits the period")] = None
    timezone: Annotated[str, Meta(description="Whose days, such as Europe/Berlin; the site's by default")] = ""
    week_start: FirstOfWeek = "monday"


class Desk:
    """What handlers of this subject work with; of one process."""

    def __init__(self, parts: Parts) -> None:
        self.parts = parts
        self.kept = InsightTable(parts.store.database)
        self.table = ReportTable(parts.store.database)

    def site(self, request: Request) -> Site:
        """Return the site of the path; raises HttpError 404."""
        return site_named(argument_named(request, "site"), visible(self.parts.snapshot(), request))

    @contextmanager
    def asked(self, request: Request, sent: Chosen, site: Site | None = None) -> Iterator[Question]:
        """Hold the turn for a long question; raises HttpError for what is wrong with it, and what it meets.

        `site` is the one of the path, where it is not named in what was sent.
        """
        with refused():
            question = self._question(request, sent, site)
            with long_turn():
                yield question

    def _question(self, request: Request, sent: Chosen, named: Site | None) -> Question:
        snapshot = visible(self.parts.snapshot(), request)
        site = named or sent.among(snapshot)
        asked = Asked(sent.period, filters=sent.filter)
        if isinstance(sent, BrokenDown):
            asked = Asked(sent.period, sent.by, filters=sent.filter, limit=str(sent.limit), offset=str(sent.offset))
        if isinstance(sent, InTime):
            asked = Asked(
                sent.period, sent.by, sent.interval or "", sent.filter, sent.timezone, "", asked.limit, asked.offset,
                sent.week_start,
            )  # fmt: skip
        policy = snapshot.policy_of(site.id).visitor
        question = read_question(
            asked, site, policy, now_ms=self.parts.clock(), known=lambda: self.table.known(site.id)
        )
        if not sent.segment:
            return question
        return _within(question, segment_of(self.kept, request, site, sent.segment))


def segment_of(kept: InsightTable, request: Request, site: Site, name: str) -> str:
    """Return the filter of a segment that who asks may use; raises HttpError 404."""
    segments = kept.segments(site.id, owner_of(who_of(request)))
    found = {each.name: each for each in sorted(segments, key=_is_own)}  # one's own before a shared one
    if name not in found:
        raise HttpError(404, "unknown_segment", f"there is no segment {name[:40]!r}", "GET its site's segments")
    return found[name].filter


def filters_of(kept: InsightTable, request: Request, site: Site, text: str, segment: str) -> Filter | None:
    """Return what a filter and a segment select together; raises QueryError, HttpError 404."""
    texts = [text, segment_of(kept, request, site, segment) if segment else ""]
    try:
        found = [read_filter(each) for each in texts if each.strip()]
    except FilterError as error:
        raise QueryError("filter", str(error)) from error
    return both(found[0], found[1]) if len(found) > 1 else found[0] if found else None


def page_named(url: str) -> tuple[str, str]:
    """Return host and path of a page as events have them; raises HttpError 400."""
    try:
        parts = urlsplit(normalise(url))
    except ValueError as error:
        raise HttpError(400, "invalid_url", str(error), "use url=https://…, percent-encoded") from error
    return parts.netloc, parts.path or "/"


def _is_own(segment: Segment) -> bool:
    return bool(segment.owner)


def _within(question: Question, text: str) -> Question:
    return replace(question, filters=both(read_filter(text), question.filters))


@contextmanager
def refused() -> Iterator[None]:
    """Turn what is wrong with a question, or with something to save, into HttpError 400 and 409."""
    try:
        yield
    except QueryError as error:
        message, colon, hint = str(error).partition(": use ")
        raise HttpError(400, f"invalid_{error.name}", message, f"use {hint}" if colon else "") from error
    except NameTaken as error:
        raise HttpError(409, "name_taken", str(error), "choose another name") from error
    except TooMany as error:
        raise HttpError(409, "too_many", str(error), "remove one first") from error


def id_in(request: Request, what: str) -> bytes:
    """Return the id in the path, that `what` is called there; raises HttpError 404 for what can be none."""
    text = argument_named(request, what)
    if not _ID(text):
        raise unknown(what)
    return bytes.fromhex(text)


def unknown(what: str) -> HttpError:
    return HttpError(404, f"unknown_{what}", f"the site has no such {what}", f"GET the {what}s of the site")


def body_of(request: Request, kind: type[T], hint: str) -> T:
    """Return the body, JSON, as that type; raises HttpError 400 that names the part, with the hint."""
    try:
        return msgspec.json.decode(request.body or b"{}", type=kind)
    except msgspec.ValidationError as error:
        place = _PLACE.search(str(error))
        name = (place[1].partition(".")[0].partition("[")[0] if place else "") or "body"
        message = str(error).replace("`$.", "`").replace(" - at `$`", "")
        raise HttpError(400, f"invalid_{name}", message, hint) from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise HttpError(400, "invalid_body", f"the body is no JSON: {error}", hint) from error


def made(value: object) -> Response:
    """Return the answer to something that was made."""
    return Response(201, msgspec.json.encode(value), JSON)


def gone() -> Response:
    """Return the answer to something that was removed."""
    return Response(204, b"", (("Cache-Control", "no-store"),))


def owner_of(who: Who) -> str:
    """Return whose somebody's own segments are, "" for who can have none."""
    return "" if who.kind in ("nobody", "share") else f"{who.kind}:{who.id}"[:64]
