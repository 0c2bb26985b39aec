"""Segments, which are filters by name, and annotations, which say what happened when."""

from typing import Annotated

import msgspec
from msgspec import UNSET, Meta, UnsetType

from visitor_tracker.errors import HttpError
from visitor_tracker.http.message import Answer, Request
from visitor_tracker.reports.query import read_span
from visitor_tracker.reports.saved import checked_annotation, checked_segment, moment_of
from visitor_tracker.reports.words import iso
from visitor_tracker.sites import Site
from visitor_tracker.store.insight import Annotation, Segment
from visitor_tracker.web.api.kept import (
    BODY_MOST,
    Desk,
    NoQuery,
    body_of,
    gone,
    id_in,
    made,
    owner_of,
    refused,
    unknown,
)
from visitor_tracker.web.asked import answer, query_as
from visitor_tracker.web.routed import may, who_of
from visitor_tracker.web.router import Route
from visitor_tracker.web.site_query import Period
from visitor_tracker.web.typed import question_of

_SEGMENTS = "/api/v1/sites/{site}/segments"
_ANNOTATIONS = "/api/v1/sites/{site}/annotations"
_SEGMENT_HINT = "use name, filter (docs/reports.md has the language) and shared (true or false)"
_ANNOTATION_HINT = "use text, at (a day, or a time such as 2026-03-31T14:00:00Z; now without it) and link"

_Filter = Annotated[str, Meta(description="Such as `country is DE and page glob /blog/*`")]
_Shared = Annotated[bool, Meta(description="Everybody sees it who reads the site; only owners may share")]
_At = Annotated[str, Meta(description="A day, or a date and time; without an offset those of the site's time zone")]
_Link = Annotated[str, Meta(description="Where more is told: an address with https:// or http://")]


