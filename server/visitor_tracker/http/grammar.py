"""The grammar of HTTP/1.1: one line or one value in, its meaning or an HttpError out (RFC 9110, RFC 9112).

Where the RFCs leave a choice, the stricter reading is taken: a message that two programs could read in two
ways is how requests are smuggled past a proxy.
"""

import dataclasses
import re
from functools import lru_cache
from ipaddress import AddressValueError, IPv6Address

from visitor_tracker.errors import HttpError

METHODS = frozenset(("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"))
REFUSED_METHODS = frozenset(("CONNECT", "TRACE"))  # a tunnel and an echo: known, and never served here
METHOD_MAX = 32  # bytes
VERSIONS = ("HTTP/1.1", "HTTP/1.0")
REQUEST_LINE_EXTRA = METHOD_MAX + len(" ") + len(" HTTP/1.1")  # what a request line holds besides its target

# Fields that have one value (RFC 9110, 5.3 allows joining only lists); a second one means two readers can differ.
SINGLETONS = frozenset(
    (
        "authorization",
        "content-length",
        "content-location",
        "content-range",
        "content-type",
        "date",
        "from",
        "host",
        "if-modified-since",
        "if-range",
        "if-unmodified-since",
        "max-forwards",
        "origin",
        "proxy-authorization",
        "range",
        "referer",
        "user-agent",
    )
)

_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+").fullmatch
_FIELD_VALUE = re.compile(r"[\t -~\x80-\xff]*").fullmatch
_TARGET = re.compile(r'[!"$-~]+').fullmatch  # 0x21-0x7e without "#": a fragment is never sent
_LENGTH = re.compile(r"0|[1-9][0-9]{0,9}").fullmatch  # [0-9] and not \d: other scripts have digits too
_HOST = re.compile(r"(?:[A-Za-z0-9._-]{1,255}|\[([0-9A-Fa-f:.]{2,45})\])(?::([0-9]{1,5}))?").fullmatch
_ABSOLUTE = re.compile(r"https?://([^/?]*)(.*)", re.IGNORECASE).fullmatch


@dataclasses.dataclass(frozen=True, slots=True)
class Limits:
    """What a request may measure, in bytes; `fields` is a number of lines. Trailers are held to the same."""

    target: int = 8 * 1024
    field: int = 8 * 1024
    head: int = 32 * 1024
    fields: int = 100
    body: int = 1024 * 1024
    small: int = dataclasses.field(init=False, repr=False, compare=False)  # a head up to here keeps all limits in bytes

    def __post_init__(self) -> None:
        object.__setattr__(self, "small", min(self.target, self.field, self.head))


def bad_request(code: str, message: str, hint: str = "") -> HttpError:
    """Return the 400 for a message that is not HTTP/1.1."""
    return HttpError(400, code, message, hint)


def is_token(text: str) -> bool:
    return _TOKEN(text) is not None


def parse_request_line(line: str, target_max: int) -> tuple[str, str, str]:
    """Return method, target and version (RFC 9112, 3); `line` may be the beginning of one that is too long."""
    method, _, rest = line.partition(" ")
    target, space, version = rest.partition(" ")
    if not is_token(method):
        raise bad_request("bad_request_line", "the request line is not HTTP", "send METHOD SP target SP HTTP/1.1")
    if method not in METHODS:
        raise _refused_method(method)
    if len(target) > target_max:
        raise HttpError(414, "target_too_long", "the request target is too long", f"keep it within {target_max} bytes")
    if not space or " " in version or not target:
        raise bad_request(
            "bad_request_line", "the request line does not have three parts", "send METHOD SP target SP HTTP/1.1"
        )
    if not _TARGET(target):
        raise bad_request(
            "bad_target", "the request target has characters that a URL cannot have", "percent-encode them"
        )
    if version not in VERSIONS:
        raise HttpError(505, "version_not_supported", "this HTTP version is not spoken here", "use HTTP/1.1")
    return method, target, version


def _refused_method(method: str) -> HttpError:
    if method in REFUSED_METHODS:
        return HttpError(501, "method_not_implemented", f"{method} is not served here", "use GET or POST")
    return HttpError(501, "unknown_method", "the method is not known", "methods are upper case: GET, POST, …")


def parse_field(line: str) -> tuple[str, str]:
    """Return a field line's name in lower case and its value without surrounding whitespace (RFC 9112, 5)."""
    name, colon, value = line.partition(":")
    if line[:1] in (" ", "\t"):
        raise bad_request("folded_field", "a header line begins with whitespace", "put each field on one line")
    if not colon:
        raise bad_request("bad_field", "a header line has no colon", "send Name: value")
    lower = field_name(name)
    if lower is None:
        raise bad_request(
            "bad_field_name",
            "a header name is not a token",
            "use letters, digits and hyphens, no space before the colon",
        )
    if not _FIELD_VALUE(value):
        raise bad_request("bad_field_value", f"{name} has control characters", "send printable characters only")
    return lower, value.strip(" \t")


@lru_cache(maxsize=256)
def field_name(name: str) -> str | None:
    """Return a field name in lower case; None when it is no token."""
    return name.lower() if is_token(name) else None


def parse_target(method: str, target: str) -> tuple[str | None, str, str]:
    """Return authority (None unless in absolute-form), path and query (RFC 9112, 3.2)."""
    authority = None
    if target == "*":
        if method != "OPTIONS":
            raise bad_request("bad_target", "the target * belongs to OPTIONS", "send a path that begins with /")
        return None, "*", ""
    if target[0] != "/":
        parts = _ABSOLUTE(target)
        if parts is None:
            raise bad_request("bad_target", "the request target is no path", "send a path that begins with /")
        authority, target = parts[1], parts[2]
        if not is_host(authority):
            raise bad_request("bad_target", "the target's host is not host[:port]", "leave out user names and lists")
        if not target and method == "OPTIONS":
            return authority, "*", ""  # RFC 9112, 3.2.4
        if target[:1] != "/":
            target = "/" + target
    path, _, query = target.partition("?")
    return authority, path, query


@lru_cache(maxsize=256)
def is_host(text: str) -> bool:
    """Say whether `text` is host[:port]: a name, an IPv4 address or an IPv6 address in brackets."""
    parts = _HOST(text)
    if parts is None:
        return False
    address, port = parts[1], parts[2]
    if address is not None:
        try:
            IPv6Address(address)
        except AddressValueError:
            return False
    return port is None or int(port) <= 65535


def is_length(value: str) -> bool:
    """Say whether `value` is a Content-Length: digits only, no leading zero, at most ten."""
    return _LENGTH(value) is not None


def keeps_alive(version: str, connection: str) -> bool:
    """Say whether the connection is kept after the answer, from its Connection field, "" without one (RFC 9112, 9.3).

    Never on HTTP/1.0: keeping one would have to be promised in the answer, or its client waits for the end.
    """
    options = [option.strip(" \t").lower() for option in connection.split(",")]
    return version == "HTTP/1.1" and "close" not in options
