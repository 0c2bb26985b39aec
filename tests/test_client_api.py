"""The Python client, against the server as users start it."""

import json
import re
import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, get_args

import msgspec
import pytest
import requests

from tests.running import Server, until
from visitor_tracker.client_api import ApiError, Client, Event, SigningKey, answers

TOP = Path(__file__).parents[1]
PASSWORD = "correct horse battery"
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
SECONDS = 30.0


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server with an admin, so that the machine's own clients need a proof too."""
    folder = tmp_path_factory.mktemp("server")
    server = Server(folder, f"sqlite:///{folder / 'visits.db'}", {"VISITOR_TRACKER_RATE_LIMIT_BURST": "10000"})
    server.start()
    try:
        server.set_up("anna", PASSWORD)
        yield server
    finally:
        server.stop()


@pytest.fixture(scope="module")
def key(server: Server) -> str:
    """A key that may do everything; the site blog is there."""
    with Client.log_in(server.url, "anna", PASSWORD) as client:
        client.create_site("blog", hostnames=["blog.example"])
        until(lambda: is_known(client, "blog"))
        key = client.create_key("all", ["read", "ingest", "admin"]).key
    bearer = {"Authorization": f"Bearer {key}"}
    until(
        lambda: requests.post(f"{server.url}/api/v1/events", b"[]", headers=bearer, timeout=SECONDS).status_code == 400
    )
    return key


@pytest.fixture
def client(server: Server, key: str) -> Iterator[Client]:
    with Client(server.url, key=key, site="blog") as client:
        yield client


def is_known(client: Client, site: str) -> bool:
    """Say whether all of the server knows a site, which takes up to a second."""
    try:
        client.members(site)
    except ApiError as error:
        return error.code != "unknown_site"
    return True


def code_of(refused: pytest.ExceptionInfo[ApiError]) -> tuple[int, str]:
    return refused.value.status, refused.value.code


def test_numbers_of_what_was_sent(client: Client) -> None:
    sent = [
        Event(f"https://blog.example/{page}", site="blog", user_agent=FIREFOX, ip=f"192.0.2.{person}")
        for person, page in ((1, "a"), (1, "b"), (2, "a"))
    ]
    assert client.track_many(sent) == client.track_many(sent) == answers.Receipt(3)
    assert client.track("nonsense").dropped[0].reason == "invalid_url"
    until(lambda: client.query(["views"], date_range="today").totals.metrics == {"views": 3})
    found = client.query(["visitors", "views"], dimensions=["page"], date_range="today")
    assert [(row.dimensions["page"], row.metrics) for row in found.rows] == [
        ("/a", {"visitors": 2, "views": 2}),
        ("/b", {"visitors": 1, "views": 1}),
    ]
    assert (found.meta.rows_in_all, found.meta.visitors_are, found.cursor) == (2, "exact", None)
    rows = list(client.rows(["views"], dimensions=["page"], date_range="today", limit=1))
    assert [row.dimensions["page"] for row in rows] == ["/a", "/b"]
    german = client.query(["visitors"], filters="page is /b", date_range="today", compare="previous")
    assert (german.totals.metrics, german.totals.compared) == ({"visitors": 1}, {"visitors": 0})
    lines = b"".join(client.export(["views"], dimensions=["page"], date_range="today")).splitlines()
    assert [line.split(b",")[0] for line in lines] == [b"page", b"/a", b"/b"]
    assert client.stats().pages == {"/a": 2, "/b": 1}
    assert client.live().site == "blog"
    assert sum(visitor.visit_count for visitor in client.visitors()) == 3
    session = next(each["session"] for each in client.live().feed)
    assert client.session(str(session))["pageviews"] in (1, 2)


def test_visits_are_counted_once_per_id(client: Client) -> None:
    page, visit = "https://blog.example/counter", "0" * 31 + "7"
    assert client.count_visit(page, id=visit).visit_count == 1
    again = client.count_visit(page, id=visit)
    assert (again.duplicate, client.page_count(page).visit_count) == (True, 1)


