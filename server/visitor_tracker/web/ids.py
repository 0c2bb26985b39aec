"""Ids that clients make, so that sending twice counts once."""


def read_id(text: str) -> bytes:
    """Return the 16 bytes of an id written as 32 hex digits, dashes allowed; raises ValueError."""
    digits = text.replace("-", "") if len(text) == 36 else text
    if len(digits) == 32:
        try:
            raw = bytes.fromhex(digits)
        except ValueError:
            raw = b""
        if len(raw) == 16:
            return raw
    raise ValueError("id must be 16 bytes as 32 hex digits, or a UUID")
