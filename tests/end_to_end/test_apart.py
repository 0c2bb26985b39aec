"""A site with a database of its own, as processes: its database away, the server killed, and nobody else notices."""

import json
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.mariadb import MariaDB
from tests.running import SECONDS, Server, until
from tests.web.counting_site import BROWSER
from visitor_tracker.sites import site_id_of
from visitor_tracker.store.open import open_store

SETTINGS = {"VISITOR_TRACKER_RATE_LIMIT_ENABLED": "false"}
QUICK_SECONDS = 4.0  # for twenty requests about another site; each that waited for a database would take one at least


class Town:
    """A server with the sites blog, which has a database of its own, and shop; `sent` are their accepted events."""

    def __init__(self, folder: Path, store_url: str, own_url: str = "") -> None:
        store = {"url": own_url, "connect_seconds": 1, "answer_seconds": 1}
        (folder / "config.yaml").write_text(json.dumps({"sites": {"blog": {"store": store}}}))
        self.server = Server(folder, store_url, SETTINGS, ["--workers", "2"])
        self.server.session.headers.update(BROWSER)
        for name in ("blog", "shop"):
            self.server.run("site", "add", name, "--hostname", f"{name}.example")
        self.sent = {"blog": 0, "shop": 0}
        self.server.start()

    def send(self, name: str, number: int = 20) -> float:
        """Send so many events, half of them as visits of the counter, all accepted; return how long it took."""
        began = time.monotonic()
        server = self.server
        for _ in range(number // 2):
            self.sent[name] += 2
            page = f"https://{name}.example/{self.sent[name]}"
            event = [{"type": "pageview", "site": name, "url": page}]
            answer = server.session.post(f"{server.url}/api/v1/events", json=event, timeout=SECONDS)
            assert answer.json() == {"accepted": 1, "dropped": []}, answer.text
            answer = server.session.post(f"{server.url}/api/v1/visits", json={"url": page}, timeout=SECONDS)
            assert answer.headers["X-Tracker"] == "accepted", answer.text
        return time.monotonic() - began

    def status(self, name: str) -> int:
        """Return the status of an answer with a site's numbers."""
        return self.server.session.get(f"{self.server.url}/stats?site_id={name}", timeout=SECONDS).status_code

    def views(self, name: str) -> int:
        """Return a site's numbers, -1 while there is no answer."""
        found = self.server.session.get(f"{self.server.url}/stats?site_id={name}", timeout=SECONDS)
        return int(found.json()["pageviews"]) if found.status_code == 200 else -1

    def wait(self, name: str) -> None:
        """Wait until a site's numbers have all that was sent, and no more."""
        until(lambda: self.views(name) >= self.sent[name], lambda: f"{name}: {self.views(name)} {self.server.log}")
        assert self.views(name) == self.sent[name]

    def state(self) -> str:
        """Return what /readyz says of blog's database."""
        said = self.server.session.get(f"{self.server.url}/readyz", timeout=SECONDS)
        assert said.status_code == 200
        return str(said.json()["sites"]["blog"])


@pytest.fixture
def town(tmp_path: Path, store_url: str) -> Iterator[Town]:
    made = Town(tmp_path, store_url)
    yield made
    made.server.kill9()


def events_by_site(url: str) -> dict[int, int]:
    with closing(open_store(url)) as store:
        return {
            int(site): int(number) for site, number in store.execute("select site_id, count(*) from events group by 1")
        }


def test_a_site_whose_file_is_gone_waits_alone(town: Town, tmp_path: Path, store_url: str) -> None:
    server, stores, elsewhere = town.server, tmp_path / "data" / "stores", tmp_path / "elsewhere"
    for name in ("blog", "shop"):
        town.send(name)
        town.wait(name)
    stores.rename(elsewhere)
    until(lambda: town.state() != "ok")
    for name in ("blog", "shop"):
        assert town.send(name) < QUICK_SECONDS
    town.wait("shop")
    assert town.status("blog") == 503
    of_all = server.session.get(f"{server.url}/v1/monitoring/visitors/stats", timeout=SECONDS)
    assert (of_all.status_code, of_all.headers["X-Left-Out"]) == (200, "blog")
    server.kill9()
    server.start()  # without it
    for name in ("blog", "shop"):
        town.send(name)
    town.wait("shop")
    assert (town.status("blog"), stores.exists()) == (503, False)
    server.kill9()
    elsewhere.rename(stores)
    server.start()
    for name in ("blog", "shop"):
        town.wait(name)
    assert town.state() == "ok"
    assert events_by_site(store_url) == {site_id_of("shop"): town.sent["shop"]}
    assert events_by_site(f"sqlite:///{stores / 'blog.db'}") == {site_id_of("blog"): town.sent["blog"]}


def test_a_site_whose_file_is_locked_waits_alone(tmp_path: Path) -> None:
    town = Town(tmp_path, "")
    try:
        town.send("blog")
        town.wait("blog")
        with closing(sqlite3.connect(tmp_path / "data" / "stores" / "blog.db", 30, isolation_level=None)) as other:
            other.execute("begin immediate")
            for name in ("blog", "shop"):
                assert town.send(name) < QUICK_SECONDS
            town.wait("shop")
            assert town.views("blog") == 20  # as before
            town.server.kill9()
        town.server.start()
        town.wait("blog")
    finally:
        town.server.kill9()


def test_a_site_on_a_server_that_is_killed_waits_alone(tmp_path: Path, mariadb: MariaDB) -> None:
    town = Town(tmp_path, "", mariadb.url(mariadb.fresh_database()))
    try:
        for name in ("blog", "shop"):
            town.send(name)
            town.wait(name)
        mariadb.kill9()
        for name in ("blog", "shop"):
            assert town.send(name) < QUICK_SECONDS
        town.wait("shop")
        assert town.status("blog") == 503
        town.server.kill9()
        town.server.start()
        town.send("blog")
        mariadb.start()
        town.wait("blog")
    finally:
        town.server.kill9()
        if not mariadb.is_running:
            mariadb.start()


def test_the_main_database_that_is_away_keeps_no_event_from_the_site(tmp_path: Path, mariadb: MariaDB) -> None:
    town = Town(tmp_path, mariadb.url(mariadb.fresh_database()))
    try:
        mariadb.kill9()
        for name in ("blog", "shop"):
            town.send(name)
        own = f"sqlite:///{tmp_path / 'data' / 'stores' / 'blog.db'}"
        until(lambda: events_by_site(own) == {site_id_of("blog"): 20})
        mariadb.start()
        for name in ("blog", "shop"):
            town.wait(name)
        page = "https://blog.example/20"
        until(lambda: town.server.count(page) == 1)  # visits wait in the main journal
    finally:
        town.server.kill9()
        if not mariadb.is_running:
            mariadb.start()


def test_commands_see_it_and_erase_it(town: Town, tmp_path: Path, store_url: str) -> None:
    for name in ("blog", "shop"):
        town.send(name)
        town.wait(name)
    run = town.server.run
    file = tmp_path / "data" / "stores" / "blog.db"
    for name in ("blog", "shop"):
        said = json.loads(run("stats", "--site", name, "--json"))
        assert said["totals"]["views"] == 20
    assert "store of the site blog: SQLite" in run("check")
    assert str(file) in run("site", "show", "blog")
    assert json.loads(run("site", "list", "--json").splitlines()[1])["store"] == str(file)
    assert json.loads(run("journal", "status", "--site", "blog", "--json"))["waiting"] == 0
    run("rebuild", "--site", "blog", "--all")
    town.wait("blog")
    run("privacy", "verify")
    run("retention", "--dry-run")
    run("deadletter", "list")
    run("site", "remove", "blog", "--erase", "--yes")
    until(lambda: b"blog.example" not in file.read_bytes() + _log_of(file))
    assert events_by_site(f"sqlite:///{file}") == {}
    assert events_by_site(store_url) == {site_id_of("shop"): 20}
    town.wait("shop")


def _log_of(file: Path) -> bytes:
    log = file.with_name(f"{file.name}-wal")
    return log.read_bytes() if log.exists() else b""


def test_a_server_does_not_start_where_events_would_be_out_of_sight(tmp_path: Path) -> None:
    town = Town(tmp_path, "")
    server, file = town.server, tmp_path / "config.yaml"
    for name in ("blog", "shop"):
        town.send(name)
        town.wait(name)
    assert server.stop() == 0
    with_setting = file.read_text()
    for wrong, problem in (
        ({}, "put the setting sites.blog.store back"),
        ({"blog": {"store": {"url": "sqlite:///other.db"}}}, "is another database than"),
        (
            {"blog": {"store": {}}, "shop": {"store": {}}},
            "what was counted of this site so far is in the main database",
        ),
    ):
        file.write_text(json.dumps({"sites": wrong}))
        with pytest.raises(AssertionError, match="the server ended"):
            server.start()
        assert problem in server.log
    file.write_text(with_setting)
    server.start()
    town.wait("blog")
    server.kill9()
