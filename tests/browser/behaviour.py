"""A small shop where things go wrong: a recording, heat, errors, rage clicks and vitals, sent as pages do."""

import time
from typing import Any
from uuid import uuid4

import requests

from tests.running import SECONDS, until

from .forged import element, text
from .recordings import PERSON, Json

HOST = "https://shop.test"
SITE = "shop"
SECRET_TITLE = "<img src=x onerror=alert(1)>"
MODULES = {
    "VISITOR_TRACKER_TRACKER_MODULES": "[replay, heatmap, clicks, errors, vitals]",
    "VISITOR_TRACKER_RATE_LIMIT_BURST": "10000",
    "VISITOR_TRACKER_IDENTITY_VISITOR": "persistent",  # so that nobody is two at midnight
}
SCREEN = "1280x720"
FAILURE = {
    "type": "error",
    "name": "TypeError: cart is undefined",
    "properties": {
        "source": "/app.js", "line": 7, "column": 3, "stack": "pay (/app.js:7:3) | click (/app.js:1:1)",
        "release": "shop-7",
    },
}  # fmt: skip
PHONE = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5"
    " Mobile/15E148 Safari/604.1"
)


def post(session: requests.Session, url: str, body: object, agent: str = PERSON) -> None:
    """Send as a page does; everything must be taken."""
    answer = session.post(url, json=body, headers={"User-Agent": agent}, timeout=SECONDS)
    assert answer.status_code == 202, answer.text
    assert answer.headers["X-Tracker"] == "accepted", answer.headers["X-Tracker"]


def page(path: str, age_ms: int, **more: object) -> Json:
    return {"type": "pageview", "url": HOST + path, "age_ms": age_ms, "site": SITE} | more


def click(path: str, age_ms: int, *, rage: bool = False, dead: bool = False) -> Json:
    element = {"tag": "BUTTON", "id": "buy", "class": "large round", "x": 640, "y": 300, "column": 50, "row": 15}
    marks = {name: True for name, is_so in (("rage", rage), ("dead", dead)) if is_so}
    return {
        "type": "click", "name": "Buy now", "url": HOST + path, "age_ms": age_ms, "site": SITE, "viewport": SCREEN,
        "properties": element | marks,
    }  # fmt: skip


def of_page(kind: str, path: str, age_ms: int, **more: object) -> Json:
    return {"type": kind, "url": HOST + path, "age_ms": age_ms, "site": SITE} | more


def angry_visit(tab: str) -> list[Json]:
    """Return somebody who comes from a search engine, reads, clicks in rage, and meets an error; 60 seconds ago."""
    vitals = {"LCP": 5200, "INP": 90, "CLS": 0.3, "FCP": 1500, "TTFB": 300}
    told = [
        page("/", 60_000, referrer="https://www.google.com/", title=SECRET_TITLE),
        *(of_page("vital", "/", 55_000, name=name, value=value) for name, value in vitals.items()),
        of_page("engagement", "/", 41_000, engaged_ms=18_000, scroll=70),
        page("/cart", 40_000),
        click("/cart", 30_000, dead=True),
        click("/cart", 29_000, rage=True),
        FAILURE | {"url": f"{HOST}/cart", "age_ms": 28_000, "site": SITE},
        {"type": "custom", "name": "signup", "url": f"{HOST}/cart", "age_ms": 20_000, "site": SITE,
         "properties": {"plan": "pro"}},
    ]  # fmt: skip
    return [each | {"session_id": tab, "interactive": each["type"] not in ("vital", "error")} for each in told]


def calm_visit() -> list[Json]:
    """Return somebody on a telephone who looks at one page and goes."""
    return [
        page("/", 300_000, referrer="https://news.test/"),
        of_page("vital", "/", 299_000, name="LCP", value=1_200),
    ]


def recorded_page() -> Json:
    """Return a page of 1280 by 2000 pixels, as a recorder writes it."""
    style = "body { margin: 0; height: 2000px; background: #eef } h1 { padding: 40px } button { margin: 240px 560px }"
    head = element("head", 4, {}, element("style", 5, {}, text(style, 6)))
    body = element("body", 7, {}, element("h1", 8, {}, text("Shop", 9)), element("button", 10, {}, text("Buy", 11)))
    html = element("html", 3, {}, head, body)
    return {"type": 0, "id": 1, "childNodes": [{"type": 1, "id": 2, "name": "html", "publicId": ""}, html]}


def recording(began: int) -> list[Json]:
    """Return the events of a recording of a minute."""
    node = {"node": recorded_page(), "initialOffset": {"top": 0, "left": 0}}
    moves: list[Json] = [
        {"type": 3, "timestamp": began + at, "data": {"source": 1, "positions": [{"x": at // 60, "y": 300, "id": 7,
         "timeOffset": 0}]}}
        for at in (5_000, 20_000, 31_000, 32_000, 45_000)
    ]  # fmt: skip
    return [
        {"type": 4, "timestamp": began, "data": {"href": f"{HOST}/cart", "width": 1280, "height": 720}},
        {"type": 2, "timestamp": began + 10, "data": node},
        *moves,
    ]


def heat() -> Json:
    cells = {
        "click": [[50, 15, 9], [51, 15, 6], [20, 60, 2]],
        "move": [[x, 15, 3] for x in range(30, 60)],
        "scroll": [[0, 36, 10], [0, 60, 6], [0, 99, 4]],
    }
    return {"site": SITE, "id": uuid4().hex, "url": f"{HOST}/cart", "viewport": SCREEN, "cells": cells}


def fill(base: str, session: requests.Session) -> None:
    """Send all of it, and wait until it is folded."""
    tab = f"{int(time.time() * 1000):012x}" + "ab" * 10
    post(session, f"{base}/api/v1/events", calm_visit(), PHONE)
    post(session, f"{base}/api/v1/events", angry_visit(tab))
    piece = {"site": SITE, "session": tab, "sequence": 1, "url": f"{HOST}/cart", "viewport": SCREEN}
    post(session, f"{base}/api/v1/replay", piece | {"events": recording(int(time.time() * 1000) - 60_000)})
    post(session, f"{base}/api/v1/heat", heat())

    def is_folded() -> bool:
        answer: Any = session.get(f"{base}/api/v1/sites/{SITE}/visits", params={"with": "recording"}, timeout=SECONDS)
        found = answer.json()["visits"] if answer.status_code == 200 else []
        return bool(found) and found[0]["events"] == 3

    until(is_folded, lambda: "the visits were not folded")
