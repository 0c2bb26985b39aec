"""Recordings and heat over HTTP: who may send them, what is kept of them, and what readers get back."""

import gzip
import json
import threading
import zlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.ingest.recordings import AT, HARMLESS, Json, element, increment, meta, snapshot, text
from tests.web.conftest import REMOTE, Build, Site, header
from visitor_tracker import sites
from visitor_tracker.config.sections import CorsConfig, RateLimitConfig, ReplayConfig
from visitor_tracker.errors import OutcomeUnknown, StoreUnavailable
from visitor_tracker.http.message import Response
from visitor_tracker.metrics import Cell
from visitor_tracker.sites import Policy, site_id_of

AGENT = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/140.0.0.0 Safari/537.36"
BROWSER = {"user-agent": AGENT, "accept-language": "de", "content-type": "text/plain"}
TAB = "0198f0c2" + "ab" * 12
SHOP = sites.Site(site_id_of("shop"), "shop", hostnames=("shop.example",), modules=("replay", "heatmap"))
PLAIN = sites.Site(site_id_of("plain"), "plain", modules=())
PAGE = "https://shop.example/cart?step=2#x"
EVENTS = [meta(PAGE), snapshot(element("p", {}, text("Total 5"))), HARMLESS["scroll"]]
HEAT = {"id": "ab" * 16, "site": "shop", "url": PAGE, "viewport": "1280x720", "cells": {"click": [[5, 6, 2]]}}


@pytest.fixture
def shop(build: Build) -> Site:
    return open_shop(build)


def open_shop(build: Build, policy: Policy | None = None, **sections: object) -> Site:
    made = build(**sections)
    shop = msgspec.structs.replace(SHOP, policy=policy)
    made.app.snapshot.now = msgspec.structs.replace(made.app.snapshot.now, sites=(shop, PLAIN), auto_create=False)
    return made


def piece(**more: object) -> Json:
    return {"site": "shop", "session": TAB, "sequence": AT * 1000, "url": PAGE, "viewport": "1280x720",
            "events": EVENTS} | more  # fmt: skip


def send(site: Site, sent: object, path: str = "/api/v1/replay", **headers: str) -> Response:
    body = sent if isinstance(sent, bytes) else json.dumps(sent).encode()
    more = {name.replace("_", "-"): value for name, value in headers.items()}
    return site.ask(path, method="POST", body=body, headers=BROWSER | more, peer=REMOTE)


def said(response: Response) -> tuple[int, str]:
    return response.status, header(response, "X-Tracker")


def read(site: Site, target: str, status: int = 200) -> Any:  # noqa: ANN401
    answer = site.ask(target)
    assert answer.status == status, answer.body
    return json.loads(answer.body)


def stored(site: Site) -> list[Any]:
    found = site.app.store.execute("select body from replay_chunks order by sequence")
    return [json.loads(zlib.decompress(bytes(row[0]))) for row in found]


STORED, DROPPED = (202, "accepted"), (202, "dropped: replay")


def test_a_recording_comes_back_as_it_was_shown(shop: Site) -> None:
    answer = send(shop, piece())
    assert (said(answer), json.loads(answer.body)) == (STORED, {"accepted": 1})
    assert header(answer, "Access-Control-Allow-Origin") == "*"
    later = [increment(3, AT + 10_000, id=1, x=0, y=9)]
    assert said(send(shop, piece(events=later, sequence=AT * 1000 + 1))) == STORED
    told = read(shop, f"/api/v1/replay/{TAB}")
    assert (told["site"], told["url"], told["viewport"]) == ("shop", "https://shop.example/cart?step=2", "1280x720")
    assert [event["type"] for event in told["events"]] == [4, 2, 3, 3]
    assert told["events"][1] == snapshot(element("p", {}, text("***** *")))
    assert told["events"][3] == later[0]
    assert set(told) == {"session", "site", "url", "viewport", "started_at", "ended_at", "events"}
    assert read(shop, f"/api/v1/replay/{told['session']}?site=shop")["events"] == told["events"]
    assert read(shop, f"/api/v1/replay/{TAB}?site=plain", 404)["error"]["code"] == "no_replay"


