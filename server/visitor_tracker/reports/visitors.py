"""Visitors one by one, in the shape of the visitors API of old: who, from where, when, which pages.

Where a site keeps addresses, a visitor is an address and has one record, however old; of what was kept under an earlier
policy only what today's allows is shown. Else a visitor is a hash, shown
as the `ip` of 16 hex digits, and what it did in the last 30 days is read from its visits. Under the policy `daily`
the same person has another hash on every day.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from ipaddress import ip_address, ip_network

import msgspec

from visitor_tracker.days import bounds, day_after, day_of
from visitor_tracker.event import Place
from visitor_tracker.reports.words import Words, agent_name, iso_seconds
from visitor_tracker.sessions.session import VisitorSession
from visitor_tracker.sites import TRUNCATED_BITS, IpPolicy, Policy, Site
from visitor_tracker.store import people
from visitor_tracker.store.ip_records import IpRecord
from visitor_tracker.store.session import Session
from visitor_tracker.store.visits import sessions_in

DAYS = 30  # that visitors without an address are looked for in
LIMIT, LIMIT_MOST = 1_000, 10_000
TOP = 10
_PATHS_MOST = 1_000
_UNKNOWN = "Unknown"
_SHORT_BYTES = 8  # of a hash, that are shown

CountryName = Callable[[str], str]


class Visitor(msgspec.Struct, frozen=True):
    """One visitor; the names are those of the API of old."""

    ip: str
    country: str
    country_code: str
    region: str
    city: str
    org: str
    isp: str
    first_seen: str
    last_seen: str
    visit_count: int
    paths_visited: list[str]
    user_agents: list[str]


class TopIp(msgspec.Struct, frozen=True):
    ip: str
    country: str
    visit_count: int


class VisitorStats(msgspec.Struct, frozen=True):
    """Totals of all visitors; countries and top of the `LIMIT_MOST` newest ones."""

    total_visitors: int
    total_visits: int
    countries: dict[str, int]
    top_ips: list[TopIp]


class Scope(msgspec.Struct, frozen=True):
    """A site, and what it may know of its visitors."""

    site: Site
    policy: Policy

    @property
    def keeps_addresses(self) -> bool:
        return self.policy.ip != "none"

    @property
    def is_daily(self) -> bool:
        return self.policy.visitor == "daily"


class Person(msgspec.Struct, frozen=True):
    """A visitor before its record is written."""

    ip: str
    place: Place
    first_ts: int
    last_ts: int
    views: int
    paths: list[str]
    user_agents: list[str]


def visitors(
    session: Session, scopes: Iterable[Scope], now: int, country_name: CountryName, limit: int = LIMIT
) -> list[Visitor]:
    """Return the visitors of these sites, the newest first; an address that several sites saw is one visitor."""
    return listed(newest(session, scopes, now, limit, with_paths=True), country_name, limit)


def visitor(session: Session, scopes: Iterable[Scope], now: int, country_name: CountryName, ip: str) -> Visitor | None:
    """Return the visitor with that address, or with a hash that begins so; None where there is none."""
    return shown(named(session, scopes, now, ip), country_name)


def named(session: Session, scopes: Iterable[Scope], now: int, ip: str) -> list[Person]:
    """Return who has that address, or a hash that begins so, on each of these sites."""
    beginning = _hash(ip)
    found: list[Person] = []
    for scope in scopes:
        if scope.keeps_addresses:
            record = people.ip_record(session, scope.site.id, _address(ip, scope.policy.ip))
            found += [] if record is None else [_of_record(record, scope.policy)]
        elif beginning:
            found += _by_hash(session, scope, now, beginning)
    return found


def visitor_stats(session: Session, scopes: Sequence[Scope], now: int, country_name: CountryName) -> VisitorStats:
    """Return how many visitors these sites have, and who of the newest came from where and most often."""
    totals = [totals_of(session, scope, now) for scope in scopes]
    return summed(totals, newest(session, scopes, now, LIMIT_MOST, with_paths=False), country_name)


def listed(found: Iterable[Person], country_name: CountryName, limit: int) -> list[Visitor]:
    """Return people as they are shown, the newest first."""
    people_found = sorted(_united(found), key=lambda person: (-person.last_ts, person.ip))[:limit]
    return [_visitor(person, country_name) for person in people_found]


def shown(found: Iterable[Person], country_name: CountryName) -> Visitor | None:
    """Return what several sites know of one person; None: nothing."""
    united = _united(found)
    return _visitor(united[0], country_name) if united else None


def summed(totals: Sequence[tuple[int, int]], found: Iterable[Person], country_name: CountryName) -> VisitorStats:
    """Return the numbers of sites, by their visitors and visits, and by the newest people on them."""
    latest = sorted(_united(found), key=lambda person: (-person.last_ts, person.ip))[:LIMIT_MOST]
    countries = Counter(country_name(person.place.country) for person in latest)
    top = sorted(latest, key=lambda person: (-person.views, -person.last_ts, person.ip))[:TOP]
    return VisitorStats(
        sum(visitors_of for visitors_of, _ in totals),
        sum(visits for _, visits in totals),
        dict(sorted(countries.items(), key=lambda item: (-item[1], item[0]))),
        [TopIp(person.ip, country_name(person.place.country), person.views) for person in top],
    )


def totals_of(session: Session, scope: Scope, now: int) -> tuple[int, int]:
    """Return how many visitors and visits a site has."""
    if scope.keeps_addresses:
        return people.ip_totals(session, scope.site.id)
    today = day_of(scope.site.timezone, now)
    return people.totals(session, scope.site.id, day_after(today, 1 - DAYS), today, daily=scope.is_daily)


def newest(session: Session, scopes: Iterable[Scope], now: int, limit: int, *, with_paths: bool) -> list[Person]:
    """Return the newest people on these sites."""
    found: list[Person] = []
    for scope in scopes:
        if scope.keeps_addresses:
            records = people.newest_ip_records(session, scope.site.id, limit)
            found += [_of_record(record, scope.policy) for record in records]
        else:
            wanted = newest_hashes(session, scope, now, limit)
            found += _of_visits(session, scope, now, wanted, with_paths=with_paths)
    return sorted(_united(found), key=lambda person: (-person.last_ts, person.ip))[:limit]


def _united(found: Iterable[Person]) -> list[Person]:
    """Return one person per address; hashes of different sites are different."""
    by_ip: dict[str, Person] = {}
    for person in found:
        other = by_ip.get(person.ip)
        by_ip[person.ip] = person if other is None else _together(person, other)
    return list(by_ip.values())


def _together(one: Person, other: Person) -> Person:
    older, newer = sorted((one, other), key=lambda person: person.last_ts)
    return Person(
        one.ip,
        newer.place,
        min(one.first_ts, other.first_ts),
        newer.last_ts,
        one.views + other.views,
        list(dict.fromkeys([*older.paths, *newer.paths]))[:_PATHS_MOST],
        list(dict.fromkeys([*older.user_agents, *newer.user_agents])),
    )


# Visitors that are hashes.

Wanted = dict[int, set[bytes]]  # visitors by the bucket in which their visits are


def newest_hashes(session: Session, scope: Scope, now: int, limit: int) -> Wanted:
    """Return the newest visitors, day by day into the past until no older day can have a newer one."""
    last_day, since = day_of(scope.site.timezone, now), since_of(scope, now)
    latest: dict[bytes, int] = {}
    where: Wanted = {}
    complete: set[int] = set()
    for bucket in _buckets(last_day):
        if bucket and limit <= _newer(latest, _end(scope, bucket)):
            break
        found = people.newest_visitors(session, scope.site.id, bucket, since, limit)
        where[bucket] = {hashed for hashed, _ in found}
        if scope.is_daily or len(found) < limit:
            complete.add(bucket)
        for hashed, last_ts in found:
            latest[hashed] = max(last_ts, latest.get(hashed, 0))
    chosen = set(sorted(latest, key=lambda hashed: (-latest[hashed], hashed))[:limit])
    if not scope.is_daily:  # they may have been there on any day
        where |= {bucket: chosen for bucket in _buckets(last_day) if bucket not in complete}
    return {bucket: found & chosen for bucket, found in where.items()}


def _buckets(last_day: int) -> list[int]:
    """Return where the visits of the last days are, those that saw more than two days first."""
    return [0, *(day_after(last_day, -days) for days in range(DAYS))]


def since_of(scope: Scope, now: int) -> int:
    """Return the first moment of the days that visitors without an address are looked for in, epoch ms."""
    timezone = scope.site.timezone
    return bounds(timezone, day_after(day_of(timezone, now), 1 - DAYS))[0]


def _newer(latest: dict[bytes, int], ts: int) -> int:
    return sum(last_ts >= ts for last_ts in latest.values())


def _end(scope: Scope, bucket: int) -> int:
    """Return before which moment the visits of a bucket ended: no daily visitor's goes on over midnight."""
    return bounds(scope.site.timezone, bucket if scope.is_daily else day_after(bucket))[1]


