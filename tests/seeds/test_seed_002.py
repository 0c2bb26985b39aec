"""Seed 002, "PyUniqVisit": a list of what is wanted, gone through from top to bottom."""

import json
import time
from base64 import urlsafe_b64decode
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import pytest
import requests
import yaml

from tests.running import SECONDS, Server, until
from tests.seeds.conftest import CHROME, FIREFOX, Json, Start, visit
from visitor_tracker.config import load

ADMIN = {"username": "ada", "email": "ada@example.com", "password": "a long and unusual passphrase"}
OWNER = {"username": "bob", "email": "bob@example.com", "password": "another unusual long passphrase"}
READER = {"username": "eve", "email": "", "password": "a third passphrase, longer still"}
HOME, WORK = "203.0.113.42", "198.51.100.10"

Ask = Callable[..., requests.Response]


@pytest.fixture(scope="module")
def server(start: Start, geolite: Path) -> Server:
    """A server with three users and two sites; people are known by a cookie, addresses are shortened."""
    server = start(GEO_DATABASE=str(geolite), IDENTITY_VISITOR="cookie", IDENTITY_IP="truncated")
    server.set_up(**ADMIN)
    return server


def token(server: Server, user: dict[str, str], name: str = "") -> str:
    """Log in as a program and return the access token."""
    body = {"username": name or user["username"], "password": user["password"], "tokens": True}
    answer = server.session.post(f"{server.url}/api/v1/login", json=body, timeout=SECONDS)
    assert answer.status_code == 200, answer.text
    return str(answer.json()["access_token"])


def asking(server: Server, access: str) -> Ask:
    """Return a way to ask with that token, from elsewhere."""
    headers = {"Authorization": f"Bearer {access}", "X-Forwarded-For": HOME}

    def ask(method: str, path: str, **body: object) -> requests.Response:
        return requests.request(method, f"{server.url}{path}", json=body or None, headers=headers, timeout=SECONDS)

    return ask


@pytest.fixture(scope="module")
def admin(server: Server) -> Ask:
    return asking(server, token(server, ADMIN))


@pytest.fixture(scope="module")
def sites(server: Server, admin: Ask) -> None:
    """Two sites; bob owns the one and sees the other, eve sees the one."""
    for name in ("blog", "shop"):
        host = f"{name}.example.com"
        made = admin("POST", "/api/v1/sites", name=name, url=f"https://{host}/", hostnames=[host])
        assert made.status_code == 201, made.text
    # Workers know a new site a second later.
    until(lambda: admin("GET", "/api/v1/stats/days?site=shop").status_code == 200)
    for user, roles in ((OWNER, {"blog": "owner", "shop": "viewer"}), (READER, {"blog": "viewer"})):
        made = admin("POST", "/api/v1/users", **user, roles=roles)
        assert made.status_code == 201, made.text
    until(lambda: len(admin("GET", "/api/v1/sites").json()["sites"]) == 3)


@pytest.fixture(scope="module")
def owner(server: Server, sites: None) -> Ask:
    return asking(server, token(server, OWNER))


@pytest.fixture(scope="module")
def reader(server: Server, sites: None) -> Ask:
    return asking(server, token(server, READER))


@pytest.fixture(scope="module")
def visited(server: Server, sites: None, admin: Ask) -> Server:
    """The blog after one person came twice with Chrome, and another once with Firefox."""

    def taken() -> bool:
        answer = visit(server, "POST", "/api/v1/events", WORK, FIREFOX, json=[view("/")])
        server.session.cookies.clear()
        return bool(answer.json()["accepted"])

    until(taken)
    for path in ("/", "/prices"):
        visit(server, "POST", "/api/v1/events", HOME, CHROME, json=[view(path)])
    server.session.cookies.clear()
    until(lambda: lifetime(admin)["visitors"] == 2 and lifetime(admin)["views"] == 3)
    return server


def view(path: str) -> Json:
    return {"type": "pageview", "site": "blog", "url": f"https://blog.example.com{path}"}


