"""Read pages: one, a slice of the list, the totals."""

import base64
import binascii
from dataclasses import dataclass

import msgspec

from visitor_tracker.event import PageCount
from visitor_tracker.store.base import PageOrder, PagePage
from visitor_tracker.store.session import Session, Value

MOST_PAGES = 10_000  # in one slice

PAGE = """/* Store.page */
select page_url, visit_count, last_visited, created_at
from visitors
where site_id = ? and page_hash = ?"""

TOTALS = """/* Store.totals */
select count(*), coalesce(sum(visit_count), 0)
from visitors
where site_id = ?"""

_SLICE = """/* Store.pages */
select page_url, visit_count, last_visited, created_at, page_hash
from visitors
where site_id = ?"""


@dataclass(frozen=True, slots=True)
class _Order:
    """How one order begins and goes on; ties are broken by the page's hash."""

    column: int  # of the slice, to make the cursor from
    kind: type[int] | type[str]
    first: str
    more: str


_ORDERS: dict[PageOrder, _Order] = {
    "visits": _Order(
        1,
        int,
        f"{_SLICE} order by visit_count desc, page_hash limit ?",
        f"{_SLICE} and (visit_count < ? or (visit_count = ? and page_hash > ?))"
        " order by visit_count desc, page_hash limit ?",
    ),
    "recent": _Order(
        2,
        int,
        f"{_SLICE} order by last_visited desc, page_hash limit ?",
        f"{_SLICE} and (last_visited < ? or (last_visited = ? and page_hash > ?))"
        " order by last_visited desc, page_hash limit ?",
    ),
    "url": _Order(
        0,
        str,
        f"{_SLICE} order by page_url, page_hash limit ?",
        f"{_SLICE} and (page_url > ? or (page_url = ? and page_hash > ?)) order by page_url, page_hash limit ?",
    ),
}


class _Cursor(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """The last page of a slice, as its order sees it."""

    order: str
    value: int | str
    page_hash: bytes


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(_Cursor).decode


def page(session: Session, page_hash: bytes, site_id: int) -> PageCount | None:
    rows = session.ask(PAGE, (site_id, page_hash))
    return PageCount(*rows[0]) if rows else None


def totals(session: Session, site_id: int) -> tuple[int, int]:
    [(pages, visits)] = session.ask(TOTALS, (site_id,))
    return int(pages), int(visits)


def pages(session: Session, order: PageOrder, limit: int, cursor: str | None, site_id: int) -> PagePage:
    """Return a slice; raises ValueError for an order, limit or cursor that cannot be."""
    if order not in _ORDERS:
        raise ValueError(f"order must be one of {', '.join(_ORDERS)}")
    if not 1 <= limit <= MOST_PAGES:
        raise ValueError(f"limit must be from 1 to {MOST_PAGES}")
    by = _ORDERS[order]
    # One more than asked for says whether there is more.
    if cursor is None:
        rows = session.ask(by.first, (site_id, limit + 1))
    else:
        last = _read_cursor(cursor, order, by)
        values: list[Value] = [site_id, last.value, last.value, last.page_hash, limit + 1]
        rows = session.ask(by.more, values)
    shown = rows[:limit]
    following = None
    if len(rows) > limit:
        following = _write_cursor(_Cursor(order, shown[-1][by.column], shown[-1][4]))
    return PagePage(tuple(PageCount(*row[:4]) for row in shown), following)


def _write_cursor(cursor: _Cursor) -> str:
    return base64.urlsafe_b64encode(_encode(cursor)).decode().rstrip("=")


def _read_cursor(text: str, order: PageOrder, by: _Order) -> _Cursor:
    try:
        raw = text.encode("ascii")
        cursor = _decode(base64.b64decode(raw + b"=" * (-len(raw) % 4), altchars=b"-_", validate=True))
    except (UnicodeEncodeError, binascii.Error, msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise ValueError("the cursor cannot be read") from error
    in_range = not isinstance(cursor.value, int) or 0 <= cursor.value < 1 << 63
    if cursor.order != order or type(cursor.value) is not by.kind or len(cursor.page_hash) != 16 or not in_range:
        raise ValueError("the cursor belongs to another order")
    return cursor
