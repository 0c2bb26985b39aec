"""Recordings of the script of old at /api/events, and sessions that have a recording."""

import gzip
import json

import pytest

from tests.ingest.recordings import Json, meta
from tests.web.conftest import Build, Site, header
from tests.web.test_replay import HEAT, PAGE, STORED, TAB, legacy, open_shop, piece, read, said, send, stored
from visitor_tracker.app import folder_of
from visitor_tracker.config import Config
from visitor_tracker.config.sections import TrackerConfig
from visitor_tracker.errors import StoreUnavailable
from visitor_tracker.store.replay import ReplayTable


@pytest.fixture
def shop(build: Build) -> Site:
    return open_shop(build)


def test_recordings_of_the_script_of_old(shop: Site) -> None:
    answer = send(shop, legacy(), "/api/events")
    assert said(answer) == (200, "accepted")
    assert json.loads(answer.body) == {
        "status": "ok", "success": True, "accepted": 1, "dropped": 0, "replay": {"accepted": 3, "dropped": 0},
    }  # fmt: skip
    assert header(answer, "Access-Control-Allow-Origin") == "*"
    assert [event.kind for event in shop.events()] == ["click"]
    assert len(read(shop, "/api/v1/replay/old-session")["events"]) == 3
    packed = gzip.compress(json.dumps(legacy()).encode())
    assert said(send(shop, packed, "/api/events", content_encoding="gzip")) == (200, "accepted")
    assert len(read(shop, "/api/v1/replay/old-session")["events"]) == 3  # the same, again


def test_a_recording_of_old_may_come_alone(shop: Site) -> None:
    answer = send(shop, legacy(analytics=[]), "/api/events")
    assert said(answer) == (200, "accepted")
    assert json.loads(answer.body)["replay"] == {"accepted": 3, "dropped": 0}
    elsewhere = {"sessionId": "x", "url": "https://plain.example/", "websiteId": "plain"}
    answer = send(shop, legacy(metadata=elsewhere), "/api/events")
    assert said(answer) == (200, "accepted")
    assert json.loads(answer.body)["replay"] == {"accepted": 0, "dropped": 3, "reason": "replay"}
    answer = send(shop, legacy(analytics=[], metadata=elsewhere), "/api/events")
    assert said(answer) == (200, "dropped: replay")


def test_without_the_store_the_events_of_old_are_taken_alone(shop: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise StoreUnavailable("away")

    with monkeypatch.context() as patch:
        patch.setattr(shop.app.store.database, "write", fail)
        answer = send(shop, legacy(), "/api/events")
        assert said(answer) == (200, "accepted")
        assert json.loads(answer.body)["replay"] == {"accepted": 0, "dropped": 3, "reason": "unavailable"}
        assert send(shop, legacy(analytics=[]), "/api/events").status == 503
    assert [event.kind for event in shop.events()] == ["click"]
    assert stored(shop) == []


@pytest.mark.parametrize(
    "changes", [{"replay": []}, {"replay": None}, {"replay": {"x": 1}}, {"metadata": {"url": PAGE}}]
)
def test_no_recording_is_no_matter(shop: Site, changes: Json) -> None:
    answer = send(shop, legacy(**changes), "/api/events")
    assert said(answer) == (200, "accepted")
    assert "replay" not in json.loads(answer.body)


def test_a_session_tells_of_its_recording(shop: Site) -> None:
    view = {"site": "shop", "type": "pageview", "url": PAGE, "session_id": TAB}
    assert send(shop, view, "/api/v1/events").status == 202
    send(shop, piece())
    shop.events()
    folder = folder_of(shop.app.config, shop.app.store, shop.app.counters)
    while folder.step():
        pass
    told = read(shop, f"/sessions/{TAB}")
    assert (told["pageviews"], told["rrweb_events"], told["total_events"]) == (1, 3, 1)
    recording = told["replay"]
    assert (recording["chunks"], recording["events"]) == (1, 3)
    name = recording["url"].removeprefix("/replay/")
    assert len(read(shop, f"/api/v1/replay/{name}")["events"]) == 3
    assert read(shop, f"/sessions/{told['visits'][0]}")["replay"] == recording
    assert read(shop, f"/sessions/{name}")["replay"] == recording
    assert read(shop, "/stats?site_id=shop")["rrweb_events"] == 3
    assert read(shop, "/stats?site_id=plain")["rrweb_events"] == 0


def test_a_session_known_only_by_its_recording(shop: Site) -> None:
    send(shop, piece())
    told = read(shop, f"/sessions/{TAB}")
    assert (told["session_id"], told["site"], told["visits"], told["events"]) == (TAB, "shop", [], [])
    assert (told["rrweb_events"], told["replay"]["chunks"], told["started_at"]) == (3, 1, told["replay"]["started_at"])
    assert read(shop, "/sessions/nobody", 404)["detail"] == "Session not found"


def test_modules_of_the_settings_count_where_a_site_names_none(build: Build) -> None:
    site = build(tracker=TrackerConfig(modules=("replay",)))
    anywhere = piece(site="", url="https://anywhere.example/", events=[meta("https://anywhere.example/")])
    assert said(send(site, anywhere)) == STORED
    assert (
        said(send(site, HEAT | {"site": "", "url": "https://anywhere.example/"}, "/api/v1/heat"))[1]
        == "dropped: heatmap"
    )
    assert ReplayTable(site.app.store.database).events([1]) == 1
    assert site.app.config.replay == Config().replay
