"""`forecast`, `anomalies` and `trends`: what is to be expected, what was unlike it and why, where a site is going."""

import argparse
from collections.abc import Sequence
from typing import Any, get_args

from visitor_tracker.cli.arguments import add_command
from visitor_tracker.cli.output import remark, say, say_document, say_table
from visitor_tracker.cli.questions import Desk, add_json, add_site, answered, percent
from visitor_tracker.logs import escape
from visitor_tracker.reports.insight.anomalies import (
    DAYS,
    DAYS_MOST,
    AnomaliesAsked,
    Anomaly,
    anomalies,
    number,
    readiness,
)
from visitor_tracker.reports.insight.causes import Why
from visitor_tracker.reports.insight.history import Metric
from visitor_tracker.reports.insight.page_changes import PageChange
from visitor_tracker.reports.insight.predictions import (
    PERIODS,
    PERIODS_MOST,
    ForecastAsked,
    ForecastStep,
    holidays_of,
    predict,
)
from visitor_tracker.reports.insight.trends import DAYS as TREND_DAYS
from visitor_tracker.reports.insight.trends import DAYS_LEAST as TREND_DAYS_LEAST
from visitor_tracker.reports.insight.trends import DAYS_MOST as TREND_DAYS_MOST
from visitor_tracker.reports.insight.trends import Growth, Trends, trends
from visitor_tracker.reports.insight.why import why
from visitor_tracker.reports.query import QueryError

_FORECAST_EXAMPLES = """\
visitor-tracker forecast
visitor-tracker forecast --site shop --metric views --periods 28
visitor-tracker forecast --step hour --periods 48 --json
visitor-tracker forecast --step month --periods 6
visitor-tracker forecast --holidays 2026-04-05,2027-03-28,12-25,12-26 --periods 60
"""
_ANOMALIES_EXAMPLES = """\
visitor-tracker anomalies
visitor-tracker anomalies --why
visitor-tracker anomalies --site demo --days 365 --why --json
"""
_MOST = ", ".join(f"{most} {step}s" for step, most in PERIODS_MOST.items())
_USUALLY = ", ".join(f"{count} {step}s" for step, count in PERIODS.items())
_TRENDS_EXAMPLES = """\
visitor-tracker trends
visitor-tracker trends --site blog --days 90
"""


def add_commands(commands: Any) -> None:  # noqa: ANN401
    """Add the commands of this file."""
    text = "print what the next days or hours of a site are likely to bring"
    forecast = add_command(commands, "forecast", answered(_forecast), text, examples=_FORECAST_EXAMPLES)
    add_site(forecast)
    forecast.add_argument("--metric", choices=get_args(Metric), default="visits", help="default: visits")
    forecast.add_argument("--step", choices=get_args(ForecastStep), default="day", help="default: day")
    forecast.add_argument(
        "--periods",
        metavar="N",
        type=int,
        default=0,
        help=f"how many: at most {_MOST}; default: {_USUALLY}",
    )
    forecast.add_argument(
        "--holidays",
        metavar="DAYS",
        default="",
        help="beside the site's own, past ones and those to come: 2026-04-05, or 12-25 for every year's",
    )
    add_json(forecast, "everything as JSON")
    text = "print days and hours that were unlike what is usual, and why"
    found = add_command(commands, "anomalies", answered(_anomalies), text, examples=_ANOMALIES_EXAMPLES)
    add_site(found)
    _add_days(found, "how many days back", 1, DAYS_MOST, DAYS)
    found.add_argument("--why", action="store_true", help="what explains each: sources, pages, places")
    add_json(found, "everything as JSON")
    text = "print averages, busy hours, growth, and pages that rise, fall and fade"
    going = add_command(commands, "trends", answered(_trends), text, examples=_TRENDS_EXAMPLES)
    add_site(going)
    _add_days(going, "complete days whose pages are compared", TREND_DAYS_LEAST, TREND_DAYS_MOST, TREND_DAYS)
    add_json(going, "everything as JSON")


def _add_days(command: argparse.ArgumentParser, text: str, least: int, most: int, default: int) -> None:
    command.add_argument(
        "--days", metavar="N", type=int, default=default, help=f"{text}, {least} to {most}; default: {default}"
    )


def _check_days(days: int, least: int, most: int) -> None:
    if not least <= days <= most:
        raise QueryError("days", f"--days must be from {least} to {most}, not {days}")


def _forecast(options: argparse.Namespace, desk: Desk) -> None:
    asked = ForecastAsked(options.metric, options.step, options.periods, holidays_of(options.holidays))
    found = predict(desk.table, desk.site, desk.question.policy, asked, desk.now_ms)
    if options.json:
        say_document(found)
        return
    say(f"{found.site}, {found.metric} by the {found.step} ({found.timezone})\n")
    if not found.can_forecast:
        remark(found.message)
        return
    header = (found.step.upper(), "EXPECTED", "LOW", "HIGH")
    rows = [(each.start, *(f"{value:,.0f}" for value in (each.expected, each.low, each.high))) for each in found.points]
    say_table(header, rows, header[1:])
    share = f"{found.share:.0%} of the values are likely to lie between LOW and HIGH"
    learned = f"learned from {found.learned_from:,} {asked.learned_by}s"
    remark(f"\n{found.trend}; {share}; {learned}")