def _by_hash(session: Session, scope: Scope, now: int, beginning: bytes) -> list[Person]:
    buckets = _buckets(day_of(scope.site.timezone, now))
    hashed = people.visitor_like(session, scope.site.id, buckets, beginning)
    if hashed is None:
        return []
    return _of_visits(session, scope, now, {bucket: {hashed} for bucket in buckets}, with_paths=True)


def _of_visits(session: Session, scope: Scope, now: int, wanted: Wanted, *, with_paths: bool) -> list[Person]:
    """Return what these visitors did in these buckets; one who did nothing that makes a visit is left out."""
    visits: dict[bytes, list[VisitorSession]] = {}
    since = since_of(scope, now)
    keys = [(bucket, hashed) for bucket, hashes in wanted.items() for hashed in hashes]
    for _, hashed, visit in sessions_in(session, scope.site.id, keys):
        if visit.is_visit and visit.last_ts >= since:
            visits.setdefault(hashed, []).append(visit)
    every = [visit for own in visits.values() for visit in own]
    words = Words(session)
    words.learn(
        contexts=[visit.head.context for visit in every],
        texts=[part.page for visit in every for part in visit.looked] if with_paths else (),
    )
    return [_person(hashed, own, words, with_paths=with_paths) for hashed, own in visits.items()]


