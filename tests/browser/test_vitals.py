"""modules/vitals.js: how a page came up, told once when it is left."""

from playwright.sync_api import Page

from tests.running import Server

from .modules import frames, hide, show, start, taken
from .origins import Site

SLOW = """<h1>A page</h1><button>slow</button><script>
  document.querySelector('button').onclick = () => {
    const end = performance.now() + 80;
    while (performance.now() < end);
  };
  const push = () => document.body.prepend(Object.assign(document.createElement('div'), {style: 'height: 90px'}));
  setTimeout(push, 200);
</script>"""


def load(page: Page, server: Server) -> None:
    """Load it as pages do, by the module that tells it of the end."""
    start(page, server.url, "more", modules=["vitals"])
    page.wait_for_function("() => tracker.onLeave.length")


def test_every_vital_is_told_once_when_the_page_is_left(page: Page, site: Site, server: Server) -> None:
    url = site.put("page", SLOW)
    page.goto(f"{url}?a=1#part")
    load(page, server)
    page.wait_for_selector("div")
    page.click("button")
    page.wait_for_function("() => performance.getEntriesByType('first-input').length")
    frames(page)
    assert taken(page) == []
    page.evaluate("() => history.pushState(null, '', 'other')")
    hide(page)
    found = taken(page)
    assert sorted(each["name"] for each in found) == ["CLS", "FCP", "INP", "LCP", "TTFB"]
    assert {each["type"] for each in found} == {"vital"}
    assert {each["url"] for each in found} == {f"{url}?a=1"}
    assert not any(each["interactive"] for each in found)
    values = {each["name"]: each["value"] for each in found}
    assert values["INP"] >= 80
    assert 0 < values["CLS"] < 1
    assert 0 < values["TTFB"] <= values["FCP"] <= values["LCP"]
    ratings = {each["properties"]["rating"] for each in found}
    assert ratings <= {"good", "needs-improvement", "poor"}
    assert {each["properties"]["navigationType"] for each in found} == {"navigate"}
    show(page)
    hide(page)
    assert taken(page) == []


def test_leaving_for_another_page_tells_them_too(page: Page, site: Site, server: Server) -> None:
    site.put("next", "next")
    page.goto(site.put("page", "<h1>A page</h1>"))
    load(page, server)
    frames(page)
    page.goto(f"{site.url}{site.folder}next")
    assert {"TTFB", "FCP", "LCP"} <= {each["name"] for each in taken(page)}


def test_a_page_shown_again_from_the_browsers_memory_has_vitals_of_its_own(
    page: Page, site: Site, server: Server
) -> None:
    site.put("next", "next")
    page.goto(site.put("page", "<h1>A page</h1>"))
    load(page, server)
    frames(page)
    page.evaluate("() => location.assign('next')")
    page.wait_for_url("**/next")
    taken(page)
    page.evaluate("() => history.back()")
    page.wait_for_function("() => location.pathname.endsWith('page')")
    frames(page)
    hide(page)
    found = taken(page)
    assert {each["properties"]["navigationType"] for each in found} == {"back-forward-cache"}
    assert {"LCP", "CLS"} <= {each["name"] for each in found}