def _anomalies(options: argparse.Namespace, desk: Desk) -> None:
    _check_days(options.days, 1, DAYS_MOST)
    ready = readiness(desk.table, desk.site, desk.now_ms)
    policy = desk.question.policy
    found = anomalies(desk.table, desk.site, policy, AnomaliesAsked(options.days), desk.now_ms)
    reasons = [
        why(desk.table, desk.site, policy, each, desk.now_ms, others=found) for each in (found if options.why else ())
    ]
    if options.json:
        about = {"site": desk.site.name, "timezone": desk.site.timezone, "days": options.days}
        say_document({**about, "anomalies": reasons or found})
        return
    say(f"{desk.site.name}, the last {options.days} days ({desk.site.timezone})\n")
    if not ready.is_ready:
        remark(f"there are {ready.days} complete days; {ready.needed} are needed to know what is usual")
    elif not found:
        remark("nothing was unlike what is usual")
    elif reasons:
        _say_reasons(reasons)
    else:
        say_table(("FROM", "TO", "WHAT", "HOW MUCH", "VALUE", "USUALLY"), [_row(each) for each in found], _RIGHT)


_RIGHT = ("VALUE", "USUALLY")


def _row(found: Anomaly) -> tuple[str, ...]:
    what = f"{found.kind} of {found.metric}"
    end = found.end if found.is_over else "goes on"
    return found.start, end, what, found.severity, number(found.value), number(found.expected)


def _say_reasons(reasons: Sequence[Why]) -> None:
    for place, each in enumerate(reasons):
        say(("\n" if place else "") + escape(each.text))
        header = ("  CAUSE", "", "NOW", "USUALLY", "EXPLAINS")
        rows = [
            (
                f"  {cause.dimension}",
                cause.value,
                number(cause.value_now),
                number(cause.value_expected),
                percent(cause.share),
            )
            for cause in each.causes
        ]
        if rows:
            say_table(header, rows, header[2:])
        for note in each.annotations:
            say(f"  noted: {escape(note.text)}")


def _trends(options: argparse.Namespace, desk: Desk) -> None:
    _check_days(options.days, TREND_DAYS_LEAST, TREND_DAYS_MOST)
    found = trends(desk.table, desk.site, options.days, desk.now_ms)
    if options.json:
        say_document(found)
        return
    say(f"{found.site}, {found.first} to {found.last} ({found.timezone})\n")
    if not found.average.days:
        remark("there are no complete days with visits yet")
        return
    _say_averages(found)
    if found.growth is not None:
        say(f"\n{_growth(found.growth)}")
    for title, pages in (("RISING", found.risers), ("FALLING", found.fallers), ("NEW", found.new_pages)):
        _say_pages(title, pages)
    if found.fading:
        say("")
        header = ("FADING", "A WEEK", "AT BEST", "THEN", "LEFT")
        rows = [
            (each.page, number(each.views_a_week), number(each.views_a_week_then), each.then, percent(each.left))
            for each in found.fading
        ]
        say_table(header, rows, ("A WEEK", "AT BEST", "LEFT"))


def _say_averages(found: Trends) -> None:
    header = ("A DAY", "VISITS", "VIEWS", "VISITORS")
    kept = [("these days", found.average)] + ([("before", found.average_before)] if found.average_before else [])
    rows = [(name, *(f"{value:,.1f}" for value in (each.visits, each.views, each.visitors))) for name, each in kept]
    say_table(header, rows, header[1:])
    say("")
    say_table(("WEEKDAY", "VISITS"), [(each.weekday, f"{each.visits:,.1f}") for each in found.weekdays], ("VISITS",))
    if found.hours.busiest:
        busy = ", ".join(f"{each.weekday} {each.hour:02d}:00" for each in found.hours.busiest)
        say(f"\nbusiest hours: {busy}")


def _growth(growth: Growth) -> str:
    if growth.usual_low is None or growth.usual_high is None:
        return growth.text
    return f"{growth.text} (usually {growth.usual_low:+.0f} % to {growth.usual_high:+.0f} %)"


def _say_pages(title: str, pages: Sequence[PageChange]) -> None:
    if not pages:
        return
    say("")
    rows = [
        (
            each.page,
            f"{each.views:,}",
            f"{each.views_before:,}",
            "-" if each.percent is None else f"{each.percent:+.0f} %",
        )
        for each in pages
    ]
    say_table((title, "VIEWS", "BEFORE", "CHANGE"), rows, ("VIEWS", "BEFORE", "CHANGE"))
