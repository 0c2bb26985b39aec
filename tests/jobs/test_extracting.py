"""Extracts of past days are kept up to date beside everything else."""

import threading
from pathlib import Path

import pytest

from tests.reports.traffic import GERMANY, event, fold
from visitor_tracker.access.snapshot import SnapshotReader
from visitor_tracker.days import DAY_MS, bounds
from visitor_tracker.errors import StoreUnavailable
from visitor_tracker.jobs import extracting
from visitor_tracker.jobs.extracting import Extracting
from visitor_tracker.sites import Policy, Site, Snapshot
from visitor_tracker.store import migrate, open_store
from visitor_tracker.store.extracts import ExtractTable
from visitor_tracker.store.sql import SqlStore

DAILY = Site(1, "default")
LASTING = Site(7, "lasting", policy=Policy(visitor="persistent"))
DAY = bounds("UTC", 20260310)[0]


@pytest.fixture
def store(store_url: str) -> SqlStore:
    made = open_store(store_url)
    migrate(made)
    for site in (DAILY, LASTING):
        fold(made, site, [event(site, DAY, "anna", place=GERMANY), event(site, DAY + DAY_MS, "ben")])
    return made


def made_by(store: SqlStore, path: Path) -> Extracting:
    reader = SnapshotReader(path / "snapshot", Snapshot((DAILY, LASTING)))
    return Extracting(store, reader, lambda: DAY + 5 * DAY_MS)


def days_of(store: SqlStore, site: Site) -> list[int]:
    return sorted(ExtractTable(store.database).stamps(site.id, 20260101, 20261231))


def test_sites_whose_visitors_live_for_a_day_get_extracts(store: SqlStore, tmp_path: Path) -> None:
    made_by(store, tmp_path).step(lambda _: False)
    assert days_of(store, DAILY) == [20260310, 20260311]
    assert days_of(store, LASTING) == []
    store.close()


def test_it_ends_when_it_is_over(store: SqlStore, tmp_path: Path) -> None:
    made_by(store, tmp_path).step(lambda _: True)
    assert days_of(store, DAILY) == []
    stop = threading.Event()
    stop.set()
    made_by(store, tmp_path).run(stop.wait)
    assert days_of(store, DAILY) == []
    store.close()


@pytest.mark.parametrize("error", [StoreUnavailable("away"), ValueError("a mistake")])
def test_what_goes_wrong_is_tried_again(
    store: SqlStore, tmp_path: Path, error: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    renewed: list[str] = []

    def renew(*given: object) -> int:
        renewed.append("tried")
        if len(renewed) == 1:
            raise error
        return 0

    monkeypatch.setattr(extracting, "renew", renew)
    rests: list[float] = []

    def rest(seconds: float) -> bool:
        rests.append(seconds)
        return len(renewed) > 1

    made_by(store, tmp_path).run(rest)
    assert len(renewed) == 2
    assert rests[:2] == [0, extracting.EVERY_SECONDS]
    store.close()
