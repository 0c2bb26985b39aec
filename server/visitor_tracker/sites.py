"""Sites, their policies, and the read-only snapshot of them that every process has.

    store ──(jobs process: access.keeper)──▶ data_dir/snapshot ──(once a second)──▶ Snapshot in each worker

A snapshot is never changed, only replaced, and read once per request. With the file in hand a node starts, and
crosses midnight, while the store is away.
"""

from functools import cached_property
from hashlib import blake2b
from typing import Literal

import msgspec

from visitor_tracker.event import DEFAULT_SITE
from visitor_tracker.holidays import Holidays

VisitorPolicy = Literal["daily", "monthly", "persistent", "cookie", "client"]
IpPolicy = Literal["none", "truncated", "full"]
UserAgentPolicy = Literal["class", "full"]
TraitsPolicy = Literal["drop", "keep"]
OptOutPolicy = Literal["ignore", "anonymous", "drop"]
Module = Literal["clicks", "vitals", "errors", "heatmap", "replay"]  # parts of the tracker script

TRUNCATED_BITS = {4: 24, 6: 48}  # that a truncated address keeps, by version


class Policy(msgspec.Struct, frozen=True):
    """What a site may know of its visitors."""

    visitor: VisitorPolicy = "daily"
    ip: IpPolicy = "none"
    user_agent: UserAgentPolicy = "class"
    traits: TraitsPolicy = "drop"
    opt_out: OptOutPolicy = "ignore"  # what DNT: 1 and Sec-GPC: 1 do


class Retention(msgspec.Struct, frozen=True, omit_defaults=True):
    """For how many days a site keeps what tells of single visitors; None: as the settings say, 0: for ever."""

    events_days: int | None = None
    replay_days: int | None = None
    ip_records_days: int | None = None
    profiles_days: int | None = None


class Site(msgspec.Struct, frozen=True, dict=True):
    """A web site; with `hostnames` only pages of those hosts (and of *.host for "*.host") belong to it.

    `aliases` are names that other trackers gave it, such as Umami's website id. `policy`, `modules` and `retention` of
    None: those of the settings. `url` is where people find the site; nothing depends on it. `holidays` are days such as
    2026-04-05, or 12-25 for every year's.
    """

    id: int
    name: str
    hostnames: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()
    timezone: str = "UTC"
    policy: Policy | None = None
    public: bool = False
    created_at: int = 0
    automatic: bool = False  # made by a hit that named it
    modules: tuple[Module, ...] | None = None  # of the tracker script that its pages load
    url: str = ""
    retention: Retention | None = None
    holidays: tuple[str, ...] = ()

    @cached_property
    def calendar(self) -> Holidays:
        """The holidays, for asking which day is one."""
        return Holidays.read(self.holidays)

    @cached_property
    def seed(self) -> bytes:
        """The site's 8 bytes in every hash, so that no hash of one site is one of another."""
        return self.id.to_bytes(8, "big", signed=True)

    @cached_property
    def claims(self) -> tuple[frozenset[str], tuple[str, ...]]:
        """The hosts it has, and the ends of hosts."""
        exact = frozenset(name for name in self.hostnames if not name.startswith("*."))
        return exact, tuple(name[1:] for name in self.hostnames if name.startswith("*."))

    def holds(self, host: str) -> bool:
        """Say whether pages of that host may be the site's."""
        if not self.hostnames:
            return True
        exact, ends = self.claims
        return host in exact or host.endswith(ends)


class SendKey(msgspec.Struct, frozen=True):
    """Who has the key may say for whom it sends: client address, user agent, time. `site_id` 0: for every site."""

    digest: bytes  # BLAKE2b-256 of the key
    name: str
    site_id: int = 0


def site_id_of(name: str) -> int:
    """Return the id of a site: made from its name, so that every node makes the same."""
    if name == "default":
        return DEFAULT_SITE
    number = int.from_bytes(blake2b(name.encode(), digest_size=8).digest(), "big") >> 1
    return number if number > DEFAULT_SITE else number + 2


class Snapshot(msgspec.Struct, frozen=True, dict=True):
    """Sites and secrets at one moment.

    `keys` are the 32-byte visitor keys by period ("2026-11-22", "2026-11", "persistent"); `secrets` are other
    keys of the store by name; `auto_create` says whether a hit may make a site.
    """

    sites: tuple[Site, ...] = (Site(DEFAULT_SITE, "default"),)
    keys: dict[str, bytes] = {}
    secrets: dict[str, bytes] = {}
    send_keys: tuple[SendKey, ...] = ()
    auto_create: bool = True
    policy: Policy = Policy()  # of sites that have none of their own
    modules: tuple[Module, ...] = ()  # of sites that name none
    has_accounts: bool = False  # until there are any, the server's own machine reads

    @cached_property
    def by_name(self) -> dict[str, Site]:
        """Sites by name and alias; a name wins over an alias."""
        found = {alias: site for site in self.sites for alias in site.aliases}
        return found | {site.name: site for site in self.sites}

    @cached_property
    def by_id(self) -> dict[int, Site]:
        return {site.id: site for site in self.sites}

    @cached_property
    def by_host(self) -> dict[str, Site]:
        return {host: site for site in self.sites for host in site.hostnames}

    @cached_property
    def by_key(self) -> dict[bytes, SendKey]:
        return {key.digest: key for key in self.send_keys}

    @cached_property
    def uses_cookies(self) -> bool:
        """Say whether any site knows its visitors by cookie."""
        return any(self.policy_of(site.id).visitor == "cookie" for site in self.sites)

    def policy_of(self, site_id: int) -> Policy:
        """Return what a site may know."""
        site = self.by_id.get(site_id)
        return self.policy if site is None or site.policy is None else site.policy

    def modules_of(self, site_id: int) -> tuple[Module, ...]:
        """Return the parts of the tracker script that a site's pages load."""
        site = self.by_id.get(site_id)
        return self.modules if site is None or site.modules is None else site.modules

    def of_host(self, host: str) -> Site | None:
        """Return the site that claims a host, the most exact claim first."""
        if not self.by_host:
            return None
        found = self.by_host.get(host)
        while found is None and (dot := host.find(".")) >= 0:
            host = host[dot + 1 :]
            found = self.by_host.get(f"*.{host}")
        return found
