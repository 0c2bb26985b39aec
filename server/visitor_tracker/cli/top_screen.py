"""What `top` shows: a site at one moment as tables that fit into a terminal of any size."""

from collections.abc import Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

import msgspec
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from visitor_tracker.cli.spark import ASCII, BLOCKS, spark
from visitor_tracker.days import zone_of
from visitor_tracker.ingest.zones import country_name
from visitor_tracker.logs import escape
from visitor_tracker.reports.live import NOW_MINUTES, Happening, Live, Share
from visitor_tracker.sites import Site

WIDE = 100  # columns from which lists stand side by side
_ROWS_LEAST, _ROWS_MOST = 3, 10  # of a list
_GOALS_MOST = 6
_TAKEN = 4  # lines of the head


class GoalToday(msgspec.Struct, frozen=True):
    name: str
    conversions: int
    visitors: int


class Frame(msgspec.Struct, frozen=True):
    """All that is shown at once; `problem` says why it is not of now."""

    live: Live
    goals: tuple[GoalToday, ...] = ()
    goals_note: str = ""
    problem: str = ""


def screen(frame: Frame, site: Site, width: int, height: int | None, *, is_ascii: bool = False) -> RenderableType:
    """Return what fits into so many columns and lines; without `height` as much as there is."""
    zone = zone_of(site.timezone)
    goals = _goals(frame, is_ascii=is_ascii)
    rows, visits = _lines(frame, width, height, len(goals))
    return Group(
        *_head(frame, site, zone, width, is_ascii=is_ascii),
        *_lists(frame.live, width, rows),
        *goals,
        *_latest(frame.live.feed, zone, visits),
    )


def _lines(frame: Frame, width: int, height: int | None, goals: int) -> tuple[int, int]:
    """Return how many rows each list may have, and how many visits there is room for below."""
    if height is None:
        return _ROWS_MOST, _ROWS_MOST
    bands = 1 if width >= WIDE else 2
    left = height - _TAKEN - bool(frame.problem) - goals - 2 * bands - 2
    rows = max(_ROWS_LEAST, min(_ROWS_MOST, left // (bands + 1)))
    return rows, max(0, left - bands * rows)


def _head(frame: Frame, site: Site, zone: ZoneInfo, width: int, *, is_ascii: bool) -> list[RenderableType]:
    live = frame.live
    title = Text(no_wrap=True, overflow="crop")
    title.append(escape(site.name), "bold")
    title.append(f"  {_local(live.time, zone)} {site.timezone}", "dim")
    here = Text(no_wrap=True, overflow="crop")
    here.append(f"{live.now:,}", "bold green")
    here.append(f" here now ({NOW_MINUTES} minutes)   ")
    here.append(f"{live.visitors:,}", "bold")
    here.append(f" visitors in {live.visitors_minutes} minutes   ")
    here.append(f"{live.views:,}", "bold")
    here.append(" views   ")
    here.append(f"{live.robots.events:,} of robots", "dim")
    views = [minute.views for minute in live.minutes]
    minutes = Text("views a minute ", no_wrap=True, overflow="crop")
    minutes.append(spark(views, max(10, width - 30), ASCII if is_ascii else BLOCKS), "cyan")
    minutes.append(f" {max(views, default=0):,} at most", "dim")
    problem = [Text(escape(frame.problem), "bold red", no_wrap=True, overflow="crop")] if frame.problem else []
    return [title, here, *problem, minutes]


def _lists(live: Live, width: int, rows: int) -> list[RenderableType]:
    countries = tuple(msgspec.structs.replace(each, name=country_name(each.name)) for each in live.countries)
    pages = _shares("PAGE", live.pages, rows)
    sources, places = _shares("SOURCE", live.sources, rows), _shares("COUNTRY", countries, rows)
    if width < WIDE:
        return [Text(), pages, Text(), _beside(sources, places)]
    return [Text(), _beside(pages, sources, places)]


def _beside(*tables: Table) -> Table:
    grid = Table.grid(padding=(0, 2), expand=True)
    for place in range(len(tables)):
        grid.add_column(ratio=2 if len(tables) == 3 and place == 0 else 1)
    grid.add_row(*tables)
    return grid


def _shares(title: str, shares: Sequence[Share], rows: int) -> Table:
    table = Table(box=None, expand=True, pad_edge=False, header_style="bold")
    table.add_column(title, ratio=1, no_wrap=True, overflow="ellipsis")
    table.add_column("NOW", justify="right", style="green")
    table.add_column("VISITORS", justify="right")
    for share in shares[:rows]:
        table.add_row(Text(escape(share.name)), f"{share.now:,}", f"{share.visitors:,}")
    if not shares:
        table.add_row(Text("nobody", "dim"), "", "")
    return table


def _goals(frame: Frame, *, is_ascii: bool) -> list[RenderableType]:
    if frame.goals_note:
        return [Text(f"goals  {escape(frame.goals_note)}", "dim", no_wrap=True, overflow="crop")]
    if not frame.goals:
        return []
    line = Text("GOALS TODAY  ", "bold", no_wrap=True, overflow="crop" if is_ascii else "ellipsis")
    reached = sorted(frame.goals, key=lambda goal: -goal.conversions)
    for goal in reached[:_GOALS_MOST]:
        line.append(f"{escape(goal.name)} ", "not bold")
        line.append(f"{goal.conversions:,}   ", "bold green")
    return [Text(), line]


def _latest(feed: Sequence[Happening], zone: ZoneInfo, rows: int) -> list[RenderableType]:
    """Return a line for each of the latest visitors, with what it did last."""
    table = Table(box=None, expand=True, pad_edge=False, header_style="bold")
    table.add_column("TIME", no_wrap=True)
    table.add_column("COUNTRY", no_wrap=True)
    table.add_column("DID", no_wrap=True)
    table.add_column("PAGE", ratio=1, no_wrap=True, overflow="ellipsis")
    seen: set[str] = set()
    for event in feed:
        visitor = event.session.partition("-")[0]
        if table.row_count >= rows or visitor in seen:
            continue
        seen |= {visitor} - {""}
        table.add_row(_local(event.time, zone)[11:], event.country, Text(_did(event)), Text(escape(event.page)))
    return [Text(), table] if table.row_count else []


def _did(event: Happening) -> str:
    return escape(f"{event.kind} {event.name}" if event.name else event.kind)[:30]


def _local(iso: str, zone: ZoneInfo) -> str:
    return f"{datetime.fromisoformat(iso).astimezone(zone):%Y-%m-%d %H:%M:%S}"
