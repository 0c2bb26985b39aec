"""Lines of Apache, nginx and others that write the NCSA formats.

    common         1.2.3.4 - user [10/Oct/2026:13:55:36 +0200] "GET / HTTP/1.1" 200 2326
    combined       … and "referrer" "user agent"; what follows is passed over
    vhost_combined example.com:443 in front of combined (or of common)

nginx's own format is combined; the one in the nginx.conf of packages has the X-Forwarded-For field in quotes after it.
"""

import re
from functools import lru_cache
from ipaddress import ip_address

from visitor_tracker.ingest.address import address_of
from visitor_tracker.ingest.geo import is_local
from visitor_tracker.jobs.importing.line import BrokenLine, LogLine, given, moment, request_line, unescaped

_HOST_MOST = 255  # characters
# Bounded, and without going back where that helps nothing: a line may be anything, and long.
_QUOTED = r'"([^"\\]*+(?:\\.[^"\\]*+)*+)"'
_REST = (
    r"\S++ .{1,255}? \[([^\]]{1,40})\] " + _QUOTED + r" (\d{3}|-) (?:\d++|-)"
    rf"(?: {_QUOTED} {_QUOTED}(?: {_QUOTED})?.*+|\s*+)"
)
_NCSA = re.compile(rf"(\S++) {_REST}", re.DOTALL).fullmatch
_VHOST = re.compile(rf"(\[[^\]\s]{{2,45}}\]|[^\s:]{{1,255}})(?::\d{{1,5}})? (\S++) {_REST}", re.DOTALL).fullmatch


def read_ncsa(text: str) -> LogLine:
    """Read a line of common or combined; raises BrokenLine."""
    found = _NCSA(text)
    if found is None:
        raise BrokenLine("it is not in the common or combined format")
    peer, *rest = found.groups()
    if ":" in peer and not address_of(peer):
        raise BrokenLine(f"it begins with {peer[:80]!r}, where common and combined have the client's address")
    return _line("", peer, *rest)


def read_vhost(text: str) -> LogLine:
    """Read a line that begins with the host; raises BrokenLine."""
    return _line(*_vhost(text).groups())


def read_vhost_surely(text: str) -> LogLine:
    """Read as `read_vhost` where the second field is an address: else it may be common with a strange user."""
    found = _vhost(text)
    if not address_of(found[2]):
        raise BrokenLine("its second field is no address")
    return _line(*found.groups())


@lru_cache(16_384)
def client_address(peer: str, forwarded: str) -> str:
    """Return for whom a request came: its peer, or where that is a local proxy, the last stranger that it names.

    X-Forwarded-For grows to the right; what stands further left may be anything that a client made up.
    """
    address = address_of(peer)
    if not forwarded or (address and not is_local(ip_address(address))):
        return address or peer[:_HOST_MOST]
    for text in reversed(forwarded.split(",")):
        found = address_of(text)
        if not found:
            break
        if not is_local(ip_address(found)):
            return found
    return address or peer[:_HOST_MOST]


def _vhost(text: str) -> re.Match[str]:
    found = _VHOST(text)
    if found is None:
        raise BrokenLine("it is not in the vhost_combined format")
    return found


def _line(  # noqa: PLR0913 - the groups of the patterns
    host: str, peer: str, time: str, request: str, status: str,
    referrer: str | None, user_agent: str | None, forwarded: str | None,
) -> LogLine:  # fmt: skip
    method, target = request_line(unescaped(request))
    return LogLine(
        moment(time),
        client_address(peer, forwarded or ""),
        method,
        target,
        int(status) if status != "-" else 0,
        host,
        given(referrer or ""),
        given(user_agent or ""),
    )
