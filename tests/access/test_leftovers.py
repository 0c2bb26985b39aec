"""What log-ins leave behind goes."""

import time

from visitor_tracker.access.accounts import Accounts
from visitor_tracker.access.invitations import Invitations
from visitor_tracker.access.leftovers import purge_logins
from visitor_tracker.access.logins import Logins
from visitor_tracker.access.throttle import Throttle
from visitor_tracker.config.sections import AuthConfig
from visitor_tracker.http.message import Peer, Request
from visitor_tracker.store import open_store

_DAY_MS = 86_400_000
REQUEST = Request("POST", "/", "", {}, b"", True, Peer("192.0.2.7"))


def test_what_is_old_goes_and_the_rest_stays() -> None:
    store = open_store("sqlite:///:memory:")
    now = time.time_ns() // 1_000_000
    ages = {"old": 31 * _DAY_MS, "new": 1000}
    ada = Accounts(store).create("ada", is_admin=True)
    bob, carol = (Accounts(store).create(name) for name in ("bob", "carol"))
    for age, who in ((ages["old"], bob), (ages["new"], carol)):
        at = now - age
        Logins(store, b"s", AuthConfig(), lambda at=at: at).start(ada, REQUEST, secure=False)  # type: ignore[misc]
        Invitations(store, lambda at=at: at).for_user(who)  # type: ignore[misc]
        Throttle(store, b"s", lambda at=at: at).take("192.0.2.7", who.key)  # type: ignore[misc]
    assert purge_logins(store, 30, lambda: True) == 0
    assert purge_logins(store, 30) == 1
    assert purge_logins(store, 30) == 0
    assert store.execute("select created_at from logins") == [(now - ages["new"],)]
    assert store.execute("select user_id from invitations") == [(carol.key,)]
    assert [full_at > now for (full_at,) in store.execute("select full_at from login_throttle")] == [True, True]
