"""Share links: made by owners, opened by anybody, and good for numbers only."""

import json
import re

import msgspec
import pytest

from tests.web.conftest import REMOTE, Build, Site, header
from visitor_tracker.access.accounts import Accounts
from visitor_tracker.access.logins import Logins
from visitor_tracker.http.message import Peer, Request, Response

HOST = {"host": "stats.example.com"}
LINKS = "/api/v1/sites/default/shares"
PASSWORD = "correct horse"


def made(site: Site, **asked: str) -> dict[str, str]:
    answer = site.ask(LINKS, method="POST", body=msgspec.json.encode(asked), headers=site.admin)
    assert answer.status == 201, answer.body
    found = json.loads(answer.body)
    assert isinstance(found, dict)
    return found


def opened(site: Site, token: str, **more: str) -> Response:
    return site.ask(f"/share/{token}", peer=REMOTE, headers=HOST | more)


def entered(site: Site, token: str, password: str, peer: Peer = REMOTE) -> Response:
    form = {"content-type": "application/x-www-form-urlencoded"}
    return site.ask(
        f"/share/{token}",
        method="POST",
        body=f"password={password.replace(' ', '+')}".encode(),
        peer=peer,
        headers=HOST | form,
    )


def cookie_of(response: Response) -> str:
    return header(response, "set-cookie").partition(";")[0]


def read(site: Site, target: str = "/stats?site=default", **headers: str) -> int:
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    return site.ask(target, peer=REMOTE, headers=HOST | names).status


def test_a_link_is_shown_once_and_only_its_digest_is_kept(site: Site) -> None:
    link = made(site, name="Für Ada", password=PASSWORD, expires_in="30d")
    token, url = link.pop("token"), link.pop("url")
    assert link.pop("embed_url") == ""
    assert re.fullmatch("[A-Za-z0-9_-]{43}", token)
    assert url == f"http://localhost:8000/share/{token}"
    assert json.loads(site.ask(LINKS, headers=site.admin).body) == {"shares": [link]}
    assert (link["site"], link["name"], bool(link["has_password"])) == ("default", "Für Ada", True)
    stored = str(site.app.store.execute("select * from share_links")) + str(
        site.app.store.execute("select * from audit")
    )
    assert token not in stored
    assert PASSWORD not in stored
    assert "$argon2id$" in stored


def test_an_open_link_shows_numbers_and_nothing_else(site: Site) -> None:
    answer = opened(site, made(site)["token"])
    assert (answer.status, header(answer, "location")) == (303, "/dashboard/default")
    assert re.fullmatch(
        r"vt_share=[\w-]{43}; Max-Age=34560000; Path=/; HttpOnly; SameSite=Lax", header(answer, "set-cookie")
    )
    cookie = cookie_of(answer)
    assert read(site, cookie=cookie) == 200
    for target in (LINKS, "/sessions/x", "/debug/auth-status/default", "/metrics"):
        assert read(site, target, cookie=cookie) in (403, 404), target
    assert read(site) == 401


def test_a_link_is_for_one_site(site: Site) -> None:
    event = {"type": "pageview", "site": "shop", "url": "https://s.example/"}
    assert site.ask("/api/v1/events", method="POST", body=msgspec.json.encode(event)).status == 202
    token = made(site)["token"]
    assert read(site, "/stats?site=shop", x_share_token=token) == 404
    assert read(site, "/stats?site=default", x_share_token=token) == 200


def test_over_tls_the_cookie_is_secure(site: Site) -> None:
    token = made(site)["token"]
    answer = site.ask(f"/share/{token}", peer=Peer("192.0.2.7", secure=True), headers=HOST)
    assert header(answer, "set-cookie").endswith("; Secure")


def test_a_password_is_asked_for(site: Site) -> None:
    token = made(site, password=PASSWORD)["token"]
    page = opened(site, token)
    assert (page.status, header(page, "set-cookie")) == (200, "")
    assert "form-action 'self'" in header(page, "content-security-policy")
    assert b'<form method="post">' in page.body
    assert read(site, x_share_token=token) == 401
    assert read(site, cookie=f"vt_share={token}") == 401
    wrong = entered(site, token, "wrong horse")
    assert (wrong.status, header(wrong, "set-cookie"), b"not the password" in wrong.body) == (401, "", True)
    right = entered(site, token, PASSWORD)
    assert (right.status, header(right, "location")) == (303, "/dashboard/default")
    assert read(site, cookie=cookie_of(right)) == 200
    other = made(site, password=PASSWORD)["token"]
    proof = cookie_of(right).partition(".")[2]
    assert read(site, x_share_token=f"{other}.{proof}") == 401, "a proof is good for its link"
    assert read(site, x_share_token=f"{token}.{proof[:-1]}") == 401


