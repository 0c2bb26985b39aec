"""Security tokens prove what was counted, and nothing else passes."""

import pytest

from visitor_tracker.access.tokens import Claim, ReadToken, TokenSigner

PAGE, OTHER = b"p" * 16, b"q" * 16
SIGNER = TokenSigner(b"k" * 32)
TOKEN = SIGNER.sign(PAGE, 42, 1_790_000_000_000)


def test_a_token_is_64_hex_digits_and_says_what_was_counted() -> None:
    assert len(TOKEN) == 64
    assert int(TOKEN, 16)
    assert SIGNER.verify(PAGE, TOKEN) == Claim(42, 1_790_000_000_000)


@pytest.mark.parametrize(
    "forged",
    [
        "",
        TOKEN[:-1],
        TOKEN + "0",
        TOKEN[:-2] + f"{int(TOKEN[-2:], 16) ^ 1:02x}",
        f"{43:016x}" + TOKEN[16:],
        "z" * 64,
        " " * 64,
        TOKEN[:32] + " " * 32,
        "é" * 64,
        TokenSigner(b"another key of thirty-two bytes!").sign(PAGE, 42, 1_790_000_000_000),
    ],
)
def test_forged_tokens_prove_nothing(forged: str) -> None:
    assert SIGNER.verify(PAGE, forged) is None


def test_a_token_is_for_its_page_only() -> None:
    assert SIGNER.verify(OTHER, TOKEN) is None


def test_read_token() -> None:
    token = ReadToken(bytes(range(32)))
    assert token.matches(bytes(range(32)).hex())
    assert not token.matches("")
    assert not token.matches("é" * 64)
