"""Readers without an account, who must leave threads to all others."""

import json
from contextlib import ExitStack

import pytest

from tests.web.conftest import REMOTE, Build, Site
from visitor_tracker.access.who import NOBODY, Who
from visitor_tracker.config import HttpConfig
from visitor_tracker.web import turns
from visitor_tracker.web.strangers import RETRY_SECONDS

THREADS = 6


@pytest.fixture
def site(build: Build) -> Site:
    return build(http=HttpConfig(threads=THREADS))


def shared(site: Site) -> dict[str, str]:
    made = site.ask("/api/v1/sites/default/shares", method="POST", body=b"{}", peer=REMOTE, headers=site.admin)
    return {"x-share-token": json.loads(made.body)["token"]}


def test_questions_of_strangers_take_half_of_the_threads(site: Site) -> None:
    link, path = shared(site), "/api/v1/sites/default"
    with ExitStack() as places:
        for _ in range(THREADS // 2):
            assert site.ask(path, peer=REMOTE, headers=link).status == 200
            places.enter_context(site.app.guards.strangers.place(NOBODY))
        refused = site.ask(path, peer=REMOTE, headers=link)
        assert (refused.status, json.loads(refused.body)["error"]["code"]) == (503, "busy")
        assert dict(refused.headers)["Retry-After"] == str(RETRY_SECONDS)
        others = [(path, site.admin), ("/login", link), ("/api/v1/setup", link), ("/readyz", link)]
        assert [site.ask(each, peer=REMOTE, headers=headers).status for each, headers in others] == [200] * 4
    assert site.ask(path, peer=REMOTE, headers=link).status == 200


def test_a_place_is_free_again_after_a_question_that_is_refused(site: Site) -> None:
    link = shared(site)
    for _ in range(THREADS):
        assert site.ask("/api/v1/sites/nowhere", peer=REMOTE, headers=link).status == 404
    assert site.ask("/api/v1/sites/default", peer=REMOTE, headers=link).status == 200


def test_who_has_an_account_needs_no_place(site: Site) -> None:
    with ExitStack() as places:
        for _ in range(THREADS):
            places.enter_context(site.app.guards.strangers.place(Who("user")))
        assert site.ask("/api/v1/sites/default", peer=REMOTE, headers=shared(site)).status == 200


def test_nobody_waits_for_the_long_question_of_a_stranger(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turns, "WAIT_SECONDS", 0.0)
    link, path = shared(site), "/api/v1/clicks?site=default"
    with site.app.guards.strangers.place(NOBODY), turns.long_turn():
        assert site.ask(path, peer=REMOTE, headers=site.admin).status == 200
        assert site.ask(path, peer=REMOTE, headers=link).status == 503
    assert site.ask(path, peer=REMOTE, headers=link).status == 200