def test_sites_and_their_members_and_goals(client: Client) -> None:
    made = client.create_site("shop", hostnames=["shop.example"], timezone="Europe/Berlin")
    assert (made.name, made.hostnames, made.timezone) == ("shop", ("shop.example",), "Europe/Berlin")
    until(lambda: is_known(client, "shop"))
    assert client.change_site("shop", public=True).public
    client.create_user("ben", password=PASSWORD)
    assert client.set_member("ben", "viewer", site="shop") == answers.Member("ben", "viewer")
    assert client.members("shop") == (answers.Member("ben", "viewer"),)
    client.remove_member("ben", site="shop")
    assert client.members("shop") == ()
    goal = client.create_goal("Sign-up", "event", event="signup", site="shop")
    assert client.goals("shop") == (goal,)
    client.delete_goal(goal.id, site="shop")
    assert client.goals("shop") == ()
    client.delete_site("shop", erase=True)
    until(lambda: not is_known(client, "shop"))


def test_users(client: Client) -> None:
    made = client.create_user("cara", email="cara@example.com", roles={"blog": "viewer"})
    assert made.invitation is not None
    assert "/setup" in made.invitation.link
    assert made.user.roles == {"blog": "viewer"}
    assert client.change_user("cara", disabled=True).disabled
    client.delete_user("cara")
    assert "cara" not in {user.username for user in client.users()}


def test_keys(client: Client, server: Server) -> None:
    made = client.create_key("reports", ["read"], site="blog", expires_in="90d")
    assert made.site == "blog"
    with Client(server.url, key=made.key, site="blog") as reader:
        assert reader.me().username == "reports"
        reader.stats()
        with pytest.raises(ApiError) as refused:
            reader.create_site("mine")
        assert code_of(refused) == (403, "forbidden")
        client.revoke_key(made.id)
        known = client.keys()
        assert made.id not in {each.id for each in known}
        with pytest.raises(ApiError) as refused:
            reader.stats()
        assert refused.value.status == 401


@pytest.mark.parametrize("scope", ["read", "admin"])
def test_signed_requests(client: Client, server: Server, scope: str) -> None:
    key = SigningKey.generate()
    told = {"name": f"signer-{scope}", "public_key": key.public_key, "scope": scope}
    made = client.request("POST", "/api/v1/sites/blog/signing-keys", json=told)
    with Client(server.url, signing_key=SigningKey(key.private_key, made["id"]), site="blog") as signer:
        assert signer.me().kind == "signature"
        assert signer.query(["views"], filters='page is "/ä b"', date_range="today").meta.timezone == "UTC"
        if scope == "admin":
            assert signer.change_site("blog", url="https://blog.example/").url == "https://blog.example/"
    with Client(server.url, signing_key=SigningKey(key.private_key), site="blog") as old:
        assert old.stats().total_visits >= 0
        with pytest.raises(ApiError) as refused:
            old.change_site("blog", public=True)
        assert refused.value.status == 401
    assert key.private_key not in repr(key)


def test_mistakes_are_told(client: Client, server: Server) -> None:
    with pytest.raises(ApiError) as refused:
        client.query(["visitors"], date_range="someday")
    assert code_of(refused) == (400, "invalid_date_range")
    assert refused.value.hint
    with Client(server.url) as nobody, pytest.raises(ApiError) as refused:
        nobody.sites()
    assert refused.value.status == 401
    with pytest.raises(ApiError) as refused:
        Client.log_in(server.url, "anna", "wrong")
    assert refused.value.status == 401


def test_what_makes_no_sense_is_told_before() -> None:
    with pytest.raises(ValueError, match="https://"):
        Client("stats.example.com")
    with pytest.raises(ValueError, match="one proof"):
        Client("https://stats.example.com", key="vt_a", token="b")
    with pytest.raises(ValueError, match="hex"):
        SigningKey("no key").headers("GET", "/", b"")


