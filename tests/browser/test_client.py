"""class VisitorTracker, imported as a module by a page of another origin."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page

from tests.running import Server, until

from .origins import Relay, Site

COUNT = "new VisitorTracker().updateVisitorCount()"


def run(page: Page, server: str, script: str) -> object:
    """Import the client from `server` on the open page and return what `script` resolves to."""
    return page.evaluate(
        f"async () => {{ const {{VisitorTracker}} = await import('{server}/client/visitor-tracker.js');"
        f" return await ({script}); }}"
    )


def test_a_module_counts_its_page_and_gets_the_numbers(
    page: Page, site: Site, server_of_each_store: Server, relay_to: Callable[[Server], Relay]
) -> None:
    relay = relay_to(server_of_each_store)
    url = site.put("article", "")
    page.goto(f"{url}?b=1#part")
    first = run(page, relay.url, COUNT)
    again = run(page, relay.url, COUNT)
    assert isinstance(first, dict)
    assert isinstance(again, dict)
    assert (first["page_url"], first["visit_count"]) == (f"{url}?b=1", 1)
    assert again["visit_count"] == 2
    assert set(first) == {"page_url", "visit_count", "last_visited", "created_at", "security_token"}
    assert first["created_at"] == again["created_at"] <= again["last_visited"]
    read = run(page, relay.url, "new VisitorTracker().getVisitorCount(location.href)")
    assert read == {name: again[name] for name in ("page_url", "visit_count", "last_visited", "created_at")}
    assert server_of_each_store.count(f"{url}?b=1") == 2


def test_no_request_needs_a_preflight(page: Page, site: Site, relay: Relay) -> None:
    page.goto(site.put("page", ""))
    seed = "{headers: {'Content-Type': 'application/json'}}"
    run(page, relay.url, COUNT)
    run(page, relay.url, f"new VisitorTracker(undefined, {seed}).updateVisitorCount()")
    run(page, relay.url, f"new VisitorTracker(undefined, {seed}).getVisitorCount(location.href)")
    run(page, relay.url, "new VisitorTracker().sendGetRequest('/update', {url: location.href})")
    assert relay.routes() == ["POST /api/v1/visits", "POST /api/v1/visits", "GET /count", "GET /update"]
    assert all("cookie" not in {name.lower() for name in seen.headers} for seen in relay.seen)


def test_the_list_of_all_pages(page: Page, server: Server) -> None:
    page.goto(f"{server.url}/healthz")  # the list is for the server's own machine and pages
    run(page, server.url, "new VisitorTracker().updateVisitorCount('https://example.com/listed')")
    pages = run(page, server.url, "new VisitorTracker().getVisitorCount()")
    assert isinstance(pages, list)
    assert ("https://example.com/listed", 1) in [(row["page_url"], row["visit_count"]) for row in pages]


def test_a_visit_whose_answer_was_lost_counts_once(
    page: Page, site: Site, server_of_each_store: Server, relay_to: Callable[[Server], Relay]
) -> None:
    relay = relay_to(server_of_each_store)
    relay.lose = 2
    url = site.put("page", "")
    page.goto(url)
    visit = run(page, relay.url, COUNT)
    assert isinstance(visit, dict)
    assert (visit["visit_count"], visit.get("duplicate")) == (1, True)
    posts = [seen.body for seen in relay.seen if seen.method == "POST"]
    assert len(posts) == 3
    assert len(set(posts)) == 1
    assert server_of_each_store.count(url) == 1


def test_a_server_that_restarts_is_waited_for(page: Page, site: Site, own_server: Server) -> None:
    url = site.put("page", "")
    page.goto(url)
    run(page, own_server.url, "1")  # the module is there
    own_server.stop()
    page.evaluate(
        f"() => {{ window.visit = import('{own_server.url}/client/visitor-tracker.js')"
        ".then(({VisitorTracker}) => new VisitorTracker().updateVisitorCount()); }"
    )
    own_server.start()
    page.evaluate("() => window.visit")
    after = run(page, own_server.url, COUNT)
    assert isinstance(after, dict)
    assert after["visit_count"] == own_server.count(url)


def test_a_visit_is_counted_when_the_page_is_left_at_once(page: Page, site: Site, server: Server) -> None:
    site.put("next", "")
    script = f"""<script type="module">
        import {{VisitorTracker}} from '{server.url}/client/visitor-tracker.js';
        new VisitorTracker().updateVisitorCount();
        location.replace('next');
    </script>"""
    url = site.put("short", script)
    page.goto(url)
    page.wait_for_url("**/next")
    until(lambda: server.count(url) == 1)


REFUSALS = {
    "a page that is no URL": "new VisitorTracker().updateVisitorCount('https://')",
    "a page of another scheme": "new VisitorTracker().getVisitorCount('ftp://example.com/')",
    "a route that is not there": "new VisitorTracker().sendGetRequest('/nothing')",
    "an answer that is not JSON": "new VisitorTracker().sendGetRequest('/client/visitor-tracker.js')",
    "an address that is none": "new VisitorTracker('http://:::').updateVisitorCount()",
    "a name nobody has": "new VisitorTracker('http://nobody.invalid').getVisitorCount(location.href)",
    "no time": "new VisitorTracker(undefined, {timeout: 0}).getVisitorCount(location.href)",
    "an aborted signal": "new VisitorTracker(undefined, {signal: AbortSignal.abort()}).updateVisitorCount()",
    "arguments that are nonsense": "new VisitorTracker(Symbol('x'), 7).sendGetRequest(Symbol('y'), Symbol('z'))",
}


@pytest.mark.parametrize("script", REFUSALS.values(), ids=REFUSALS)
def test_what_goes_wrong_gives_null(page: Page, site: Site, server: Server, script: str) -> None:
    page.goto(site.put("page", ""))
    assert run(page, server.url, script) is None


def test_a_server_that_is_down_gives_null(page: Page, site: Site, own_server: Server) -> None:
    page.goto(site.put("page", ""))
    run(page, own_server.url, "1")  # the module is there
    own_server.stop()
    assert run(page, own_server.url, COUNT) is None


def test_a_rate_limit_gives_null_and_is_not_pressed(
    page: Page, site: Site, strict_server: Server, relay_to: Callable[[Server], Relay]
) -> None:
    relay = relay_to(strict_server)
    page.goto(site.put("page", ""))
    assert run(page, relay.url, COUNT) is not None
    assert run(page, relay.url, COUNT) is None
    assert relay.routes() == ["POST /api/v1/visits"] * 2


def test_a_policy_of_the_page_that_forbids_the_request_gives_null(page: Page, site: Site, server: Server) -> None:
    script = f"""<script type="module">
        import {{VisitorTracker}} from '{server.url}/client/visitor-tracker.js';
        document.title = String(await new VisitorTracker().updateVisitorCount());
    </script>"""
    policy = f"script-src {server.url} 'unsafe-inline'; connect-src 'self'"
    url = site.put("page", script, Content_Security_Policy=policy)
    page.goto(url)
    until(lambda: page.title() == "null")
    assert server.count(url) == 0


def test_a_visit_is_an_answer_also_while_its_number_is_not_known(
    page: Page, site: Site, server_without_database: Server
) -> None:
    url = site.put("page", "")
    page.goto(url)
    assert run(page, server_without_database.url, COUNT) == {
        "page_url": url,
        "visit_count": None,
        "last_visited": None,
        "created_at": None,
        "security_token": None,
        "pending": True,
    }
