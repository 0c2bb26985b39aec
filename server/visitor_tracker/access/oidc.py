"""An OpenID Connect provider: where to send people, and who comes back (OpenID Connect Core 1.0, code flow with PKCE).

    discovery document ──▶ authorization endpoint ──(browser)──▶ code ──▶ token endpoint ──▶ id_token, verified here

What the provider answers is read to 1 MiB and for ten seconds at most, and no redirect is followed. The document and
the keys are kept for an hour; a key that is not known is asked for again, at most twice a minute.
"""

import base64
import logging
import threading
import time
from collections.abc import Callable, Mapping
from functools import partial
from hashlib import sha256
from hmac import compare_digest
from ipaddress import ip_address
from typing import Any, Final, TypeVar
from urllib.parse import quote, urlencode, urlsplit

import jwt
import msgspec
import requests
from requests.auth import AuthBase

from visitor_tracker.config.sections import AuthConfig
from visitor_tracker.errors import HttpError

log = logging.getLogger(__name__)

ALGORITHMS: Final = ("RS256", "ES256", "EdDSA")
MOST_BYTES: Final = 1024 * 1024

_CONNECT_SECONDS, _READ_SECONDS, _ALL_SECONDS = 3.05, 5.0, 10.0
_KEPT_SECONDS = 3600.0
_AGAIN_SECONDS = 30.0  # between two looks at the keys for one that is not known, and after a failure
_AT_ONCE = 2  # conversations with the provider of one process: the other threads are for other requests
_LEEWAY_SECONDS = 60  # that clocks may be off
_TEXT_MOST = 255  # characters of a subject, a name, an e-mail address

T = TypeVar("T")


class Identity(msgspec.Struct, frozen=True):
    """Who came back: `email` is "" unless the provider has verified it."""

    issuer: str
    subject: str
    email: str = ""
    username: str = ""


class _Document(msgspec.Struct, frozen=True):
    """What is needed of the discovery document."""

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    userinfo_endpoint: str = ""
    id_token_signing_alg_values_supported: tuple[str, ...] = ("RS256",)
    token_endpoint_auth_methods_supported: tuple[str, ...] = ("client_secret_basic",)


class _Tokens(msgspec.Struct, frozen=True):
    id_token: str
    access_token: str = ""


class _KeySet(msgspec.Struct, frozen=True):
    keys: list[dict[str, Any]]


class _NoPassword(AuthBase):
    """Keeps `requests` from looking for passwords in ~/.netrc."""

    def __call__(self, r: requests.PreparedRequest) -> requests.PreparedRequest:
        return r


