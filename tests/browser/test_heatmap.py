"""Heatmaps: where the page's visitors click, move and scroll to, as the browser counts it."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.running import until

from .origins import Site, served
from .recordings import Json, Receiver, tracker

TALL = "<style>body { margin: 0; height: 4000px }</style><button style='position: absolute; top: 100px'>x</button>"


@pytest.fixture
def receiver(client_files: Path) -> Iterator[Receiver]:
    receiver = Receiver(files=client_files)
    with served(receiver):
        yield receiver


def visit(page: Page, site: Site, receiver: Receiver, html: str = TALL) -> str:
    url = site.put("page", html + tracker(receiver.url, module="heatmap"))
    page.goto(url)
    expect(page.locator("html[data-started]")).to_have_count(1)
    return url


def cells(receiver: Receiver, kind: str) -> list[list[int]]:
    return [cell for report in receiver.heat.values() for cell in report["cells"].get(kind, [])]


def leave(page: Page, receiver: Receiver) -> Json:
    """Leave the page and return what it said then."""
    before = len(receiver.sent)
    page.goto("about:blank")
    until(lambda: len(receiver.sent) > before)
    last: Json = receiver.sent[-1]
    return last


def test_clicks_moves_and_depth_are_cells_of_the_page(page: Page, site: Site, receiver: Receiver) -> None:
    url = visit(page, site, receiver)
    width = page.evaluate("() => document.documentElement.scrollWidth")
    page.mouse.click(width // 2, 310)
    page.mouse.click(width // 2, 310)
    page.evaluate("() => scrollTo(0, 1000)")
    page.mouse.click(10, 30)
    report = leave(page, receiver)
    assert {name: report[name] for name in ("site", "url", "viewport")} == {
        "site": "",
        "url": url,
        "viewport": "1280x720",
    }
    assert sorted(cells(receiver, "click")) == [[0, 51, 1], [50, 15, 2]]
    assert cells(receiver, "scroll") == [[0, 86, 1]]
    assert cells(receiver, "move")
    assert all(0 <= x < 100 and 0 <= y < 5000 and 1 <= n <= 10_000 for x, y, n in cells(receiver, "move"))


def test_clicks_by_scripts_and_keys_have_no_place(page: Page, site: Site, receiver: Receiver) -> None:
    visit(page, site, receiver)
    page.evaluate("() => document.querySelector('button').click()")
    page.locator("button").press("Enter")
    assert set(leave(page, receiver)["cells"]) == {"scroll"}


def test_each_page_of_an_application_has_its_own(page: Page, site: Site, receiver: Receiver) -> None:
    url = visit(page, site, receiver)
    page.mouse.click(10, 10)
    page.evaluate("() => { history.pushState({}, '', 'second'); tracker.onPage.forEach((call) => call()); }")
    until(lambda: receiver.sent)
    page.mouse.click(10, 50)
    leave(page, receiver)
    told = [(report["url"], report["cells"]["click"], report["cells"]["scroll"]) for report in receiver.sent]
    assert told == [(url, [[0, 0, 1]], [[0, 36, 1]]), (url.replace("page", "second"), [[0, 2, 1]], [[0, 36, 1]])]


def test_a_report_that_the_server_could_not_take_comes_again_once(page: Page, site: Site, receiver: Receiver) -> None:
    receiver.away = 1
    visit(page, site, receiver)
    page.mouse.click(10, 10)
    page.evaluate("() => { history.pushState({}, '', 'second'); tracker.onPage.forEach((call) => call()); }")
    until(lambda: receiver.sent)
    leave(page, receiver)
    assert cells(receiver, "click") == [[0, 0, 1]]
    assert len(receiver.sent) == len(receiver.heat) == 2


def test_the_depth_of_a_page_is_told_once(page: Page, site: Site, receiver: Receiver) -> None:
    visit(page, site, receiver)
    hide = """(state) => {
      Object.defineProperty(document, 'visibilityState', {value: state, configurable: true});
      document.dispatchEvent(new Event('visibilitychange'));
    }"""
    page.evaluate(hide, "hidden")
    until(lambda: receiver.sent)
    page.evaluate(hide, "visible")
    page.mouse.click(10, 10)
    leave(page, receiver)
    assert cells(receiver, "scroll") == [[0, 36, 1]]
    assert cells(receiver, "click") == [[0, 0, 1]]


@pytest.mark.parametrize(("quiet", "reports"), [(2, 0), (1, 1)])  # as /script.js says of `drop` and `anonymous`
def test_who_objects_is_heeded(page: Page, site: Site, receiver: Receiver, quiet: int, reports: int) -> None:
    html = tracker(receiver.url, module="heatmap").replace('"modules"', f'"quiet": {quiet}, "modules"')
    page.add_init_script("Object.defineProperty(navigator, 'globalPrivacyControl', {value: true})")
    page.goto(site.put("page", TALL + html))
    expect(page.locator("html[data-started]")).to_have_count(1)
    page.mouse.click(10, 10)
    page.goto(site.put("other", "<p>other</p>"))
    page.wait_for_load_state("networkidle")
    assert len(receiver.heat) == reports
