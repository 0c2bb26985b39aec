"""Logging in and out: proofs, forgeries, other web sites, guesses."""

from collections.abc import Callable

import pytest

from tests.web.conftest import REMOTE, Build, Site, header, header_of
from tests.web.people import (
    ADA,
    PASSWORD,
    Browser,
    Program,
    add,
    code_of,
    cookies_of,
    knows_accounts,
    post,
    program,
    said,
    set_up,
    with_second_factor,
)
from visitor_tracker.access.invitations import Invitations
from visitor_tracker.config import ServerConfig
from visitor_tracker.http.message import Peer
from visitor_tracker.store.audit import AuditTable


def test_a_browser_logs_in_and_out(site: Site) -> None:
    set_up(site)
    browser = Browser(site)
    entered = browser.log_in("ADA")
    assert set(said(entered)) == {"username", "login", "csrf"}
    assert header(entered, "Cache-Control") == "no-store"
    assert set(cookies_of(entered)) == {"vt_session", "vt_device"}
    me = said(browser.get("/api/v1/me"))
    assert (me["kind"], me["username"], me["is_admin"], me["csrf"]) == ("user", "ada", True, browser.csrf)
    assert said(browser.get("/api/v1/login")) == {"set_up": True, "username": "ada", "single_sign_on": ""}
    out = browser.ask("POST", "/api/v1/logout")
    assert out.status == 204
    assert cookies_of(out) == {"vt_session": "Max-Age=0; Path=/; HttpOnly; SameSite=Lax"}
    assert browser.get("/api/v1/me").status == 401
    assert said(browser.get("/api/v1/login"))["username"] == ""
    assert browser.ask("POST", "/api/v1/logout").status == 204


@pytest.mark.parametrize(
    ("peer", "headers", "is_secure"),
    [
        (Peer("192.0.2.7", secure=True), {}, True),
        (Peer("192.0.2.7"), {"x-forwarded-proto": "https"}, False),
        (Peer("10.0.0.1"), {"x-forwarded-proto": "https"}, True),
        (Peer("10.0.0.1"), {"x-forwarded-proto": "http, https"}, True),
        (Peer("10.0.0.1"), {"x-forwarded-proto": "https, http"}, False),
        (Peer("10.0.0.1"), {}, False),
        (Peer("", unix=True), {"x-forwarded-proto": "https"}, True),
        (Peer("192.0.2.7"), {"host": "stats.example.com"}, True),
        (Peer("192.0.2.7"), {"host": "STATS.example.com:443"}, True),
        (Peer("192.0.2.7"), {"host": "stats.example.com:8000"}, False),
    ],
)
def test_cookies_are_for_https_where_the_client_has_it(
    build: Build, peer: Peer, headers: dict[str, str], is_secure: bool
) -> None:
    data_dir = str(build().app.config.data_dir)
    server = ServerConfig(data_dir=data_dir, public_url="https://Stats.example.com/")
    site = build(server=server, trusted_proxies=("10.0.0.0/8",))
    set_up(site)
    entered = post(site, "/api/v1/login", ADA, peer=peer, headers=headers)
    assert {text.endswith("; Secure") for text in cookies_of(entered).values()} == {is_secure}
    name = "__Host-vt_session" if is_secure else "vt_session"
    assert set(cookies_of(entered)) == {name, "vt_device"}
    text = dict(value.partition(";")[0].split("=", 1) for key, value in entered.headers if key == "Set-Cookie")[name]

    def me(cookie: str) -> int:
        return site.ask("/api/v1/me", peer=peer, headers=headers | {"cookie": f"{cookie}={text}"}).status

    assert me("__Host-vt_session") == 200
    assert me("vt_session") == (401 if is_secure else 200), "over https another host may have set it"


