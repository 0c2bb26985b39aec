"""The first account of a server: only with its link, once, wherever somebody asks from."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.web.conftest import LOCAL, REMOTE, Site
from tests.web.people import (
    ADA,
    PASSWORD,
    code_of,
    cookies_of,
    knows_accounts,
    post,
    said,
)
from visitor_tracker.access.accounts import Accounts
from visitor_tracker.access.invitations import Invitations
from visitor_tracker.access.keeper import Keeper
from visitor_tracker.http.message import Peer
from visitor_tracker.metrics import Metrics


@pytest.mark.parametrize("peer", [LOCAL, REMOTE])
def test_the_first_account_takes_a_link_wherever_one_is(site: Site, peer: Peer) -> None:
    assert said(site.ask("/api/v1/setup", peer=peer)) == {"open": True, "password_least": 10}
    refused = post(site, "/api/v1/setup", ADA, peer=peer)
    assert code_of(refused) == (403, "link_needed")
    assert "visitor-tracker user setup-link" in said(refused)["error"]["hint"]
    assert code_of(post(site, "/api/v1/setup", ADA | {"token": "x"}, peer=peer)) == (404, "unknown_link")
    asked = ADA | {"email": "ada@example.com", "token": Invitations(site.app.store).for_set_up()}
    made = post(site, "/api/v1/setup", asked, peer=peer)
    assert made.status == 201
    assert cookies_of(made) == {"vt_session": "Max-Age=34560000; Path=/; HttpOnly; SameSite=Lax"}
    assert said(site.ask("/api/v1/setup", peer=peer)) == {"open": False, "password_least": 10}
    knows_accounts(site)
    assert code_of(post(site, "/api/v1/setup", asked | {"username": "eve"}, peer=peer)) == (403, "set_up")
    [account] = Accounts(site.app.store).all()
    assert (account.username, account.email, account.is_admin) == ("ada", "ada@example.com", True)


@pytest.mark.parametrize("change", [{"username": "a b"}, {"email": "none"}, {"password": "short"}, {"unknown": 1}])
def test_a_refused_set_up_leaves_the_link_good(site: Site, change: dict[str, object]) -> None:
    token = Invitations(site.app.store).for_set_up()
    assert post(site, "/api/v1/setup", ADA | change | {"token": token}, peer=REMOTE).status == 400
    assert post(site, "/api/v1/setup", ADA | {"token": token}, peer=REMOTE).status == 201


def test_of_set_ups_at_once_one_succeeds(site: Site) -> None:
    tokens = [Invitations(site.app.store).for_set_up() for _ in range(2)]
    start = threading.Barrier(4)

    def run(number: int) -> int:
        start.wait()
        asked = ADA | {"username": f"user{number}", "token": tokens[number % 2]}
        return post(site, "/api/v1/setup", asked, peer=REMOTE).status

    with ThreadPoolExecutor(4) as pool:
        statuses = sorted(pool.map(run, range(4)))
    assert statuses[0] == 201
    assert set(statuses[1:]) <= {403, 404, 409}
    assert len(Accounts(site.app.store).all()) == 1


def test_the_keeper_tells_all_processes_that_there_are_accounts(site: Site) -> None:
    config = site.app.config
    keeper = Keeper(site.app.store, config, Metrics().counters())
    assert site.ask("/api/v1/me").status == 200, "the machine itself, before any account"
    post(site, "/api/v1/setup", ADA | {"token": Invitations(site.app.store).for_set_up()})
    keeper.step(1_790_000_000_000)
    site.app.snapshot.refresh()
    assert code_of(site.ask("/api/v1/me")) == (401, "login_needed")
    token = site.shared.keys.reads.hex()
    assert site.ask("/api/v1/me", headers={"authorization": f"Bearer {token}"}).status == 401


def test_the_first_account_at_the_users_route_is_an_admins_too(site: Site) -> None:
    asked = {"username": "bob", "password": PASSWORD}
    assert code_of(post(site, "/api/v1/users", asked, headers=site.admin)) == (409, "first_admin")
    assert post(site, "/api/v1/users", asked | {"is_admin": True}, headers=site.admin).status == 201
