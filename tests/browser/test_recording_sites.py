"""Recordings and heat of a site with the tracker script, from its pages through the server to the player."""

from collections.abc import Callable, Iterator
from typing import Any
from zlib import compress

import msgspec
import pytest
from playwright.sync_api import Page, expect

from tests.running import SECONDS, Server, until
from visitor_tracker.store.open import open_store
from visitor_tracker.store.replay import Chunk, Limits, ReplayTable

from .forged import attacks, changes, recording
from .origins import Site
from .recordings import PERSON, TAB, Json

StartServer = Callable[..., Server]

SETTINGS = {
    "VISITOR_TRACKER_TRACKER_MODULES": "[replay, heatmap]",
    "VISITOR_TRACKER_REPLAY_TEXT": "show",
    "VISITOR_TRACKER_RATE_LIMIT_BURST": "10000",
}
PICTURE = "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' width='120' height='80'/%3E"
SIZES = "(images) => images.map((one) => [one.width, one.height])"
PAGE = f"""<style>body {{ height: 2000px }}</style><h1>Shop</h1><ul></ul><img src="{PICTURE}"><img alt="visits" src="SERVER/badge.svg?url=https://example.com/">
<script>
  const make = (tag, about) => Object.assign(document.createElement(tag), about);
  const add = () => {{
    const number = document.querySelectorAll('li').length + 1;
    document.querySelector('ul').append(make('li', {{textContent: `Thing ${{number}}`}}));
    document.body.append(make('img', {{src: document.querySelector('img').src}}));
  }};
</script>
<button onclick="add()">More</button>
<script src="SERVER/script.js" data-allow-localhost></script>"""


@pytest.fixture
def recording_server(start_server: StartServer) -> Iterator[Server]:
    server = start_server(**SETTINGS)
    yield server
    server.stop()


def read(server: Server, path: str, **query: str) -> Any:  # noqa: ANN401
    return server.session.get(server.url + path, params=query, timeout=SECONDS).json()


def recordings(server: Server) -> list[Json]:
    found: list[Json] = read(server, "/api/v1/replays")["replays"]
    return found


def recorded(server: Server) -> str:
    """Return all that was recorded, as text."""
    return "".join(
        server.session.get(f"{server.url}/api/v1/replay/{each['session']}", timeout=SECONDS).text
        for each in recordings(server)
    )


def open_shop(person: Page, site: Site, server: Server) -> str:
    url = site.put("shop", PAGE.replace("SERVER", server.url))
    person.goto(url)
    until(lambda: "Shop" in recorded(server))
    return url


def test_a_visit_is_recorded_listed_and_played(person: Page, page: Page, site: Site, recording_server: Server) -> None:
    server = recording_server
    url = open_shop(person, site, server)
    for _ in range(3):
        person.get_by_role("button", name="More").click()
    text = person.locator("body").inner_text()
    shown = person.locator("img").evaluate_all(SIZES)
    person.goto("about:blank")
    until(lambda: "Thing 3" in recorded(server))
    tab = recordings(server)[0]["session"]
    until(lambda: read(server, f"/sessions/{tab}").get("events"))
    page.goto(f"{server.url}/replay")
    expect(page.locator("#rows tr")).to_have_count(1)
    page.locator("#rows a").click()
    expect(page.locator("#who")).to_contain_text("Chrome")
    expect(page.locator("#events")).to_contain_text("Viewed")
    page.keyboard.press("End")
    frame = page.frame_locator("#player iframe")
    expect(frame.locator("li")).to_have_count(3)
    assert frame.locator("body").inner_text() == text
    assert frame.locator("img").evaluate_all(SIZES) == shown
    assert shown.count([120, 80]) == 4
    until(lambda: read(server, "/api/v1/heatmap", url=url, viewport="desktop", kind="click").get("cells"))
    clicks = read(server, "/api/v1/heatmap", url=url, viewport="desktop", kind="click")
    assert sum(n for _, _, n in clicks["cells"]) == 3


def test_a_server_that_was_killed_gets_each_chunk_once(person: Page, site: Site, recording_server: Server) -> None:
    server = recording_server
    open_shop(person, site, server)
    server.kill9()
    person.get_by_role("button", name="More").click()
    with person.expect_event("requestfailed", lambda request: request.url.endswith("/api/v1/replay")):
        pass  # the chunk of every ten seconds
    server.start()
    until(lambda: "Thing 1" in recorded(server))
    person.get_by_role("button", name="More").click()
    person.goto("about:blank")
    until(lambda: "Thing 2" in recorded(server))
    assert [recorded(server).count(f'"Thing {number}"') for number in (1, 2)] == [1, 1]
    assert len(recordings(server)) == 1


def forged(site: Site) -> list[Json]:
    """Return the events of one recording with every attack in it."""
    nodes = [node for attack in attacks(site.url).values() for node in attack]
    return recording(_numbered(nodes), changes(site.url))


def _numbered(nodes: list[Json]) -> list[Json]:
    """Give nodes ids of their own, from 100 on."""
    waiting, number = list(nodes), 100
    while waiting:
        node = waiting.pop()
        node["id"], number = number, number + 1
        waiting += node.get("childNodes", [])
    return nodes


def plays_harmlessly(page: Page, server: Server, site: Site, session: str) -> None:
    page.goto(f"{server.url}/replay/{session}")
    expect(page.locator("#screen")).to_be_visible()
    page.keyboard.press("End")
    expect(page.frame_locator("#player iframe").get_by_text("played")).to_be_visible()
    page.evaluate("() => fetch('/client/replay-list.js').then((answer) => answer.text())")
    assert site.seen == []
    assert page.evaluate("() => top.ran") is None


def test_a_forged_recording_that_was_sent_is_harmless(page: Page, site: Site, recording_server: Server) -> None:
    server = recording_server
    body = {
        "session": TAB,
        "sequence": 1,
        "url": "https://example.com/",
        "viewport": "1024x600",
        "events": forged(site),
    }
    answer = server.session.post(
        f"{server.url}/api/v1/replay",
        json=body,
        headers={"User-Agent": PERSON, "Accept-Language": "de"},
        timeout=SECONDS,
    )
    assert answer.headers["X-Tracker"] == "accepted", answer.text
    plays_harmlessly(page, server, site, TAB)


def test_a_forged_recording_in_the_database_is_harmless(page: Page, site: Site, recording_server: Server) -> None:
    server = recording_server
    server.stop()
    events = msgspec.json.encode(forged(site))
    store = open_store(server.store_url)
    try:
        chunk = Chunk(
            1, b"\x07" * 16, 1, 1_795_000_000_000, compress(events), len(events), 20, "1024x600", "https://example.com/"
        )
        assert ReplayTable(store.database).add(chunk, Limits(1 << 30, 1 << 40), []) != "full"
    finally:
        store.close()
    server.start()
    plays_harmlessly(page, server, site, "07" * 16)