def lifetime(ask: Ask) -> Json:
    found: Json = ask("GET", "/api/v1/stats/lifetime?site=blog").json()["totals"]["metrics"]
    return found


def ids_of_visitors(ask: Ask) -> set[str]:
    return {each["id"] for each in ask("GET", "/api/v1/sites/blog/visitors").json()["visitors"]}


# Entities.


def test_a_visitor_has_a_cookie_a_first_visit_and_visits(visited: Server, admin: Ask) -> None:
    cookie = visit(visited, "POST", "/api/v1/events", HOME, CHROME, json=[view("/")])
    visited.session.cookies.clear()
    assert "vt_visitor=" in cookie.headers["Set-Cookie"]
    found = admin("GET", "/api/v1/sites/blog/visitors").json()["visitors"]
    assert len(found) >= 2
    for each in found:
        assert {"id", "first_visit", "last_visit", "visits"} <= set(each)
        assert each["visits"] >= 1
        datetime.fromisoformat(each["first_visit"])
        assert admin("GET", f"/api/v1/sites/blog/visitors/{each['id']}").json()["id"] == each["id"]


def test_a_visit_says_whose_it_is_and_when(visited: Server, admin: Ask) -> None:
    visits = []
    for each in admin("GET", "/api/v1/sites/blog/visitors").json()["visitors"]:
        of_one = admin("GET", f"/api/v1/sites/blog/visitors/{each['id']}/visits").json()["visits"]
        assert {one["visitor"] for one in of_one} == {each["id"]}
        visits += of_one
    for one in visits:
        assert one["stated_at"] == one["started_at"] <= one["ended_at"]
        assert one["duration_seconds"] >= 0
        assert one["country"] in ("US", "CA")
    assert {one["ip"] for one in visits} <= {"203.0.113.0", "198.51.100.0", ""}
    assert any("Chrome" in one["user_agent"] for one in visits)
    assert not any(whole in json.dumps(visits) for whole in (HOME, WORK))


def test_a_site_has_a_name_that_no_other_has(admin: Ask, sites: None) -> None:
    site = admin("GET", "/api/v1/sites/blog").json()
    assert (site["name"], site["url"], site["admins"]) == ("blog", "https://blog.example.com/", ["bob"])
    assert abs(datetime.fromisoformat(site["created_at"]).timestamp() - time.time()) < 600
    assert admin("POST", "/api/v1/sites", name="blog").status_code == 409


def test_a_user_has_a_name_or_an_address_and_sites(server: Server, admin: Ask, sites: None) -> None:
    users = {user["username"]: user for user in admin("GET", "/api/v1/users").json()["users"]}
    assert (users["ada"]["is_admin"], users["bob"]["is_admin"]) == (True, False)
    assert users["bob"]["roles"] == {"blog": "owner", "shop": "viewer"}
    members = admin("GET", "/api/v1/sites/blog/members").json()["members"]
    assert {member["username"]: member["role"] for member in members} == {"bob": "owner", "eve": "viewer"}
    assert token(server, OWNER, OWNER["email"])
    content = b"".join(path.read_bytes() for path in (server.folder / "data").rglob("*") if path.is_file())
    assert OWNER["password"].encode() not in content
    assert b"scrypt" in content or b"argon2" in content


# Who may what.


def test_admins_manage_all_sites_visitors_and_users(admin: Ask, visited: Server) -> None:
    made = admin("POST", "/api/v1/sites", name="passing")
    assert made.status_code == 201
    assert (
        admin("PATCH", "/api/v1/sites/passing", url="https://passing.example/").json()["url"]
        == "https://passing.example/"
    )
    assert admin("DELETE", "/api/v1/sites/passing").status_code == 204
    user = admin("POST", "/api/v1/users", username="zoe", password="a passphrase that goes away").json()["user"]
    assert admin("PATCH", f"/api/v1/users/{user['id']}", email="zoe@example.com").json()["email"] == "zoe@example.com"
    assert admin("DELETE", f"/api/v1/users/{user['id']}").status_code == 204
    before = ids_of_visitors(admin)
    visit(visited, "POST", "/api/v1/events", "203.0.113.77", FIREFOX, json=[view("/erased")])
    visited.session.cookies.clear()
    until(lambda: ids_of_visitors(admin) - before)
    [new] = ids_of_visitors(admin) - before
    one = f"/api/v1/sites/blog/visitors/{new}"
    assert admin("PATCH", one, note="a guest").json()["note"] == "a guest"
    assert admin("DELETE", one).status_code == 204
    until(lambda: admin("GET", one).status_code == 404)