def python_blocks() -> list[str]:
    return re.findall(r"```python\n(.*?)```", (TOP / "docs" / "api-clients.md").read_text("utf-8"), re.DOTALL)


def test_examples_of_the_documents_work(server: Server, key: str, capsys: pytest.CaptureFixture[str]) -> None:
    names: dict[str, Any] = {}
    for block in python_blocks():
        code = block.replace("https://stats.example.com", server.url).replace("vt_KEY", key)
        exec(compile(code, "docs/api-clients.md", "exec"), names)
    said = capsys.readouterr().out
    assert "invalid_date_range" in said
    assert "\nanna\n" in said


TYPES: dict[type[msgspec.Struct], str] = {
    answers.Answer: "Answered", answers.Row: "Row", answers.Totals: "Summed", answers.Meta: "Meta",
    answers.Change: "Change", answers.Stats: "Stats", answers.Live: "Live", answers.Visitor: "Visitor",
    answers.Site: "SiteView", answers.Member: "Member", answers.Goal: "GoalShown", answers.User: "UserShown",
    answers.NewUser: "NewUserShown", answers.Key: "KeyShown", answers.NewKey: "KeyMade", answers.Me: "Me",
    answers.PageCount: "PageRow", answers.CountedVisit: "CountedVisit", answers.Receipt: "Receipt",
    answers.Dropped: "Dropped", answers.Share: "Share", answers.LoggedIn: "LoggedIn", answers.Event: "Sent",
}  # fmt: skip


def test_types_are_the_server_s(server: Server) -> None:
    described = requests.get(f"{server.url}/openapi.json", timeout=SECONDS).json()["components"]["schemas"]
    for kind, name in TYPES.items():
        theirs = described[name]
        fields = set(kind.__struct_encode_fields__)
        assert fields - set(theirs["properties"]) == set(), name
        needed = {each.encode_name for each in msgspec.structs.fields(kind) if each.required}
        if kind not in (answers.Event, answers.LoggedIn):
            assert needed - set(theirs["required"]) == set(), name
    scopes = described["KeyAsked"]["properties"]["scopes"]["items"]["enum"]
    assert set(get_args(answers.Scope)) == set(scopes)


Told = tuple[int, bytes, dict[str, str]]
Script = list[Told | None]