def test_programs_open_links_with_a_password_too(site: Site) -> None:
    token = made(site, password=PASSWORD)["token"]
    json_type = HOST | {"content-type": "application/json"}
    for password, status in (("wrong horse", 401), (PASSWORD, 200)):
        body = msgspec.json.encode({"password": password})
        answer = site.ask(f"/share/{token}", method="POST", body=body, peer=REMOTE, headers=json_type)
        assert answer.status == status
    found = json.loads(answer.body)
    assert found["site"] == "default"
    assert read(site, x_share_token=found["token"]) == 200


def test_guessing_is_slowed_down(site: Site) -> None:
    token = made(site, password=PASSWORD)["token"]
    site.app.store.execute("update share_links set password = 'x'")  # so that no hash is made: each takes its time
    answers = [entered(site, token, f"guess {number}", Peer(f"192.0.2.{number}")) for number in range(11)]
    assert [answer.status for answer in answers] == [401] * 10 + [429]
    assert int(header(answers[-1], "retry-after")) >= 1


def test_what_is_revoked_or_over_opens_nothing(site: Site) -> None:
    link, other = made(site), made(site, expires_in="1h")
    cookie = cookie_of(opened(site, link["token"]))
    assert site.ask(f"{LINKS}/{link['id']}", method="DELETE", headers=site.admin).status == 204
    assert site.ask(f"{LINKS}/{link['id']}", method="DELETE", headers=site.admin).status == 404
    site.app.store.execute("update share_links set expires_at = 1")
    for token in (link["token"], other["token"], "x" * 43, "x", "%00", "..", "é"):
        page = opened(site, token)
        assert (page.status, b"revoked, it has expired" in page.body) == (404, True), token
        assert entered(site, token, PASSWORD).status == 404
    assert read(site, cookie=cookie) == 401
    refused = site.ask("/stats", peer=REMOTE, headers=HOST | {"x-share-token": link["token"]})
    assert (refused.status, json.loads(refused.body)["error"]["code"]) == (401, "unknown_link")


def test_what_is_no_link_is_refused(site: Site) -> None:
    for asked in ({"name": "x" * 101}, {"name": "a\u202eb"}, {"password": "short"}, {"expires_in": "x"}, {"more": 1}):
        assert site.ask(LINKS, method="POST", body=msgspec.json.encode(asked), headers=site.admin).status == 400, asked
    assert json.loads(site.ask(LINKS, headers=site.admin).body) == {"shares": []}
    assert site.ask("/api/v1/sites/nowhere/shares", headers=site.admin).status == 404


@pytest.mark.parametrize("headers", [{"sec-fetch-site": "cross-site", "sec-fetch-mode": "cors"}])
def test_pages_elsewhere_read_nothing_with_an_opened_link(site: Site, headers: dict[str, str]) -> None:
    cookie = cookie_of(opened(site, made(site)["token"]))
    assert site.ask("/stats", peer=REMOTE, headers=HOST | headers | {"cookie": cookie}).status == 403


def test_of_two_links_the_one_that_opens_something_counts(site: Site) -> None:
    cookie = cookie_of(opened(site, made(site)["token"]))
    assert read(site, cookie=f"vt_share={'x' * 43}; a=b; {cookie}") == 200


def test_a_link_shows_its_numbers_to_somebody_else_s_log_in_too(site: Site) -> None:
    link = made(site)
    Accounts(site.app.store).create("root", is_admin=True, password_hash="x")
    account = Accounts(site.app.store).create("bob")
    started = Logins(site.app.store, site.app.shared.keys.token, site.app.config.auth).start(
        account, Request("POST", "/", "", {}, b"", True, REMOTE), secure=False
    )
    login = dict(started.headers)["Set-Cookie"].partition(";")[0]
    assert read(site, cookie=login) in (403, 404)
    both = f"{login}; {cookie_of(opened(site, link['token'], cookie=login))}"
    numbers, visits = "/api/v1/sites/default", "/api/v1/sites/default/visits"
    assert [read(site, path, cookie=both) for path in (numbers, "/stats", visits)] == [200, 200, 403]
    assert json.loads(site.ask("/api/v1/me", peer=REMOTE, headers=HOST | {"cookie": both}).body)["username"] == "bob"
    site.ask(f"{LINKS}/{link['id']}", method="DELETE", headers=site.admin)
    assert read(site, numbers, cookie=both) in (403, 404)


def test_before_the_first_account_a_link_hides_nothing_from_the_own_machine(site: Site) -> None:
    cookie = cookie_of(site.ask(f"/share/{made(site)['token']}"))
    answer = site.ask("/api/v1/sites/default/visits", headers={"cookie": cookie})
    assert (answer.status, site.ask("/api/v1/checks", headers={"cookie": cookie}).status) == (200, 200)


def test_making_and_revoking_is_in_the_audit_log(build: Build) -> None:
    site = build()
    link = made(site, name="Ada")
    site.ask(f"{LINKS}/{link['id']}", method="DELETE", headers=site.admin)
    rows = site.app.store.execute("select name, action, site_id, target from audit order by id")
    assert [tuple(row) for row in rows[1:]] == [
        ("operator", f"share.{done}", 1, "Ada") for done in ("added", "revoked")
    ]
