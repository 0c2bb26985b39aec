"""`alert`: what is watched, and what it has told."""

import argparse
from typing import Any, get_args

from visitor_tracker.cli.arguments import add_command, add_group, positive
from visitor_tracker.cli.channels import AlertDesk, add_whose, at_desk
from visitor_tracker.cli.output import moment, remark, say, say_json, say_table
from visitor_tracker.cli.questions import NothingSuch, add_json
from visitor_tracker.reports.alert_rules import METRICS, checked_rule
from visitor_tracker.reports.query import QueryError
from visitor_tracker.store.alert_deliveries import DeliveryTable
from visitor_tracker.store.alerts import AlertPeriod, LeastSeverity, Rule, RuleKind
from visitor_tracker.store.insight import InsightTable
from visitor_tracker.web.api.alert_shapes import alert_shown, delivery_shown

_EXAMPLES = """\
visitor-tracker alert add "Something odd" anomaly --to team
visitor-tracker alert add "Busy" threshold --metric visitors --above 1000 --period day --to team
visitor-tracker alert history
"""
_ADD_EXAMPLES = """\
visitor-tracker alert add "Something odd" anomaly --to team --severity notable
visitor-tracker alert add "Errors" threshold --metric errors --above 20 --to chat --cooldown 60
visitor-tracker alert add "First order today" goal --goal Sales --period day --to team
visitor-tracker alert add "Nobody comes" silent --minutes 60 --to phone --quiet 22:00-07:00
visitor-tracker alert add "Events wait" lag --minutes 10 --to operators --server
visitor-tracker alert add "Certificate" certificate --days 14 --to operators --server
"""


def add_commands(commands: Any) -> None:  # noqa: ANN401
    """Add the commands of this file."""
    group = add_group(commands, "alert", "have people told when something happens", examples=_EXAMPLES)
    _add_adding(group)
    listing = add_command(
        group, "list", at_desk(_list), "list the alerts", examples="visitor-tracker alert list --json"
    )
    add_whose(listing)
    add_json(listing, "the alerts as JSON lines")
    history = add_command(
        group, "history", at_desk(_history), "list what alerts have sent, and what waits to be",
        examples="visitor-tracker alert history --limit 20",
    )  # fmt: skip
    add_whose(history)
    history.add_argument("--limit", metavar="N", type=positive, default=20, help="messages; default: 20")
    add_json(history, "the messages as JSON lines")
    for name, run, text in (
        ("test", _test, "send a test by the alert's channels now"),
        ("remove", _remove, "remove an alert"),
    ):
        command = add_command(group, name, at_desk(run), text, examples=f'visitor-tracker alert {name} "Something odd"')
        command.add_argument("name", metavar="NAME", help="its name, or its id as  alert list --json  shows it")
        add_whose(command)


def _add_adding(group: Any) -> None:  # noqa: ANN401
    add = add_command(group, "add", at_desk(_add), "have people told when something happens", examples=_ADD_EXAMPLES)
    add.add_argument("name", metavar="NAME", help="what people will read, e.g. Something odd")
    add.add_argument("kind", choices=get_args(RuleKind), help="what is watched")
    add_whose(add)
    add.add_argument("--to", metavar="CHANNEL", action="append", required=True, help="a channel; may be given again")
    add.add_argument("--metric", choices=METRICS, default="", help="of threshold")
    limit = add.add_mutually_exclusive_group()
    limit.add_argument("--above", metavar="VALUE", type=float, help="of threshold")
    limit.add_argument("--below", metavar="VALUE", type=float, help="of threshold")
    add.add_argument("--period", choices=get_args(AlertPeriod), default="hour", help="of threshold and goal")
    add.add_argument("--goal", metavar="NAME", default="", help="of goal")
    add.add_argument("--times", metavar="N", type=positive, default=1, help="of goal: so often; default: 1")
    add.add_argument("--minutes", metavar="N", type=positive, default=60, help="of silent and lag; default: 60")
    add.add_argument("--days", metavar="N", type=positive, default=14, help="of certificate; default: 14")
    add.add_argument("--severity", choices=get_args(LeastSeverity), default="strong", help="of anomaly: the least")
    add.add_argument("--quiet", metavar="FROM-TO", default="", help="when nobody is told, e.g. 22:00-07:00")
    add.add_argument("--urgent", action="store_true", help="tell it in quiet hours, too")
    add.add_argument("--cooldown", metavar="MINUTES", type=positive, default=0, help="a pause after each message")
    add.add_argument("--no-over", action="store_true", help="do not tell the end")


