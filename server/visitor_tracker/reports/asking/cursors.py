"""Where a list goes on: the place, and as of when its days are meant, bound to the query that it belongs to."""

import base64
import binascii
from hashlib import blake2b

import msgspec

from visitor_tracker.days import DAY_MS
from visitor_tracker.reports.query import OFFSET_MOST, QueryError

AGE_MOST_MS = DAY_MS  # a list that is read for longer has other numbers by now
_LENGTH_MOST = 200  # characters


class Cursor(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """The rows before it, the moment of the first page, and the digest of the query."""

    offset: int
    at_ms: int
    digest: bytes


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Cursor).decode


def digest_of(*parts: object) -> bytes:
    """Return a digest of what makes a query this one."""
    return blake2b(msgspec.msgpack.encode(parts), digest_size=16).digest()


def write_cursor(cursor: Cursor) -> str:
    return base64.urlsafe_b64encode(_encode(cursor)).decode().rstrip("=")


def read_cursor(text: str, digest: bytes, now_ms: int) -> Cursor:
    """Return the cursor of a query with that digest; raises QueryError for any other."""
    try:
        raw = text[:_LENGTH_MOST].encode("ascii")
        cursor = _decode(base64.b64decode(raw + b"=" * (-len(raw) % 4), altchars=b"-_", validate=True))
    except (UnicodeEncodeError, binascii.Error, ValueError, msgspec.MsgspecError) as error:
        raise QueryError("cursor", "the cursor cannot be read: send it as the answer has it") from error
    if cursor.digest != digest:
        raise QueryError("cursor", "the cursor belongs to another query: only limit and format may change")
    if not (now_ms - AGE_MOST_MS <= cursor.at_ms <= now_ms and 0 < cursor.offset <= OFFSET_MOST):
        raise QueryError("cursor", "the cursor is too old: ask from the beginning again")
    return cursor
