"""`segment` and `annotation`: filters by name, and what happened when. Segments made here are shared."""

import argparse
from typing import Any

from visitor_tracker.cli.arguments import add_command, add_group
from visitor_tracker.cli.output import moment, remark, say, say_json, say_table
from visitor_tracker.cli.questions import Desk, NothingSuch, add_json, add_period, add_site, answered
from visitor_tracker.reports.saved import checked_annotation, checked_segment, moment_of
from visitor_tracker.store.insight import Annotation, Segment
from visitor_tracker.web.api.notes import annotation_shown, segment_shown

_SEGMENT_EXAMPLES = """\
visitor-tracker segment add "German phones" "country is DE and device is mobile"
visitor-tracker segment list
visitor-tracker goal report --segment "German phones"
"""
_ANNOTATION_EXAMPLES = """\
visitor-tracker annotation add "Release 2.4" --link https://example.com/releases/2.4
visitor-tracker annotation add "Newsletter sent" --at 2026-03-31T09:00
visitor-tracker annotation list --period 90d
"""


def add_commands(commands: Any) -> None:  # noqa: ANN401
    """Add the commands of this file."""
    _add_segments(add_group(commands, "segment", "keep filters by a name", examples=_SEGMENT_EXAMPLES))
    _add_annotations(add_group(commands, "annotation", "note what happened when", examples=_ANNOTATION_EXAMPLES))


def _add_segments(group: Any) -> None:  # noqa: ANN401
    add = add_command(
        group, "add", answered(_add_segment), "save a filter for all who read the site", examples=_SEGMENT_EXAMPLES
    )
    add.add_argument("name", metavar="NAME", help="what people will read")
    add.add_argument("filter", metavar="FILTER", help='e.g. "country is DE"; docs/reports.md has the language')
    add_site(add)
    listing = add_command(
        group, "list", answered(_list_segments), "list the shared segments of a site",
        examples="visitor-tracker segment list --json",
    )  # fmt: skip
    add_site(listing)
    add_json(listing, "the segments as JSON lines")
    remove = add_command(
        group, "remove", answered(_remove_segment), "remove a shared segment",
        examples='visitor-tracker segment remove "German phones"',
    )  # fmt: skip
    remove.add_argument("name", metavar="NAME", help="its name, or its id as  segment list --json  shows it")
    add_site(remove)


def _add_annotations(group: Any) -> None:  # noqa: ANN401
    add = add_command(
        group, "add", answered(_add_annotation), "note what happened at a moment", examples=_ANNOTATION_EXAMPLES
    )
    add.add_argument("text", metavar="TEXT", help="what happened")
    add_site(add)
    add.add_argument("--at", metavar="TIME", default="", help="a day or a time, of the site's zone; default: now")
    add.add_argument("--link", metavar="URL", default="", help="where more is told")
    listing = add_command(
        group, "list", answered(_list_annotations), "list the annotations of some days",
        examples="visitor-tracker annotation list --period 90d",
    )  # fmt: skip
    add_period(listing)
    remove = add_command(
        group, "remove", answered(_remove_annotation), "remove an annotation",
        examples="visitor-tracker annotation remove 019a0b1c2d3e4f5061728394a5b6c7d8",
    )  # fmt: skip
    remove.add_argument("id", metavar="ID", help="as  annotation list  shows it")
    add_site(remove)


def _add_segment(options: argparse.Namespace, desk: Desk) -> None:
    segment = checked_segment(Segment(options.name, options.filter, at=desk.now_ms))
    segment = desk.kept.kept_segments.add(desk.site.id, segment)
    desk.note("segment.added", segment.name, segment.id)
    say(f"added the segment {segment.name}")


def _list_segments(options: argparse.Namespace, desk: Desk) -> None:
    segments = desk.kept.segments(desk.site.id)
    if options.json:
        for segment in segments:
            say_json(segment_shown(segment))
    elif segments:
        say_table(("NAME", "FILTER"), [(each.name, each.filter) for each in segments])
    else:
        remark("no segments yet: make one with  visitor-tracker segment add NAME FILTER")


def _remove_segment(options: argparse.Namespace, desk: Desk) -> None:
    segment = desk.segment(options.name)
    desk.kept.kept_segments.remove(desk.site.id, segment.id)
    desk.note("segment.removed", segment.name, segment.id)
    say(f"removed the segment {segment.name}")


def _add_annotation(options: argparse.Namespace, desk: Desk) -> None:
    at = moment_of(options.at, desk.site.timezone) if options.at else desk.now_ms
    annotation = checked_annotation(Annotation(options.text, options.link, at=at))
    annotation = desk.kept.kept_annotations.add(desk.site.id, annotation)
    desk.note("annotation.added", annotation.text, annotation.id)
    say(f"noted at {moment(at)} UTC: {annotation.text}")


def _list_annotations(options: argparse.Namespace, desk: Desk) -> None:
    span = desk.question.span
    found = desk.kept.annotations(desk.site.id, span.start_ms, span.end_ms - 1)
    if options.json:
        for annotation in found:
            say_json(annotation_shown(annotation))
    elif found:
        say_table(
            ("WHEN (UTC)", "WHAT", "LINK", "ID"),
            [(moment(each.at), each.text, each.link, each.id.hex()) for each in found],
        )
    else:
        remark("no annotations on these days: make one with  visitor-tracker annotation add TEXT")


def _remove_annotation(options: argparse.Namespace, desk: Desk) -> None:
    try:
        found = desk.kept.kept_annotations.find(desk.site.id, bytes.fromhex(options.id))
    except ValueError:
        found = None
    if found is None:
        raise NothingSuch(f"the site has no annotation {options.id!r}: see  visitor-tracker annotation list")
    desk.kept.kept_annotations.remove(desk.site.id, found.id)
    desk.note("annotation.removed", found.text, found.id)
    say(f"removed the annotation of {moment(found.at)} UTC")