def test_a_program_gets_tokens(site: Site) -> None:
    admin = set_up(site)
    tokens = program(admin, "ada").tokens
    assert set(tokens) == {"username", "login", "access_token", "refresh_token", "token_type", "expires_in"}
    assert (tokens["token_type"], tokens["expires_in"]) == ("Bearer", 900)
    newer = said(post(site, "/api/v1/refresh", {"refresh_token": tokens["refresh_token"]}, peer=REMOTE))
    assert Program(site, newer).ask("GET", "/api/v1/me").status == 200
    assert Program(site, tokens).ask("GET", "/api/v1/me").status == 200, "the first one is good for its minutes"
    again = post(site, "/api/v1/refresh", {"refresh_token": tokens["refresh_token"]}, peer=REMOTE)
    assert code_of(again) == (401, "invalid_token")
    assert code_of(Program(site, newer).ask("GET", "/api/v1/me")) == (401, "invalid_token")


def test_a_program_needs_no_token_against_forgery_but_a_browser_does(site: Site) -> None:
    admin = set_up(site)
    assert program(admin, "ada").ask("PATCH", "/api/v1/me", {"email": "a@example.com"}).status == 200
    csrf, admin.csrf = admin.csrf, ""
    assert code_of(admin.ask("PATCH", "/api/v1/me", {"email": "b@example.com"})) == (403, "csrf")
    admin.csrf = "x" * 32
    assert code_of(admin.ask("POST", "/api/v1/logout")) == (403, "csrf")
    admin.csrf = csrf
    for headers in ({"origin": "https://evil.example"}, {"sec-fetch-site": "cross-site"}):
        refused = admin.ask("PATCH", "/api/v1/me", {"email": "b@example.com"}, headers)
        assert code_of(refused) == (403, "other_site")
    assert said(admin.get("/api/v1/me"))["email"] == "a@example.com"


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/api/v1/login", ADA),
        ("/auth/login", {"email": "ada", "password": PASSWORD}),
        ("/api/v1/setup", ADA),
        ("/auth/signup", {"email": "ada", "password": PASSWORD}),
        ("/api/v1/invitation", {"token": "x"}),
        ("/api/v1/logout", {}),
        ("/api/v1/logout", {"refresh_token": "x"}),
    ],
)
@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "https://evil.example"},
        {"origin": "https://[localhost"},
        {"origin": "null"},
        {"sec-fetch-site": "cross-site"},
    ],
)
def test_no_other_web_site_logs_somebody_in_or_out(
    site: Site, path: str, body: dict[str, object], headers: dict[str, str]
) -> None:
    answer = post(site, path, body, headers=headers)
    assert code_of(answer) == (403, "other_site")
    assert header_of(answer.headers, "Access-Control-Allow-Origin") == ""


def test_wrong_proofs_are_all_alike(site: Site) -> None:
    admin = set_up(site)
    add(admin, "bob")
    admin.ask("PATCH", "/api/v1/users/bob", {"disabled": True})
    admin.ask("POST", "/api/v1/users", {"username": "carol"})
    bodies = {
        post(site, "/api/v1/login", {"username": name, "password": password}, peer=REMOTE).body
        for name, password in (
            ("ada", "wrong"),
            ("nobody", PASSWORD),
            ("bob", PASSWORD),
            ("carol", ""),
            ("carol", PASSWORD),
            ("a\x00b", PASSWORD),
            ("ada", ""),
        )
    }
    assert len(bodies) == 1
    assert b"login_failed" in bodies.pop()


def test_what_is_no_login_is_told_so(site: Site) -> None:
    for body in (
        b"",
        b"{}",
        b"[]",
        b"nonsense",
        b'{"username": 1, "password": "x"}',
        b'{"username": "a", "password": null}',
        b'{"username": "a", "password": "\\ud800"}',
        b'{"username": "a", "password": "%s"}' % (b"x" * 1025),
    ):
        answer = site.ask("/api/v1/login", method="POST", body=body)
        assert code_of(answer) == (400, "invalid_body"), body