def test_recordings_are_listed(shop: Site) -> None:
    for number in range(3):
        send(shop, piece(session=f"tab {number}", sequence=number))
    listed = read(shop, "/api/v1/replays?site=shop")
    assert (len(listed["replays"]), listed["before"]) == (3, None)
    first = listed["replays"][0]
    assert (first["site"], first["page"], first["chunks"], first["events"], first["viewport"]) == (
        "shop", "https://shop.example/cart?step=2", 1, 3, "1280x720",
    )  # fmt: skip
    assert first["url"] == f"/replay/{first['session']}"
    assert len(read(shop, "/api/v1/replays?limit=2")["replays"]) == 2
    assert read(shop, "/api/v1/replays?site=plain")["replays"] == []
    assert read(shop, "/api/v1/replays?limit=0", 400)["error"]["code"] == "invalid_limit"
    assert read(shop, "/api/v1/replays?site=nobody", 404)["error"]["code"] == "unknown_site"


@pytest.mark.parametrize(
    "target",
    ["/api/v1/replays", f"/api/v1/replay/{TAB}", "/api/v1/heatmap?url=https://shop.example/", "/api/v1/snapshot"],
)
def test_only_readers_get_them(shop: Site, target: str) -> None:
    assert shop.ask(target, peer=REMOTE).status == 401
    assert shop.ask(target, headers={"sec-fetch-site": "cross-site", "sec-fetch-mode": "cors"}).status == 403


def test_the_same_piece_is_stored_once(shop: Site) -> None:
    assert [said(send(shop, piece())) for _ in range(3)] == [STORED] * 3
    assert len(read(shop, f"/api/v1/replay/{TAB}")["events"]) == 3


def test_pages_send_gzip_without_saying_so(shop: Site) -> None:
    packed = gzip.compress(json.dumps(piece()).encode())
    assert said(send(shop, packed)) == STORED
    assert said(send(shop, packed, content_encoding="gzip")) == STORED
    assert len(stored(shop)) == 1
    assert send(shop, packed[:-9]).status == 400
    assert send(shop, packed + b"x").status == 400
    assert send(shop, gzip.compress(b" " * 1_000_000)).status == 413
    assert send(shop, packed, content_encoding="br").status == 415


@pytest.mark.parametrize("sent", [b"", b"null", b"\xff\xfe", piece(session=""), piece(events=5), b"[" * 50_000])
def test_what_is_no_recording_is_refused(shop: Site, sent: object) -> None:
    answer = send(shop, sent)
    assert said(answer) == (400, "dropped: invalid_event")
    assert json.loads(answer.body)["error"]["hint"].startswith("send ")
    assert stored(shop) == []


@pytest.mark.parametrize(
    ("changes", "headers", "reason"),
    [
        ({"site": "plain", "url": "https://plain.example/"}, {}, "replay"),  # does not record
        ({"site": "nobody"}, {}, "unknown_site"),
        ({"url": "https://elsewhere.example/"}, {}, "hostname"),
        ({"url": "javascript:alert(1)"}, {}, "invalid_url"),
        ({"events": [None, {"type": 5}]}, {}, "invalid_event"),
        ({}, {"user_agent": "Googlebot/2.1 (+http://www.google.com/bot.html)"}, "replay"),
        ({}, {"user_agent": "curl/8.5.0"}, "replay"),
        ({}, {"user_agent": ""}, "replay"),
    ],
)
def test_what_is_dropped(shop: Site, changes: Json, headers: dict[str, str], reason: str) -> None:
    answer = send(shop, piece(**changes), **headers)
    assert said(answer) == (202, f"dropped: {reason}")
    assert json.loads(answer.body) == {"accepted": 0, "dropped": [{"index": 0, "reason": reason}]}
    assert shop.counted(Cell[f"DROPPED_{reason.upper()}"]) == 1
    assert stored(shop) == []


@pytest.mark.parametrize(
    ("policy", "replay", "heat"),
    [("ignore", "accepted", "accepted"), ("anonymous", "dropped: opt_out", "accepted"),
     ("drop", "dropped: opt_out", "dropped: opt_out")],
)  # fmt: skip
@pytest.mark.parametrize("headers", [{"dnt": "1"}, {"sec_gpc": "1"}])
def test_who_wants_no_tracking(build: Build, policy: Any, replay: str, heat: str, headers: dict[str, str]) -> None:  # noqa: ANN401
    shop = open_shop(build, Policy(opt_out=policy))
    assert said(send(shop, piece(), **headers))[1] == replay
    assert said(send(shop, HEAT, "/api/v1/heat", **headers))[1] == heat


def test_another_web_site_may_not_send(build: Build) -> None:
    shop = open_shop(build, cors=CorsConfig(origins=("https://shop.example",)))
    assert said(send(shop, piece(), origin="https://evil.example")) == (403, "dropped: origin")
    assert said(send(shop, piece(), origin="https://shop.example")) == STORED


