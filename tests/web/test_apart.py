"""A site with a database of its own: nothing of it is elsewhere, and every answer is what it would be without."""

import re
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.web.apart import hits_of, send, settle_all
from tests.web.conftest import Build, Site
from tests.web.test_rights import ADMIN, Town, _last_what_destroys, town
from visitor_tracker import sites
from visitor_tracker.config import SiteStore, StoreConfig
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
    "arrivals client_sessions contexts daily_visitors day_extracts erasures event_ids events heat heat_pages inbox"
    " ip_records judged_days open_erasures page_snapshots quality_hour raw_days replay_chunks replay_sites replays"
    " rollup_day rollup_deltas rollup_hour rollup_month seen sessions site_lease tabs verdicts visitor_days"
    " visitor_links visitor_profiles"
).split()
_NAMES_ONE = re.compile(rf"\b(from|into|update|join)\s+({'|'.join(OF_VISITORS)})\b").search
_NAMES_TEXTS = re.compile(r"\bfrom (strings|contexts|sources)\b").search


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
