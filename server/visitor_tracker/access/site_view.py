"""A site as the API and the command line show it."""

from collections.abc import Sequence

import msgspec

from visitor_tracker.access.keeper import policy_of
from visitor_tracker.access.retention import Kept, kept_by
from visitor_tracker.config import Config
from visitor_tracker.sites import Module, Policy, Retention, Site


class SiteView(msgspec.Struct, frozen=True):
    """`policy`, `modules` and `retention` are what holds; own_… says whether the site, or the settings, say so.

    The id is a text, since many programs read numbers as doubles. `admins` are the usernames of its owners.
    """

    name: str
    id: str
    url: str
    created_at: str | None
    hostnames: tuple[str, ...]
    aliases: tuple[str, ...]
    timezone: str
    holidays: tuple[str, ...]
    policy: Policy
    own_policy: bool
    modules: tuple[Module, ...]
    own_modules: bool
    retention: Kept
    own_retention: Retention | None
    public: bool
    automatic: bool
    admins: list[str]


def view_of(site: Site, config: Config, created_at: str | None, admins: Sequence[str] = ()) -> SiteView:
    """Return what is shown of a site."""
    return SiteView(
        name=site.name,
        id=str(site.id),
        url=site.url,
        created_at=created_at,
        hostnames=site.hostnames,
        aliases=site.aliases,
        timezone=site.timezone,
        holidays=site.holidays,
        policy=site.policy or policy_of(config.identity),
        own_policy=site.policy is not None,
        modules=config.tracker.modules if site.modules is None else site.modules,
        own_modules=site.modules is not None,
        retention=kept_by(site, config),
        own_retention=site.retention,
        public=site.public,
        automatic=site.automatic,
        admins=list(admins),
    )
