"""Lines that are JSON objects: Caddy's own, and those that people have nginx and Apache write.

Caddy's have the request nested. For nginx and Apache everybody chooses names; those in use are mostly names of the
server's own variables, so a name is looked for without regard to case and signs (remote_addr, remoteAddr).
"""

from functools import lru_cache
from typing import Any

import msgspec

from visitor_tracker.jobs.importing.line import BrokenLine, LogLine, given, moment, request_line, unescaped
from visitor_tracker.jobs.importing.text_formats import client_address

# By what we look for: the names that it has, the best first.
_NAMES = {
    "time": ("time_iso8601", "msec", "time_local", "timestamp", "@timestamp", "ts", "time", "datetime", "date"),
    "ip": ("client_ip", "remote_addr", "remote_ip", "remote_host", "client", "ip"),
    "forwarded": ("http_x_forwarded_for", "x_forwarded_for", "forwarded_for"),
    "request": ("request", "request_line"),
    "method": ("request_method", "method", "verb"),
    "target": ("request_uri", "uri", "url", "path"),
    "query": ("query_string", "query", "args"),
    "status": ("status", "status_code", "response_status", "response"),
    "host": ("host", "http_host", "server_name", "vhost", "virtual_host", "domain"),
    "referrer": ("http_referer", "http_referrer", "referer", "referrer"),
    "user_agent": ("http_user_agent", "user_agent", "agent"),
    "language": ("http_accept_language", "accept_language"),
    "type": ("sent_http_content_type", "content_type"),
}
_CACHED = 256  # different lists of names; a log has one or two
_STATUS_LEAST, _STATUS_MOST = 100, 999

_decode = msgspec.json.Decoder().decode


def read_json(text: str) -> LogLine | None:
    """Read a line; None for one that tells of no request. Raises BrokenLine."""
    record = _object(text)
    request = record.get("request")
    if isinstance(request, dict):
        return _caddy(record, request)
    names = _plan(tuple(record))
    if "time" not in names or not ("request" in names or "target" in names):
        return None
    return _flat({name: _text(record[key]) for name, key in names.items()})


def _object(text: str) -> dict[str, Any]:
    try:
        record = _decode(text)
    except (msgspec.DecodeError, RecursionError):
        record = _repaired(text)
    if not isinstance(record, dict):
        raise BrokenLine("it is no JSON object")
    return record


def _repaired(text: str) -> object:
    r"""Decode what servers write that think of no JSON: \x22 is their escape and none of JSON's."""
    try:
        return _decode(text.replace("\\x", "\\\\x"))
    except (msgspec.DecodeError, RecursionError) as error:
        raise BrokenLine(f"it is no JSON: {error}") from None


def _caddy(record: dict[str, Any], request: dict[str, Any]) -> LogLine | None:
    """Read what Caddy writes, https://caddyserver.com/docs/logging."""
    if "status" not in record:
        return None
    headers = _headers(request.get("headers"))
    answered = _headers(record.get("resp_headers"))
    peer = _text(request.get("client_ip")) or _text(request.get("remote_ip")) or _text(request.get("remote_addr"))
    return LogLine(
        moment(_text(record.get("ts"))),
        client_address(peer, headers.get("x-forwarded-for", "")),
        _text(request.get("method")),
        _text(request.get("uri")),
        _status(_text(record["status"])),
        _text(request.get("host")),
        headers.get("referer", ""),
        headers.get("user-agent", ""),
        headers.get("accept-language", ""),
        answered.get("content-type", ""),
    )


def _flat(values: dict[str, str]) -> LogLine:
    get = values.get
    method, target = "", ""
    request = unescaped(get("request", ""))
    if " " in request:
        method, target = request_line(request)
    elif request.startswith("/"):  # Apache's %U
        target = request
    target = unescaped(get("target", "")) or target
    query = given(get("query", "")).removeprefix("?")
    if query and "?" not in target:
        target = f"{target}?{query}"
    return LogLine(
        moment(values["time"]),
        client_address(get("ip", ""), given(get("forwarded", ""))),
        get("method", "") or method,
        target,
        _status(get("status", "")),
        given(get("host", "")),
        given(get("referrer", "")),
        given(get("user_agent", "")),
        given(get("language", "")),
        given(get("type", "")),
    )


@lru_cache(_CACHED)
def _plan(keys: tuple[str, ...]) -> dict[str, str]:
    """Return what to look for, and under which of these keys it is."""
    spelled = {_plain(key): key for key in reversed(keys)}
    found = {}
    for name, spellings in _NAMES.items():
        key = next((spelled[plain] for plain in map(_plain, spellings) if plain in spelled), None)
        if key is not None:
            found[name] = key
    return found


def _plain(name: str) -> str:
    return "".join(filter(str.isalnum, name)).lower()


def _headers(value: object) -> dict[str, str]:
    return {str(name).lower(): _text(field) for name, field in value.items()} if isinstance(value, dict) else {}


def _text(value: object) -> str:
    """Return a value as text, the first one of a list; "" for what is neither text nor number."""
    if isinstance(value, str):
        return value
    if isinstance(value, list):
        return _text(next(iter(value), ""))
    return str(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else ""


def _status(text: str) -> int:
    number = int(text) if text.isascii() and text.isdecimal() and len(text) == 3 else 0
    return number if _STATUS_LEAST <= number <= _STATUS_MOST else 0
