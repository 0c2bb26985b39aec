"""Mistakes that no single setting shows: values that do not fit each other, and texts with a grammar."""

from collections.abc import Iterator
from ipaddress import ip_network
from urllib.parse import urlsplit

from visitor_tracker.config import site_stores
from visitor_tracker.config.sections import Config

MIN_SECRET = 32  # characters
LOOPBACK = ("127.0.0.1", "::1", "localhost", "")


def contradictions(config: Config) -> list[str]:
    """Return a line for each, ready to show."""
    return [
        *site_stores.contradictions(config),
        *_server(config),
        *_limits(config),
        *_lists(config),
        *_store(config),
        *_auth(config),
        *_mail(config),
    ]


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


def _auth(config: Config) -> Iterator[str]:
    auth = config.auth
    if auth.oidc_issuer and not auth.oidc_client_id:
        yield "auth: oidc_issuer needs oidc_client_id, the id under which this server is known there"
    if not auth.oidc_issuer and (auth.oidc_client_id or auth.oidc_client_secret):
        yield "auth: oidc_client_id and oidc_client_secret are of no use without oidc_issuer"
    if auth.oidc_issuer and not _is_secret_to(auth.oidc_issuer):
        yield f"auth.oidc_issuer must be https (http on this machine only) without ? and #, not {auth.oidc_issuer!r}"
    if auth.oidc_issuer and not config.server.public_url and config.server.host not in LOOPBACK:
        yield "auth.oidc_issuer needs server.public_url, to which the provider sends people back"
    if auth.remote_user and not all(c.isascii() and (c.isalnum() or c == "-") for c in auth.remote_user):
        yield f"auth.remote_user must be the name of a header such as Remote-User, not {auth.remote_user!r}"
    if auth.remote_user and not config.trusted_proxies and not config.server.socket:
        yield "auth.remote_user needs trusted_proxies or server.socket: from nobody else the header is believed"


def _is_secret_to(url: str) -> bool:
    """Say whether nobody on the way can read what is sent there."""
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
    except ValueError:
        return False
    if parts.query or parts.fragment or parts.username is not None or not host:
        return False
    return parts.scheme == "https" or (parts.scheme == "http" and host in LOOPBACK)


def _mail(config: Config) -> Iterator[str]:
    mail = config.mail
    if mail.host and not mail.sender:
        yield "mail.host needs mail.sender, the address that mails are from"
    if not mail.host and (mail.sender or mail.user or mail.password):
        yield "mail: sender, user and password are of no use without host"
    if bool(mail.user) != bool(mail.password):
        yield "mail: user and password are needed both, or none of them"
    if mail.security == "none" and mail.password and mail.host not in LOOPBACK:
        yield "mail.security none would send mail.password for everybody on the way to read: use starttls or tls"
    for entry in config.alerts.allow_private:
        if "/" in entry and not _is_network(entry):
            yield f"alerts.allow_private: {entry!r} is no host, address or network such as 10.0.0.0/8, nor *"


def _is_network(text: str) -> bool:
    try:
        ip_network(text, strict=False)
    except ValueError:
        return False
    return True
