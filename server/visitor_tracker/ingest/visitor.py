"""Who is who: hashes of visitors and sessions, under keys that the store gives and takes away.

    visitor = BLAKE2b-128(key of the period, seed of the site ‖ address ‖ user agent)

An IPv4 address counts whole, of an IPv6 address the /64 that one household has. When a period's key is destroyed
nobody can tell any more whose hash it was. Nothing here remembers an address, a user agent or a key.
"""

from hashlib import blake2b
from socket import AF_INET, AF_INET6, inet_pton
from typing import Literal

from visitor_tracker.ingest.calendar import Day
from visitor_tracker.ingest.hit import Client
from visitor_tracker.sites import Policy, Site, Snapshot

HASH_BYTES = 16
PERSISTENT = "persistent"  # the period of the key that stays
USER_AGENT_MOST = 1024  # characters that count

_MAPPED = bytes(10) + b"\xff\xff"  # IPv4 written as IPv6, RFC 4291, 2.5.5.2


def visitor(  # noqa: PLR0913
    snapshot: Snapshot, site: Site, policy: Policy, client: Client, day: Day, *, own: str = ""
) -> tuple[bytes, bytes, bool]:
    """Return (visitor, previous, missing); `own` is the page's visitor id, which only the policy `client` asks for.

    `previous` is the hash under the key before, in the first half hour of a day (of a month under `monthly`), else
    empty. `missing`: the period's key is not here and both are empty. So it should be for an event so old that its
    key is destroyed.
    """
    kind = policy.visitor
    period, before = day.period, day.previous_period
    if kind != "daily":
        if kind == "cookie" and client.cookie:
            return _lasting(snapshot, site, client.cookie, b"cookie")
        if kind == "client" and own:
            return _lasting(snapshot, site, own.encode("utf-8", "surrogatepass"), b"client")
        if kind == "monthly":
            period, before = day.month, before[:7]
        elif kind == "persistent":
            period = before = PERSISTENT
    key = snapshot.keys.get(period)
    if key is None:
        return b"", b"", True
    facts = _facts(site, client.ip, client.user_agent)
    found = blake2b(facts, digest_size=HASH_BYTES, key=key).digest()
    if before == period or not (old := snapshot.keys.get(before)):
        return found, b"", False
    return found, blake2b(facts, digest_size=HASH_BYTES, key=old).digest(), False


def hashed(snapshot: Snapshot, site: Site, text: str, domain: Literal["session", "person"]) -> bytes:
    """Return the hash of a session's or person's id that the page gave; empty without one, or without the key."""
    if not text:
        return b""
    return _lasting(snapshot, site, text.encode("utf-8", "surrogatepass"), domain.encode())[0]


def of_cookie(snapshot: Snapshot, site: Site, cookie: bytes) -> bytes:
    """Return the visitor that has a cookie's id; empty without the key."""
    return _lasting(snapshot, site, cookie, b"cookie")[0]


def of_client(snapshot: Snapshot, site: Site, own: str) -> bytes:
    """Return the visitor of an id that a page gave; empty without the key."""
    return _lasting(snapshot, site, own.encode("utf-8", "surrogatepass"), b"client")[0]


def of_agent(snapshot: Snapshot, site: Site, ip: str, user_agent: str) -> dict[str, bytes]:
    """Return who an address with a user agent is or was, by the period of each key that is there still."""
    facts = _facts(site, ip, user_agent)
    return {
        period: blake2b(facts, digest_size=HASH_BYTES, key=key).digest()
        for period, key in sorted(snapshot.keys.items())
    }


def _facts(site: Site, ip: str, user_agent: str) -> bytes:
    if ":" not in ip:  # as most are, without the calls below
        try:
            network = b"\x04" + inet_pton(AF_INET, ip)
        except (OSError, ValueError):
            pass
        else:
            return site.seed + network + user_agent[:USER_AGENT_MOST].encode("utf-8", "surrogatepass")
    return site.seed + _network(ip) + user_agent[:USER_AGENT_MOST].encode("utf-8", "surrogatepass")


def _lasting(snapshot: Snapshot, site: Site, name: bytes, domain: bytes) -> tuple[bytes, bytes, bool]:
    """Do as `visitor` for a name, under the key that stays; `domain` keeps equal names of different kinds apart."""
    key = snapshot.keys.get(PERSISTENT)
    if key is None:
        return b"", b"", True
    return blake2b(site.seed + name, digest_size=HASH_BYTES, key=key, person=domain).digest(), b"", False


def _network(ip: str) -> bytes:
    """Return what counts of an address, its length first; a text that is no address counts as it is."""
    packed = _packed(ip)
    if len(packed) == 4:
        return b"\x04" + packed
    return b"\x08" + packed[:8] if packed else b"\x00" + ip.encode("utf-8", "surrogatepass") + b"\x00"


def _packed(ip: str) -> bytes:
    """Return the 4 or 16 bytes of an address, none where it is no address."""
    try:
        if ":" not in ip:
            return inet_pton(AF_INET, ip)
        if "%" in ip:  # RFC 4007: a zone says by which of our cables it came
            ip = ip.partition("%")[0]
        packed = inet_pton(AF_INET6, ip)
    except (OSError, ValueError):
        return b""
    return packed[12:] if packed.startswith(_MAPPED) else packed
