"""A site with a database of its own: nothing of it is elsewhere, and every answer is what it would be without."""

import re
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.web.apart import send, settle_all
from tests.web.conftest import REMOTE, Build, Site
from tests.web.counting_site import BROWSER
from tests.web.test_rights import ADMIN, Town, _last_what_destroys, town
from visitor_tracker import sites
from visitor_tracker.config import Config, RateLimitConfig, ServerConfig, SiteStore, StoreConfig
from visitor_tracker.event import DEFAULT_SITE
from visitor_tracker.serve import migrate_store
from visitor_tracker.sites import site_id_of
from visitor_tracker.store.sites import SiteTable
from visitor_tracker.store.sqlite import SqliteDatabase

__all__ = ["town"]  # a fixture

BLOG, SHOP = (
    sites.Site(site_id_of(name), name, hostnames=(f"{name}.example",), modules=("replay", "heatmap", "clicks"))
    for name in ("blog", "shop")
)
# The tables of what visitors did; all others are the main database's.
OF_VISITORS = (
    *("arrivals", "client_sessions", "daily_visitors", "day_extracts", "erasures", "event_ids", "events", "heat"),
    *("heat_pages", "inbox", "ip_records", "judged_days", "open_erasures", "page_snapshots", "quality_hour"),
    *("raw_days", "replay_chunks", "replay_sites", "replays", "rollup_day", "rollup_deltas", "rollup_hour"),
    *("rollup_month", "seen", "sessions", "site_lease", "tabs", "verdicts", "visitor_days", "visitor_links"),
    "visitor_profiles",
)
_NAMES_ONE = re.compile(rf"\b(from|into|update|join)\s+({'|'.join(OF_VISITORS)})\b").search
_NAMES_TEXTS = re.compile(r"\bfrom (strings|contexts|sources)\b").search


QUESTIONS = (
    "/stats?site_id=SITE",
    "/summary?site_id=SITE",
    "/api/v1/stats/query?site=SITE&metrics=views,visits,visitors&dimensions=page",
    "/api/v1/stats/query?site=SITE&metrics=views,visitors&dimensions=browser&filters=page%20is%20/own",
    "/api/v1/stats/query?site=SITE&metrics=events&dimensions=event",
    "/api/v1/clicks?site=SITE",
    "/api/v1/vitals?site=SITE",
    "/api/v1/errors?site=SITE",
    "/api/v1/heatmap?site=SITE",
    "/api/v1/heatmap?site=SITE&url=https://SITE.example/own",
    "/api/v1/replays?site=SITE",
    "/api/v1/quality?site=SITE",
    "/api/v1/stats/retention?site=SITE",
    "/api/v1/robots/visitors?site=SITE",
    "/api/v1/quality/arrivals?site=SITE",
    "/api/v1/stats/months?site=SITE",
    "/api/v1/stats/browsers?site=SITE",
    "/api/v1/stats/properties?site=SITE",
    "/api/v1/sites/SITE/visitors",
    "/api/v1/sites/SITE/visits",
    "/api/v1/live?site=SITE",
    "/v1/monitoring/visitors?site_id=SITE",
    "/v1/monitoring/visitors/stats?site_id=SITE",
    "/sessions?site_id=SITE",
    "/count?url=https://SITE.example/counter",
)
OF_ALL = (
    "/stats",
    "/v1/monitoring/visitors/stats",
    "/v1/monitoring/visitors",
    "/sessions",
    "/api/v1/replays",
    "/count",
)
# What differs between any two servers: moments, and what has their keys in it.
_PASSING = re.compile(
    r'"[^"]*\d{4}-\d\d-\d\dT[^"]*"|"[0-9a-f]{16}"|"[0-9a-f]{32}[^"]*"|"/[a-z/]*[0-9a-f]{32}[^"]*"|\d{13}|\d+\.\d+'
    r'|(?<="duration":)\d+'
).sub


class Strays(list[str]):
    """Statements that looked into the main database for what blog's visitors did; `texts`: for any site's words."""

    texts = False

    def note(self, sql: str) -> None:
        if (str(BLOG.id) in sql and _NAMES_ONE(sql)) or (self.texts and _NAMES_TEXTS(sql)):
            self.append(sql)


@pytest.fixture
def strays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Strays:
    found = Strays()
    connect: Callable[[SqliteDatabase], sqlite3.Connection] = SqliteDatabase._connect

    def traced(database: SqliteDatabase) -> sqlite3.Connection:
        made = connect(database)
        if database._path == tmp_path / "v.db":
            made.set_trace_callback(found.note)
        return made

    monkeypatch.setattr(SqliteDatabase, "_connect", traced)
    return found


@pytest.fixture
def build(build: Build) -> Build:
    """Return what makes a Site of which blog has a file of its own."""

    def make(**sections: object) -> Site:
        return build(site_stores=(SiteStore("blog", StoreConfig()),), **sections)

    return make


@pytest.fixture
def plain(tmp_path: Path) -> Iterator[Site]:
    """A server on which all sites share one database."""
    config = Config(
        server=ServerConfig(data_dir=str(tmp_path / "plain")),
        rate_limit=RateLimitConfig(per_second=1000, burst=100_000),
    )
    migrate_store(config)
    made = Site(config)
    yield made
    made.app.close()


def _answer(site: Site, target: str) -> Any:  # noqa: ANN401
    """Return what an admin is answered, without what differs between any two servers."""
    answer = site.ask(target, headers=site.admin)
    assert answer.status == 200, (target, answer.body)
    said = msgspec.json.decode(_PASSING('""', answer.body.decode()))
    if "feed" in said:
        said["feed"].sort(key=str)  # those of one millisecond come in any order
    return sorted(said, key=str) if isinstance(said, list) else said


