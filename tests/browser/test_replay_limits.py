"""When a recording ends and when it takes a new snapshot, on a page whose clock is turned on by hand."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page

from tests.running import until

from .origins import Site, served
from .recordings import Json, Receiver, tracker

FULL_SNAPSHOT, INCREMENT = 2, 3
MOUSE, CLICK = 2, 2  # of an increment: what it tells of, and what the mouse did
MINUTE_MS = 60_000

PAGE = """<input id="box" type="checkbox">
<ul></ul>
<script>
  const show = (bytes) => {
    const item = document.createElement('li');
    item.textContent = 'x'.repeat(bytes);
    document.querySelector('ul').replaceChildren(item);
  };
</script>
"""


@pytest.fixture
def receiver(client_files: Path) -> Iterator[Receiver]:
    receiver = Receiver(files=client_files)
    with served(receiver):
        yield receiver


def snapshots(receiver: Receiver) -> int:
    return sum(event["type"] == FULL_SNAPSHOT for event in receiver.events)


def clicks(receiver: Receiver) -> list[Json]:
    told = [event["data"] for event in receiver.events if event["type"] == INCREMENT]
    return [data for data in told if (data.get("source"), data.get("type")) == (MOUSE, CLICK)]


def record(page: Page, url: str, receiver: Receiver) -> None:
    """Open a page whose clock stands still but for what is turned by hand, and wait for its first state."""
    page.clock.install()
    page.goto(url)
    page.wait_for_selector("html[data-started]", state="attached")
    page.clock.run_for(1_500)
    until(lambda: snapshots(receiver) == 1)


def press(page: Page) -> None:
    """Change the page as a visitor does, and let what waits be sent."""
    page.click("#box")
    page.clock.run_for(11_000)


def test_a_recording_ends_after_its_minutes_and_stays_so_in_that_tab(
    page: Page, site: Site, receiver: Receiver
) -> None:
    url = site.put("page", PAGE + tracker(receiver.url, minutes=2))
    record(page, url, receiver)
    press(page)
    until(lambda: len(clicks(receiver)) == 1)
    page.clock.run_for(2 * MINUTE_MS)
    chunks = len(receiver.sent)
    press(page)
    page.goto(url)  # the same tab: its time is over on every page
    page.wait_for_selector("html[data-started]", state="attached")
    press(page)
    with page.context.expect_page() as opened:
        page.evaluate("(url) => open(url, '_blank', 'noopener')", url)
    opened.value.wait_for_selector("html[data-started]", state="attached")
    opened.value.clock.run_for(1_500)
    until(lambda: snapshots(receiver) == 2)  # another tab has its own time
    assert len(clicks(receiver)) == 1
    assert [len(sent["events"]) > 0 for sent in receiver.sent[chunks:]] == [True]


def test_a_recording_goes_on_over_pages_with_the_time_that_is_left(page: Page, site: Site, receiver: Receiver) -> None:
    url = site.put("page", PAGE + tracker(receiver.url, minutes=2))
    record(page, url, receiver)
    page.clock.run_for(MINUTE_MS)
    page.goto(url)
    page.wait_for_selector("html[data-started]", state="attached")
    page.clock.run_for(1_500)
    until(lambda: snapshots(receiver) == 2)
    page.clock.run_for(MINUTE_MS)
    press(page)
    page.goto("about:blank")
    until(lambda: site.saw("page"))
    assert clicks(receiver) == []


def test_every_ten_minutes_the_next_change_comes_with_a_new_snapshot(
    page: Page, site: Site, receiver: Receiver
) -> None:
    record(page, site.put("page", PAGE + tracker(receiver.url)), receiver)
    page.clock.run_for(9 * MINUTE_MS)
    press(page)
    until(lambda: len(clicks(receiver)) == 1)
    assert snapshots(receiver) == 1
    page.clock.run_for(MINUTE_MS)
    press(page)
    until(lambda: snapshots(receiver) == 2)
    press(page)
    until(lambda: len(clicks(receiver)) == 3)
    assert snapshots(receiver) == 2


def test_after_five_megabytes_of_changes_comes_a_new_snapshot(page: Page, site: Site, receiver: Receiver) -> None:
    record(page, site.put("page", PAGE + tracker(receiver.url, text="show")), receiver)
    for _ in range(4):
        page.evaluate("show(1_000_000)")
    press(page)
    until(lambda: len(clicks(receiver)) == 1)
    assert snapshots(receiver) == 1
    for _ in range(2):
        page.evaluate("show(1_000_000)")
    press(page)
    until(lambda: snapshots(receiver) == 2)
