"""API keys, signatures, share links and what they show elsewhere, single sign-on."""

from collections.abc import Sequence

from visitor_tracker.access.accounts import Accounts
from visitor_tracker.access.api_keys import ApiKeys
from visitor_tracker.access.passwords import Passwords
from visitor_tracker.access.proxy_user import ProxyUsers
from visitor_tracker.access.share_links import ShareLinks
from visitor_tracker.access.signatures import Signatures
from visitor_tracker.access.signing_keys import SigningKeys
from visitor_tracker.web.api.embeds import EmbedRoutes
from visitor_tracker.web.api.keys import KeyRoutes, KeyScheme
from visitor_tracker.web.api.pairing import PairingRoutes
from visitor_tracker.web.api.shares import BesideLinks, ShareCookieScheme, ShareRoutes, ShareTokenScheme
from visitor_tracker.web.api.sign_on import SignOnRoutes
from visitor_tracker.web.api.signing import SignatureScheme, SigningRoutes
from visitor_tracker.web.api.widgets import WidgetRoutes
from visitor_tracker.web.guards import Scheme
from visitor_tracker.web.parts import Parts
from visitor_tracker.web.router import Route


def routes(parts: Parts) -> list[Route]:
    """Return the routes of this file and of those that belong to it."""
    signing_keys, links = SigningKeys(parts.store, parts.clock), _links(parts)
    return [
        *KeyRoutes(parts, ApiKeys(parts.store, parts.clock)).routes(),
        *SigningRoutes(parts, signing_keys).routes(),
        *PairingRoutes(parts, signing_keys).routes(),
        *ShareRoutes(parts, links).routes(),
        *EmbedRoutes(parts, links).routes(),
        *WidgetRoutes(parts, links).routes(),
        *SignOnRoutes(parts).routes(),
    ]


def schemes(parts: Parts) -> list[Scheme]:
    """Return the ways to prove who asks that a client sends on purpose; they are tried before log-ins."""
    public_url = parts.config.server.public_url
    return [
        KeyScheme(ApiKeys(parts.store, parts.clock)),
        SignatureScheme(Signatures(parts.store, parts.snapshot, public_url, parts.clock)),
        ShareTokenScheme(_links(parts)),
    ]


def ambient_schemes(parts: Parts, logins: Sequence[Scheme]) -> list[Scheme]:
    """Return the ways that a browser or a proxy sends by itself: log-ins here, log-ins at a proxy, opened links."""
    auth = parts.config.auth
    proxied = ProxyUsers(
        Accounts(parts.store, parts.clock),
        parts.audit,
        parts.secret,
        header=auth.remote_user,
        create=auth.create_users,
        is_trusted=lambda peer: peer.unix or parts.guards.trusted.holds(peer.address),
    )
    opened = ShareCookieScheme(_links(parts))
    return [*[BesideLinks(scheme, opened) for scheme in (*logins, proxied)], opened]


def _links(parts: Parts) -> ShareLinks:
    passwords = Passwords(parts.config.data_dir, parts.config.auth.password_least)
    return ShareLinks(parts.store, parts.secret, passwords, parts.clock)
