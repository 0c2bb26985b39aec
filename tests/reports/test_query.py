"""Questions, as users write them."""

import msgspec
import pytest

from visitor_tracker.days import DAY_MS, HOUR_MS, bounds, day_of
from visitor_tracker.measures import Dimension
from visitor_tracker.reports import buckets
from visitor_tracker.reports.buckets import BUCKETS_MOST, buckets_of
from visitor_tracker.reports.fields import Field
from visitor_tracker.reports.filters import Is
from visitor_tracker.reports.query import (
    DIMENSIONS,
    LIMIT_MOST,
    Asked,
    QueryError,
    Question,
    pieces_of,
    read_question,
    read_span,
)
from visitor_tracker.sites import Site
from visitor_tracker.store.reports import Piece

BERLIN = Site(1, "default", timezone="Europe/Berlin")
SAMOA = Site(2, "samoa", timezone="Pacific/Apia")  # had no 30 December 2011
NOW = bounds("Europe/Berlin", 20260331)[0] + 15 * HOUR_MS  # two days after the clocks went forward


def ask(site: Site = BERLIN, now_ms: int = NOW, **texts: str) -> Question:
    return read_question(Asked(**texts), site, "daily", now_ms=now_ms, known=lambda: (20240517, 29991231))


@pytest.mark.parametrize(
    ("period", "days"),
    [
        ("today", (20260331, 20260331)),
        ("yesterday", (20260330, 20260330)),
        ("7d", (20260325, 20260331)),
        ("30d", (20260302, 20260331)),
        ("90d", (20260101, 20260331)),
        ("12mo", (20250401, 20260331)),
        ("week", (20260330, 20260331)),
        ("last_week", (20260323, 20260329)),
        ("month", (20260301, 20260331)),
        ("last_month", (20260201, 20260228)),
        ("year", (20260101, 20260331)),
        ("all", (20240501, 20260331)),
        ("2026-02-28", (20260228, 20260228)),
        ("2024-02-29..2026-01-01", (20240229, 20260101)),
    ],
)
def test_a_period_is_days_of_the_sites_calendar(period: str, days: tuple[int, int]) -> None:
    span = ask(period=period).span
    assert (span.first_day, span.last_day, span.by_hours) == (*days, False)
    assert (span.start_ms, span.end_ms) == (bounds("Europe/Berlin", days[0])[0], bounds("Europe/Berlin", days[1])[1])


def test_a_site_without_numbers_has_all_of_this_month() -> None:
    span = read_span("all", "UTC", NOW, lambda: None)
    assert (span.first_day, span.last_day) == (20260301, 20260331)


def test_the_last_day_is_24_whole_hours() -> None:
    span = ask(period="24h", now_ms=NOW + 59 * 60_000).span
    assert (span.start_ms, span.end_ms, span.by_hours) == (NOW - 23 * HOUR_MS, NOW + HOUR_MS, True)
    assert (span.first_day, span.last_day) == (20260330, 20260331)


