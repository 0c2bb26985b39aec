"""Where requests may go: an address that somebody typed in must not lead into this server's own network.

A name is resolved once, and the connection is made to an address that was looked at, so that no second answer of
the name servers counts (DNS rebinding). Addresses that carry another one in them are judged by both.
"""

import socket
from collections.abc import Callable, Collection, Iterator, Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Final
from urllib.parse import urlsplit

import idna
import msgspec

from visitor_tracker.errors import TrackerError

URL_MOST: Final = 2_000  # characters

_USUAL_PORTS = {"https": 443, "http": 80}
_FIRST_FREE_PORT = 1024  # below it only 80 and 443: the others belong to services that are no web servers
_NOT_PUBLIC = tuple(  # that some versions of Python take for public
    ip_network(each) for each in ("192.0.0.0/24", "64:ff9b:1::/48", "3fff::/20", "5f00::/16", "192.88.99.0/24")
)
_NAT64 = (IPv6Network("64:ff9b::/96"),)  # RFC 6052

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network
Resolve = Callable[[str, int], Sequence[str]]


class PlaceRefused(TrackerError):
    """Nothing is sent there; the message says why, and what allows it where that is possible."""


class Place(msgspec.Struct, frozen=True):
    """What a URL names: `path` has the query; `host` is as DNS has it, an IPv6 address without brackets."""

    scheme: str
    host: str
    port: int
    path: str

    @property
    def origin(self) -> str:
        """Scheme, host, and the port where it is not the usual one."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        usual = _USUAL_PORTS[self.scheme] == self.port
        return f"{self.scheme}://{host}" if usual else f"{self.scheme}://{host}:{self.port}"


def resolve(host: str, port: int) -> Sequence[str]:
    """Return the addresses of a host, in the order in which they are to be tried."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(each[4][0]) for each in found))


def read_place(url: str) -> Place:
    """Return what a URL names; raises PlaceRefused for one that cannot be asked."""
    if len(url) > URL_MOST or not all(33 <= ord(sign) != 127 and sign not in '\\<>"' for sign in url):
        raise PlaceRefused(f"an address may have no spaces and {URL_MOST:,} characters at most")
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError as error:
        raise PlaceRefused(f"{url[:80]!r} is no address: {error}") from error
    if parts.scheme not in _USUAL_PORTS or not host:
        raise PlaceRefused(f"{url[:80]!r} is no address such as https://example.com/hook")
    if parts.username is not None:
        raise PlaceRefused("an address may have no user and no password in it: give them as the token")
    if parts.fragment:
        raise PlaceRefused("an address may have no # in it: what follows is never sent")
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    if not path.isascii():
        raise PlaceRefused("letters beyond ASCII must be percent-encoded in an address")
    return Place(parts.scheme, _host(host), _USUAL_PORTS[parts.scheme] if port is None else port, path)


class Guard:
    """Says where a request goes. `allowed` are hosts, addresses and networks that may be private, or *."""

    def __init__(self, allowed: Collection[str] = (), resolve: Resolve = resolve) -> None:
        self._all = "*" in allowed
        self._hosts = {each.lower() for each in allowed}
        self._networks = [network for each in allowed for network in _network(each)]
        self._resolve = resolve

    def addresses(self, place: Place) -> Sequence[str]:
        """Return the addresses to connect to; raises PlaceRefused, also where one of several is not for others."""
        is_named = self._all or place.host in self._hosts
        if not is_named and place.port < _FIRST_FREE_PORT and place.port not in _USUAL_PORTS.values():
            raise PlaceRefused(f"nothing is sent to port {place.port}: use 443, 80, or one from {_FIRST_FREE_PORT} on")
        try:
            found = self._resolve(place.host, place.port)
        except (OSError, UnicodeError) as error:
            raise PlaceRefused(f"there is no host {place.host}") from error
        if not found:
            raise PlaceRefused(f"there is no host {place.host}")
        if not is_named:
            for text in found:
                self._check(place.host, text)
        return found

    def _check(self, host: str, text: str) -> None:
        address = ip_address(text.partition("%")[0])
        if any(_is_in(address, network) for network in self._networks):
            return
        if not all(_is_public(each) for each in _within(address)):
            shown = host if host == text else f"{host} ({text})"
            raise PlaceRefused(
                f"{shown} is no public address: an admin can allow it in the setting alerts.allow_private"
            )


def _host(host: str) -> str:
    """Return a host as DNS has it: lower case, in ASCII."""
    try:
        return str(ip_address(host))
    except ValueError:
        pass
    try:
        named = host if host.isascii() else idna.encode(host, uts46=True).decode()
    except (idna.IDNAError, UnicodeError) as error:
        raise PlaceRefused(f"{host[:80]!r} is no name of a host") from error
    named = named.rstrip(".").lower()
    if not named or len(named) > 253 or not all(sign.isalnum() or sign in "-._" for sign in named):
        raise PlaceRefused(f"{host[:80]!r} is no name of a host")
    return named


def _within(address: Address) -> Iterator[Address]:
    """Yield an address and those in it: a router or the system may send to these."""
    yield address
    if isinstance(address, IPv6Address):
        for inner in (address.ipv4_mapped, address.sixtofour, *(address.teredo or ())):
            if inner is not None:
                yield inner
        if any(address in network for network in _NAT64):
            yield IPv4Address(int(address) & 0xFFFFFFFF)
        if int(address) >> 32 == 0 and int(address) > 1:  # ::192.0.2.1, which once meant an IPv4 address
            yield IPv4Address(int(address) & 0xFFFFFFFF)


def _is_public(address: Address) -> bool:
    if isinstance(address, IPv6Address) and (address.ipv4_mapped or any(address in net for net in _NAT64)):
        return True  # what is in it is judged by itself
    if any(address in network for network in _NOT_PUBLIC if network.version == address.version):
        return False
    return address.is_global and not (address.is_multicast or address.is_reserved or address.is_unspecified)


def _network(text: str) -> Iterator[Network]:
    try:
        yield ip_network(text, strict=False)
    except ValueError:
        return


def _is_in(address: Address, network: Network) -> bool:
    inner = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return any(each is not None and each.version == network.version and each in network for each in (address, inner))
