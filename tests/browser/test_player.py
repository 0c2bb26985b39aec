"""The pages that list recordings and play them, and what forged recordings can do there: nothing."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, FrameLocator, Page, ViewportSize, expect

from .forged import attacks, changes, element, recording, text
from .origins import Site, served
from .recordings import STORY, TAB, Json, Receiver, replayed
from .test_demo import LOW_CONTRAST


@pytest.fixture
def receiver(client_files: Path) -> Iterator[Receiver]:
    receiver = Receiver(files=client_files)
    with served(receiver):
        yield receiver


@pytest.fixture
def complaints(page: Page) -> list[str]:
    """What the console complains of; violations of a content policy come there too."""
    found: list[str] = []
    page.on("console", lambda message: found.append(message.text) if message.type in ("error", "warning") else None)
    return found


# Forged recordings: they come past every check of the server, as if they stood in the database.


@pytest.fixture
def watched(page: Page, receiver: Receiver, site: Site) -> Iterator[Page]:
    """A page from which nothing may go to another origin than the receiver's, and in which nothing may run."""
    gone: list[str] = []
    page.context.on("requestfinished", lambda request: gone.append(request.url))
    yield page
    # What was asked for before is on its way when this has been answered.
    page.evaluate("() => fetch('/client/replay-list.js').then((answer) => answer.text())")
    assert [url for url in gone if not url.startswith((f"{receiver.url}/", "data:", "about:", "blob:"))] == []
    assert site.seen == []
    assert page.evaluate("() => top.ran") is None


def played(page: Page, receiver: Receiver, events: list[Json]) -> FrameLocator:
    """Play these events to their end."""
    receiver.stored = {0: {"url": "https://example.com/", "events": events}}
    receiver.story = STORY
    frame = replayed(page, receiver)
    expect(frame.get_by_text("played")).to_be_visible()
    return frame


@pytest.mark.parametrize("name", attacks(""))
def test_a_forged_page_neither_runs_nor_asks(watched: Page, receiver: Receiver, site: Site, name: str) -> None:
    played(watched, receiver, recording(attacks(site.url)[name], []))


def test_forged_changes_neither_run_nor_ask(watched: Page, receiver: Receiver, site: Site) -> None:
    frame = played(watched, receiver, recording([], changes(site.url)))
    watched.keyboard.press("Home")
    watched.keyboard.press("Space")  # change by change, not all at once
    expect(frame.locator("iframe")).to_have_count(1)
    expect(watched.locator(".rr-timeline__time").first).to_have_text("00:02")


def test_the_frame_itself_lets_nothing_run_or_out(watched: Page, receiver: Receiver, site: Site) -> None:
    played(watched, receiver, recording([], []))
    assert watched.locator("#player iframe").get_attribute("sandbox") == "allow-same-origin"
    evil = site.url
    html = f"""<p>x</p><img src="{evil}/a.png" onerror="top.ran = true">
      <iframe srcdoc="<script>top.ran = true</script>"></iframe><iframe src="{evil}/b"></iframe>
      <iframe src="javascript:top.ran = true"></iframe><object data="{evil}/h"></object>
      <link rel=stylesheet href="{evil}/c.css"><link rel=prefetch href="{evil}/k">
      <style>@import '{evil}/d.css'; p {{ background: url({evil}/e.png) }}</style>
      <svg onload="top.ran = true"><image href="{evil}/f.png"/></svg>
      <meta http-equiv=refresh content="0;url={evil}/g"><video src="{evil}/i" autoplay></video>
      <form action="{evil}/j"><button autofocus onfocus="top.ran = true"></button></form>"""
    watched.evaluate(
        """(html) => {
          const inside = document.querySelector('#player iframe').contentDocument;
          inside.body.innerHTML = html;
          const script = inside.createElement('script');
          script.textContent = 'top.ran = true';
          inside.body.append(script);
          inside.querySelector('form').submit();
        }""",
        html,
    )
    expect(watched.frame_locator("#player iframe").locator("p")).to_have_text("x")