def test_the_day_is_that_of_the_zone() -> None:
    late = bounds("UTC", 20260101)[0] - HOUR_MS // 2
    assert ask(now_ms=late, period="today").span.first_day == 20260101
    assert ask(now_ms=late, period="today", timezone="UTC").span.first_day == 20251231
    assert ask(now_ms=late, period="12mo", timezone="America/New_York").span.first_day == 20250101


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("period", "tomorrow", "'tomorrow' is no period: use today, yesterday, 24h"),
        ("period", "2026-02-30", "is no period"),
        ("period", "2026-2-3", "is no period"),
        ("period", "٢٠٢٦-٠١-٠١", "is no period"),
        ("period", "2026-01-01..", "'' is no period"),
        ("period", "1969-12-31", "is no period"),
        ("period", "3000-01-01", "is no period"),
        ("period", "2026-02-01..2026-01-01", "put the earlier day first"),
        ("period", "2011-12-30", "there was no 2011-12-30 in Pacific/Apia"),
        ("period", "x" * 100, f"'{'x' * 40}…' is no period"),
        ("by", "total", "by cannot be 'total': use page, host"),
        ("by", "PAGE", "by cannot be"),
        ("by", "value", "title, target, prop:NAME"),
        ("by", "prop:", "the name of a property has 1 to 64 characters"),
        ("by", f"prop:{'x' * 65}", "the name of a property has 1 to 64 characters"),
        ("interval", "minute", "use hour, day, week, month"),
        ("week_start", "friday", "use monday, sunday, saturday"),
        ("order", "visitors; drop table sites", "use visitors, visits, views, events"),
        ("timezone", "Berlin", "there is no time zone 'Berlin'"),
        ("timezone", "../etc/passwd", "there is no time zone"),
        ("limit", "0", "from 1 to 1000"),
        ("limit", "1001", "from 1 to 1000"),
        ("limit", "²", "from 1 to 1000"),
        ("limit", "0000000011", "from 1 to 1000"),  # longer than any number that may be
        ("limit", "1" * 5_000, "from 1 to 1000"),  # longer than Python reads
        ("offset", "-1", "from 0 to 1000000"),
        ("offset", "0" * 5_000, "from 0 to 1000000"),
        ("filters", "page is", "the filter ends"),
    ],
)
def test_a_mistake_is_told_with_what_to_write(name: str, text: str, said: str) -> None:
    asked = msgspec.convert({name: text}, Asked)
    with pytest.raises(QueryError) as caught:
        read_question(asked, SAMOA if "Apia" in said else BERLIN, "daily", now_ms=NOW, known=lambda: None)
    assert said in str(caught.value)
    assert caught.value.name == ("filter" if name == "filters" else name)


def test_everything_that_may_be_asked() -> None:
    assert {name: ask(by=name).dimension for name in DIMENSIONS} == DIMENSIONS
    for name in ("title", "target", "prop:plan", "prop:My plan, v2 ä"):
        assert ask(by=name).dimension == Field(name)
    full = ask(
        period="7d", by="page", interval="week", filters="country is DE", order="views", limit="1000", offset="20"
    )
    assert (full.dimension, full.interval, full.order) == (Dimension.PAGE, "week", "views")
    assert (full.limit, full.offset, full.filters) == (LIMIT_MOST, 20, Is(Dimension.COUNTRY, ("DE",)))


@pytest.mark.parametrize(
    ("period", "interval"), [("today", "hour"), ("24h", "hour"), ("7d", "day"), ("90d", "day"), ("12mo", "month")]
)
def test_the_interval_suits_the_period(period: str, interval: str) -> None:
    assert ask(period=period).interval == interval


@pytest.mark.parametrize(
    ("texts", "pieces"),
    [
        ({"period": "30d"}, [Piece("day", 20260302, 20260331)]),
        ({"period": "month"}, [Piece("month", 202603, 202603)]),
        ({"period": "month", "timezone": "UTC"}, [Piece("hour", 1772323200000, 1775001599999)]),
        ({"period": "2026-03-01..2026-03-30"}, [Piece("day", 20260301, 20260330)]),
        ({"period": "all"}, [Piece("month", 202405, 202603)]),
        (
            {"period": "2025-11-20..2026-02-03"},
            [Piece("day", 20251120, 20251130), Piece("month", 202512, 202601), Piece("day", 20260201, 20260203)],
        ),
        ({"period": "2026-03-31..2027-01-15"}, [Piece("day", 20260331, 20260331), Piece("month", 202604, 202701)]),
        ({"period": "2026-02-01..2026-02-28"}, [Piece("month", 202602, 202602)]),
    ],
)
def test_a_span_is_read_from_the_fewest_rows(texts: dict[str, str], pieces: list[Piece]) -> None:
    asked = msgspec.convert(texts, Asked)
    assert pieces_of(read_question(asked, BERLIN, "daily", now_ms=NOW, known=lambda: (20240517, 29991231))) == pieces


def labels(period: str, interval: str) -> list[str]:
    return [bucket.label for bucket in buckets_of(ask(period=period, interval=interval)).buckets]


def test_days_on_which_clocks_change_have_23_and_25_hours() -> None:
    spring, autumn = labels(period="2026-03-29", interval="hour"), labels(period="2025-10-26", interval="hour")
    assert (len(spring), len(autumn)) == (23, 25)
    assert spring[1:3] == ["2026-03-29T01:00+01:00", "2026-03-29T03:00+02:00"]
    assert autumn[2:4] == ["2025-10-26T02:00+02:00", "2025-10-26T02:00+01:00"]


