"""Make, change and remove sites: the same for the command line and the API, checked and noted in the audit log."""

import time
from collections.abc import Callable, Iterable
from typing import Annotated

import msgspec
from msgspec import UNSET, UnsetType

from visitor_tracker.access import sites
from visitor_tracker.access.audit import Audit
from visitor_tracker.access.keeper import policy_of
from visitor_tracker.access.sites import SiteBook, SiteError, alias_name, host_name, site_name, time_zone
from visitor_tracker.access.who import Who
from visitor_tracker.config import Config
from visitor_tracker.event import DEFAULT_SITE
from visitor_tracker.holidays import Holidays, holiday
from visitor_tracker.http.url import normalise
from visitor_tracker.sites import (
    IpPolicy,
    Module,
    OptOutPolicy,
    Policy,
    Retention,
    Site,
    TraitsPolicy,
    UserAgentPolicy,
    VisitorPolicy,
    site_id_of,
)
from visitor_tracker.store import erasing
from visitor_tracker.store.apart import of_site
from visitor_tracker.store.sites import SiteTable
from visitor_tracker.store.sql import SqlStore

_MOST_JOBS = 1_000  # of erasing, that are looked through

Days = Annotated[int, msgspec.Meta(ge=0, le=36_500, description="days; 0: for ever, null: as the settings say")]
Texts = Annotated[tuple[str, ...], msgspec.Meta(max_length=500)]


class UnknownSite(SiteError):
    """There is no site of that name."""


class SiteExists(SiteError):
    """There is a site of that name already."""


