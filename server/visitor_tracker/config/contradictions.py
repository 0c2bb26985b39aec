"""Mistakes that no single setting shows: values that do not fit each other, and texts with a grammar."""

from collections.abc import Iterator
from ipaddress import ip_network

from visitor_tracker.config.sections import Config

MIN_SECRET = 32  # characters


def contradictions(config: Config) -> list[str]:
    """Return a line for each, ready to show."""
    return [*_server(config), *_limits(config), *_lists(config), *_store(config)]


def _server(config: Config) -> Iterator[str]:
    server = config.server
    if bool(config.tls.certificate) != bool(config.tls.key):
        yield "tls: certificate and key are needed both, or none of them"
    if 0 < len(server.secret_key) < MIN_SECRET:
        yield f"server.secret_key must have at least {MIN_SECRET} characters, or be left empty to have one made"
    if not server.host and not server.socket:
        yield "server: host or socket is needed, or nobody can connect"
    try:
        int(server.socket_mode, 8)
    except ValueError:
        yield f"server.socket_mode must be octal such as 0660, not {server.socket_mode!r}"
    if server.public_url and not _is_origin(server.public_url.rstrip("/")):
        yield f"server.public_url must be like https://stats.example.com, not {server.public_url!r}"


def _limits(config: Config) -> Iterator[str]:
    if config.http.max_field > config.http.max_head:
        yield "http.max_field must not be larger than http.max_head"
    if config.http.max_body > config.http.body_budget:
        yield "http.max_body must not be larger than http.body_budget"


def _lists(config: Config) -> Iterator[str]:
    for network in config.trusted_proxies:
        try:
            ip_network(network, strict=False)
        except ValueError:
            yield f"trusted_proxies: {network!r} is no address or network such as 10.0.0.0/8"
    for origin in config.cors.origins:
        if origin != "*" and not _is_origin(origin):
            yield f"cors.origins: {origin!r} is no origin such as https://example.com, nor *"


def _is_origin(text: str) -> bool:
    scheme, _, host = text.partition("://")
    return scheme in ("http", "https") and bool(host) and not any(c in host for c in "/?#@ ")


def _store(config: Config) -> Iterator[str]:
    if not config.store_url.startswith(("sqlite:///", "mysql://")):
        yield "store.url must begin with sqlite:/// or mysql://"
