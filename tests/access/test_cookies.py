"""The visitor cookie: ours is known again, and nothing else passes."""

import base64

import pytest

from visitor_tracker.access.cookies import VisitorCookies

COOKIES = VisitorCookies(b"s" * 32)
ID = bytes(range(16))
VALUE = "AAECAwQFBgcICQoLDA0OD1eDnX2AJ8CK4kHkckwOGbk"  # as every version must know it
ANOTHER = "AAECAwQFBgcICQoLDA0ODz2umqNHHjWBWUkfzA8dOAw"  # the same id under another secret


def flipped(text: str, place: int) -> str:
    return text[:place] + ("A" if text[place] != "A" else "B") + text[place + 1 :]


def test_a_cookie_is_known_again() -> None:
    made, value = COOKIES.issue()
    assert len(made) == 16
    assert VisitorCookies(b"s" * 32).verify(value) == made, "by every process and node with the secret"
    assert COOKIES.verify(VALUE) == ID


def test_every_visitor_gets_another_one() -> None:
    assert len({COOKIES.issue() for _ in range(100)}) == 100


@pytest.mark.parametrize(
    "value",
    [
        "",
        "x",
        VALUE[:-1],
        VALUE + "A",
        VALUE + "=",
        *(flipped(VALUE, place) for place in (0, 20, 21, 41)),
        VALUE[:-1] + chr(ord(VALUE[-1]) + 1),  # may differ in bits that base64 leaves unused
        "é" * 43,
        " " * 43,
        "-" * 43,
        "A" * 43,
        base64.urlsafe_b64encode(bytes(32)).decode().rstrip("="),
        ANOTHER,
    ],
)
def test_nothing_else_is_a_cookie(value: str) -> None:
    assert COOKIES.verify(value) is None


@pytest.mark.parametrize(
    ("header", "found"),
    [
        (f"vt_visitor={VALUE}", ID),
        (f"a=b; vt_visitor={VALUE}; c=d", ID),
        (f"a=b;vt_visitor={VALUE};c", ID),
        (f"vt_visitor=old; vt_visitor={VALUE}", ID),
        (f"vt_visitor=x; vt_visitor=x; vt_visitor=x; vt_visitor=x; vt_visitor={VALUE}", None),
        (f"not_vt_visitor={VALUE}", None),
        (f"VT_VISITOR={VALUE}", None),
        (f"a=vt_visitor={VALUE}", None),
        (f'vt_visitor="{VALUE}"', None),
        ("vt_visitor", None),
        ("vt_visitor=", None),
        ("", None),
        (";;;=;vt_visitor=;" * 500, None),
    ],
)
def test_it_is_found_among_others(header: str, found: bytes | None) -> None:
    assert COOKIES.read(header) == found


@pytest.mark.parametrize(("secure", "end"), [(False, ""), (True, "; Secure")])
def test_it_is_first_party_and_out_of_reach_for_scripts(secure: bool, end: str) -> None:
    header = COOKIES.header(VALUE, secure=secure)
    assert header == f"vt_visitor={VALUE}; Max-Age=34560000; Path=/; HttpOnly; SameSite=Lax{end}"