def _add(options: argparse.Namespace, desk: AlertDesk) -> None:
    value = options.above if options.above is not None else options.below
    if options.kind == "threshold" and value is None:
        raise QueryError("value", "a threshold needs --above VALUE or --below VALUE")
    quiet_from, dash, quiet_to = options.quiet.partition("-")
    if options.quiet and not dash:
        raise QueryError("quiet", "quiet hours are two times of day such as 22:00-07:00")
    goals = InsightTable(desk.store.database).goals(desk.site.id)
    goal = next((each.id.hex() for each in goals if options.goal in (each.name, each.id.hex())), options.goal)
    rule = Rule(
        options.name,
        options.kind,
        tuple(desk.channel(name).id.hex() for name in options.to),
        metric=options.metric,
        direction="above" if options.below is None else "below",
        value=value or 0.0,
        period=options.period,
        goal=goal,
        times=options.times,
        minutes=options.minutes,
        days=options.days,
        severity=options.severity,
        quiet_from=quiet_from,
        quiet_to=quiet_to,
        urgent=options.urgent,
        cooldown_minutes=options.cooldown,
        tell_over=not options.no_over,
        at=desk.now_ms,
    )
    channels = {each.id.hex() for each in desk.channels.all(desk.site.id)}
    known = {each.id.hex() for each in goals}
    rule = checked_rule(rule, is_of_server=desk.site.id == 0, goals=known, channels=channels)
    rule = desk.rules.add_rule(desk.site.id, rule)
    desk.note("alert.added", rule.name, rule.id)
    say(f"added the alert {rule.name}; see  visitor-tracker alert test")


def _list(options: argparse.Namespace, desk: AlertDesk) -> None:
    rules = desk.rules.rules(desk.site.id)
    if options.json:
        for rule in rules:
            say_json(alert_shown(rule))
    elif rules:
        names = {each.id.hex(): each.name for each in desk.channels.all(desk.site.id)}
        rows = [
            (
                rule.name,
                rule.kind,
                ", ".join(names.get(each, "?") for each in rule.channels),
                "yes" if rule.is_on else "no",
                rule.problem,
            )
            for rule in rules
        ]
        say_table(("NAME", "KIND", "TO", "ON", "PROBLEM"), rows)
    else:
        remark('no alerts yet: make one with  visitor-tracker alert add "Something odd" anomaly --to CHANNEL')


def _history(options: argparse.Namespace, desk: AlertDesk) -> None:
    names = {each.id: each.name for each in desk.channels.all(desk.site.id)}
    found = DeliveryTable(desk.store.database).history(desk.site.id, options.limit)
    shown = [delivery_shown(each, names) for each in found]
    if options.json:
        for delivery in shown:
            say_json(delivery)
    elif shown:
        rows = [
            (
                moment(each.at),
                one.title,
                " ".join((one.channel, one.to)).strip(),
                one.status,
                str(one.tries),
                one.answer[:60],
            )
            for each, one in zip(found, shown, strict=True)
        ]
        say_table(("WHEN (UTC)", "WHAT", "TO", "STATUS", "TRIES", "ANSWER"), rows, right={"TRIES"})
    else:
        remark("nothing was told so far")


def _test(options: argparse.Namespace, desk: AlertDesk) -> bool:
    rule = _rule(options, desk)
    desk.note("alert.tested", rule.name, rule.id)
    return desk.test([desk.channel(name) for name in rule.channels], rule.name)


def _remove(options: argparse.Namespace, desk: AlertDesk) -> None:
    rule = _rule(options, desk)
    desk.rules.remove_rule(desk.site.id, rule.id)
    desk.note("alert.removed", rule.name, rule.id)
    say(f"removed the alert {rule.name}")


def _rule(options: argparse.Namespace, desk: AlertDesk) -> Rule:
    rules = desk.rules.rules(desk.site.id)
    found = [each for each in rules if options.name in (each.id.hex(), each.name)]
    if not found:
        raise NothingSuch(f"there is no alert {options.name!r}: see  visitor-tracker alert list")
    return found[0]