def test_a_user_manages_the_own_site_only(owner: Ask, admin: Ask) -> None:
    assert owner("PATCH", "/api/v1/sites/blog", timezone="Europe/Paris").status_code == 200
    assert admin("PATCH", "/api/v1/sites/blog", timezone="UTC").status_code == 200
    assert owner("PATCH", "/api/v1/sites/shop", timezone="Europe/Paris").status_code in (403, 404)
    assert owner("GET", "/api/v1/stats/days?site=shop").status_code == 200
    assert owner("GET", "/api/v1/stats/days?site=default").status_code in (403, 404)
    assert owner("POST", "/api/v1/sites", name="mine").status_code == 403
    assert owner("GET", "/api/v1/users").status_code == 403


def test_who_sees_a_site_manages_neither_it_nor_visitors(reader: Ask, visited: Server) -> None:
    visitor = reader("GET", "/api/v1/sites/blog/visitors").json()["visitors"][0]["id"]
    assert reader("DELETE", f"/api/v1/sites/blog/visitors/{visitor}").status_code in (403, 404)
    assert reader("PATCH", "/api/v1/sites/blog", timezone="Europe/Paris").status_code in (403, 404)
    assert reader("GET", "/api/v1/stats/days?site=shop").status_code in (403, 404)


# Numbers.


@pytest.mark.parametrize("by", ["days", "months", "browsers"])
def test_numbers_by(visited: Server, admin: Ask, by: str) -> None:
    rows = admin("GET", f"/api/v1/stats/{by}?site=blog&period=lifetime").json()["rows"]
    assert sum(row["metrics"]["views"] for row in rows) >= 3
    assert len(rows) >= (2 if by == "browsers" else 1)
    if by == "browsers":
        assert {"Chrome", "Firefox"} <= {row["dimensions"]["browser"] for row in rows}


def test_numbers_of_a_sites_lifetime(visited: Server, admin: Ask) -> None:
    assert lifetime(admin)["visitors"] >= 2


@pytest.mark.parametrize(
    "path", ["/stats", "/api/v1/stats/lifetime?site=blog", "/api/v1/sites", "/v1/monitoring/visitors", "/sessions"]
)
def test_nothing_is_shown_without_authentication(server: Server, sites: None, path: str) -> None:
    for headers in ({}, {"Authorization": "Bearer eyJhbGciOiJub25lIn0.e30."}, {"X-Forwarded-For": HOME}):
        assert server.session.get(f"{server.url}{path}", headers=headers, timeout=SECONDS).status_code == 401


def test_a_page_for_people_asks_them_to_log_in(server: Server, sites: None) -> None:
    page = server.session.get(f"{server.url}/login", headers={"Accept": "text/html"}, timeout=SECONDS)
    assert (page.status_code, "text/html" in page.headers["Content-Type"]) == (200, True)


# What it is made of.


def test_a_token_is_a_jwt_of_hs256(server: Server) -> None:
    head, claims, _ = token(server, ADMIN).split(".")
    assert json.loads(urlsafe_b64decode(head + "=="))["alg"] == "HS256"
    assert {"sub", "exp"} <= set(json.loads(urlsafe_b64decode(claims + "==")))


@pytest.mark.parametrize("name", ["config.yaml", "config.toml"])
def test_settings_are_read_from_either_file(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_text(yaml.safe_dump({"server": {"port": 8001}}) if name.endswith("yaml") else "[server]\nport = 8001\n")
    assert load(path, {}).server.port == 8001


def test_there_is_a_dockerfile() -> None:
    assert 'CMD ["serve"]' in (Path(__file__).parents[2] / "deploy" / "Dockerfile").read_text()
