"""All that happens on the site, day by day and in the order of time.

day ─▶ beginnings of visits ─▶ journeys ┐
    └▶ robots ──────────────────────────┴▶ sorted, what goes on after midnight handed to the next day
"""

from collections.abc import Iterator
from datetime import timedelta
from random import Random

from visitor_tracker.days import bounds, date_of
from visitor_tracker.jobs.demo.chance import chances
from visitor_tracker.jobs.demo.journey import Scene, Sent, Visitor, journey
from visitor_tracker.jobs.demo.origins import DIRECT, Origin, arrival
from visitor_tracker.jobs.demo.people import Person, client_of, regular, stranger
from visitor_tracker.jobs.demo.plan import Plan, highlights
from visitor_tracker.jobs.demo.rhythm import beginnings, days_since_issue, is_working, outage, usual
from visitor_tracker.jobs.demo.robots import robots

_REGULARS = 0.45  # of direct visits are of people who know the site
_POOL = 2.5  # of them for each visit of an average day
_COMES_AGAIN = 0.07  # on the same day
_AGAIN_MS = (35 * 60_000, 6 * 3_600_000)
_FAULTY_DAYS = 3
_SLOW, _FAST = 1.25, 0.9  # before and after pages were made faster


def days_of_traffic(plan: Plan, first: int = 0) -> Iterator[list[Sent]]:
    """Yield what happens on each day from step `first` on, each day sorted, none of it in the future."""
    out_from, out_to = outage(plan)
    _, late = _split(_day(plan, first - 1), bounds(plan.timezone, plan.day(first))[0])
    for step in range(first, plan.days):
        now, late = _split(late + _day(plan, step), bounds(plan.timezone, plan.day(step))[1])
        now.sort(key=lambda sent: (sent.ts, sent.hit.id))
        yield [sent for sent in now if sent.ts <= plan.until and not out_from <= sent.ts < out_to]


def _split(sent: list[Sent], moment: int) -> tuple[list[Sent], list[Sent]]:
    """Return what is before a moment, and the rest."""
    return [each for each in sent if each.ts < moment], [each for each in sent if each.ts >= moment]


def _day(plan: Plan, step: int) -> list[Sent]:
    """Return all that begins on a day, in no order; a day depends on nothing but the plan."""
    chance = chances(plan.seed, plan.day(step))
    scene = _scene(plan, step)
    sent: list[Sent] = []
    for ts, origin in beginnings(plan, step, chance):
        person = _person(plan, scene, origin, ts, chance)
        sent += _visit(scene, person, origin, ts, chance)
        if chance.random() < _COMES_AGAIN:
            sent += _visit(scene, person, DIRECT, ts + chance.randrange(*_AGAIN_MS), chance)
    return sent + robots(scene, bounds(plan.timezone, plan.day(step)), usual(plan, step), chance)


def _visit(scene: Scene, person: Person, origin: Origin, ts: int, chance: Random) -> list[Sent]:
    referrer, query = arrival(origin, chance, person.home.google, scene.issue)
    client = client_of(person, scene.day, scene.base)
    return journey(scene, Visitor(person, client, origin, referrer, query), ts, chance)


def _person(plan: Plan, scene: Scene, origin: Origin, ts: int, chance: Random) -> Person:
    if origin is DIRECT and chance.random() < _REGULARS:
        return regular(plan.seed, chance.randrange(max(1, int(plan.visits * _POOL))))
    return stranger(chance, ts, working=is_working(scene.day), zones=origin.zones)


def _scene(plan: Plan, step: int) -> Scene:
    marks = highlights(plan.seed, plan.last)
    ago = plan.days - 1 - step
    faulty = marks.faulty - _FAULTY_DAYS < ago <= marks.faulty
    day = date_of(plan.day(step))
    issue = day - timedelta(days=days_since_issue(day))
    return Scene(plan.site.name, plan.base, day, issue, ago, _SLOW if ago > marks.faster else _FAST, faulty)