def test_hours_of_a_zone_that_is_half_an_hour_off() -> None:
    india = Site(1, "default", timezone="Asia/Kolkata")
    question = read_question(Asked(period="2026-03-01", timezone="UTC"), india, "daily", now_ms=NOW, known=lambda: None)
    found = [bucket.label for bucket in buckets_of(question).buckets]
    assert (len(found), found[0], found[-1]) == (24, "2026-03-01T00:30+00:00", "2026-03-01T23:30+00:00")


def test_weeks_begin_on_monday_and_months_on_the_first() -> None:
    period = "2025-12-30..2026-02-02"
    weeks = buckets_of(ask(period=period, interval="week"))
    assert [bucket.label for bucket in weeks.buckets] == [
        "2025-12-29", "2026-01-05", "2026-01-12", "2026-01-19", "2026-01-26", "2026-02-02",
    ]  # fmt: skip
    assert [(bucket.first_day, bucket.last_day) for bucket in weeks.buckets[:2]] == [
        (20251230, 20260104),
        (20260105, 20260111),
    ]
    assert (weeks.by_hours, weeks.place(20260104), weeks.place(20251229)) == (False, 0, None)
    assert labels(period=period, interval="month") == ["2025-12", "2026-01", "2026-02"]
    assert labels(period="2026-02-28..2026-03-01", interval="day") == ["2026-02-28", "2026-03-01"]


@pytest.mark.parametrize(
    ("week_start", "week", "before"),
    [
        ("", (20260330, 20260331), (20260323, 20260329)),
        ("sunday", (20260329, 20260331), (20260322, 20260328)),
        ("saturday", (20260328, 20260331), (20260321, 20260327)),
    ],
)
def test_weeks_begin_when_the_reader_says(week_start: str, week: tuple[int, int], before: tuple[int, int]) -> None:
    for period, days in (("week", week), ("last_week", before)):
        found = ask(period=period, week_start=week_start, interval="week")
        assert (found.span.first_day, found.span.last_day) == days
        buckets = buckets_of(found).buckets
        assert [(bucket.first_day, bucket.last_day) for bucket in buckets] == [days]


def test_every_hour_of_another_zones_days_has_its_place() -> None:
    question = ask(period="2026-03-28..2026-03-29", interval="day", timezone="America/New_York")
    found = buckets_of(question)
    start = bounds("America/New_York", 20260328)[0]
    assert found.by_hours
    assert [found.place(start + hour * HOUR_MS) for hour in range(-1, 49)] == [None, *[0] * 24, *[1] * 24, None]


def test_hours_are_looked_at_only_where_there_are_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    found: list[int] = []

    def watched(timezone: str, hour: int) -> int:
        found.append(hour)
        return day_of(timezone, hour)

    monkeypatch.setattr(buckets, "day_of", watched)
    century = buckets_of(ask(period="1970-01-01..2100-12-31", interval="month", timezone="Asia/Tokyo"))
    assert (century.place(NOW), found) == (56 * 12 + 2, [NOW])


@pytest.mark.parametrize(
    ("period", "interval"),
    [
        ("2020-01-01..2025-06-23", "day"),
        ("1970-01-01..2999-12-31", "week"),
        ("1970-01-01..2999-12-31", "hour"),
    ],
)
def test_a_series_has_a_bounded_number_of_points(period: str, interval: str) -> None:
    assert len(labels(period="2020-01-01..2025-06-22", interval="day")) == BUCKETS_MOST
    with pytest.raises(QueryError, match="choose a longer interval or a shorter period"):
        labels(period=period, interval=interval)


def test_days_last_as_long_as_they_do() -> None:
    assert ask(period="2026-03-29").span.end_ms - ask(period="2026-03-29").span.start_ms == DAY_MS - HOUR_MS


def test_all_ends_with_the_last_day_that_has_numbers() -> None:
    span = read_span("all", "UTC", NOW, lambda: (20150517, 20150520))
    assert (span.first_day, span.last_day) == (20150501, 20150520)