def test_known_and_unknown_users_cost_as_many_hashes(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    from argon2 import PasswordHasher

    set_up(site)
    done: list[str] = []

    def watch(name: str, real: Callable[..., object]) -> Callable[..., object]:
        def call(*given: object) -> object:
            done.append(name)
            return real(*given)

        return call

    for name in ("hash", "verify"):
        monkeypatch.setattr(PasswordHasher, name, watch(name, getattr(PasswordHasher, name)))
    for username in ("ada", "nobody"):
        assert post(site, "/api/v1/login", {"username": username, "password": "wrong"}, peer=REMOTE).status == 401
    assert done == ["verify", "verify"]


def test_guesses_are_slowed_down_but_nobody_is_locked_out(site: Site) -> None:
    admin = set_up(site)
    guesses = [
        post(site, "/api/v1/login", ADA | {"password": "wrong"}, peer=Peer(f"198.51.100.{n}")) for n in range(11)
    ]
    assert [guess.status for guess in guesses] == [401] * 10 + [429]
    assert int(header(guesses[-1], "Retry-After")) in range(1, 61)
    right = post(site, "/api/v1/login", ADA, peer=Peer("198.51.100.99"))
    assert code_of(right) == (429, "too_many_attempts")
    assert admin.log_in("ada").status == 200, "this browser was there before"


def test_the_address_is_what_a_trusted_proxy_says(build: Build) -> None:
    site = build(trusted_proxies=("10.0.0.0/8",))
    set_up(site)

    def guess(name: str, address: str, peer: str) -> int:
        headers = {"x-forwarded-for": address}
        body = {"username": name, "password": "wrong"}
        return post(site, "/api/v1/login", body, peer=Peer(peer), headers=headers).status

    assert [guess(f"a{n}", "198.51.100.1", "10.0.0.1") for n in range(11)] == [401] * 10 + [429]
    assert guess("b", "198.51.100.2", "10.0.0.1") == 401
    assert [guess(f"c{n}", f"198.51.100.{n}", "192.0.2.9") for n in range(11)] == [401] * 10 + [429]


def test_success_resets_the_count_of_the_account(site: Site) -> None:
    set_up(site)
    for number in range(2):
        browser = Browser(site, Peer(f"198.51.100.{number}"))
        assert [browser.log_in("ada", "wrong").status for _ in range(9)] == [401] * 9
        assert browser.log_in("ada").status == 200


def test_a_second_factor_is_needed_where_it_is_on(site: Site) -> None:
    admin = set_up(site)
    _, codes = with_second_factor(admin)
    other = Browser(site)
    assert code_of(other.log_in("ada")) == (401, "second_factor_needed")
    assert code_of(other.log_in("ada", "wrong", code=codes[0])) == (401, "login_failed")
    assert code_of(other.log_in("ada", code="nonsense")) == (401, "wrong_code")
    assert other.log_in("ada", code=codes[0]).status == 200
    assert code_of(other.log_in("ada", code=codes[0])) == (401, "wrong_code")
    assert said(other.get("/api/v1/me"))["recovery_codes_left"] == 9
    assert [code_of(Browser(site).log_in("ada", code=f"{n:06}")) for n in range(12)][-1] == (429, "too_many_attempts")


FORGED = ["eyJhbGciOiJub25lIn0.e30.", "eyJ..", "eyJhbGciOiJIUzI1NiJ9.e30.AAAA"]


@pytest.mark.parametrize("token", FORGED)
def test_a_forged_token_is_401_before_and_after_set_up(site: Site, token: str) -> None:
    headers = {"authorization": f"Bearer {token}"}
    assert code_of(site.ask("/api/v1/me", headers=headers)) == (401, "invalid_token")
    set_up(site)
    for path in ("/api/v1/me", "/auth/me", "/api/v1/users"):
        answer = site.ask(path, headers=headers)
        assert code_of(answer) == (401, "invalid_token")
        assert header(answer, "WWW-Authenticate") == 'Bearer realm="visitor-tracker"'


def test_a_token_counts_before_a_cookie_of_somebody_else(site: Site) -> None:
    admin = set_up(site)
    bob = program(add(admin, "bob"), "bob")
    answer = admin.ask("GET", "/api/v1/me", headers={"authorization": f"Bearer {bob.tokens['access_token']}"})
    assert said(answer)["username"] == "bob"


def test_log_ins_are_noted(site: Site) -> None:
    set_up(site)
    program(Browser(site), "ada")
    rows = AuditTable(site.app.store.database).latest(10)
    assert [(row.action, row.name, row.target) for row in rows] == [
        ("login.started", "ada", "ada"),
        ("login.started", "ada", "ada"),
        ("login.started", "ada", "ada"),
        ("user.added", "ada", "ada"),
    ]


def test_log_ins_that_fail_are_noted_without_what_was_typed_as_a_password(site: Site) -> None:
    admin = set_up(site)
    _, codes = with_second_factor(admin)
    add(admin, "bob")
    admin.ask("PATCH", "/api/v1/users/bob", {"disabled": True})
    for username, password, code in (
        ("ADA", "my secret", ""),
        ("ada", PASSWORD, "000000"),
        ("bob", PASSWORD, ""),
        ("x\u202e\n" * 80, "my secret", ""),
        ("ada", PASSWORD, ""),  # is asked for the code, and has not failed yet
    ):
        assert Browser(site).log_in(username, password, code=code).status == 401
    Browser(site).log_in("ada", code=codes[0])
    rows = [row for row in AuditTable(site.app.store.database).latest(20) if row.action.startswith("login.")][:5]
    assert [(row.action, row.who, row.target, row.detail) for row in rows] == [
        ("login.started", rows[0].who, "ada", '{"kind":"browser"}'),
        ("login.failed", "nobody:", "x" * 64, '{"cause":"username"}'),
        ("login.failed", "nobody:", "bob", '{"cause":"disabled"}'),
        ("login.failed", "nobody:", "ada", '{"cause":"code"}'),
        ("login.failed", "nobody:", "ada", '{"cause":"password"}'),
    ]
    assert "secret" not in str(site.app.store.execute("select * from audit"))
    for number in range(30):
        Browser(site).log_in(f"guess{number}", "wrong")
    [(failed,)] = site.app.store.execute("select count(*) from audit where action = 'login.failed'")
    assert failed <= 10, "as many as the throttle lets through"


# Clients of an earlier server.


def test_old_clients_sign_up_log_in_and_out(site: Site) -> None:
    asked = {"email": "ada@example.com", "password": PASSWORD, "name": "Ada"}
    assert code_of(post(site, "/auth/signup", asked)) == (403, "link_needed")
    made = post(site, "/auth/signup", asked | {"token": Invitations(site.app.store).for_set_up()})
    assert made.status == 201
    login = said(made)
    assert set(login) == {"access_token", "refresh_token", "expires_in", "user", "token_type"}
    assert (login["token_type"], login["user"]["email"]) == ("bearer", "ada@example.com")
    knows_accounts(site)
    closed = post(site, "/auth/signup", {"email": "eve@example.com", "password": PASSWORD})
    assert code_of(closed) == (403, "set_up")
    assert "admin" in said(closed)["error"]["hint"]
    login = said(post(site, "/auth/login", {"email": "ADA@example.com", "password": PASSWORD}, peer=REMOTE))
    me = Program(site, login).ask("GET", "/auth/me")
    assert said(me) == login["user"]
    newer = said(post(site, "/auth/refresh", {"refresh_token": login["refresh_token"]}, peer=REMOTE))
    assert newer["user"] == login["user"]
    assert said(Program(site, newer).ask("POST", "/auth/logout"))["message"]
    assert Program(site, newer).ask("GET", "/auth/me").status == 401
    assert code_of(Program(site, newer).ask("POST", "/auth/logout")) == (401, "invalid_token")
    assert code_of(post(site, "/auth/login", {"password": PASSWORD})) == (400, "invalid_body")


def test_pages_send_who_must_log_in_to_the_login_page_and_back(site: Site) -> None:
    set_up(site)
    answer = site.ask("/replay?site=a%26b", peer=REMOTE)
    assert (answer.status, header(answer, "Location")) == (303, "/login?next=/replay%3Fsite%3Da%2526b")
    for path in ("/login", "/setup"):
        page = site.ask(path, peer=REMOTE)
        assert page.status == 200
        policy = header(page, "Content-Security-Policy")
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert b"http" not in page.body
        assert b"<script>" not in page.body
