"""Keys that are made of the server's secret, one for each purpose, and what is signed with them."""

from hashlib import blake2b

_KEY_BYTES = 32
_TAG_BYTES = 16


def key_for(secret: bytes, purpose: bytes) -> bytes:
    """Return the key of a purpose, which has at most 16 bytes; none says anything of another, or of the secret."""
    return blake2b(blake2b(secret, digest_size=64).digest(), digest_size=_KEY_BYTES, person=purpose).digest()


def keyed(key: bytes, text: str, size: int = _TAG_BYTES) -> str:
    """Return the keyed BLAKE2b (RFC 7693) of a text, in hex."""
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=size, key=key).hexdigest()
