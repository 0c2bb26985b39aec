"""What GET /stats is asked and answers."""

from typing import Annotated

import msgspec
from msgspec import UNSET, Meta, UnsetType

from visitor_tracker.reports.numbers import VisitorsAre
from visitor_tracker.reports.overview import Day
from visitor_tracker.reports.query import BY, LIMIT_MOST, OFFSET_MOST, Asked, Interval, Order, WeekStart
from visitor_tracker.web.site_query import OldName, Period, SiteName


class OldStatsQuery(msgspec.Struct, frozen=True):
    """A question about a site; without any field but the site everything of all time is told."""

    site_id: OldName = ""
    site: SiteName = ""
    period: Period = ""
    by: Annotated[str, Meta(description=f"List the values of: {', '.join(BY)}")] = ""
    interval: Annotated[Interval | None, Meta(description="Of the series; by default what suits the period")] = None
    filter: Annotated[
        str, Meta(description="Conditions, such as `country is DE and page glob /blog/*`", max_length=4000)
    ] = ""
    timezone: Annotated[str, Meta(description="Whose days, such as Europe/Berlin; the site's by default")] = ""
    order: Annotated[Order | None, Meta(description="Of the values; visitors by default")] = None
    limit: Annotated[int, Meta(ge=1, le=LIMIT_MOST, description="How many values; 10 by default")] | None = None
    offset: Annotated[int, Meta(ge=0, le=OFFSET_MOST, description="How many values to leave out")] | None = None
    week_start: Annotated[WeekStart | None, Meta(description="What weeks begin with; monday by default")] = None

    def asked(self) -> Asked:
        """Return the question as texts."""
        limit, offset = ("" if number is None else str(number) for number in (self.limit, self.offset))
        return Asked(
            self.period, self.by, self.interval or "", self.filter, self.timezone, self.order or "", limit, offset,
            self.week_start or "",
        )  # fmt: skip


class Figures(msgspec.Struct, frozen=True, kw_only=True):
    """Sums and means; those that say nothing about what they stand beside are left out."""

    visitors: Annotated[int | UnsetType | None, Meta(description="null where they cannot be told")] = UNSET
    visits: int | UnsetType = UNSET
    views: int | UnsetType = UNSET
    events: int | UnsetType = UNSET
    bounce_rate: Annotated[
        float | UnsetType | None, Meta(description="Part of the visits with one page, under 10 s and without a deed")
    ] = UNSET
    single_rate: Annotated[float | UnsetType | None, Meta(description="Part of the visits with one page")] = UNSET
    views_per_visit: float | UnsetType | None = UNSET
    engaged_seconds: Annotated[float | UnsetType | None, Meta(description="Mean time seen and in focus")] = UNSET
    duration_seconds: Annotated[float | UnsetType | None, Meta(description="Mean length of a visit")] = UNSET


class StatsTotals(Figures, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The numbers of a period."""

    first_day: str
    last_day: str
    timezone: str
    visitors_are: VisitorsAre
    note: Annotated[str, Meta(description="What the visitors are, in words")]


class StatsPoint(Figures, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One hour, day, week or month."""

    start: str


class StatsSeries(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The numbers by time."""

    interval: str
    timezone: str
    visitors_are: VisitorsAre
    points: list[StatsPoint]


class StatsRow(Figures, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The numbers of one value."""

    value: str


class StatsBreakdown(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The numbers by the values of a dimension."""

    dimension: str
    order: str
    rows_in_all: Annotated[int, Meta(description="How many there are without limit and offset")]
    visitors_are: VisitorsAre
    note: str
    rows: list[StatsRow]


class Stats(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What trackers of old call their statistics, of all time; and the answer to a question where there is one."""

    total_visits: Annotated[int, Meta(description="Pageviews")]
    unique_visitors: int
    history: Annotated[list[Day], Meta(description="The last 30 days with views, the newest first")]
    countries: Annotated[dict[str, int], Meta(description="Visitors")]
    pages: Annotated[dict[str, int], Meta(description="Views, as in all that follow")]
    devices: dict[str, int]
    browsers: dict[str, int]
    os: dict[str, int]
    referrers: Annotated[dict[str, int], Meta(description="Direct, Search Engine, Social Media, Other")]
    links: Annotated[dict[str, int], Meta(description="Clicks on outbound links")]
    pageviews: int
    identify_events: int
    custom_events: int
    click_events: int
    rrweb_events: Annotated[int, Meta(description="Events of recordings that are kept")]
    total_sessions: int
    totals: StatsTotals | UnsetType = UNSET
    series: StatsSeries | UnsetType = UNSET
    breakdown: StatsBreakdown | UnsetType = UNSET
