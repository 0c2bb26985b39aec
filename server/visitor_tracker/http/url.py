"""Page URLs: one page, one spelling (RFC 3986, 6.2; the WHATWG URL standard where browsers follow it).

What is decided here:
- Control characters and line separators are refused; so is a backslash before the query, which browsers read
  as a slash and other programs do not. Spaces around the URL are ignored.
- The host is lower case, without a trailing dot, in its xn-- form. An IPv4 address is four decimal numbers:
  octal, hexadecimal and shortened forms are refused, since no browser sends them. Percent signs are refused.
- In path and query everything outside ASCII (direction marks such as U+202E too) and every character that some
  browsers encode and others do not is percent-encoded; a "%" that begins no escape becomes %25.
- Escapes are upper case, and those of letters, digits and -._~ are decoded. Other escapes stay: %2F is no slash.
- The fragment, empty and known tracking parameters are left out; the others keep their order.
"""

import re
from collections.abc import Collection
from functools import lru_cache
from hashlib import blake2b
from ipaddress import AddressValueError, IPv6Address
from urllib.parse import quote_from_bytes

import idna

URL_MAX = 2048  # bytes, before and after
QUERY_FIELDS_MAX = 100
HOST_MAX = 253
DEFAULT_PORTS = {"http": 80, "https": 443}

# Parameters with which campaigns, click counters and mail programs mark links; a trailing * matches any end.
TRACKING_PARAMETERS = (
    "utm_*",
    "mtm_*",
    "hsa_*",
    "_branch_match_id",
    "_ga",
    "_gac",
    "_gl",
    "_hsenc",
    "_hsmi",
    "_kx",
    "_openstat",
    "dclid",
    "epik",
    "fbclid",
    "gad_campaignid",
    "gad_source",
    "gbraid",
    "gclid",
    "gclsrc",
    "hsctatracking",
    "igsh",
    "igshid",
    "irclickid",
    "li_fat_id",
    "mc_cid",
    "mc_eid",
    "mkt_tok",
    "msclkid",
    "oly_anon_id",
    "oly_enc_id",
    "rb_clickid",
    "rdt_cid",
    "s_kwcid",
    "sccid",
    "srsltid",
    "ttclid",
    "twclid",
    "vero_id",
    "wbraid",
    "wickedid",
    "yclid",
    "ysclid",
)

_UNRESERVED = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~"
_PATH_SAFE = _UNRESERVED + b"!$&()*+,;=:@/"  # not the apostrophe: some browsers encode it, others do not
_QUERY_SAFE = _PATH_SAFE + b"?"
_DIGITS = "0123456789ABCDEFabcdef"
_ESCAPED = {f"{high}{low}".encode(): bytes((int(high + low, 16),)) for high in _DIGITS for low in _DIGITS}

_SPLIT = re.compile(r"([A-Za-z]+)://([^/?#]*)([^?#]*)(?:\?([^#]*))?(?:#.*)?").fullmatch
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]").search
_HOST_AND_PORT = re.compile(r"(\[[^\]]*\]|[^:\[\]]*)(?::([0-9]{0,5}))?").fullmatch
_LABEL = re.compile(r"[a-z0-9_-]{1,63}").fullmatch
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*").fullmatch
_BYTE = re.compile(r"0|[1-9][0-9]{0,2}").fullmatch


def normalise(url: str, drop_parameters: Collection[str] = ()) -> str:
    """Return the one spelling of a page's URL, ASCII, at most 2,048 bytes.

    `drop_parameters` are left out besides the tracking ones, compared without regard to case; a trailing *
    matches any end. Raises ValueError with a text for the user.
    """
    url = url.strip(" ")
    _check_characters(url)
    parts = _SPLIT(url)
    scheme = "" if parts is None else parts[1].lower()
    if parts is None or scheme not in DEFAULT_PORTS:
        raise ValueError("the URL must begin with http:// or https://")
    if "\\" in parts[2] or "\\" in parts[3]:
        raise ValueError("the URL has a backslash; write / instead")
    authority = _authority(parts[2], DEFAULT_PORTS[scheme])
    path = _resolved(_encoded(parts[3], _PATH_SAFE))
    query = _kept(_encoded(parts[4] or "", _QUERY_SAFE), _rules(tuple(drop_parameters)))
    normal = f"{scheme}://{authority}{path}?{query}" if query else f"{scheme}://{authority}{path}"
    if len(normal) > URL_MAX:
        raise ValueError(f"the URL is longer than {URL_MAX} bytes")
    return normal


def page_hash(url: str) -> bytes:
    """Return the key of a normalised URL: BLAKE2b-128, 16 bytes."""
    return blake2b(url.encode(), digest_size=16).digest()


def parse_query(query: str) -> dict[str, str]:
    """Return the fields of a query string, decoded; of a repeated one the first.

    "+" is a space, a "%" that begins no escape is itself (WHATWG URL, 5.1). Raises ValueError for more than 100
    fields and for bytes that are not UTF-8.
    """
    if query.count("&") >= QUERY_FIELDS_MAX:
        raise ValueError(f"the query has more than {QUERY_FIELDS_MAX} fields")
    fields: dict[str, str] = {}
    for piece in query.split("&"):
        if piece:
            name, _, value = piece.partition("=")
            fields.setdefault(_decoded(name), _decoded(value))
    return fields


def _decoded(text: str) -> str:
    if "+" in text:
        text = text.replace("+", " ")
    if "%" not in text:
        return text
    first, *rest = text.encode("utf-8", "surrogatepass").split(b"%")
    pieces = [first]
    for piece in rest:
        byte = _ESCAPED.get(piece[:2])
        pieces.append(b"%" + piece if byte is None else byte + piece[2:])
    try:
        return b"".join(pieces).decode("utf-8")
    except UnicodeDecodeError:
        raise ValueError("the query is not UTF-8; percent-encode it as UTF-8") from None


