"""How keys look. Those with scope ingest are send keys: a program that has one says for whom it sends.

A key is "vt_" and 32 random bytes in base64url. It is shown once; store and snapshot have its BLAKE2b-256 only, so
who reads them cannot use it. It is found by that digest: how long a look-up takes says nothing about a key.
"""

import re
import secrets
from hashlib import blake2b

from visitor_tracker.sites import SendKey, Snapshot

_BYTES = 32
_KEY = re.compile(r"vt_[A-Za-z0-9_-]{43}").fullmatch
NAME_PATTERN = "^[A-Za-z0-9][A-Za-z0-9_.@-]{0,63}$"
_NAME = re.compile(NAME_PATTERN).fullmatch


def make() -> str:
    """Return a new key."""
    return "vt_" + secrets.token_urlsafe(_BYTES)


def digest(key: str) -> bytes:
    """Return what is stored of a key, 32 bytes."""
    return blake2b(key.encode("utf-8", "surrogatepass"), digest_size=32).digest()


def is_key(text: str) -> bool:
    """Say whether a text looks like a key of ours."""
    return _KEY(text) is not None


def find(snapshot: Snapshot, text: str) -> SendKey | None:
    """Return the send key that a program came with, or None when it is none of ours."""
    return snapshot.by_key.get(digest(text)) if is_key(text) else None


def key_name(text: str) -> str:
    """Return the name if a key may have it; raises ValueError."""
    if not _NAME(text):
        raise ValueError(
            f"{text!r} is no key name: use 1 to 64 of A-Z a-z 0-9 _ . @ - and begin with a letter or digit"
        )
    return text
