"""`report`: what a site's numbers come to, as a text, as a page, and by mail."""

import argparse
from pathlib import Path
from typing import Any, get_args

from visitor_tracker.access.keeper import policy_of
from visitor_tracker.cli.arguments import add_command, add_group, config_of, whole
from visitor_tracker.cli.output import moment, remark, say, say_json, say_table
from visitor_tracker.cli.questions import Desk, NothingSuch, add_json, add_site, answered
from visitor_tracker.errors import TrackerError
from visitor_tracker.ingest.zones import country_name
from visitor_tracker.outgoing.mail import Mailer
from visitor_tracker.reports.digest.calendar import WEEKDAYS, Every, Times, last_due, next_due, told
from visitor_tracker.reports.digest.collecting import Collector
from visitor_tracker.reports.digest.formats import Formats
from visitor_tracker.reports.digest.letter import base_of, letter
from visitor_tracker.reports.digest.page import page_of
from visitor_tracker.reports.digest.said import Links, Said
from visitor_tracker.reports.digest.schedules import checked_schedule, digest_of, times_of, weekday_of
from visitor_tracker.reports.digest.text import text_of
from visitor_tracker.reports.digest.words import Language
from visitor_tracker.store.report_schedules import ReportDeliveries, ReportSchedule, ReportSchedules
from visitor_tracker.web.api.reports import hint_of, new_id, shown

_EXAMPLES = """\
visitor-tracker report show --site blog
visitor-tracker report show --every monthly --html report.html
visitor-tracker report add --to anna@example.com --every weekly --weekday monday --hour 8
visitor-tracker report list
"""
_SHOW_EXAMPLES = """\
visitor-tracker report show
visitor-tracker report show --site blog --every monthly --language de
visitor-tracker report show --every daily --html report.html
"""
_ADD_EXAMPLES = """\
visitor-tracker report add --to anna@example.com
visitor-tracker report add --to anna@example.com --to ben@example.com --every monthly --hour 7 --language fr
"""
_ID = "019a0b1c2d3e4f5061728394a5b6c7d8"
_DELIVERIES = 50


def add_commands(commands: Any) -> None:  # noqa: ANN401
    """Add the commands of this file."""
    group = add_group(commands, "report", "print a report of a site, or have it sent by mail", examples=_EXAMPLES)
    show = add_command(group, "show", answered(_show), "print the last report", examples=_SHOW_EXAMPLES)
    add_site(show)
    _add_what(show)
    form = show.add_mutually_exclusive_group()
    form.add_argument("--text", action="store_true", help="as plain text: so it is without --html")
    form.add_argument(
        "--html", metavar="FILE", default="", help="as a page that needs nothing else; - is standard output"
    )
    add = add_command(group, "add", answered(_add), "have a report sent by mail", examples=_ADD_EXAMPLES)
    add_site(add)
    add.add_argument(
        "--to", metavar="ADDRESS", action="append", required=True, help="who gets it; as often as you like"
    )
    _add_what(add)
    add.add_argument(
        "--hour", metavar="HOUR", type=whole, default=8, help="0 to 23, by the clock of the site; default: 8"
    )
    add.add_argument("--weekday", choices=WEEKDAYS, default="monday", help="of weekly reports; default: monday")
    listing = add_command(
        group, "list", answered(_list), "list the reports by mail", examples="visitor-tracker report list --json"
    )
    add_site(listing)
    add_json(listing, "them as JSON lines")
    for name, run, what in (
        ("deliveries", _deliveries, "list what was sent, and what came of it"),
        ("send", _send, "send a report to all of its recipients now, besides"),
        ("remove", _remove, "send a report no more"),
    ):
        command = add_command(
            group, name, answered(run), what, examples=f"visitor-tracker report {name} {_ID} --site blog"
        )
        command.add_argument("id", metavar="ID", help="as  report list  shows it")
        add_site(command)


def _add_what(command: argparse.ArgumentParser) -> None:
    command.add_argument("--every", choices=get_args(Every), default="weekly", help="which report; default: weekly")
    command.add_argument("--language", choices=get_args(Language), default="en", help="in which words; default: en")


def _show(options: argparse.Namespace, desk: Desk) -> None:
    said = _said(options, desk, Times(options.every), options.language)
    if not options.html:
        say(text_of(said, Links()).rstrip("\n"))
    elif options.html == "-":
        say(page_of(said, Links()))
    else:
        file = Path(options.html)
        try:
            file.write_text(page_of(said, Links()), encoding="utf-8")
        except OSError as error:
            raise TrackerError(f"{file} cannot be written: {error.strerror}") from error
        remark(f"{file}: {said.title}, {said.days}")