def test_much_costs_more_of_the_rate_limit(build: Build) -> None:
    shop = open_shop(build, rate_limit=RateLimitConfig(per_second=0.001, burst=8))
    large = piece(url=PAGE + "x" * 700, events=[*EVENTS, element("p", {"title": "*" * 300_000})])
    assert said(send(shop, large)) == STORED  # five tokens
    assert said(send(shop, piece())) == STORED
    assert said(send(shop, large | {"sequence": 2})) == (429, "dropped: rate_limit")
    assert len(stored(shop)) == 1


def test_the_largest_piece_passes_where_the_rate_limit_has_less_than_it_costs(build: Build) -> None:
    shop = open_shop(build, rate_limit=RateLimitConfig(per_second=0.001, burst=8))
    large = piece(events=[*EVENTS, *(element("p", {"title": "*" * 1_000_000}) for _ in range(4))])
    assert said(send(shop, large)) == STORED  # 62 tokens, of which there are eight
    assert said(send(shop, piece(sequence=2))) == (429, "dropped: rate_limit")


def test_a_session_has_its_limits(build: Build) -> None:
    shop = open_shop(build, replay=ReplayConfig(session_bytes=64 * 1024))
    many = [increment(3, AT + number, id=1, x=0, y=number) for number in range(500)]
    outcomes = [said(send(shop, piece(events=many, sequence=number))) for number in range(4)]
    assert outcomes == [STORED, DROPPED, DROPPED, DROPPED] or outcomes == [STORED, STORED, DROPPED, DROPPED]
    assert said(send(shop, piece(session="another tab", sequence=9))) == STORED


def test_a_site_that_shows_text(build: Build) -> None:
    shop = open_shop(build, replay=ReplayConfig(text="show"))
    send(shop, piece())
    assert read(shop, f"/api/v1/replay/{TAB}")["events"][1] == EVENTS[1]
    kept = read(shop, "/api/v1/snapshot?site=shop&url=https://shop.example/cart")
    assert kept["data"] == snapshot(element("p", {}, text("***** *")))["data"]


