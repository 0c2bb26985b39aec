"""HTTP Message Signatures, RFC 9421, with the package http-message-signatures: extra `signatures`, loaded when needed.

A signature must cover @method, @target-uri (or @path and @query) and, where there is a body, content-digest (RFC 9530),
and have the parameters created, nonce and keyid. What it says is read without the package first, so that what is too
old or of no key costs nothing; then the package says the same, or it is refused.
"""

import re
from datetime import timedelta
from functools import partial

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from visitor_tracker.errors import HttpError
from visitor_tracker.http.message import Request

_MOST = 2048  # characters of a header
_SKEW = timedelta(minutes=5)
_CREATED = re.compile(r";\s*created=([0-9]{1,12})(?![0-9.])").findall
_EXPIRES = re.compile(r";\s*expires=([0-9]{1,12})(?![0-9.])").findall
_KEY_ID = re.compile(r';\s*keyid="([0-9a-f]{16})"').findall
_NONCE = re.compile(r';\s*nonce="([A-Za-z0-9+/_=-]{16,128})"').findall

refused = partial(HttpError, 401, "invalid_signature")


class HttpSignature(msgspec.Struct, frozen=True):
    """What a request says of its signature; nothing of it is proved before `verify`."""

    request: Request
    key_id: str
    nonce: str
    created: int  # epoch seconds
    expires: int | None

    def verify(self, public_key: bytes, public_url: str) -> None:
        """Raise HttpError 401 unless the signature is that key's and covers what it must; 501 without the package."""
        try:
            import http_message_signatures as library
        except ImportError:
            raise HttpError(
                501,
                "signatures_missing",
                "this server does not know HTTP Message Signatures",
                "pip install 'visitor-tracker[signatures]', or sign with X-Signature-Version: 2",
            ) from None

        class Resolver(library.HTTPSignatureKeyResolver):
            def resolve_public_key(self, key_id: str) -> Ed25519PublicKey:
                return Ed25519PublicKey.from_public_bytes(public_key)

        verifier = library.HTTPMessageVerifier(signature_algorithm=library.algorithms.ED25519, key_resolver=Resolver())
        verifier.max_clock_skew = _SKEW
        message = _Message(self.request.method, _url(self.request, public_url), self.request.headers)
        try:
            [found] = verifier.verify(message, max_age=_SKEW, body=self.request.body)
        except (library.HTTPMessageSignaturesException, ValueError) as error:
            raise refused(f"the signature is not good: {_plain(error)}") from error
        self._compare(found.parameters, set(found.covered_components))

    def _compare(self, parameters: dict[str, int | str], covered: set[str]) -> None:
        given = (parameters.get("keyid"), parameters.get("nonce"), parameters.get("created"), parameters.get("expires"))
        if given != (self.key_id, self.nonce, self.created, self.expires):
            raise refused("the parameters of the signature can be read in two ways")
        has_target = {'"@path"', '"@query"'} <= covered or not covered.isdisjoint(
            {'"@target-uri"', '"@request-target"'}
        )
        if '"@method"' not in covered or not has_target:
            raise refused(
                "the signature covers too little", "sign @method, @target-uri and, with a body, content-digest"
            )


class _Message(msgspec.Struct, frozen=True):
    """A request as the package wants it."""

    method: str
    url: str
    headers: dict[str, str]


def is_signed(request: Request) -> bool:
    """Say whether a request has such a signature, good or bad."""
    return "signature-input" in request.headers


def read_signature(request: Request) -> HttpSignature:
    """Return what a request says of its signature; raises HttpError 401 where it lacks something."""
    text = request.headers["signature-input"]
    if len(text) > _MOST or len(request.headers.get("signature", "")) > _MOST:
        raise refused("the headers of the signature are too long", f"use at most {_MOST} characters")
    created, key_ids, nonces, expires = _CREATED(text), _KEY_ID(text), _NONCE(text), _EXPIRES(text)
    if len(created) != 1 or len(key_ids) != 1 or len(nonces) != 1 or len(expires) > 1:
        raise refused(
            "the signature lacks a parameter, or there are several signatures",
            'sign once, with created, expires, keyid, alg="ed25519" and a nonce of 16 to 128 characters',
        )
    return HttpSignature(request, key_ids[0], nonces[0], int(created[0]), int(expires[0]) if expires else None)


def _url(request: Request, public_url: str) -> str:
    """Return the address that was asked for: behind a proxy only the settings know it."""
    target = f"{request.path}?{request.query}" if request.query else request.path
    if public_url:
        return public_url + target
    return f"{'https' if request.peer.secure else 'http'}://{request.headers.get('host', '')}{target}"


def _plain(error: Exception) -> str:
    """Return what the package says, as one short line; it repeats what the client has sent."""
    return "".join(letter if letter.isprintable() else "?" for letter in str(error))[:200] or "it is another one"
