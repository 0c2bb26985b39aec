"""The parameters that most routes for readers have: which site, which days."""

from typing import Annotated, TypeVar

import msgspec
from msgspec import Meta

from visitor_tracker.days import date_of
from visitor_tracker.reports.query import PERIODS, Span
from visitor_tracker.sites import Site, Snapshot
from visitor_tracker.web.asked import site_named

DEFAULT = "default"

A = TypeVar("A", bound="OfDays")

SiteName = Annotated[str, Meta(description="Name or alias of the site; without it `default`")]
OptionalSite = Annotated[str, Meta(description="Name or alias of the site; without it all that may be seen")]
OldName = Annotated[str, Meta(description="The same as `site`, as trackers of old say it")]
Period = Annotated[
    str, Meta(description=f"{', '.join(PERIODS)}, a day such as 2026-03-31, or two such as 2026-01-01..2026-03-31")
]


class OfSite(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One site."""

    site: SiteName = ""
    site_id: OldName = ""

    def among(self, snapshot: Snapshot) -> Site:
        """Return the site that is meant; raises HttpError 404 where there is none."""
        return site_named(self.site or self.site_id or DEFAULT, snapshot)


class OfPolicy(msgspec.Struct, frozen=True):
    """A site whose settings matter; one that is not known has those of `default`."""

    site: SiteName = ""


class OfSites(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One site, or all."""

    site: OptionalSite = ""
    site_id: OldName = ""

    def among(self, snapshot: Snapshot) -> tuple[Site, ...]:
        """Return the site that is named, else all of them; raises HttpError 404 where there is none of that name."""
        name = self.site_id or self.site
        return (site_named(name, snapshot),) if name else snapshot.sites


class OfPeriod(OfSite, frozen=True):
    """One site over some days."""

    period: Period = "30d"


class OfDays(msgspec.Struct, frozen=True, kw_only=True):
    """What answers about days begin with."""

    site: str
    first: str = msgspec.field(name="from")
    to: str
    timezone: str


def over_days(kind: type[A], site: Site, span: Span, found: msgspec.Struct) -> A:
    """Return the answer about these days: what was found, with the site and the days before it."""
    first, last = date_of(span.first_day).isoformat(), date_of(span.last_day).isoformat()
    about = {"site": site.name, "from": first, "to": last, "timezone": span.timezone}
    return msgspec.convert({**about, **msgspec.structs.asdict(found)}, kind)
