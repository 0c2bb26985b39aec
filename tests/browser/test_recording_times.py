"""A long recording, from a page whose clock is turned on by hand through the server to the player."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import count

import pytest
from playwright.sync_api import Page, Request, expect

from tests.running import SECONDS, Server, until

from .origins import Site
from .recordings import Json

StartServer = Callable[..., Server]

FULL_SNAPSHOT = 2
MINUTES, MINUTE_MS = 25, 60_000  # that a tab is recorded: long enough for two more snapshots
TAKEN = {"X-Tracker": "accepted", "Access-Control-Allow-Origin": "*", "Access-Control-Expose-Headers": "X-Tracker"}
PAGE = """<h1>Shop</h1><ul></ul>
<script>
  const list = document.querySelector('ul');
  const add = (textContent) => list.append(Object.assign(document.createElement('li'), {textContent}));
</script>
<script src="SERVER/script.js" data-allow-localhost></script>"""


@pytest.fixture(scope="module")
def server(start_server: StartServer) -> Iterator[Server]:
    server = start_server(
        VISITOR_TRACKER_TRACKER_MODULES="[replay]",
        VISITOR_TRACKER_REPLAY_TEXT="show",
        VISITOR_TRACKER_REPLAY_MINUTES=str(MINUTES),
        VISITOR_TRACKER_RATE_LIMIT_BURST="10000",
    )
    yield server
    server.stop()


class Shop:
    """A page opened half an hour ago, whose clock stands still but for what is turned by hand."""

    def __init__(self, person: Page, site: Site, server: Server) -> None:
        self.person = person
        self.pieces = 0  # of the recording that went
        self._server = server
        person.on("request", self._count)
        person.clock.install(time=datetime.now(UTC) - timedelta(minutes=MINUTES + 5))
        person.goto(site.put("shop", PAGE.replace("SERVER", server.url)))
        until(self._has_begun)
        self.path = "/replay/" + person.evaluate("sessionStorage['vt.tab']")

    def _has_begun(self) -> bool:
        self.run(500)
        return self.pieces > 0

    def _count(self, request: Request) -> None:
        self.pieces += request.url.endswith("/api/v1/replay")

    def run(self, milliseconds: int) -> None:
        self.person.clock.run_for(milliseconds)

    def add(self, text: str) -> None:
        """Change the page and wait until a piece of the recording goes."""
        before = self.pieces
        self.person.evaluate("(text) => add(text)", text)
        self.run(11_000)
        until(lambda: self.person.evaluate("1") and self.pieces > before)

    def fill(self) -> None:
        """Change the page once in each of the three parts that a snapshot begins."""
        self.add("thing 1")
        for number in (2, 3):
            self.run(10 * MINUTE_MS)
            self.add(f"thing {number}")
        until(lambda: "thing 3" in str(self.events()))

    def events(self) -> list[Json]:
        """Return what the server has of it."""
        answer = self._server.session.get(f"{self._server.url}/api/v1{self.path}", timeout=SECONDS)
        return list(answer.json()["events"])

    def snapshots(self) -> int:
        return sum(event["type"] == FULL_SNAPSHOT for event in self.events())


def test_after_its_minutes_a_tab_sends_no_more_and_what_it_sent_is_stored(
    person: Page, site: Site, server: Server
) -> None:
    shop = Shop(person, site, server)
    shop.fill()
    assert shop.snapshots() == 3  # one for each ten minutes
    shop.run(MINUTES * MINUTE_MS)
    pieces, events = shop.pieces, shop.events()
    person.evaluate("add('thing 4')")
    shop.run(MINUTE_MS)
    person.goto("about:blank")
    assert shop.pieces == pieces
    assert shop.events() == events
    assert [f"thing {number}" in str(events) for number in range(1, 5)] == [True, True, True, False]


@pytest.mark.parametrize("lost", [range(1), range(1, 2), range(2)], ids=["snapshot", "change", "both"])
def test_what_was_cut_out_of_a_recording_is_missing_up_to_the_next_snapshot_only(
    person: Page, page: Page, site: Site, server: Server, lost: range
) -> None:
    numbers = count()
    person.route(
        "**/api/v1/replay",
        lambda route: route.fulfill(status=202, headers=TAKEN) if next(numbers) in lost else route.continue_(),
    )
    shop = Shop(person, site, server)
    shop.fill()
    assert shop.snapshots() == 3 - (0 in lost)
    page.goto(server.url + shop.path)
    expect(page.locator("#screen")).to_be_visible()
    things = page.frame_locator("#player iframe").locator("li")
    page.keyboard.press("End")
    expect(things).to_have_text(["thing 1", "thing 2", "thing 3"])
    bar = page.locator(".rr-progress")
    box = bar.bounding_box()
    assert box is not None
    bar.click(position={"x": 0.75 * box["width"], "y": box["height"] / 2})  # between the second snapshot and the third
    expect(things).to_have_text(["thing 1", "thing 2"])