class Provider:
    """The provider of the settings. Any thread; methods raise HttpError that tells a person what is wrong."""

    def __init__(self, auth: AuthConfig, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._issuer = auth.oidc_issuer.rstrip("/")
        self._client_id = auth.oidc_client_id
        self._client_secret = auth.oidc_client_secret
        self._monotonic = monotonic
        self._turns = threading.BoundedSemaphore(_AT_ONCE)
        self._document: tuple[_Document, float] | None = None
        self._keys: tuple[_KeySet, float] | None = None
        self._failed_at = -_AGAIN_SECONDS

    def address(self, redirect_uri: str, state: str, nonce: str, verifier: str) -> str:
        """Return where a browser logs in."""
        with self._turn():
            endpoint = self._known().authorization_endpoint
        challenge = base64.urlsafe_b64encode(sha256(verifier.encode()).digest()).decode().rstrip("=")
        asked = {
            "response_type": "code",
            "client_id": self._client_id,
            "redirect_uri": redirect_uri,
            "scope": "openid email profile",
            "state": state,
            "nonce": nonce,
            "code_challenge": challenge,
            "code_challenge_method": "S256",
        }
        return f"{endpoint}{'&' if '?' in endpoint else '?'}{urlencode(asked)}"

    def identity(self, code: str, redirect_uri: str, nonce: str, verifier: str) -> Identity:
        """Return who has logged in, for the code that their browser brought."""
        with self._turn():
            document = self._known()
            tokens = self._exchange(document, code, redirect_uri, verifier)
            claims = self._verified(document, tokens.id_token, nonce)
            if not claims.get("email") and document.userinfo_endpoint and tokens.access_token:
                claims["email_verified"] = None  # that was of no address, and not of the one that follows
                claims |= self._userinfo(document, tokens.access_token, str(claims["sub"]))
        is_verified = claims.get("email_verified") in (True, "true")  # some providers write it as a text
        return Identity(
            document.issuer,
            str(claims["sub"]),
            _text(claims.get("email")) if is_verified else "",
            _text(claims.get("preferred_username")),
        )

    def _turn(self) -> "_Turn":
        return _Turn(self._turns)

    def _known(self) -> _Document:
        """Return the discovery document, of which everything is checked that is used."""
        now = self._monotonic()
        if self._document and now - self._document[1] < _KEPT_SECONDS:
            return self._document[0]
        if now - self._failed_at < _AGAIN_SECONDS and not self._document:
            raise unreachable("it did not answer just now")
        self._failed_at = now
        found = self._read(_Document, self._ask("GET", f"{self._issuer}/.well-known/openid-configuration"))
        if found.issuer.rstrip("/") != self._issuer:
            raise unreachable(f"it calls itself {found.issuer!r}, which is not auth.oidc_issuer")
        for url in (found.authorization_endpoint, found.token_endpoint, found.jwks_uri, found.userinfo_endpoint):
            if url and not is_safe(url, of=self._issuer):
                raise unreachable(f"its address {url!r} is not https")
        self._failed_at = -_AGAIN_SECONDS
        self._document = (found, now)
        return found

    def _exchange(self, document: _Document, code: str, redirect_uri: str, verifier: str) -> _Tokens:
        asked = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": redirect_uri,
            "code_verifier": verifier,
        }
        headers = {}
        if not self._client_secret:
            asked["client_id"] = self._client_id
        elif "client_secret_basic" in document.token_endpoint_auth_methods_supported:
            pair = f"{quote(self._client_id, safe='')}:{quote(self._client_secret, safe='')}"  # RFC 6749, 2.3.1
            headers["Authorization"] = f"Basic {base64.b64encode(pair.encode()).decode()}"
        else:
            asked |= {"client_id": self._client_id, "client_secret": self._client_secret}
        return self._read(_Tokens, self._ask("POST", document.token_endpoint, asked, headers))

    def _verified(self, document: _Document, token: str, nonce: str) -> dict[str, Any]:
        """Return the claims of an id_token that is the provider's, for us, now, and for this log-in."""
        try:
            header = jwt.get_unverified_header(token)
            algorithm = header.get("alg")
            if algorithm not in ALGORITHMS or algorithm not in document.id_token_signing_alg_values_supported:
                raise wrong(f"its id_token is signed with {algorithm!r}")
            claims: dict[str, Any] = jwt.decode(
                token,
                self._key(document, header.get("kid"), algorithm),
                algorithms=[algorithm],
                audience=self._client_id,
                issuer=document.issuer,
                leeway=_LEEWAY_SECONDS,
                options={"require": ["exp", "iat", "iss", "aud", "sub"]},
            )
        except jwt.PyJWTError as error:
            raise wrong(f"its id_token is not good: {error}") from error
        given = claims.get("nonce")
        if not isinstance(given, str) or not compare_digest(given.encode("utf-8", "surrogatepass"), nonce.encode()):
            raise wrong("its id_token is of another log-in")
        if claims.get("azp", self._client_id) != self._client_id:
            raise wrong("its id_token was made for another program")
        if not 0 < len(claims["sub"]) <= _TEXT_MOST:
            raise wrong("it names nobody")
        return claims

    def _key(self, document: _Document, key_id: object, algorithm: str) -> jwt.PyJWK:
        """Return the provider's key of that id; without one, the only key that can be meant."""
        for is_fresh in (False, True):
            found = [key for key in self._key_set(document, is_fresh=is_fresh).keys if _fits(key, key_id)]
            if len(found) == 1:
                return jwt.PyJWK(found[0], algorithm=algorithm)
        raise wrong(f"it has no key {key_id!r}" if key_id else "it does not say which of its keys has signed")

    def _key_set(self, document: _Document, *, is_fresh: bool) -> _KeySet:
        now = self._monotonic()
        if self._keys and now - self._keys[1] < (_AGAIN_SECONDS if is_fresh else _KEPT_SECONDS):
            return self._keys[0]
        found = self._read(_KeySet, self._ask("GET", document.jwks_uri))
        self._keys = (found, now)
        return found

    def _userinfo(self, document: _Document, access_token: str, subject: str) -> Mapping[str, Any]:
        headers = {"Authorization": f"Bearer {access_token}"}
        found = self._read(dict[str, Any], self._ask("GET", document.userinfo_endpoint, headers=headers))
        if found.get("sub") != subject:  # OpenID Connect Core 1.0, 5.3.2
            raise wrong("its user information is of somebody else")
        return {name: found[name] for name in ("email", "email_verified", "preferred_username") if name in found}

    def _ask(
        self, method: str, url: str, form: Mapping[str, str] | None = None, headers: Mapping[str, str] | None = None
    ) -> bytes:
        until = self._monotonic() + _ALL_SECONDS
        try:
            with requests.request(
                method,
                url,
                data=form,
                headers={"Accept": "application/json", **(headers or {})},
                auth=_NoPassword(),
                timeout=(_CONNECT_SECONDS, _READ_SECONDS),
                allow_redirects=False,
                stream=True,
            ) as answer:
                body = b""
                for piece in answer.iter_content(16 * 1024):
                    body += piece
                    if len(body) > MOST_BYTES or self._monotonic() > until:
                        raise unreachable("its answer is too long, or comes too slowly")
                status = answer.status_code
        except requests.RequestException as error:
            raise unreachable(f"{type(error).__name__} at {url}") from error
        if status != requests.codes.ok:
            raise unreachable(f"it answered {status} at {url}: {body[:200]!r}")
        return body

    @staticmethod
    def _read(kind: type[T], body: bytes) -> T:
        try:
            return msgspec.json.decode(body, type=kind)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise unreachable(f"its answer cannot be read: {error}") from error