class Scripted(BaseHTTPRequestHandler):
    """Gives the answers of a script, one after the other: (status, body, headers); None breaks the connection off."""

    script: Script
    asked: list[tuple[str, str, bytes, str]]
    sent: list[dict[str, str]]

    def answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        self.asked.append((self.command, self.path, body, self.headers.get("Authorization", "")))
        self.sent.append(dict(self.headers.items()))
        told = self.script.pop(0)
        if told is None:
            self.close_connection = True
            self.connection.close()
            return
        status, content, headers = told
        self.send_response(status)
        for name, value in {"Content-Length": str(len(content)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_POST = do_PATCH = answer

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


class Scripts:
    """A server that follows scripts, and what it was asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str, bytes, str]] = []
        self.headers: list[dict[str, str]] = []
        self.script: Script = []
        handler = type("Handler", (Scripted,), {"script": self.script, "asked": self.asked, "sent": self.headers})
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


@pytest.fixture
def scripts() -> Iterator[Scripts]:
    scripts = Scripts()
    yield scripts
    scripts.close()


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The pauses that were made, none of them real."""
    made: list[float] = []
    monkeypatch.setattr("visitor_tracker.client_api.transport.time.sleep", made.append)
    return made


BUSY: Told = (503, b'{"error": {"code": "busy", "message": "later", "hint": ""}}', {"Retry-After": "7"})
OK: Told = (200, b'{"sites": []}', {})
TOKENS = json.dumps({"access_token": "new", "refresh_token": "next"}).encode()


def test_reads_are_made_again(scripts: Scripts, pauses: list[float]) -> None:
    scripts.script += [BUSY, None, OK]
    with Client(scripts.url) as client:
        assert client.sites() == ()
    assert len(scripts.asked) == 3
    assert pauses[0] == 7
    assert 0 < pauses[1] <= 0.5


def test_reads_are_not_made_for_ever(scripts: Scripts, pauses: list[float]) -> None:
    scripts.script += [BUSY, BUSY]
    with Client(scripts.url, retries=1) as client, pytest.raises(ApiError) as refused:
        client.sites()
    assert code_of(refused) == (503, "busy")
    assert pauses == [7]


def test_events_are_sent_again_with_their_ids(scripts: Scripts, pauses: list[float]) -> None:
    scripts.script += [None, (202, b'{"accepted": 1, "dropped": []}', {})]
    with Client(scripts.url) as client:
        assert client.track("https://example.com/").accepted == 1
    first, second = (json.loads(body) for _, _, body, _ in scripts.asked)
    assert first == second
    assert re.fullmatch("[0-9a-f]{32}", first[0]["id"])


def test_other_changes_are_sent_once(scripts: Scripts, pauses: list[float]) -> None:
    scripts.script += [BUSY, None]
    with Client(scripts.url) as client:
        for status in (503, 0):
            with pytest.raises(ApiError) as refused:
                client.create_site("blog")
            assert refused.value.status == status
    assert (len(scripts.asked), pauses) == (2, [])


def test_a_log_in_renews_itself(scripts: Scripts) -> None:
    refusal: Told = (401, b'{"error": {"code": "token_expired", "message": "over", "hint": ""}}', {})
    scripts.script += [(200, TOKENS.replace(b"new", b"first"), {}), refusal, (200, TOKENS, {}), OK]
    with Client.log_in(scripts.url, "anna", PASSWORD) as client:
        assert client.sites() == ()
    assert [(path, proof) for _, path, _, proof in scripts.asked] == [
        ("/api/v1/login", ""),
        ("/api/v1/sites", "Bearer first"),
        ("/api/v1/refresh", "Bearer first"),
        ("/api/v1/sites", "Bearer new"),
    ]


@pytest.mark.parametrize(
    ("told", "code"),
    [
        ((200, b"<html>", {}), (200, "unreadable")),
        ((200, b'{"page_url": 7}', {}), (200, "unreadable")),
        ((200, b"\xff", {}), (200, "unreadable")),
        ((404, b"no such page", {}), (404, "refused")),
        ((302, b"", {"Location": "https://elsewhere.example/"}), (302, "moved")),
        ((413, b'{"error": {"code": "too_large", "message": "", "hint": ""}, "more": 1}', {}), (413, "too_large")),
    ],
)
def test_answers_that_are_none(
    scripts: Scripts, told: tuple[int, bytes, dict[str, str]], code: tuple[int, str]
) -> None:
    scripts.script.append(told)
    with Client(scripts.url, key="vt_secret") as client, pytest.raises(ApiError) as refused:
        client.page_count("https://example.com/")
    assert code_of(refused) == code
    assert "vt_secret" not in str(refused.value)


def test_cookies_are_not_kept(scripts: Scripts) -> None:
    scripts.script += [(200, b'{"sites": []}', {"Set-Cookie": "vt_session=x"}), OK]
    with Client(scripts.url) as client:
        client.sites()
        client.sites()
    assert [headers.get("Cookie") for headers in scripts.headers] == [None, None]


def test_a_server_that_is_not_there_is_told() -> None:
    scripts = Scripts()
    scripts.close()
    with Client(scripts.url, retries=0) as client, pytest.raises(ApiError) as refused:
        client.sites()
    assert code_of(refused) == (0, "no_answer")


def test_a_server_that_says_nothing_is_given_up() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        url = f"http://127.0.0.1:{listening.getsockname()[1]}"
        with Client(url, retries=0, timeout=0.05) as client, pytest.raises(ApiError) as refused:
            client.sites()
    assert code_of(refused) == (0, "timeout")
