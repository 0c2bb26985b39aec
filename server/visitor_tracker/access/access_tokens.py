"""Access tokens: JSON Web Tokens (RFC 7519), HS256, that name a user and a log-in; good for minutes."""

import re
from hashlib import blake2b
from typing import Final

import msgspec

ISSUER: Final = "visitor-tracker"
AUDIENCE: Final = "visitor-tracker api"

_ALGORITHM = "HS256"
_CLAIMS = ("iss", "aud", "sub", "sid", "iat", "exp", "typ")
_ID = re.compile(r"[0-9a-f]{32}").fullmatch
_LOOKS_ALIKE = re.compile(r"eyJ[A-Za-z0-9_=-]*\.[A-Za-z0-9_=-]*\.[A-Za-z0-9_=-]*").fullmatch  # eyJ is {" in base64
_LONGEST = 2048


class Claims(msgspec.Struct, frozen=True):
    """Whose token it is, ids in hex."""

    user: str
    login: str


class AccessTokens:
    """Makes and reads them under one key; frozen, so any thread may use it."""

    __slots__ = ("_key", "_seconds")

    def __init__(self, secret: bytes, minutes: float) -> None:
        self._key = blake2b(blake2b(secret, digest_size=64).digest(), digest_size=32, person=b"access-token").digest()
        self._seconds = max(1, round(minutes * 60))

    def issue(self, user_id: str, login_id: str, now: int) -> tuple[str, int]:
        """Return a token and the seconds that it is good for; `now` is epoch ms."""
        import jwt  # with cryptography it takes longer to load than a visit may wait

        seconds = now // 1000
        claims = {
            "iss": ISSUER,
            "aud": AUDIENCE,
            "sub": user_id,
            "sid": login_id,
            "iat": seconds,
            "exp": seconds + self._seconds,
            "typ": "access",
        }
        return jwt.encode(claims, self._key, algorithm=_ALGORITHM), self._seconds

    def read(self, text: str, now: int) -> Claims | None:
        """Return what a token says; None for one that is forged, over, or meant for something else."""
        import jwt

        if len(text) > _LONGEST:
            return None
        try:
            claims = jwt.decode(
                text,
                self._key,
                algorithms=[_ALGORITHM],
                audience=AUDIENCE,
                issuer=ISSUER,
                # Times are compared below, by the server's one clock.
                options={"require": list(_CLAIMS), "verify_exp": False, "verify_iat": False},
            )
        except jwt.InvalidTokenError:
            return None
        user, login, ends = claims["sub"], claims["sid"], claims["exp"]
        if claims["typ"] != "access" or not isinstance(ends, int) or ends * 1000 <= now:
            return None
        if not (isinstance(user, str) and isinstance(login, str) and _ID(user) and _ID(login)):
            return None
        return Claims(user, login)


def looks_like_jwt(text: str) -> bool:
    """Say whether a text is a token of this sort, whoever made it."""
    return _LOOKS_ALIKE(text) is not None
