"""What is known of an address, on sites whose policy keeps addresses."""

from collections.abc import Iterable, Sequence

import msgspec

from visitor_tracker.store.bulk import send_bodies
from visitor_tracker.store.session import Session, Value, ask_rows, send_rows

MOST_PATHS = 1_000
MOST_USER_AGENTS = 100

# An empty body is one that nobody has written yet.
MAKE = """/* merge_ip_records */
insert into ip_records (site_id, ip, first_at, last_at, visits, body)
values [(?, ?, 0, 0, 0, '')]
{keep_old_row}"""

READ = """/* merge_ip_records */
select ip, first_at, last_at, visits, body
from ip_records
where site_id = ? and ip in ([?])
{for_update}"""

REPLACE = """/* merge_ip_records */
insert into ip_records (site_id, ip, first_at, last_at, visits, body)
values [(?, ?, ?, ?, ?, ?)]
{replace_ip_record}"""


class IpRecord(msgspec.Struct, frozen=True, gc=False):
    """One address. The place is the one of its latest visit; paths are "GET /path". Times are epoch ms."""

    ip: str
    first_at: int
    last_at: int
    visits: int
    country: str = ""
    region: str = ""
    city: str = ""
    organisation: str = ""
    paths: tuple[str, ...] = ()
    user_agents: tuple[str, ...] = ()


class _Body(msgspec.Struct, frozen=True, array_like=True):
    """The column `body`. New fields come last, with a default."""

    country: str
    region: str
    city: str
    organisation: str
    paths: tuple[str, ...]
    user_agents: tuple[str, ...]


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(_Body).decode


def merge_ip_records(session: Session, site_id: int, records: Iterable[IpRecord]) -> None:
    """Add what these records say to what is stored; in which order they come does not matter."""
    merged: dict[str, IpRecord] = {}
    for record in records:
        known = merged.get(record.ip) or IpRecord(record.ip, record.first_at, record.last_at, 0)
        merged[record.ip] = _merged(known, record)
    ips = sorted(merged)
    values: list[Value] = []
    for ip in ips:
        values += (site_id, ip)
    send_rows(session, MAKE, 2, values)  # so that there are rows to lock
    for stored in _read(session, site_id, ips):
        merged[stored.ip] = _merged(stored, merged[stored.ip])
    send_bodies(session, REPLACE, [(site_id, *_row(merged[ip])) for ip in ips])


def _merged(one: IpRecord, other: IpRecord) -> IpRecord:
    """Return what both say of one address; of too many paths or agents the first by the alphabet stay."""
    latest = max(one, other, key=lambda record: (record.last_at, _place(record)))
    return IpRecord(
        one.ip,
        min(one.first_at, other.first_at),
        latest.last_at,
        one.visits + other.visits,
        *_place(latest),
        paths=_first(one.paths, other.paths, MOST_PATHS),
        user_agents=_first(one.user_agents, other.user_agents, MOST_USER_AGENTS),
    )


def _first(some: Sequence[str], more: Sequence[str], most: int) -> tuple[str, ...]:
    return tuple(sorted({*some, *more})[:most])


def _place(record: IpRecord) -> tuple[str, str, str, str]:
    return record.country, record.region, record.city, record.organisation


def _read(session: Session, site_id: int, ips: Sequence[str]) -> list[IpRecord]:
    return [record_of(*row) for row in ask_rows(session, READ, (site_id,), ips) if row[-1]]


def record_of(ip: str, first_at: int, last_at: int, visits: int, body: bytes) -> IpRecord:
    """Return what a row says; its body must not be empty."""
    return IpRecord(ip, first_at, last_at, visits, **msgspec.structs.asdict(_decode(body)))


def _row(record: IpRecord) -> tuple[Value, ...]:
    body = _encode(_Body(*_place(record), record.paths, record.user_agents))
    return record.ip, record.first_at, record.last_at, record.visits, body
