"""Accounts: which names there are, and what a change keeps."""

import pytest

from visitor_tracker.access.accounts import AccountError, Accounts, email_address, user_name
from visitor_tracker.access.who import Who
from visitor_tracker.store import open_store

AT = 1_790_000_000_000


@pytest.fixture
def accounts() -> Accounts:
    """With one admin, Ada."""
    made = Accounts(open_store("sqlite:///:memory:"), lambda: AT)
    made.create("Ada", email="ada@example.com", password_hash="hash", is_admin=True)
    return made


@pytest.mark.parametrize(
    "name", ["a", "ada", "Ada.L-1_x", "ada@example.com", "été", "李明", "a李", "\u0430\u0434\u0430", "a" * 64]
)
def test_names_that_may_be(name: str) -> None:
    assert user_name(name) == name


@pytest.mark.parametrize(
    "name",
    [
        "",
        " ada",
        "ada ",
        "-ada",
        "_ada",
        ".",
        "a b",
        "a/b",
        "a\nb",
        "a\x00",
        "ﬁ",
        "a" * 65,
        "\u202eada",
        "a:b",
        "\u0430da",
        "\u03bfwner",
    ],
)
def test_names_that_may_not(name: str) -> None:
    with pytest.raises(AccountError, match="username"):
        user_name(name)


@pytest.mark.parametrize("text", ["", "ada@example.com", "a.b+c@sub.example.com", "ä@exämple.com", "a@localhost"])
def test_addresses_that_may_be(text: str) -> None:
    assert email_address(text) == text


@pytest.mark.parametrize(
    "text", ["ada", "@x", "a@", "a b@c", "a@b\n", "<a@b>", "a@b@c,d@e", "a@" + "b" * 300, "a@b\u202e"]
)
def test_addresses_that_may_not(text: str) -> None:
    with pytest.raises(AccountError, match="e-mail"):
        email_address(text)


def test_names_have_no_case(accounts: Accounts) -> None:
    ada = accounts.by_name("aDA")
    assert ada is not None
    assert ada.username == "Ada"
    assert accounts.by_name("ADA@EXAMPLE.COM") == ada == accounts.find(ada.id)
    for name in ("ADA", "Ada@example.COM"):
        with pytest.raises(AccountError) as refused:
            accounts.create(name, is_admin=True)
        assert (refused.value.status, refused.value.code) == (409, "name_taken")
    assert accounts.by_name("x" * 100_000) is None


def test_whose_username_is_the_address_has_one_name(accounts: Accounts) -> None:
    bob = accounts.create("bob@example.com", email="Bob@Example.com")
    assert accounts.by_name("BOB@EXAMPLE.COM") == bob
    bob = accounts.change(bob, username="bob")
    assert accounts.by_name("bob") == accounts.by_name("bob@example.com") == bob


@pytest.mark.parametrize("user_id", ["", "x", "00" * 15, "00" * 16, "zz" * 16, "é" * 32])
def test_an_id_that_is_none_finds_nobody(accounts: Accounts, user_id: str) -> None:
    assert accounts.find(user_id) is None


def test_a_change_says_only_what_is_given(accounts: Accounts) -> None:
    bob = accounts.create("bob", email="bob@example.com")
    seen_before = bob
    accounts.change(bob, disabled=True)
    # Who still has the account as it was does not enable it again.
    bob = accounts.change(seen_before, email="robert@example.com")
    assert (bob.username, bob.email, bob.disabled, bob.is_admin) == ("bob", "robert@example.com", True, False)
    accounts.remove(bob)
    with pytest.raises(AccountError, match="no such user"):
        accounts.change(bob, disabled=False)


def test_who_somebody_is(accounts: Accounts) -> None:
    bob = accounts.create("bob", roles={7: "viewer", 8: "owner"})
    assert accounts.who(bob) == Who("user", "bob", bob.id, roles={7: "viewer", 8: "owner"})
    assert accounts.who(bob, login="l", csrf="c", is_ambient=True) == Who(
        "user", "bob", bob.id, roles={7: "viewer", 8: "owner"}, login="l", csrf="c", is_ambient=True
    )
    assert [(account.username, role) for account, role in accounts.members(7)] == [("bob", "viewer")]