def _said(options: argparse.Namespace, desk: Desk, times: Times, language: Language) -> Said:
    site = desk.site
    policy = (site.policy or policy_of(config_of(options).identity)).visitor
    due = last_due(times, site.timezone, desk.now_ms)
    collector = Collector(desk.table, site, policy, desk.now_ms)
    digest = collector.digest(times.every, told(times.every, due.day), desk.kept.goals(site.id))
    return Said(digest, Formats(language, country_name))


def _add(options: argparse.Namespace, desk: Desk) -> None:
    schedule = checked_schedule(
        ReportSchedule(
            tuple(options.to),
            options.every,
            options.hour,
            weekday_of(options.weekday),
            options.language,
            site_id=desk.site.id,
            id=new_id(desk.now_ms),
            at=desk.now_ms,
        )
    )
    _schedules(desk).add(schedule)
    desk.note("report.added", f"{schedule.every} report", schedule.id)
    due = next_due(times_of(schedule), desk.site.timezone, desk.now_ms)
    say(f"added the report {schedule.id.hex()}; it is sent next at {moment(due.at_ms)} UTC")
    config = config_of(options)
    if hint := hint_of(Mailer(config.mail), config.server.public_url):
        remark(hint)


def _list(options: argparse.Namespace, desk: Desk) -> None:
    schedules = _schedules(desk)
    config = config_of(options)
    hint = hint_of(Mailer(config.mail), config.server.public_url)
    found = [
        shown(desk.site, each, schedules.stopped(desk.site.id, each.id), desk.now_ms, hint)
        for each in schedules.of_site(desk.site.id)
    ]
    if options.json:
        for each in found:
            say_json(each)
    elif found:
        rows = [
            (
                each.id,
                each.every,
                (each.next_at or "-")[:16].replace("T", " "),
                each.language,
                ", ".join(
                    f"{to.address} (unsubscribed)" if to.unsubscribed_at else to.address for to in each.recipients
                ),
            )
            for each in found
        ]
        say_table(("ID", "EVERY", "NEXT (UTC)", "IN", "TO"), rows)
        if hint:
            remark(f"\n{hint}")
    else:
        remark("no reports by mail yet: make one with  visitor-tracker report add --to ADDRESS")


def _deliveries(options: argparse.Namespace, desk: Desk) -> None:
    schedule = _schedule(options, desk)
    names = {digest_of(address): address for address in schedule.recipients}
    found = ReportDeliveries(desk.store.database).latest(desk.site.id, schedule.id, _DELIVERIES)
    rows = [
        (moment(each.due_at), names.get(each.recipient, "-"), each.outcome, str(each.tries), each.said)
        for each in found
    ]
    if rows:
        say_table(("DUE (UTC)", "TO", "OUTCOME", "TRIES", "SAID"), rows, ("TRIES",))
    else:
        remark("nothing was due yet")


def _send(options: argparse.Namespace, desk: Desk) -> None:
    schedule, config = _schedule(options, desk), config_of(options)
    stopped = _schedules(desk).stopped(desk.site.id, schedule.id)
    said = _said(options, desk, times_of(schedule), schedule.language)
    failures = 0
    for address in schedule.recipients:
        if digest_of(address) in stopped:
            remark(f"{address}: has unsubscribed")
            continue
        try:
            told_by_server = Mailer(config.mail).send(letter(said, Links(base_of(config), address)))
        except TrackerError as error:
            failures += 1
            remark(f"{address}: {error}")
        else:
            say(f"{address}: {told_by_server}")
    desk.note("report.tried", f"{schedule.every} report", schedule.id)
    if failures:
        raise NothingSuch(f"{failures} of {len(schedule.recipients)} mails were not sent")


def _remove(options: argparse.Namespace, desk: Desk) -> None:
    schedule = _schedule(options, desk)
    _schedules(desk).remove(desk.site.id, schedule.id)
    desk.note("report.removed", f"{schedule.every} report", schedule.id)
    say(f"removed the report {schedule.id.hex()}")


def _schedules(desk: Desk) -> ReportSchedules:
    return ReportSchedules(desk.store.database)


def _schedule(options: argparse.Namespace, desk: Desk) -> ReportSchedule:
    try:
        found = _schedules(desk).find(desk.site.id, bytes.fromhex(options.id))
    except ValueError:
        found = None
    if found is None:
        raise NothingSuch(f"the site has no report {options.id!r}: see  visitor-tracker report list")
    return found