def _person(hashed: bytes, visits: list[VisitorSession], words: Words, *, with_paths: bool) -> Person:
    visits.sort(key=lambda visit: visit.first_ts)
    contexts = [words.context(visit.head.context) for visit in visits]
    viewed = [words.text(part.page) for visit in visits for part in visit.looked if part.views] if with_paths else []
    return Person(
        hashed[:_SHORT_BYTES].hex(),
        contexts[-1].place,
        visits[0].first_ts,
        max(visit.last_ts for visit in visits),
        sum(visit.views for visit in visits),
        [f"GET {path}" for path in list(dict.fromkeys(filter(None, viewed)))[:_PATHS_MOST]],
        list(dict.fromkeys(filter(None, (agent_name(context.agent) for context in contexts)))),
    )


def _hash(text: str) -> bytes:
    """Return the beginning of a hash that is written as hex digits, none where it is something else."""
    try:
        found = bytes.fromhex(text)
    except ValueError:
        return b""
    return found if len(text) == 2 * len(found) and _SHORT_BYTES <= len(found) <= 16 else b""


# Visitors that are addresses.


def _of_record(record: IpRecord, policy: Policy) -> Person:
    # A class such as "Firefox 128 Windows" has no slash, and what a browser sends has one.
    agents = [agent for agent in record.user_agents if policy.user_agent == "full" or "/" not in agent]
    return Person(
        _address(record.ip, policy.ip),
        Place(record.country or "XX", record.region, record.city, record.organisation),
        record.first_at,
        record.last_at,
        record.visits,
        list(record.paths),
        agents,
    )


def _address(text: str, policy: IpPolicy) -> str:
    """Return the one spelling of an address, or of its network; what is none stays as it is, and will not be found."""
    try:
        address = ip_address(text)
    except ValueError:
        return text
    if policy == "full":
        return str(address)
    return str(ip_network((address, TRUNCATED_BITS[address.version]), strict=False).network_address)


def _visitor(person: Person, country_name: CountryName) -> Visitor:
    place = person.place
    if place.country == "LOCAL":
        place = Place("LOCAL", "Local Network", "Local", "Local Network")
    organisation = place.organisation or _UNKNOWN
    return Visitor(
        ip=person.ip,
        country=country_name(place.country),
        country_code=place.country,
        region=place.region or _UNKNOWN,
        city=place.city or _UNKNOWN,
        org=organisation,
        isp="Local" if place.country == "LOCAL" else organisation,
        first_seen=iso_seconds(person.first_ts),
        last_seen=iso_seconds(person.last_ts),
        visit_count=person.views,
        paths_visited=person.paths,
        user_agents=person.user_agents,
    )
