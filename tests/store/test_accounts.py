"""People in every store: what is unique, who must stay, and what happens at the same time."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import pytest

from visitor_tracker.store.accounts import AccountTable, Changed, NewUser, Outcome, UserRow
from visitor_tracker.store.logins import NOBODY, Bucket, InvitationTable, LoginRow, LoginTable, ThrottleTable
from visitor_tracker.store.second_factor import SecondFactorTable
from visitor_tracker.store.session import DuplicateKey
from visitor_tracker.store.sql import SqlStore

AT = 1_790_000_000_000
SITE, OTHER_SITE = 7, 8


def key(name: str) -> bytes:
    return name.encode().ljust(16, b"\0")


def digest(name: str) -> bytes:
    return name.encode().ljust(32, b"\0")


def user(name: str, *, email: str = "", is_admin: bool = False, password_hash: str = "hash") -> NewUser:
    names = {"username": digest(name)} | ({"email": digest(email)} if email else {})
    return NewUser(key(name), name, email, password_hash, is_admin, names)  # type: ignore[arg-type]


def changed(row: UserRow, **values: object) -> Changed:
    now = {"username": row.username, "email": row.email, "is_admin": row.is_admin, "disabled": row.disabled} | values
    names = {"username": digest(str(now["username"]))}
    if now["email"]:
        names["email"] = digest(str(now["email"]))
    return Changed(names=names, **now)  # type: ignore[arg-type]


def change(table: AccountTable, name: str, **values: object) -> Outcome:
    return table.change(key(name), lambda row: changed(row, **values))


@pytest.fixture
def accounts(store: SqlStore) -> AccountTable:
    """With one admin, ada."""
    table = AccountTable(store.database)
    assert table.add(user("ada", email="ada@example.com", is_admin=True), AT) == "done"
    return table


def at_once(*works: Callable[[], object]) -> list[object]:
    """Run each in a thread of its own, all from the same moment on."""
    start = threading.Barrier(len(works))

    def run(work: Callable[[], object]) -> object:
        start.wait()
        return work()

    with ThreadPoolExecutor(len(works)) as pool:
        return list(pool.map(run, works))


def test_a_user_comes_back_as_stored(accounts: AccountTable) -> None:
    found = accounts.get(key("ada"))
    assert found == UserRow(key("ada"), "ada", "ada@example.com", "hash", True, False, AT, AT, 0, 0, {})
    assert accounts.by_name(digest("ada")) == accounts.by_name(digest("ada@example.com")) == found
    assert accounts.all() == [found]
    assert accounts.get(key("bob")) is accounts.by_name(digest("bob")) is None


def test_the_first_account_is_an_admins(store: SqlStore) -> None:
    accounts = AccountTable(store.database)
    assert not accounts.any()
    assert accounts.add(user("bob"), AT) == "first_admin"
    assert accounts.add(user("ada", is_admin=True), AT, only_first=True) == "done"
    assert accounts.add(user("eve", is_admin=True), AT, only_first=True) == "not_first"
    assert accounts.any()


TAKEN = [("ada", ""), ("ada@example.com", ""), ("bob", "ada"), ("bob", "ada@example.com")]


@pytest.mark.parametrize(("name", "email"), TAKEN)
def test_names_and_addresses_are_of_one_account_each(accounts: AccountTable, name: str, email: str) -> None:
    other = user(name, email=email)._replace(id=key("other"))
    assert accounts.add(other, AT) == "taken"
    assert [row.username for row in accounts.all()] == ["ada"]


def test_a_name_that_was_given_up_is_free(accounts: AccountTable) -> None:
    accounts.add(user("bob", email="bob@example.com"), AT)
    assert change(accounts, "bob", username="robert", email="") == "done"
    assert change(accounts, "bob", email="ada@example.com") == "taken"
    assert change(accounts, "nobody") == "unknown"
    assert accounts.add(user("bob2", email="bob@example.com"), AT) == "done"
    assert accounts.by_name(digest("bob")) is None
    found = accounts.by_name(digest("robert"))
    assert found is not None
    assert (found.id, found.email) == (key("bob"), "")


def test_the_last_admin_stays(accounts: AccountTable) -> None:
    accounts.add(user("bob"), AT)
    for outcome in (change(accounts, "ada", is_admin=False), change(accounts, "ada", disabled=True)):
        assert outcome == "last_admin"
    assert accounts.remove(key("ada")) == "last_admin"
    assert change(accounts, "bob", is_admin=True) == "done"
    assert change(accounts, "ada", is_admin=False) == "done"
    assert accounts.remove(key("bob")) == "last_admin"
    assert accounts.remove(key("ada")) == "done"
    assert accounts.remove(key("ada")) == "unknown"


def test_an_admin_who_never_came_is_none_to_rely_on(accounts: AccountTable) -> None:
    accounts.add(user("eve", is_admin=True, password_hash=""), AT)
    assert accounts.remove(key("ada")) == "last_admin"
    assert accounts.remove(key("eve")) == "done"


def test_two_admins_do_not_take_each_other_away(lasting_store: SqlStore) -> None:
    accounts = AccountTable(lasting_store.database)
    for round_ in range(5):
        names = [f"a{round_}", f"b{round_}"]
        for name in names:
            accounts.add(user(name, is_admin=True), AT)
        for row in accounts.all():
            if row.username not in names:
                assert accounts.remove(row.id) == "done"
        done = at_once(*(partial(change, accounts, name, is_admin=False) for name in names))
        assert sorted(map(str, done)) == ["done", "last_admin"]
        assert sum(row.is_admin for row in accounts.all()) == 1
        for row in accounts.all():
            accounts.change(row.id, lambda row: changed(row, is_admin=True))


def test_of_set_ups_at_once_one_makes_an_account(lasting_store: SqlStore) -> None:
    invitations = InvitationTable(lasting_store.database)
    invitations.add(digest("link"), NOBODY, AT, AT + 1000, most=10)
    links = [digest("link")] * 4
    works = [partial(invitations.set_up, link, user(f"u{n}", is_admin=True), AT) for n, link in enumerate(links)]
    assert sorted(map(str, at_once(*works))) == ["done", "not_first", "not_first", "not_first"]
    assert len(AccountTable(lasting_store.database).all()) == 1
    assert invitations.find(digest("link"), AT) is None


def test_one_name_is_given_once_at_once(lasting_store: SqlStore) -> None:
    accounts = AccountTable(lasting_store.database)
    accounts.add(user("ada", is_admin=True), AT)
    works = [partial(accounts.add, user("bob")._replace(id=key(f"bob{n}")), AT) for n in range(4)]
    assert sorted(map(str, at_once(*works))) == ["done", "taken", "taken", "taken"]


def test_roles_are_by_site(accounts: AccountTable) -> None:
    for name in ("bob", "carol"):
        accounts.add(user(name), AT)
    assert accounts.set_role(key("bob"), SITE, "viewer", keep_owner=True) == "done"
    assert accounts.set_role(key("bob"), SITE, "owner", keep_owner=True) == "done"
    assert accounts.set_role(key("bob"), OTHER_SITE, "viewer", keep_owner=True) == "done"
    assert accounts.set_role(key("carol"), SITE, "viewer", keep_owner=True) == "done"
    assert accounts.members(SITE) == {key("bob"): "owner", key("carol"): "viewer"}
    found = accounts.get(key("bob"))
    assert found is not None
    assert found.roles == {SITE: "owner", OTHER_SITE: "viewer"}
    assert {row.username: dict(row.roles) for row in accounts.all()} == {
        "ada": {},
        "bob": {SITE: "owner", OTHER_SITE: "viewer"},
        "carol": {SITE: "viewer"},
    }
    for name in ("bob", "carol"):
        assert accounts.set_role(key(name), SITE, None, keep_owner=False) == "done"
    assert accounts.members(SITE) == {}
    assert accounts.members(OTHER_SITE) == {key("bob"): "viewer"}


def test_the_last_owner_of_a_site_stays_where_that_is_asked(accounts: AccountTable) -> None:
    accounts.add(user("bob"), AT)
    accounts.set_role(key("bob"), SITE, "owner", keep_owner=True)
    assert accounts.set_role(key("bob"), SITE, None, keep_owner=True) == "last_owner"
    assert accounts.set_role(key("bob"), SITE, "viewer", keep_owner=True) == "last_owner"
    assert accounts.set_role(key("ada"), SITE, None, keep_owner=True) == "unknown"
    assert accounts.set_role(key("nobody"), SITE, "owner", keep_owner=True) == "unknown"
    assert accounts.set_role(key("bob"), SITE, None, keep_owner=False) == "done"
    assert accounts.members(SITE) == {}


def login(name: str, kind: str = "browser", at: int = AT) -> LoginRow:
    return LoginRow(key(name), kind, digest(name), "agent", at, at)  # type: ignore[arg-type]


def test_a_login_comes_with_its_user(store: SqlStore, accounts: AccountTable) -> None:
    logins = LoginTable(store.database)
    accounts.set_role(key("ada"), SITE, "owner", keep_owner=False)
    accounts.set_role(key("ada"), OTHER_SITE, "viewer", keep_owner=False)
    assert logins.add(login("one"), key("ada"), password_hash="hash")
    found = logins.find(key("one"))
    assert found is not None
    assert found[0] == login("one")
    assert found[1] == accounts.get(key("ada"))
    assert found[1].seen_at == AT
    assert logins.find(key("two")) is None


def test_no_login_with_a_password_that_was_changed_meanwhile(store: SqlStore, accounts: AccountTable) -> None:
    logins = LoginTable(store.database)
    accounts.set_password(key("ada"), "new", AT)
    assert not logins.add(login("one"), key("ada"), password_hash="hash")
    assert logins.add(login("two"), key("ada"), password_hash=None)
    assert not logins.add(login("three"), key("nobody"))
    accounts.add(user("bob"), AT)
    change(accounts, "bob", disabled=True)
    assert not logins.add(login("four"), key("bob"))


def test_a_new_password_ends_all_but_the_browser_that_chose_it(store: SqlStore, accounts: AccountTable) -> None:
    logins, invitations = LoginTable(store.database), InvitationTable(store.database)
    for name, kind in (("mine", "browser"), ("other", "browser"), ("tokens", "tokens")):
        logins.add(login(name, kind), key("ada"))
    invitations.add(digest("link"), key("ada"), AT, AT + 1000, most=1)
    accounts.set_password(key("ada"), "new", AT + 1, keep_login=key("mine"))
    assert [row.id for row in logins.of_user(key("ada"), 0)] == [key("mine")]
    assert invitations.find(digest("link"), AT) is None
    accounts.set_password(key("ada"), "newer", AT + 2, keep_login=key("tokens"))
    assert logins.of_user(key("ada"), 0) == []


def test_a_user_goes_with_everything(store: SqlStore, accounts: AccountTable) -> None:
    accounts.add(user("bob", email="b@example.com"), AT)
    accounts.set_role(key("bob"), SITE, "owner", keep_owner=False)
    LoginTable(store.database).add(login("one"), key("bob"))
    InvitationTable(store.database).add(digest("link"), key("bob"), AT, AT + 1000, most=1)
    factors = SecondFactorTable(store.database)
    factors.begin(key("bob"), b"secret")
    factors.confirm(key("bob"), b"secret", 1, [digest("code")], AT)
    assert accounts.remove(key("bob")) == "done"
    for table in ("user_names", "site_users", "logins", "recovery_codes", "invitations"):
        rows = store.execute(f"select * from {table}")
        assert [row for row in rows if key("bob") in row] == [], table


def test_a_refresh_token_is_used_up_by_one_of_many(lasting_store: SqlStore) -> None:
    accounts, logins = AccountTable(lasting_store.database), LoginTable(lasting_store.database)
    accounts.add(user("ada", is_admin=True), AT)
    logins.add(login("one", "tokens"), key("ada"))
    works = [partial(logins.rotate, key("one"), digest("one"), digest(f"new{n}"), AT) for n in range(4)]
    assert sum(map(bool, at_once(*works))) <= 1
    assert logins.find(key("one")) is None, "an old token was used"


def test_a_login_ends_for_its_owner_only(store: SqlStore, accounts: AccountTable) -> None:
    logins = LoginTable(store.database)
    logins.add(login("one"), key("ada"))
    logins.add(login("two", at=AT + 5), key("ada"))
    assert not logins.end(key("one"), key("bob"))
    assert [row.id for row in logins.of_user(key("ada"), AT)] == [key("two"), key("one")]
    assert [row.id for row in logins.of_user(key("ada"), AT + 1)] == [key("two")]
    assert logins.end(key("one"), key("ada"))
    assert not logins.end(key("one"), key("ada"))
    logins.end_all(key("ada"))
    assert logins.of_user(key("ada"), 0) == []


def test_idle_logins_are_purged_in_steps(store: SqlStore, accounts: AccountTable) -> None:
    logins = LoginTable(store.database)
    for number in range(5):
        logins.add(login(f"old{number}", at=AT), key("ada"))
    logins.add(login("new", at=AT), key("ada"))
    logins.touch(key("new"), AT + 100)
    logins.touch(key("new"), AT + 50)
    assert [logins.purge(AT + 100, 3) for _ in range(3)] == [3, 2, 0]
    assert [row.used_at for row in logins.of_user(key("ada"), 0)] == [AT + 100]


def test_an_invitation_works_once_and_for_its_user(store: SqlStore, accounts: AccountTable) -> None:
    invitations = InvitationTable(store.database)
    accounts.add(user("bob", password_hash=""), AT)
    invitations.add(digest("old"), key("bob"), AT, AT + 10, most=1)
    invitations.add(digest("link"), key("bob"), AT + 1, AT + 10, most=1)
    assert invitations.find(digest("old"), AT) is None
    assert invitations.find(digest("link"), AT + 9) == key("bob")
    assert invitations.find(digest("link"), AT + 10) is None
    assert invitations.take(digest("link"), "chosen", AT + 10) is None
    assert invitations.take(digest("link"), "chosen", AT + 5) == key("bob")
    assert invitations.take(digest("link"), "again", AT + 5) is None
    found = accounts.get(key("bob"))
    assert found is not None
    assert (found.password_hash, found.password_at) == ("chosen", AT + 5)
    assert invitations.set_up(digest("link"), user("eve", is_admin=True), AT) == "not_first"


def test_an_invitation_is_accepted_by_one_of_many(lasting_store: SqlStore) -> None:
    accounts, invitations = AccountTable(lasting_store.database), InvitationTable(lasting_store.database)
    accounts.add(user("ada", is_admin=True), AT)
    invitations.add(digest("link"), key("ada"), AT, AT + 10, most=1)
    done = at_once(*(partial(invitations.take, digest("link"), f"hash{n}", AT) for n in range(4)))
    assert [each for each in done if each] == [key("ada")]


def test_a_set_up_link_is_for_nothing_else(store: SqlStore) -> None:
    invitations = InvitationTable(store.database)
    for number in range(4):
        invitations.add(digest(f"link{number}"), NOBODY, AT + number, AT + 10, most=3)
    assert [invitations.find(digest(f"link{number}"), AT) for number in range(4)] == [None, NOBODY, NOBODY, NOBODY]
    assert invitations.take(digest("link3"), "hash", AT) is None
    assert invitations.set_up(digest("link0"), user("ada", is_admin=True), AT) == "unknown"
    assert invitations.set_up(digest("link3"), user("ada", is_admin=True), AT) == "done"
    assert invitations.find(digest("link2"), AT) is None
    invitations.purge(AT)


def test_buckets_are_taken_from_together(store: SqlStore) -> None:
    throttle = ThrottleTable(store.database)
    one, two = Bucket(key("one"), 10, 20), Bucket(key("two"), 100, 100)
    assert [throttle.take([one, two], AT) for _ in range(4)] == [0, 0, 100, 100]
    assert throttle.take([one], AT) == 0, "a refused attempt took something"
    assert throttle.take([one], AT) == 10
    assert throttle.take([one], AT + 10) == 0
    throttle.reset(two.id, one.id, one.interval)
    assert [throttle.take([one], AT + 10) for _ in range(2)] == [0, 10], "one attempt is given back"
    assert [throttle.take([two], AT) for _ in range(3)] == [0, 0, 100], "all are forgotten"
    throttle.reset(key("none"), key("no other"), 10)
    throttle.reset(two.id, one.id, 40)
    assert throttle.take([one, two], AT) == 0
    throttle.purge(AT + 99)
    assert [throttle.take([two], AT), throttle.take([two], AT)] == [0, 100]


def test_a_second_factor_is_begun_confirmed_and_used(store: SqlStore, accounts: AccountTable) -> None:
    factors = SecondFactorTable(store.database)
    me = key("ada")
    assert factors.get(me) is None
    assert not factors.use(me, 5)
    assert factors.begin(me, b"first")
    assert factors.begin(me, b"second")
    assert not factors.confirm(me, b"first", 5, [], AT)
    assert factors.confirm(me, b"second", 5, [digest("x"), digest("y")], AT)
    assert not factors.begin(me, b"third")
    assert [factors.use(me, step) for step in (4, 5, 6, 6)] == [False, False, True, False]
    assert [factors.use_code(me, digest("x")) for _ in range(2)] == [True, False]
    assert factors.codes_left(me) == 1
    assert factors.remove(me)
    assert not factors.remove(me)
    assert (factors.get(me), factors.codes_left(me)) == (None, 0)


def test_a_code_works_once_at_once(lasting_store: SqlStore) -> None:
    AccountTable(lasting_store.database).add(user("ada", is_admin=True), AT)
    factors = SecondFactorTable(lasting_store.database)
    me = key("ada")
    factors.begin(me, b"secret")
    factors.confirm(me, b"secret", 1, [digest("x")], AT)
    assert sum(map(bool, at_once(*(partial(factors.use, me, 2) for _ in range(4))))) == 1
    assert sum(map(bool, at_once(*(partial(factors.use_code, me, digest("x")) for _ in range(4))))) == 1


def test_the_turn_is_no_place_to_add_the_same_id_twice(accounts: AccountTable) -> None:
    with pytest.raises(DuplicateKey):
        accounts.add(user("bob")._replace(id=key("ada")), AT)
    assert accounts.by_name(digest("bob")) is None
