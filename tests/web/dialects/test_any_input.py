"""Whatever strangers send, a dialect reads it or refuses it, and has an answer to what it read."""

import json
from urllib.parse import quote

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.web.dialects.asking import receipt, request
from visitor_tracker.errors import HttpError
from visitor_tracker.event import DropReason
from visitor_tracker.ingest.hit import Hit, Malformed
from visitor_tracker.web.dialect import Dialect
from visitor_tracker.web.dialects import ackee, analytics, goatcounter, matomo, plausible, track, umami

MODULES = (ackee, analytics, goatcounter, matomo, plausible, track, umami)
ENDPOINTS = [goatcounter.count_pixel, *(dialect for module in MODULES for dialect in module.dialects())]
ALL = list({dialect.read: dialect for dialect in ENDPOINTS}.values())  # several paths may have one reader
_PLAUSIBLE = ["n", "u", "d", "r", "p", "e", "i", "h", "$", "m", "name", "url", "domain"]
_UMAMI = ["type", "payload", "website", "data", "hostname", "referrer", "timestamp", "id", "lcp"]
_GOATCOUNTER = ["hits", "path", "event", "size", "q", "s", "b", "created_at"]
_MATOMO = ["requests", "idsite", "rec", "cdt", "cvar", "idgoal", "ping", "token_auth", "send_image"]
_ANALYTICS = [
    "websiteId",
    "href",
    "viewport",
    "extraData",
    "metadata",
    "analytics",
    "events",
    "meta",
    "site_id",
    "path",
]
_ACKEE = ["query", "variables", "domainId", "input", "recordId", "siteLocation", "key"]
NAMES = st.sampled_from(_PLAUSIBLE + _UMAMI + _GOATCOUNTER + _MATOMO + _ANALYTICS + _ACKEE)
VALUES = st.sampled_from(
    [
        "pageview",
        "engagement",
        "event",
        "identify",
        "performance",
        "1",
        1,
        "https://example.com/a",
        "/a",
        "?idsite=1&rec=1",
    ]
    + [query for query in ("mutation { updateRecord(id: $id) { success } }", "2027-01-15", "{}", '{"1":["a","b"]}')]
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | VALUES,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAMES | st.text(max_size=5), inner, max_size=6),
    max_leaves=25,
)
OBJECTS = st.dictionaries(NAMES, JSON, max_size=10)
SETTINGS = settings(
    max_examples=25, deadline=None, derandomize=True, database=None, suppress_health_check=[HealthCheck.too_slow]
)
encode = msgspec.msgpack.Encoder().encode


def check(dialect: Dialect, query: str, body: bytes) -> None:
    """Read and answer one request; what is read can be encoded as it is."""
    asked = request(dialect, query, body)
    try:
        if dialect.token is not None:
            dialect.token(asked)
        parts = dialect.read(asked)
    except HttpError:
        return
    assert parts
    verdicts: list[DropReason | None] = []
    for part in parts:
        assert isinstance(part, Hit | Malformed)
        assert encode(part)
        verdicts.append(None if isinstance(part, Hit) else part.reason)
        if isinstance(part, Hit):
            assert part == msgspec.convert(msgspec.to_builtins(part), Hit), "every field has its type"
            assert min(part.age_ms, part.engaged_ms, part.scroll) >= 0
    for got in (verdicts, ["unknown_site"] * len(parts)):
        assert dialect.write(asked, receipt(*got)).status in (200, 202, 204, 400)


@pytest.mark.parametrize("dialect", ALL, ids=lambda dialect: f"{dialect.method} {dialect.path}")
@SETTINGS
@given(body=OBJECTS | JSON | st.lists(OBJECTS, max_size=3))
def test_any_json(dialect: Dialect, body: object) -> None:
    check(dialect, "", json.dumps(body).encode())
    check(
        dialect,
        "",
        json.dumps({"requests": body, "hits": body, "events": body, "metadata": {}, "analytics": body}).encode(),
    )


@pytest.mark.parametrize("dialect", ALL, ids=lambda dialect: f"{dialect.method} {dialect.path}")
@SETTINGS
@given(fields=st.dictionaries(NAMES, VALUES | st.text(max_size=10), max_size=8), body=st.binary(max_size=40))
def test_any_query_and_body(dialect: Dialect, fields: dict[str, object], body: bytes) -> None:
    query = "&".join(
        f"{name}={quote(str(value).encode('utf-8', 'surrogatepass'), safe='')}" for name, value in fields.items()
    )
    check(dialect, query, body)
    check(dialect, "", query.encode())


@pytest.mark.parametrize("dialect", ALL, ids=lambda dialect: f"{dialect.method} {dialect.path}")
@pytest.mark.parametrize(
    "body", [b"[" * 60_000, b'{"requests":' * 5000, b'{"payload":' * 5000, b'{"query":"' + b" {" * 30_000]
)
def test_deep_and_long_bodies_are_refused(dialect: Dialect, body: bytes) -> None:
    check(dialect, "", body)