class _Turn:
    """One of the few conversations with the provider that go on at once; raises HttpError 503 where they do not end."""

    def __init__(self, turns: threading.BoundedSemaphore) -> None:
        self._turns = turns

    def __enter__(self) -> None:
        if not self._turns.acquire(timeout=_READ_SECONDS):
            raise HttpError(503, "sign_on_busy", "too many people log in just now", "try again", retry_after=5)

    def __exit__(self, *_: object) -> None:
        self._turns.release()


def is_safe(url: str, *, of: str = "") -> bool:
    """Say whether what goes to an address stays secret: https, or http on this machine to an issuer that is there."""
    try:
        parts, home = urlsplit(url), urlsplit(of or url)
        if parts.scheme == "https":
            return bool(parts.hostname)
        return parts.scheme == "http" and _is_loopback(parts.hostname) and _is_loopback(home.hostname)
    except ValueError:
        return False


def _is_loopback(host: str | None) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host or "").is_loopback
    except ValueError:
        return False


def _fits(key: Mapping[str, Any], key_id: object) -> bool:
    if key.get("use", "sig") != "sig" or key.get("kty") not in ("RSA", "EC", "OKP"):
        return False
    return not key_id or key.get("kid") == key_id


def _text(value: object) -> str:
    return value if isinstance(value, str) and len(value) <= _TEXT_MOST and value.isprintable() else ""


def _told(code: str, what: str, why: str) -> HttpError:
    """Return what to raise; the reason is for the operator, who reads the log."""
    log.warning("single sign-on failed: the provider: %s", why)
    return HttpError(502, code, what, "the server's log says why")


unreachable = partial(_told, "sign_on_unreachable", "the provider does not answer as it should")
wrong = partial(_told, "sign_on_refused", "what the provider says of you is not good")
