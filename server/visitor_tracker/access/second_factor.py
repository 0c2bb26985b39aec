"""The second factor: codes of an app (TOTP, RFC 6238), and recovery codes for who has lost it.

The secret lies in the store under AES-256-GCM (NIST SP 800-38D), with a key of the server's secret and bound to its
user. Each code works once: of two who send the same one, the second is refused.
"""

import hmac
import secrets
import time
from collections.abc import Callable
from hashlib import blake2b
from typing import Final

import msgspec

from visitor_tracker.access.accounts import Account
from visitor_tracker.errors import HttpError
from visitor_tracker.store.second_factor import SecondFactorTable
from visitor_tracker.store.sql import SqlStore

ISSUER: Final = "Visitor Tracker"
RECOVERY_CODES: Final = 10

_STEP_MS = 30_000
_WINDOW = 1  # steps before and after now: clocks of phones are off
_NONCE_BYTES = 12
_ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"  # without what looks alike on paper
_GROUPS, _GROUP = 4, 4  # 79 bits: too many to try, even for who has the hashes
_CODE_MOST = 64  # characters that are looked at


class Begun(msgspec.Struct, frozen=True):
    """What an app needs: the secret in base32, and the same as an address for its camera."""

    secret: str
    uri: str


class SecondFactor:
    """The second factors of a store. Methods raise HttpError and what the store raises; any thread."""

    def __init__(
        self, store: SqlStore, secret: bytes, clock: Callable[[], int] = lambda: time.time_ns() // 1_000_000
    ) -> None:
        """`secret` is the server's; `clock` is epoch ms."""
        self._table = SecondFactorTable(store.database)
        self._key = blake2b(blake2b(secret, digest_size=64).digest(), digest_size=32, person=b"second-factor").digest()
        self._clock = clock

    def begin(self, account: Account) -> Begun:
        """Make a secret, which a first code turns on; raises HttpError 409 where one is on."""
        import pyotp  # only few requests need it

        text = pyotp.random_base32()
        if not self._table.begin(account.key, self._hidden(account.key, text)):
            raise HttpError(409, "second_factor_on", "the second factor is on already", "take it off first")
        return Begun(text, pyotp.TOTP(text).provisioning_uri(name=account.username, issuer_name=ISSUER))

    def confirm(self, account: Account, code: str) -> list[str]:
        """Turn the secret on that was begun, and return the recovery codes; raises HttpError 400 or 409."""
        factor = self._table.get(account.key)
        if factor is None or factor.at:
            raise HttpError(409, "second_factor_not_begun", "there is nothing to confirm", "POST /api/v1/me/totp first")
        step = self._step(self._shown(account.key, factor.secret), code)
        if step is None:
            raise HttpError(
                400, "wrong_code", "that is not the code of now", "type what the app shows; is the clock right?"
            )
        codes = [_recovery_code() for _ in range(RECOVERY_CODES)]
        digests = [_digest(each) for each in codes]
        if not self._table.confirm(account.key, factor.secret, step, digests, self._clock()):
            raise HttpError(409, "second_factor_not_begun", "there is nothing to confirm", "begin again")
        return codes

    def is_right(self, account: Account, code: str) -> bool:
        """Use a code of the app, or a recovery code, up; False: it is neither, or was used before."""
        plain = code.strip()[:_CODE_MOST]
        if len(_digits(plain)) != 6:
            return self._table.use_code(account.key, _digest(plain))
        factor = self._table.get(account.key)
        step = None if factor is None else self._step(self._shown(account.key, factor.secret), plain)
        return step is not None and self._table.use(account.key, step)

    def codes_left(self, account: Account) -> int:
        """Return how many recovery codes somebody has."""
        return self._table.codes_left(account.key)

    def remove(self, account: Account) -> bool:
        """Take it off; False: there was none."""
        return self._table.remove(account.key)

    def _step(self, secret: str, code: str) -> int | None:
        """Return the step whose code that is, of those around now."""
        import pyotp

        totp, now, digits = pyotp.TOTP(secret), self._clock() // _STEP_MS, _digits(code)
        found = None
        for step in range(now - _WINDOW, now + _WINDOW + 1):
            if hmac.compare_digest(totp.generate_otp(step).encode(), digits.encode()):
                found = step
        return found

    def _hidden(self, user_id: bytes, text: str) -> bytes:
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        nonce = secrets.token_bytes(_NONCE_BYTES)
        return nonce + AESGCM(self._key).encrypt(nonce, text.encode(), user_id)

    def _shown(self, user_id: bytes, hidden: bytes) -> str:
        from cryptography.exceptions import InvalidTag
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        try:
            return AESGCM(self._key).decrypt(hidden[:_NONCE_BYTES], hidden[_NONCE_BYTES:], user_id).decode()
        except InvalidTag:
            raise HttpError(
                409,
                "second_factor_unreadable",
                "the second factor was set up under another server.secret_key",
                "use a recovery code, or let an admin take the second factor off",
            ) from None


def _digits(code: str) -> str:
    """Return a code of six digits without the space that apps show in it; "" for anything else."""
    plain = code.replace(" ", "")
    return plain if len(plain) == 6 and plain.isascii() and plain.isdigit() else ""


def _recovery_code() -> str:
    groups = ("".join(secrets.choice(_ALPHABET) for _ in range(_GROUP)) for _ in range(_GROUPS))
    return "-".join(groups)


def _digest(code: str) -> bytes:
    plain = "".join(sign for sign in code.lower() if sign.isalnum())
    return blake2b(plain.encode("utf-8", "surrogatepass"), digest_size=32, person=b"recovery-code").digest()