# The pages.


def test_the_player_tells_what_happened_and_jumps_there(page: Page, receiver: Receiver, complaints: list[str]) -> None:
    moved = [{"type": 3, "data": {"source": 3, "id": 1, "x": 0, "y": 10}}] * 100
    events = recording([], moved)
    played(page, receiver, events)
    expect(page.locator("#who")).to_contain_text("Germany · Chrome 140 · Windows 11 · desktop · example.com/")
    buttons = page.locator("#events button")
    expect(buttons).to_have_text(
        ["0:00Viewed example.com/prices", "0:01Clicked More", "0:02<img src=x onerror=alert(1)>"]
    )
    now = page.locator(".rr-timeline__time").first
    buttons.nth(2).click()
    expect(now).to_have_text("00:02")
    page.locator("h1").click()
    page.keyboard.press("Home")
    expect(now).to_have_text("00:00")
    page.keyboard.press("ArrowRight")
    expect(now).to_have_text("00:05")
    page.keyboard.press("ArrowLeft")
    expect(now).to_have_text("00:00")
    page.keyboard.press("Space")
    expect(now).not_to_have_text("00:00")
    assert complaints == []


@pytest.mark.parametrize(
    ("events", "title"),
    [
        (None, "There is no such recording"),
        ([], "Nothing to see yet"),
        ([{"type": 4, "timestamp": 1, "data": {"href": "x", "width": 1, "height": 1}}], "Nothing to see yet"),
        ([{"type": 2, "timestamp": 1, "data": {}}, {"type": 2, "timestamp": 2, "data": 7}], "cannot be played"),
        (["nonsense", None, {"timestamp": 7}], "Nothing to see yet"),
    ],
)
def test_what_cannot_be_played_is_explained(
    page: Page, receiver: Receiver, events: list[Json] | None, title: str
) -> None:
    if events is not None:
        receiver.stored = {0: {"url": "", "events": events}}
    page.goto(f"{receiver.url}/replay/{TAB}")
    expect(page.locator("#state-title")).to_contain_text(title)
    expect(page.locator("#screen")).to_be_hidden()


def test_the_list_leads_to_the_recordings(page: Page, receiver: Receiver, complaints: list[str]) -> None:
    page.goto(f"{receiver.url}/replay")
    expect(page.locator("#state-title")).to_have_text("No recording yet")
    receiver.stored = {0: {"url": "https://example.com/a", "events": recording([], [])}}
    receiver.story = STORY
    page.reload()
    expect(page.locator("#rows tr")).to_contain_text(["example.com/a"])
    expect(page.locator("#rows tr")).to_contain_text(["0:07"])
    expect(page.get_by_role("link", name="Older recordings")).to_have_attribute("href", "?before=1774000800000")
    page.locator("#rows a").click()
    expect(page.locator("#screen")).to_be_visible()
    assert complaints == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1440, 390])
def test_the_pages_look_right(chromium: Browser, receiver: Receiver, tmp_path: Path, width: int, scheme: str) -> None:
    context = chromium.new_context(
        viewport=ViewportSize(width=width, height=900), color_scheme="dark" if scheme == "dark" else "light"
    )
    try:
        page = context.new_page()
        events = recording(
            [element("h1", 50, {}, text("A recorded page", 51)), element("img", 52, {"width": "300", "height": "90"})],
            [],
        )
        played(page, receiver, events)
        page.screenshot(path=tmp_path / f"player-{width}-{scheme}.png", full_page=True)
        assert page.evaluate("() => document.documentElement.scrollWidth") <= width
        assert page.evaluate(LOW_CONTRAST) == []
        page.goto(f"{receiver.url}/replay")
        expect(page.locator("#rows tr")).to_have_count(1)
        page.screenshot(path=tmp_path / f"list-{width}-{scheme}.png", full_page=True)
        assert page.evaluate("() => document.documentElement.scrollWidth") <= width
        assert page.evaluate(LOW_CONTRAST) == []
    finally:
        context.close()