class PolicyChange(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a site may know of its visitors; what is left out stays as it is."""

    visitor: VisitorPolicy | UnsetType = UNSET
    ip: IpPolicy | UnsetType = UNSET
    user_agent: UserAgentPolicy | UnsetType = UNSET
    traits: TraitsPolicy | UnsetType = UNSET
    opt_out: OptOutPolicy | UnsetType = UNSET


class RetentionChange(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How long a site keeps what; what is left out stays as it is."""

    events_days: Days | UnsetType | None = UNSET
    replay_days: Days | UnsetType | None = UNSET
    ip_records_days: Days | UnsetType | None = UNSET
    profiles_days: Days | UnsetType | None = UNSET


class SiteChange(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is to become of a site; what is left out stays. policy, modules, retention of null: as the settings say."""

    url: Annotated[str, msgspec.Meta(max_length=2048)] | UnsetType = UNSET
    hostnames: Texts | UnsetType = UNSET
    aliases: Texts | UnsetType = UNSET
    timezone: str | UnsetType = UNSET
    policy: PolicyChange | UnsetType | None = UNSET
    modules: tuple[Module, ...] | UnsetType | None = UNSET
    public: bool | UnsetType = UNSET
    retention: RetentionChange | UnsetType | None = UNSET
    holidays: Annotated[Texts, msgspec.Meta(description="2026-04-05, or 12-25 for every year's")] | UnsetType = UNSET


class NewSite(SiteChange, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A site that is made; the name stays."""

    name: Annotated[str, msgspec.Meta(min_length=1, max_length=64, description="1 to 64 of A-Z a-z 0-9 _ . -")]


class Sites:
    """The sites of a store and of this node; any thread."""

    def __init__(
        self,
        store: SqlStore,
        config: Config,
        audit: Audit,
        clock: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
    ) -> None:
        """`clock` is epoch ms."""
        self._store = store
        self._config = config
        self._audit = audit
        self._clock = clock
        self._book = SiteBook(config.data_dir)
        self._table = SiteTable(store.database)

    def all(self) -> list[Site]:
        """Return every site, with those that hits made a moment ago."""
        return sites.adopt(self._book, self._table, self._clock())

    def named(self, name: str) -> Site:
        """Return the site of that name; raises UnknownSite."""
        return known_site(self.all(), name)

    def add(self, who: Who, name: str, change: SiteChange) -> tuple[Site, Site | None]:
        """Make a site and return it, and the one that an event had made before; raises SiteError."""
        there = self.all()
        found = _find(there, name)
        if found is not None and not found.automatic:
            raise SiteExists(f"the site {name} is there already: change it with  visitor-tracker site set {name} …")
        try:
            site_id = site_id_of(site_name(name))
        except ValueError as error:
            raise SiteError(str(error)) from error
        if self._is_being_erased(site_id):
            raise SiteExists(f"what was counted for {name} is being erased just now: try again in a minute")
        created_at = found.created_at if found else self._clock()
        made = changed(Site(site_id, name, created_at=created_at), change, self._config)
        sites.check_claims(made, there)
        self._table.put(made)
        self._audit.note(who, "site.added", site_id=site_id, target=name, detail=_told(change))
        return made, found

    def change(self, who: Who, name: str, change: SiteChange) -> tuple[Site, Site]:
        """Return the site before and after; raises SiteError. Nothing is written where they are the same."""
        there = self.all()
        before = known_site(there, name)
        after = changed(before, change, self._config)
        if after != before:
            sites.check_claims(after, there)
            self._table.put(after)
            self._audit.note(who, "site.changed", site_id=after.id, target=after.name, detail=_told(change))
        return before, after

    def remove(self, who: Who, name: str) -> Site:
        """Take a site off the list; what was counted stays. Returns what it was; raises SiteError."""
        if name == sites.DEFAULT.name:
            raise SiteError("the site default takes what no other site claims and cannot be removed")
        site = self.named(name)
        self._book.forget([name])
        self._table.remove(name)
        self._audit.note(who, "site.removed", site_id=site.id, target=name)
        return site

    def _is_being_erased(self, site_id: int) -> bool:
        begun = of_site(self._store.database, site_id).read(lambda session: erasing.jobs(session, _MOST_JOBS))
        return any(each.job.site_id == site_id and not each.job.visitor for each in begun)


def known_site(there: Iterable[Site], name: str) -> Site:
    """Return the site of that name; raises UnknownSite."""
    site = _find(there, name)
    if site is None:
        names = ", ".join(site.name for site in there)
        raise UnknownSite(f"there is no site {name}: make it with  visitor-tracker site add {name}  (known: {names})")
    return site


def changed(site: Site, change: SiteChange, config: Config) -> Site:
    """Return the site with what the change says; raises SiteError for a value that cannot be."""
    try:
        new: dict[str, object] = {
            "url": _given(change.url, site.url, _address),
            "hostnames": _given(change.hostnames, site.hostnames, lambda names: _each(host_name, names)),
            "aliases": _given(change.aliases, site.aliases, lambda names: _each(alias_name, names)),
            "timezone": _given(change.timezone, site.timezone, time_zone),
            "holidays": _given(change.holidays, site.holidays, _holidays),
            "public": site.public if change.public is UNSET else change.public,
            "modules": site.modules if change.modules is UNSET else change.modules,
            "policy": _policy(site.policy, change.policy, policy_of(config.identity)),
            "retention": _retention(site.retention, change.retention),
        }
    except ValueError as error:
        raise SiteError(str(error)) from error
    return msgspec.structs.replace(site, **new)


def _find(there: Iterable[Site], name: str) -> Site | None:
    return next((site for site in there if site.name == name), None)


def _given(new: object, old: object, rule: Callable[..., object]) -> object:
    return old if new is UNSET else rule(new)


def _each(rule: Callable[[str], str], texts: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(map(rule, texts)))


def _holidays(texts: Iterable[str]) -> tuple[str, ...]:
    """Return holidays in the order of the calendar; raises ValueError."""
    given = tuple(texts)
    Holidays.read(given)  # refuses what is none, and too many
    return tuple(sorted(set(map(holiday, given)), key=lambda text: (text[-5:], text)))


def _address(text: str) -> str:
    """Return the address of a site, "" for none; raises ValueError."""
    if not text:
        return ""
    try:
        return normalise(text)
    except ValueError as error:
        raise ValueError(f"{text!r} is no address: write it as https://blog.example.com/") from error


def _policy(own: Policy | None, change: PolicyChange | UnsetType | None, settings: Policy) -> Policy | None:
    if change is None or change is UNSET:
        return own if change is UNSET else None
    asked = {name: str(value) for name, value in msgspec.structs.asdict(change).items() if value is not UNSET}
    return sites.own_policy(own, settings, asked) if asked else own


def _retention(own: Retention | None, change: RetentionChange | UnsetType | None) -> Retention | None:
    if change is None or change is UNSET:
        return own if change is UNSET else None
    asked = {name: value for name, value in msgspec.structs.asdict(change).items() if value is not UNSET}
    new = msgspec.structs.replace(own or Retention(), **asked)
    return None if new == Retention() else new


def _told(change: SiteChange) -> dict[str, object]:
    """Return what the audit log says of a change."""
    told = {name: value for name, value in msgspec.structs.asdict(change).items() if value is not UNSET}
    return {name: msgspec.to_builtins(value) for name, value in told.items()}


def is_first_by_hand(there: Iterable[Site]) -> bool:
    """Say whether hits made all sites but `default`."""
    return all(site.automatic or site.id == DEFAULT_SITE for site in there)
