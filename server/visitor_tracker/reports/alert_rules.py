"""What an alert may say: checked when it is made or changed."""

import re
from collections.abc import Collection
from typing import Final

import msgspec

from visitor_tracker.reports.query import QueryError
from visitor_tracker.reports.vitals import THRESHOLDS
from visitor_tracker.store.alerts import Rule, RuleKind

NAME_MOST: Final = 80
MINUTES_MOST: Final = 7 * 24 * 60
DAYS_MOST: Final = 365
TIMES_MOST: Final = 1_000_000_000
COOLDOWN_MOST: Final = 30 * 24 * 60
SILENT_LEAST: Final = 10  # minutes: what visitors do needs some to be counted

COUNTED: Final = ("visitors", "visits", "views", "events", "bounce_rate")
VITALS: Final = tuple(name.lower() for name in THRESHOLDS)
METRICS: Final = (*COUNTED, "errors", *VITALS)
OF_SERVER: Final[Collection[RuleKind]] = ("lag", "certificate")

_clock = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9]").fullmatch


def checked_rule(rule: Rule, *, is_of_server: bool, goals: Collection[str], channels: Collection[str]) -> Rule:
    """Return the rule as it is stored; raises QueryError that names the part.

    `goals` and `channels` are ids, in hex, of those that the site has.
    """
    name = " ".join(rule.name.split())
    if not name or len(name) > NAME_MOST or not name.isprintable():
        raise QueryError("name", f"an alert needs a name of 1 to {NAME_MOST} characters")
    if (rule.kind in OF_SERVER) != is_of_server:
        kinds = "lag, certificate" if is_of_server else "anomaly, threshold, goal, silent"
        raise QueryError(
            "kind", f"there is no alert {rule.kind} of {'the server' if is_of_server else 'a site'}: use {kinds}"
        )
    if unknown := [each for each in rule.channels if each not in channels]:
        raise QueryError("channels", f"there is no channel {unknown[0][:40]!r}: use ids of the channels that there are")
    if not rule.channels:
        raise QueryError("channels", "an alert that nobody gets is none: use the id of a channel, or several")
    if bool(rule.quiet_from) != bool(rule.quiet_to):
        raise QueryError("quiet_from", "quiet hours need both quiet_from and quiet_to, such as 22:00 and 07:00")
    for part in ("quiet_from", "quiet_to"):
        if (text := getattr(rule, part)) and not _clock(text):
            raise QueryError(part, f"{part} must be a time of day such as 22:00, not {text[:20]!r}")
    _within("cooldown_minutes", rule.cooldown_minutes, 0, COOLDOWN_MOST)
    _CHECKS.get(rule.kind, _nothing_more)(rule, goals)
    unique = tuple(dict.fromkeys(rule.channels))
    return msgspec.structs.replace(rule, name=name, channels=unique)


def _threshold(rule: Rule, _: Collection[str]) -> None:
    if rule.metric not in METRICS:
        raise QueryError("metric", f"there is no metric {rule.metric[:40]!r} for alerts: use {', '.join(METRICS)}")
    if not 0 <= rule.value <= TIMES_MOST:
        raise QueryError("value", f"value must be from 0 to {TIMES_MOST:,}")
    if rule.metric == "bounce_rate" and rule.value > 1:
        raise QueryError("value", "a bounce rate is a share: use 0.8 for 80 %")
    if rule.direction == "below" and rule.value == 0 and rule.metric not in VITALS:
        raise QueryError("value", "nothing is below 0: use a larger value")


def _goal(rule: Rule, goals: Collection[str]) -> None:
    if rule.goal not in goals:
        raise QueryError("goal", f"the site has no goal {rule.goal[:40]!r}: use the id of one of its goals")
    _within("times", rule.times, 1, TIMES_MOST)


def _silent(rule: Rule, _: Collection[str]) -> None:
    _within("minutes", rule.minutes, SILENT_LEAST, MINUTES_MOST)


def _lag(rule: Rule, _: Collection[str]) -> None:
    _within("minutes", rule.minutes, 1, MINUTES_MOST)


def _certificate(rule: Rule, _: Collection[str]) -> None:
    _within("days", rule.days, 1, DAYS_MOST)


def _nothing_more(rule: Rule, goals: Collection[str]) -> None:
    """Anomalies need nothing but their severity."""


_CHECKS = {"threshold": _threshold, "goal": _goal, "silent": _silent, "lag": _lag, "certificate": _certificate}


def _within(part: str, number: int, least: int, most: int) -> None:
    if not least <= number <= most:
        raise QueryError(part, f"{part} must be a whole number from {least} to {most:,}")
