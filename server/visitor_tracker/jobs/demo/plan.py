"""What is to be invented: for which site, up to when, how much; and what happens on which day of it."""

import re
from datetime import date
from functools import lru_cache
from hashlib import blake2b

import msgspec

from visitor_tracker.days import bounds, date_of, day_after, day_of, days_between
from visitor_tracker.jobs.demo.chance import chances
from visitor_tracker.sites import Site

_TUESDAY = 1
_SPELLED = re.compile(r"[^a-z0-9]+")
_STEP_BITS = 32


class Plan(msgspec.Struct, frozen=True):
    """The same plan makes the same traffic. `last` is the last local day, as yyyymmdd; nothing happens after `until`.

    `visits` is what an average day has.
    """

    site: Site
    host: str
    last: int
    until: int
    days: int
    visits: int
    seed: int

    @property
    def timezone(self) -> str:
        return self.site.timezone

    @property
    def base(self) -> str:
        return f"https://{self.host}"

    def day(self, step: int) -> int:
        """Return the local day of a step; step 0 is the first day."""
        return day_after(self.last, step - self.days + 1)

    def all_days(self) -> list[int]:
        """Return every day, and the one before: a visit may have begun on it."""
        return days_between(self.day(-1), self.last)

    def progress(self, step: int) -> float:
        """Return how far in the whole time a day lies, 0 to 1."""
        return step / max(1, self.days - 1)

    def fingerprint(self) -> int:
        """Return what tells this plan from others, in 31 bits."""
        told = (self.seed, self.site.id, self.host, self.timezone, self.last, self.days, self.visits)
        return int.from_bytes(blake2b(repr(told).encode(), digest_size=4).digest(), "big") >> 1

    def position(self, step: int) -> int:
        """Return the cursor of a site where the days before `step` are written."""
        return self.fingerprint() << _STEP_BITS | step

    def step_of(self, position: int) -> int | None:
        """Return the step at a cursor, None where it was another plan's."""
        step = position & ((1 << _STEP_BITS) - 1)
        return step if position == self.position(step) else None


class Order(msgspec.Struct, frozen=True):
    """What is asked for: a plan but for its end, which is now, or that of a run that was interrupted."""

    site: Site
    now: int
    days: int = 365
    visits: int = 200
    seed: int = 1

    def plan(self, back: int = 0) -> Plan:
        """Return the plan that ends today, or so many days back."""
        site = self.site
        last = day_after(day_of(site.timezone, self.now), -back)
        until = min(self.now, bounds(site.timezone, last)[1] - 1)
        return Plan(site, host_of(site), last, until, self.days, self.visits, self.seed)


def host_of(site: Site) -> str:
    """Return the host of the invented pages: one of the site's, else a name below .example, which nobody can have."""
    if site.hostnames:
        return site.hostnames[0].replace("*", "www")
    return f"{_SPELLED.sub('-', site.name.lower()).strip('-') or 'demo'}.example"


class Highlights(msgspec.Struct, frozen=True):
    """What makes days of a year unlike others, as days before the last one."""

    front_page: int  # of Hacker News
    thread: int  # on Reddit
    launch: int  # of a new version
    outage: int
    faulty: int  # the first of three days with a fault in the scripts
    faster: int  # pages load faster since then


@lru_cache(64)
def highlights(seed: int, last: int) -> Highlights:
    """Return when what happens; most of it on working days."""
    chance = chances(seed, "highlights")

    def working(days_ago: int) -> int:
        ago = days_ago + chance.randrange(5)
        while date_of(day_after(last, -ago)).weekday() > 3:
            ago += 1
        return ago

    return Highlights(working(40), working(150), working(215), working(85), working(60), 110 + chance.randrange(20))


def is_newsletter_day(day: date) -> bool:
    """Say whether the newsletter goes out: on each second Tuesday."""
    return day.weekday() == _TUESDAY and day.toordinal() // 7 % 2 == 0
