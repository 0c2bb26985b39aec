"""Find out which visitors somebody is: by a cookie, an id of the page, an address, or the visitor's hash itself.

What cannot be found is said: a destroyed key tells nobody any more whose hash something was.
"""

import re
from collections.abc import Iterable

import msgspec

from visitor_tracker.ingest.address import address_of, truncated
from visitor_tracker.ingest.visitor import PERSISTENT, of_agent, of_client, of_cookie
from visitor_tracker.sites import Site, Snapshot
from visitor_tracker.store import subjects
from visitor_tracker.store.apart import of_site
from visitor_tracker.store.session import Database, Session
from visitor_tracker.store.visits import links_of

_DATE = re.compile(r"\d{4}-\d\d-\d\d").fullmatch
_HASH_BYTES = 16
_HOPS = 366  # from one day's hash to the next one's, over visits that went on over midnight

_DAILY_NOTE = (
    "the keys of days before {} are destroyed: what was counted on them belongs to hashes that nobody can tell whose"
    " they were, so that it can neither be found nor be told from others'"
)
_NO_KEYS_NOTE = "the keys of visitors are not here: only what is stored with the address itself can be found"
_ADDRESS_NOTE = (
    "without the user agent only what is stored with the address can be found; with it also who was counted under a"
    " key that is there still"
)
_SHARED_NOTE = "people behind one address with the same browser are one visitor here: this may be another one's, too"
_NETWORK_NOTE = "the site keeps networks (/24, /48), not addresses: this is what is kept of the whole network"


class Subject(msgspec.Struct, frozen=True):
    """Who is looked for: one of these. `cookie` is the verified id in a visitor cookie; `user_agent` goes with `ip`."""

    cookie: bytes = b""
    client_id: str = ""
    ip: str = ""
    user_agent: str = ""
    visitor: bytes = b""


class Match(msgspec.Struct, frozen=True):
    """The visitors of whom something is stored, the addresses of which there are records, and what must be said.

    `unstored` are who was looked for besides: of them events may be in a journal still.
    """

    visitors: tuple[bytes, ...]
    addresses: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    unstored: tuple[bytes, ...] = ()


def visitor_of(text: str) -> bytes:
    """Read a visitor's hash; raises ValueError."""
    try:
        found = bytes.fromhex(text)
    except ValueError:
        found = b""
    if len(found) != _HASH_BYTES or len(text) != 2 * _HASH_BYTES:
        raise ValueError(f"{text[:40]!r} is no visitor: use the 32 hex digits of its id")
    return found


def find(database: Database, snapshot: Snapshot, site: Site, subject: Subject) -> Match:
    """Return who that is on a site; raises ValueError for an address that is none, and what the store raises."""
    wanted: set[bytes] = {subject.visitor} if subject.visitor else set()
    notes: list[str] = []
    addresses: set[str] = set()
    if subject.cookie:
        wanted.add(of_cookie(snapshot, site, subject.cookie))
    if subject.client_id:
        wanted.add(of_client(snapshot, site, subject.client_id))
    if subject.ip:
        by_address, addresses = _by_address(database, site, subject.ip)
        wanted |= by_address
        if subject.user_agent:
            wanted |= set(of_agent(snapshot, site, address_of(subject.ip), subject.user_agent).values())
        notes += _notes(snapshot, site, subject, addresses)
    wanted.discard(b"")
    stored = of_site(database, site.id).read(lambda session: _stored(session, site.id, wanted))
    return Match(tuple(sorted(stored)), tuple(sorted(addresses)), tuple(notes), tuple(sorted(wanted - stored)))


def _by_address(database: Database, site: Site, text: str) -> tuple[set[bytes], set[str]]:
    """Return whose events have an address, or its network, and which of both are known."""
    address = address_of(text)
    if not address:
        raise ValueError(f"{text[:60]!r} is no address: write it as 203.0.113.7 or 2001:db8::1")
    spelled = {address, truncated(address)}
    found, known = set[bytes](), set[str]()
    for each in sorted(spelled):
        people, is_known = subjects.with_address(database, site.id, each)
        found |= people
        known |= {each} if is_known else set()
    return found, known


def _stored(session: Session, site_id: int, wanted: Iterable[bytes]) -> set[bytes]:
    """Return those of whom something is stored, and whom they were before or after midnight."""
    found = {visitor for visitor in wanted if subjects.is_stored(session, site_id, visitor)}
    new = set(found)
    for _ in range(_HOPS):
        links = links_of(session, site_id, new) if new else []
        new = {visitor for link in links for visitor in (link.visitor, link.previous)} - found
        found |= new
    return found


def _notes(snapshot: Snapshot, site: Site, subject: Subject, addresses: set[str]) -> list[str]:
    policy = snapshot.policy_of(site.id)
    notes: list[str] = []
    if not snapshot.keys:
        notes.append(_NO_KEYS_NOTE)
    elif policy.visitor in ("daily", "monthly"):
        days = sorted(filter(_DATE, snapshot.keys))
        notes.append(_DAILY_NOTE.format(days[0] if days else "today"))
    if not subject.user_agent and policy.ip == "none":
        notes.append(_ADDRESS_NOTE)
    if subject.user_agent and PERSISTENT in snapshot.keys:
        notes.append(_SHARED_NOTE)
    if policy.ip == "truncated" and addresses:
        notes.append(_NETWORK_NOTE)
    return notes