def _sites_in(file: Path) -> set[int]:
    """Return the sites of which a database has what visitors did."""
    with closing(sqlite3.connect(file)) as database:
        tables = [name for name in OF_VISITORS if name not in ("site_lease", "open_erasures")]
        return {row[0] for name in tables for row in database.execute(f"select distinct site_id from {name}")}


def _texts_in(file: Path) -> set[str]:
    with closing(sqlite3.connect(file)) as database:
        return {str(row[0]) for row in database.execute("select value from strings")}


def test_no_route_looks_for_it_elsewhere(strays: Strays, town: Town) -> None:
    site = town.site
    for each in (BLOG, SHOP):
        SiteTable(site.app.store.database).put(each)
    settle_all(site)
    strays.clear()  # before it is used, the main database is asked whether it has anything of it
    send(site, "blog")
    settle_all(site)
    assert not strays
    strays.texts = True
    wrong: list[str] = []
    private = [route for route in site.app.router.routes if route.access not in ("public", "own")]
    for route in sorted(private, key=_last_what_destroys):
        name = f"{route.method} {route.path}"
        strays.clear()
        status, code = town.ask(route, ADMIN)
        if status >= 500:
            wrong.append(f"{name}: {status} {code}")
        wrong += [f"{name}: {sql}" for sql in strays]
    assert wrong == [], "\n".join(wrong)


def test_answers_are_what_they_would_be_in_one_database(build: Build, plain: Site) -> None:
    """Each site is asked on a server where blog has its own database, and on one where all sites share one."""
    apart = build()
    for site in (apart, plain):
        for each in (BLOG, SHOP):
            SiteTable(site.app.store.database).put(each)
        settle_all(site)
        for name in ("blog", "shop"):
            send(site, name)
        settle_all(site)
    for question in QUESTIONS:
        for name in ("blog", "shop"):
            asked = question.replace("SITE", name)
            assert _answer(apart, asked) == _answer(plain, asked), asked
    for asked in OF_ALL:
        assert _answer(apart, asked) == _answer(plain, asked), asked


def test_what_is_stored_lies_where_it_should(build: Build, tmp_path: Path) -> None:
    site = build()
    for each in (BLOG, SHOP):
        SiteTable(site.app.store.database).put(each)
    settle_all(site)
    for name in ("blog", "shop"):
        send(site, name)
    settle_all(site)
    assert _sites_in(tmp_path / "v.db") - {DEFAULT_SITE} == {SHOP.id}
    assert _sites_in(tmp_path / "stores" / "blog.db") == {BLOG.id}
    assert "shop.example" not in _texts_in(tmp_path / "stores" / "blog.db")
    assert "blog.example" not in _texts_in(tmp_path / "v.db")


def test_a_visit_that_is_sent_again_counts_once_wherever_it_is_counted(build: Build) -> None:
    site = build()
    SiteTable(site.app.store.database).put(BLOG)
    settle_all(site)
    page, body = "https://blog.example/once", b'{"url": "https://blog.example/once", "id": "%b"}' % (b"ab" * 16)
    said = [site.ask("/api/v1/visits", method="POST", body=body, peer=REMOTE, headers=BROWSER) for _ in range(2)]
    assert [dict(each.headers)["X-Tracker"] for each in said] == ["accepted", "dropped: duplicate"]
    settle_all(site)
    assert _answer(site, f"/count?url={page}")["visit_count"] == 1
    assert _answer(site, "/stats?site_id=blog")["pageviews"] == 1


def test_the_checks_say_what_came_by_the_counter_and_whose_database_is_away(build: Build, tmp_path: Path) -> None:
    site = build()
    for each in (BLOG, SHOP):
        SiteTable(site.app.store.database).put(each)
    settle_all(site)
    for name in ("blog", "shop"):
        assert site.ask(f"/update?url=https://{name}.example/", peer=REMOTE, headers=BROWSER).status == 200
    settle_all(site)
    found = msgspec.json.decode(site.ask("/api/v1/checks", headers=site.admin).body)
    said = {each["site"]: (each["events_hour"], each["by_counter"]) for each in found["sites"] if each["events_hour"]}
    assert said == {"blog": (1, 1.0), "shop": (1, 1.0)}
    (tmp_path / "stores").rename(tmp_path / "elsewhere")
    found = msgspec.json.decode(site.ask("/api/v1/checks", headers=site.admin).body)
    assert "shop" in [each["site"] for each in found["sites"]]
    assert "blog" not in [each["site"] for each in found["sites"]]
    assert [each["state"] for each in found["checks"] if "the site blog is away" in each["text"]] == ["bad"]


def test_of_several_queries_those_of_a_site_whose_database_is_away_are_refused_alone(
    build: Build, tmp_path: Path
) -> None:
    site = build()
    for each in (BLOG, SHOP):
        SiteTable(site.app.store.database).put(each)
    settle_all(site)
    (tmp_path / "stores").rename(tmp_path / "elsewhere")
    queries = [{"site": name, "metrics": ["views"]} for name in ("blog", "shop", "blog")]
    body = msgspec.json.encode({"queries": queries})
    found = site.ask("/api/v1/stats/queries", method="POST", body=body, headers=site.admin)
    assert found.status == 200
    answers = msgspec.json.decode(found.body)["answers"]
    assert [(each["status"], each.get("error", {}).get("code")) for each in answers] == [
        (503, "store_unavailable"),
        (200, None),
        (503, "store_unavailable"),
    ]
