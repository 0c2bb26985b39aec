"""How likely a robot did what a visitor did on a day, and why.

Each thing that speaks for a robot, or for a person, has a weight: the logarithm of how much more often robots do it
than people. The weights are added to where all begin, and the sum makes a score from 0 to 1. They are few and plain,
so that each can be read, and doubted: docs/robots.md has them with the figures they were settled by.
"""

import math
from collections.abc import Iterable
from typing import Literal

import msgspec

from visitor_tracker.event import ROBOT
from visitor_tracker.ingest.behaviour import people, robots
from visitor_tracker.ingest.behaviour.days import VisitorDay
from visitor_tracker.ingest.behaviour.figures import Figures, figures_of, signals_alone
from visitor_tracker.ingest.behaviour.habits import Habits
from visitor_tracker.ingest.behaviour.reasons import Reason

RULES = 1  # raised when a change makes other verdicts: past days are then judged again

Verdict = Literal["human", "doubtful", "robot"]

LEAST_VIEWS = 8  # of fewer nothing can be said, but by signals
_BEGIN = -3.0  # one robot among twenty, before anything is known
ROBOT_SCORE, DOUBTFUL_SCORE = 0.9, 0.5
# In a browser, slideshows that go on by themselves do these, and people who press an arrow key through a gallery:
# something else has to speak for a robot too.
_OF_SHOWS = frozenset({"pace", "even_gaps", "even_reading", "nothing_twice"})


class Judgement(msgspec.Struct, frozen=True, gc=False):
    """A score, what it makes of the visitor, and the reasons, those with the largest weight first."""

    verdict: Verdict
    score: float
    reasons: tuple[Reason, ...] = ()


HUMAN = Judgement("human", 0.0)


def judged(day: VisitorDay, habits: Habits, figures: Figures | None = None) -> Judgement:
    """Judge a visitor's day; `figures` are those of the day, where they are known already."""
    if not day.steps or signals_alone(day.steps):
        return HUMAN  # nobody, or a robot without this
    has_signals = any(step.signals & ROBOT for step in day.steps)
    found = figures or figures_of(day)
    if found.views < LEAST_VIEWS and not has_signals:
        return HUMAN
    reasons = (*robots.reasons(day, found, habits), *people.reasons(day, found))
    score = 1 / (1 + math.exp(-(_BEGIN + sum(reason.weight for reason in reasons))))
    ordered = tuple(sorted(reasons, key=lambda reason: -reason.weight))
    verdict = verdict_of(score)
    if verdict == "robot" and found.screened and _may_be_a_show(reasons):
        verdict = "doubtful"
    return Judgement(verdict, round(score, 4), ordered)


def _may_be_a_show(reasons: Iterable[Reason]) -> bool:
    return all(each.name in _OF_SHOWS for each in reasons if each.weight > 0)


def verdict_of(score: float) -> Verdict:
    if score >= ROBOT_SCORE:
        return "robot"
    return "doubtful" if score >= DOUBTFUL_SCORE else "human"