def test_a_store_that_hangs_holds_few_threads(shop: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    hanging, inside = threading.Event(), threading.Semaphore(0)

    def hang(*_: object) -> None:
        inside.release()
        hanging.wait(20)
        raise StoreUnavailable("away")

    with monkeypatch.context() as patch, ThreadPoolExecutor(4) as pool:
        patch.setattr(shop.app.store.database, "write", hang)
        waiting = [pool.submit(send, shop, piece(sequence=number)) for number in range(4)]
        for _ in waiting:
            assert inside.acquire(timeout=20)
        for answer in (send(shop, piece(sequence=9)), send(shop, HEAT, "/api/v1/heat")):
            assert (answer.status, header(answer, "Retry-After")) == (503, "2")
        hanging.set()
        assert [each.result().status for each in waiting] == [503] * 4
    assert said(send(shop, piece(sequence=9))) == STORED


@pytest.mark.parametrize("error", [StoreUnavailable("away"), OutcomeUnknown("broke")])
def test_while_the_store_is_away_pages_keep_what_they_have(
    shop: Site, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def fail(*_: object) -> None:
        raise error

    with monkeypatch.context() as patch:
        patch.setattr(shop.app.store.database, "write", fail)
        for answer in (send(shop, piece()), send(shop, HEAT, "/api/v1/heat")):
            assert (answer.status, header(answer, "Retry-After")) == (503, "2")
            assert header(answer, "Access-Control-Allow-Origin") == "*"
    assert stored(shop) == []
    assert said(send(shop, piece())) == STORED
    assert said(send(shop, HEAT, "/api/v1/heat")) == STORED


def test_heat_of_a_page(shop: Site) -> None:
    sent = HEAT | {"cells": {"click": [[5, 6, 2], [99, 4999, 1]], "move": [[1, 2, 3]], "scroll": [[0, 40, 1]]}}
    assert said(send(shop, sent, "/api/v1/heat")) == STORED
    assert said(send(shop, sent, "/api/v1/heat")) == STORED  # the same, again
    again = {"id": "cd" * 16, "url": "https://shop.example/cart?step=3", "cells": {"click": [[5, 6, 1]]}}
    assert said(send(shop, HEAT | again, "/api/v1/heat")) == STORED
    page = "url=https://shop.example/cart?x=y"
    assert read(shop, f"/api/v1/heatmap?site=shop&{page}") == {
        "url": "https://shop.example/cart", "viewport": "desktop", "kind": "click", "columns": 100, "row_px": 20,
        "cells": [[5, 6, 3], [99, 4999, 1]], "total": 4, "snapshot": False,
    }  # fmt: skip
    assert read(shop, f"/api/v1/heatmap?kind=scroll&{page}")["cells"] == [[0, 40, 1]]  # the site is the host's
    assert read(shop, f"/api/v1/heatmap?viewport=mobile&{page}")["cells"] == []
    pages = read(shop, "/api/v1/heatmap?site=shop")["pages"]
    assert [(each["url"], each["reports"]) for each in pages] == [("https://shop.example/cart", 2)]


@pytest.mark.parametrize(
    ("target", "status", "code"),
    [
        ("heatmap?url=nonsense", 400, "invalid_url"),
        ("heatmap?url=https://shop.example/&kind=look", 400, "invalid_kind"),
        ("heatmap?url=https://shop.example/&viewport=watch", 400, "invalid_viewport"),
        ("heatmap?site=nobody&url=https://shop.example/", 404, "unknown_site"),
        ("snapshot?url=https://shop.example/", 404, "no_snapshot"),
        ("snapshot?site=shop", 400, "invalid_url"),
    ],
)
def test_questions_that_cannot_be_answered(shop: Site, target: str, status: int, code: str) -> None:
    assert read(shop, f"/api/v1/{target}", status)["error"]["code"] == code


@pytest.mark.parametrize(
    ("changes", "answer"),
    [
        ({"site": "plain", "url": "https://plain.example/"}, (202, "dropped: heatmap")),
        ({"viewport": "wide"}, (202, "dropped: invalid_event")),
        ({"id": "short"}, (400, "dropped: invalid_event")),
        ({"cells": {"click": [[100, 0, 1]]}}, (400, "dropped: invalid_event")),
    ],
)
def test_heat_that_is_not_taken(shop: Site, changes: Json, answer: tuple[int, str]) -> None:
    assert said(send(shop, HEAT | changes, "/api/v1/heat")) == answer
    assert shop.app.store.execute("select count(*) from heat") == [(0,)]


def test_the_first_view_of_a_page_is_kept(shop: Site) -> None:
    send(shop, piece())
    send(shop, HEAT, "/api/v1/heat")
    kept = read(shop, "/api/v1/snapshot?url=https://shop.example/cart&viewport=desktop")
    assert (kept["url"], kept["width"], kept["height"]) == ("https://shop.example/cart", 1280, 720)
    assert {name: kept[name] for name in ("type", "data", "timestamp")} == snapshot(element("p", {}, text("***** *")))
    assert read(shop, "/api/v1/heatmap?url=https://shop.example/cart")["snapshot"] is True
    elsewhere = piece(sequence=5, events=[meta("https://elsewhere.example/"), snapshot()])
    assert said(send(shop, elsewhere)) == STORED
    assert shop.app.store.execute("select count(*) from page_snapshots") == [(1,)]


PRIVATE = ["ann.smith@example.org", "4111111111111111", "4111 1111 1111 1111", "192.0.2.7", AGENT, "hunter2", "s3cr3t"]


def test_nothing_private_is_in_the_database(build: Build, tmp_path: Path) -> None:
    shop = open_shop(build, replay=ReplayConfig(text="show"))
    said_by_all = " ".join(PRIVATE[:5])
    url = "https://shop.example/ann.smith@example.org/192.0.2.7?token=s3cr3t&card=4111111111111111"
    fields = [element("input", {"type": "password", "value": "hunter2"}), element("textarea", {"value": "hunter2"})]
    events = [
        meta(url),
        snapshot(element("a", {"href": url, "title": said_by_all, "class": said_by_all}, text(said_by_all)), *fields),
        increment(5, id=40, text="hunter2", isChecked=False),
    ]
    assert said(send(shop, piece(url=url, events=events, session=said_by_all[:128]))) == STORED
    assert said(send(shop, HEAT | {"url": url}, "/api/v1/heat")) == STORED
    kept = json.dumps(stored(shop))
    kept += zlib.decompress(bytes(shop.app.store.execute("select body from page_snapshots")[0][0])).decode()
    files = b"".join(path.read_bytes() for path in tmp_path.glob("v.db*"))
    assert len(stored(shop)[0]) == 3
    assert [each for each in PRIVATE if each in kept or each.encode() in files] == []
    assert TAB.encode() not in files


def legacy(**more: object) -> Json:
    about = {"sessionId": "old-session", "url": PAGE, "screen": "1920x1080", "timestamp": "2026-03-20T10:00:00.000Z"}
    click = {"type": "click", "tag": "BUTTON", "text": "Buy", "timestamp": AT}
    return {"metadata": about, "analytics": [click], "replay": EVENTS} | more