class SegmentMade(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A new segment."""

    name: str
    filter: _Filter
    shared: _Shared = False


class SegmentChanged(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is to be another."""

    name: str | UnsetType = UNSET
    filter: _Filter | UnsetType = UNSET
    shared: _Shared | UnsetType = UNSET


class SegmentShown(msgspec.Struct, frozen=True):
    """A segment; one that is not `shared` is who asks's own."""

    id: str
    name: str
    filter: str
    shared: bool
    created_at: str


class SegmentsShown(msgspec.Struct, frozen=True):
    """Segments, the oldest first."""

    segments: list[SegmentShown]


class AnnotationMade(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A new annotation, of now where it has no `at`."""

    text: str
    at: _At = ""
    link: _Link = ""


class AnnotationChanged(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is to be another; an empty link takes it away."""

    text: str | UnsetType = UNSET
    at: _At | UnsetType = UNSET
    link: _Link | UnsetType = UNSET


class AnnotationShown(msgspec.Struct, frozen=True):
    id: str
    at: str
    text: str
    link: str | None


class AnnotationsShown(msgspec.Struct, frozen=True):
    """Annotations by their moments."""

    annotations: list[AnnotationShown]


class AnnotationsQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Of which days."""

    period: Period = "30d"


class NoteRoutes:
    """Handlers: readers see what is shared, who has a role keeps segments of their own, owners change the rest."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._segments = desk.kept.kept_segments
        self._annotations = desk.kept.kept_annotations

    def routes(self) -> list[Route]:
        segment, annotation = f"{_SEGMENTS}/{{segment}}", f"{_ANNOTATIONS}/{{annotation}}"
        return [
            Route("GET", _SEGMENTS, self.segments, "segments of a site", "read", query=NoQuery, answer=SegmentsShown),
            Route(
                "POST", _SEGMENTS, self.add_segment, "save a filter by a name", "visitors",
                query=NoQuery, body=SegmentMade, answer=SegmentShown, status=201, body_most=BODY_MOST,
            ),
            Route(
                "PATCH", segment, self.change_segment, "change a segment", "visitors",
                query=NoQuery, body=SegmentChanged, answer=SegmentShown, body_most=BODY_MOST,
            ),
            Route("DELETE", segment, self.remove_segment, "remove a segment", "visitors", query=NoQuery, status=204),
            Route(
                "GET", _ANNOTATIONS, self.annotations, "annotations of some days of a site", "read",
                query=AnnotationsQuery, answer=AnnotationsShown,
            ),
            Route(
                "POST", _ANNOTATIONS, self.add_annotation, "note what happened at a moment", "manage",
                query=NoQuery, body=AnnotationMade, answer=AnnotationShown, status=201, body_most=BODY_MOST,
            ),
            Route(
                "PATCH", annotation, self.change_annotation, "change an annotation", "manage",
                query=NoQuery, body=AnnotationChanged, answer=AnnotationShown, body_most=BODY_MOST,
            ),
            Route(
                "DELETE", annotation, self.remove_annotation, "remove an annotation", "manage",
                query=NoQuery, status=204,
            ),
        ]  # fmt: skip

    def segments(self, request: Request) -> Answer:
        """GET /api/v1/sites/{site}/segments: {segments}."""
        query_as(request, NoQuery)
        found = self._desk.kept.segments(self._desk.site(request).id, owner_of(who_of(request)))
        return answer(SegmentsShown([segment_shown(each) for each in found]))

    def add_segment(self, request: Request) -> Answer:
        """POST /api/v1/sites/{site}/segments: 201 and the segment."""
        site = self._desk.site(request)
        asked = body_of(request, SegmentMade, _SEGMENT_HINT)
        owner = self._owner(request, site, shared=asked.shared)
        with refused():
            segment = checked_segment(Segment(asked.name, asked.filter, owner, at=self._desk.parts.clock()))
            segment = self._segments.add(site.id, segment)
        self._note(request, "segment.added", site, segment.id, segment.name)
        return made(segment_shown(segment))

    def change_segment(self, request: Request) -> Answer:
        """PATCH /api/v1/sites/{site}/segments/{segment}: the segment."""
        site = self._desk.site(request)
        segment = self._segment(request, site)
        asked = body_of(request, SegmentChanged, _SEGMENT_HINT)
        changes = {name: each for name, each in msgspec.structs.asdict(asked).items() if each is not UNSET}
        shared = changes.pop("shared", None)
        if shared is not None and shared != (not segment.owner):
            self._check_shared(request, site)
            changes["owner"] = self._owner(request, site, shared=shared)
        with refused():
            segment = checked_segment(msgspec.structs.replace(segment, **changes))
            self._segments.change(site.id, segment)
        self._note(request, "segment.changed", site, segment.id, segment.name)
        return answer(segment_shown(segment))

    def remove_segment(self, request: Request) -> Answer:
        """DELETE /api/v1/sites/{site}/segments/{segment}: 204."""
        site = self._desk.site(request)
        segment = self._segment(request, site)
        self._segments.remove(site.id, segment.id)
        self._note(request, "segment.removed", site, segment.id, segment.name)
        return gone()

    def annotations(self, request: Request) -> Answer:
        """GET /api/v1/sites/{site}/annotations: {annotations}."""
        site = self._desk.site(request)
        sent = question_of(request, AnnotationsQuery)
        with refused():
            known = self._desk.table.known
            span = read_span(sent.period, site.timezone, self._desk.parts.clock(), lambda: known(site.id))
        found = self._desk.kept.annotations(site.id, span.start_ms, span.end_ms - 1)
        return answer(AnnotationsShown([annotation_shown(each) for each in found]))

    def add_annotation(self, request: Request) -> Answer:
        """POST /api/v1/sites/{site}/annotations: 201 and the annotation."""
        site = self._desk.site(request)
        asked = body_of(request, AnnotationMade, _ANNOTATION_HINT)
        with refused():
            at = moment_of(asked.at, site.timezone) if asked.at else self._desk.parts.clock()
            annotation = self._annotations.add(site.id, checked_annotation(Annotation(asked.text, asked.link, at=at)))
        self._note(request, "annotation.added", site, annotation.id, annotation.text)
        return made(annotation_shown(annotation))

    def change_annotation(self, request: Request) -> Answer:
        """PATCH /api/v1/sites/{site}/annotations/{annotation}: the annotation."""
        site = self._desk.site(request)
        annotation = self._annotation(request, site)
        asked = body_of(request, AnnotationChanged, _ANNOTATION_HINT)
        changes = {name: each for name, each in msgspec.structs.asdict(asked).items() if each is not UNSET}
        with refused():
            if "at" in changes:
                changes["at"] = moment_of(changes["at"], site.timezone)
            annotation = checked_annotation(msgspec.structs.replace(annotation, **changes))
            self._annotations.change(site.id, annotation)
        self._note(request, "annotation.changed", site, annotation.id, annotation.text)
        return answer(annotation_shown(annotation))

    def remove_annotation(self, request: Request) -> Answer:
        """DELETE /api/v1/sites/{site}/annotations/{annotation}: 204."""
        site = self._desk.site(request)
        annotation = self._annotation(request, site)
        self._annotations.remove(site.id, annotation.id)
        self._note(request, "annotation.removed", site, annotation.id, annotation.text)
        return gone()

    def _owner(self, request: Request, site: Site, *, shared: bool) -> str:
        if shared:
            self._check_shared(request, site)
            return ""
        return owner_of(who_of(request))

    def _check_shared(self, request: Request, site: Site) -> None:
        if not may(request, "manage", site):
            raise HttpError(
                403, "forbidden", "only owners of a site share segments", 'keep it to yourself with  "shared": false'
            )

    def _segment(self, request: Request, site: Site) -> Segment:
        """Return the segment to change: one's own, or a shared one for who manages the site."""
        found = self._segments.find(site.id, id_in(request, "segment"))
        if found is None or found.owner not in ("", owner_of(who_of(request))):
            raise unknown("segment")
        if not found.owner:
            self._check_shared(request, site)
        return found

    def _annotation(self, request: Request, site: Site) -> Annotation:
        found = self._annotations.find(site.id, id_in(request, "annotation"))
        if found is None:
            raise unknown("annotation")
        return found

    def _note(self, request: Request, action: str, site: Site, thing_id: bytes, target: str) -> None:
        detail = {"id": thing_id.hex()}
        self._desk.parts.audit.note(who_of(request), action, site_id=site.id, target=target, detail=detail)


def segment_shown(segment: Segment) -> SegmentShown:
    return SegmentShown(segment.id.hex(), segment.name, segment.filter, not segment.owner, iso(segment.at))


def annotation_shown(annotation: Annotation) -> AnnotationShown:
    return AnnotationShown(annotation.id.hex(), iso(annotation.at), annotation.text, annotation.link or None)
