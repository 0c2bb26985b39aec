"""Whose request it is: the peer, or what a trusted proxy says of it. Nobody else is believed."""

from collections.abc import Iterable, Mapping
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Any

from visitor_tracker.errors import ConfigError

UNIX = "unix"  # as a trusted proxy: whoever connects through a unix socket


class TrustedProxies:
    """The networks whose forwarding fields are believed; raises ConfigError for what is no network."""

    def __init__(self, networks: Iterable[str] = ()) -> None:
        if isinstance(networks, str):
            raise ConfigError(f"trusted_proxies must be a list of networks, not the text {networks!r}")
        given = tuple(networks)
        self._unix = UNIX in given
        try:
            self._networks = tuple(ip_network(text, strict=False) for text in given if text != UNIX)
        except ValueError as error:
            raise ConfigError(f'trusted_proxies: {error}; it takes networks such as "10.0.0.0/8", or "unix"') from error

    def holds(self, address: str) -> bool:
        """Say whether a proxy has that address; an empty one is a unix socket's."""
        if not address:
            return self._unix
        if not self._networks:
            return False
        ip = _read(address)
        return ip is not None and any(ip in network for network in self._networks)

    def client(self, peer: str, headers: Mapping[str, str]) -> str:
        """Return the client's address, "" for none that can be read.

        X-Forwarded-For is walked from the right, over trusted addresses; X-Real-IP is read where there is none.
        """
        if not self.holds(peer):
            return _bare(peer)
        forwarded = headers.get("x-forwarded-for", "")
        if not forwarded:
            return _bare(headers.get("x-real-ip", "")) or _bare(peer)
        client = _bare(peer)
        for hop in reversed(forwarded.split(",")):
            address = _bare(hop)
            if not address:
                break  # unreadable: whatever is left of it may be forged
            client = address
            if not self.holds(address):
                break
        return client


def get_client_ip(request: Any, trusted_proxies: Iterable[str] = ()) -> str:  # noqa: ANN401 - of any framework
    """Return the client's address of a Starlette, Flask or Django request, an ASGI scope or a WSGI environ.

    X-Forwarded-For and X-Real-IP count only from peers among `trusted_proxies`. "" where there is no address.
    """
    peer, headers = _facts(request)
    return TrustedProxies(trusted_proxies).client(peer, headers)


def peer_of(scope: Mapping[str, Any]) -> str:
    """Return the address of an ASGI connection's other end, "" on a unix socket."""
    client = scope.get("client")
    return str(client[0] or "") if client else ""


def _facts(request: Any) -> tuple[str, dict[str, str]]:  # noqa: ANN401
    scope = request if isinstance(request, Mapping) else getattr(request, "scope", None)
    if isinstance(scope, Mapping) and "type" in scope:
        headers: dict[str, str] = {}
        for raw, value in scope.get("headers", ()):
            name = raw.decode("latin-1").lower()
            headers[name] = f"{headers[name]},{value.decode('latin-1')}" if name in headers else value.decode("latin-1")
        return peer_of(scope), headers
    environ = request
    for name in ("environ", "META"):
        environ = getattr(request, name, environ)
    if not isinstance(environ, Mapping):
        raise TypeError(f"{type(request).__name__} is no request: give a request, an ASGI scope or a WSGI environ")
    return environ.get("REMOTE_ADDR", ""), {
        "x-forwarded-for": environ.get("HTTP_X_FORWARDED_FOR", ""),
        "x-real-ip": environ.get("HTTP_X_REAL_IP", ""),
    }


def _bare(text: str) -> str:
    """Return the address in `text`, without port or brackets; "" when there is none."""
    text = text.strip()
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    ip = _read(text)
    return "" if ip is None else str(ip)


def _read(text: str) -> IPv4Address | IPv6Address | None:
    """Return the address, an IPv4 one that a dual-stack socket shows as IPv6 as what it is."""
    try:
        ip = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    return ip.ipv4_mapped or ip if isinstance(ip, IPv6Address) else ip