def _check_characters(url: str) -> None:
    try:
        size = len(url.encode("utf-8"))
    except UnicodeEncodeError:
        raise ValueError("the URL is not Unicode text") from None
    if size > URL_MAX:
        raise ValueError(f"the URL is longer than {URL_MAX} bytes")
    if _CONTROL(url):
        raise ValueError("the URL has control characters")


def _encoded(text: str, safe: bytes) -> str:
    """Percent-encode what is not `safe`, decode what need not be encoded, upper-case the other escapes."""
    raw = text.encode("utf-8")
    if not raw.translate(None, safe):
        return text
    first, *rest = raw.split(b"%")
    pieces = [quote_from_bytes(first, safe)]
    for piece in rest:
        byte = _ESCAPED.get(piece[:2])
        if byte is None:
            pieces.append("%25" + quote_from_bytes(piece, safe))
        else:
            pieces.append(quote_from_bytes(byte, b""))
            pieces.append(quote_from_bytes(piece[2:], safe))
    return "".join(pieces)


def _resolved(path: str) -> str:
    """Resolve dot segments (RFC 3986, 5.2.4); empty segments stay."""
    if "/." not in path:
        return path or "/"
    segments: list[str] = []
    for segment in path[1:].split("/"):
        if segment == "..":
            del segments[-1:]
        elif segment != ".":
            segments.append(segment)
    if path.endswith(("/.", "/..")):
        segments.append("")
    return "/" + "/".join(segments)


def _kept(query: str, rules: tuple[frozenset[str], tuple[str, ...]]) -> str:
    """Leave out the fields that `rules` name, and empty ones."""
    if not query:
        return ""
    names, beginnings = rules
    kept = []
    for piece in query.split("&"):
        name = piece.partition("=")[0].lower()
        if piece and name not in names and not name.startswith(beginnings):
            kept.append(piece)
    return "&".join(kept)


@lru_cache(maxsize=16)
def _rules(drop_parameters: tuple[str, ...]) -> tuple[frozenset[str], tuple[str, ...]]:
    """Return the names to leave out, and the beginnings of such names, as they look in a normal query."""
    names: set[str] = set()
    beginnings: set[str] = set()
    for name in (*TRACKING_PARAMETERS, *drop_parameters):
        spelled = _encoded(name.removesuffix("*"), _QUERY_SAFE).lower()
        (beginnings if name.endswith("*") else names).add(spelled)
    return frozenset(names), tuple(sorted(beginnings))


def _authority(text: str, default_port: int) -> str:
    if "@" in text:
        raise ValueError("the URL has a user name or password; leave it out")
    parts = _HOST_AND_PORT(text)
    if parts is None:
        raise ValueError("the URL's host or port is not valid")
    host = _ipv6(parts[1][1:-1]) if parts[1].startswith("[") else _host(parts[1])
    if not parts[2]:
        return host
    port = int(parts[2])
    if not 1 <= port <= 65535:
        raise ValueError("the URL's port is not between 1 and 65535")
    return host if port == default_port else f"{host}:{port}"


def _host(text: str) -> str:
    host = (text if text.isascii() else _idn(text)).lower().removesuffix(".")
    labels = host.split(".")
    if not host or len(host) > HOST_MAX or not all(map(_is_label, labels)):
        raise ValueError("the URL's host is not valid")
    # WHATWG URL, 3.5: a host whose last label is a number is an IPv4 address.
    if _NUMBER(labels[-1]) and not (len(labels) == 4 and all(_BYTE(part) and int(part) <= 255 for part in labels)):
        raise ValueError("the URL's host looks like an IPv4 address; write it as four numbers from 0 to 255")
    return host


def _idn(host: str) -> str:
    if len(host) > HOST_MAX:
        raise ValueError("the URL's host is too long")
    try:
        return idna.encode(host, uts46=True, std3_rules=True, transitional=False).decode("ascii")
    except (idna.IDNAError, UnicodeError):
        raise ValueError("the URL's host is not a valid international name; try its xn-- form") from None


def _is_label(label: str) -> bool:
    if not _LABEL(label) or label[0] == "-" or label[-1] == "-":
        return False
    return not label.startswith("xn--") or _is_punycode(label[4:])


def _is_punycode(text: str) -> bool:
    """Say whether `text` is the one encoding of a name that browsers would write with it (UTS 46)."""
    try:
        name = text.encode("ascii").decode("punycode")
        mapped = idna.uts46_remap(name, std3_rules=True, transitional=False)
        return not name.isascii() and mapped == name and name.encode("punycode").decode("ascii") == text
    except (UnicodeError, OverflowError):
        return False


def _ipv6(text: str) -> str:
    """Return the address in brackets, as browsers write it (RFC 5952, with no dotted part)."""
    try:
        address = IPv6Address(text)
    except AddressValueError:
        address = None
    if address is None or address.scope_id is not None:
        raise ValueError("the URL's IPv6 address is not valid")
    groups = [f"{int(group, 16):x}" for group in address.exploded.split(":")]
    start, length = _longest_zeros(groups)
    if length < 2:
        return f"[{':'.join(groups)}]"
    return f"[{':'.join(groups[:start])}::{':'.join(groups[start + length :])}]"


def _longest_zeros(groups: list[str]) -> tuple[int, int]:
    """Return where the longest run of zero groups begins, the first of equals, and its length."""
    best = (0, 0)
    run = 0
    for index, group in enumerate(groups):
        run = run + 1 if group == "0" else 0
        if run > best[1]:
            best = (index - run + 1, run)
    return best
