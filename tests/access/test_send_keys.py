"""Keys of programs that are trusted to say for whom they send."""

import re

import pytest

from visitor_tracker.access.send_keys import digest, find, key_name, make
from visitor_tracker.sites import SendKey, Snapshot


def test_a_key_is_found_by_what_is_stored_of_it() -> None:
    text = make()
    stored = SendKey(digest(text), "blog", 17)
    snapshot = Snapshot(send_keys=(SendKey(digest(make()), "other"), stored))
    assert find(snapshot, text) == stored


def test_keys_are_long_and_never_the_same() -> None:
    keys = {make() for _ in range(100)}
    assert len(keys) == 100
    assert all(re.fullmatch(r"vt_[A-Za-z0-9_-]{43}", key) for key in keys)


def test_what_is_stored_is_no_key() -> None:
    text = make()
    stored = digest(text)
    assert len(stored) == 32
    assert find(Snapshot(send_keys=(SendKey(stored, "a"),)), stored.hex()) is None


@pytest.mark.parametrize("text", ["", "vt_", "vt_" + "A" * 43, "vt_" + "A" * 43 + "\n", "vt_\ud800", "x" * 100_000])
def test_other_texts_find_nothing(text: str) -> None:
    assert find(Snapshot(send_keys=(SendKey(digest(make()), "a"),)), text) is None


def test_a_revoked_key_finds_nothing() -> None:
    text = make()
    assert find(Snapshot(), text) is None


@pytest.mark.parametrize("name", ["blog", "shop-backend", "ann@example.com", "v1.2"])
def test_keys_have_plain_names(name: str) -> None:
    assert key_name(name) == name


@pytest.mark.parametrize("name", ["", "a b", "-a", "ä", "a\x1b[0m", "a" * 65])
def test_other_names_are_refused(name: str) -> None:
    with pytest.raises(ValueError, match="no key name"):
        key_name(name)
