"""What could make the tracker script lose events, count them twice, keep what it must not, or hold up the others."""

from collections.abc import Callable
from urllib.parse import unquote

import pytest
from playwright.sync_api import Page, Route

from tests.running import Server, until

from .modules import hide, show
from .origins import Relay, Site
from .stored import Stored
from .test_tracker import expect_stored, idle, leave, sent, tag

VIEW = Stored("pageview", "page")
KEPT = "async () => [{...localStorage}, {...sessionStorage}, (await indexedDB.databases()).length]"


@pytest.mark.parametrize(
    "given",
    ["{n: 10n}", "(() => { const a = {}; a.a = a; return a })()", "{toJSON() { throw new Error('no') }}", "{x: LONG}"],
)
def test_what_cannot_be_sent_holds_up_nothing(page: Page, site: Site, server: Server, given: str) -> None:
    page.goto(site.put("page", tag(server.url)))
    page.evaluate(f"() => {{ const LONG = 'x'.repeat(30_000); analytics('Bad', {given}) }}")
    page.evaluate("analytics('Good')")
    leave(page)
    expect_stored(server, site, [VIEW, Stored("custom", "page", "Good")])


def test_an_event_is_what_it_was_when_it_happened(page: Page, site: Site, server: Server) -> None:
    page.goto(site.put("page", tag(server.url)))
    page.evaluate("() => { const state = {step: 1}; analytics('Step', state); state.step = 2; state.loop = state }")
    leave(page)
    expect_stored(server, site, [VIEW, Stored("custom", "page", "Step", properties={"step": 1})])


def test_a_page_whose_second_part_never_comes_keeps_a_bounded_number_of_events(
    page: Page, site: Site, relay: Relay
) -> None:
    page.route("**/client/more.*", lambda route: route.abort())
    page.clock.install()
    page.goto(site.put("page", tag(relay.url)))
    page.evaluate(
        "() => { for (let number = 0; number < 1_000; number++) { document.body.click(); analytics('Many') } }"
    )
    assert page.evaluate("VisitorTracker.tracker.seen.length") > 2_000
    page.clock.run_for(10_000)
    assert page.evaluate("VisitorTracker.tracker.seen.length") < 100
    page.evaluate("document.body.click()")
    assert 0 < page.evaluate("VisitorTracker.tracker.seen.length") <= 100


FILL = """<script>
  for (const store of [localStorage, sessionStorage])
    for (let size = 1 << 22; size; size >>= 1)
      try { for (;;) store[`fill${Math.random()}`.slice(0, 12) + size] = 'x'.repeat(size) } catch {}
</script>"""


def test_a_browser_without_room(page: Page, site: Site, server: Server) -> None:
    page.goto(site.put("page", FILL + tag(server.url)))
    page.evaluate("analytics('Named')")
    leave(page)
    expect_stored(server, site, [VIEW, Stored("custom", "page", "Named")])


def test_a_page_that_goes_without_a_network_leaves_its_events_to_the_browser(
    page: Page, site: Site, relay: Relay, server: Server
) -> None:
    page.goto(site.put("page", tag(relay.url)))
    expect_stored(server, site, [VIEW])
    page.wait_for_function("() => VisitorTracker.tracker.single && !VisitorTracker.tracker.queue.length")
    page.evaluate("() => { window.fetch = () => Promise.reject(new Error('no')); analytics('Last') }")
    hide(page)
    expect_stored(server, site, [VIEW, Stored("custom", "page", "Last")])
    assert page.evaluate("VisitorTracker.tracker.queue.some(({name}) => name === 'Last')"), "nobody heard the answer"


def test_what_is_acknowledged_is_not_kept(page: Page, site: Site, relay: Relay, server: Server) -> None:
    page.goto(site.put("page", tag(relay.url)))
    expect_stored(server, site, [VIEW])
    page.wait_for_function("() => !VisitorTracker.tracker.queue.length")
    assert page.evaluate("Object.keys(localStorage)") == []


def test_a_request_that_is_never_answered(page: Page, site: Site, server: Server) -> None:
    page.add_init_script("AbortSignal.timeout = ((wait) => () => wait.call(AbortSignal, 50))(AbortSignal.timeout)")
    silent: list[Route] = []
    page.route("**/e", lambda route: route.continue_() if silent else silent.append(route))
    page.goto(site.put("page", tag(server.url)))
    until(lambda: page.evaluate("true") and silent)  # the browser's requests are heard meanwhile
    page.wait_for_function("() => VisitorTracker.tracker.flush(1) && !VisitorTracker.tracker.queue.length")
    expect_stored(server, site, [VIEW])


def test_an_event_that_a_firewall_refuses_holds_up_nothing(page: Page, site: Site, server: Server) -> None:
    refused: list[str] = []

    def check(route: Route) -> None:
        if "etc/passwd" in unquote(route.request.url) + (route.request.post_data or ""):
            refused.append(route.request.method)
            route.fulfill(status=403, body="no", headers={"Access-Control-Allow-Origin": "*"})
        else:
            route.continue_()

    page.goto(site.put("page", tag(server.url)))
    expect_stored(server, site, [VIEW])
    page.route("**/e*", check)
    page.wait_for_function("() => VisitorTracker.tracker.single && !VisitorTracker.tracker.queue.length")
    page.evaluate("() => ['etc/passwd', 'One', 'Two'].forEach((name) => analytics(name))")
    page.wait_for_function("() => VisitorTracker.tracker.flush(1) && VisitorTracker.tracker.queue.length === 1")
    assert "POST" in refused
    wanted = [VIEW, Stored("custom", "page", "One"), Stored("custom", "page", "Two")]
    expect_stored(server, site, wanted)
    page.unroute("**/e*")


def test_a_router_that_changes_its_new_address_at_once(page: Page, site: Site, server: Server) -> None:
    page.goto(site.put("page", tag(server.url)))
    page.evaluate("() => { history.pushState({}, '', 'next'); history.replaceState({at: 1}, '') }")
    page.evaluate("() => { history.replaceState({at: 2}, ''); history.pushState({}, '', 'last') }")
    expect_stored(server, site, [VIEW, Stored("pageview", "next"), Stored("pageview", "last")])


def test_what_visitors_write_names_no_other_server(page: Page, site: Site, server: Server) -> None:
    theirs = "<img name=currentScript src=evil/x.png><form name=currentScript data-api-url=evil></form>"
    page.goto(site.put("page", theirs + tag(server.url)))
    expect_stored(server, site, [VIEW])
    page.wait_for_function("() => VisitorTracker.tracker.onPage")
    assert not any("evil/client" in seen.path or seen.path.endswith("evil/e") for seen in site.seen)


def test_a_policy_that_wants_trusted_types(page: Page, site: Site, server: Server) -> None:
    policy = (
        f"script-src {server.url}; connect-src {server.url}; require-trusted-types-for 'script'; trusted-types 'none'"
    )
    page.goto(site.put("page", tag(server.url), Content_Security_Policy=policy))
    page.wait_for_function("() => VisitorTracker.tracker.onPage")
    expect_stored(server, site, [VIEW])


SLEEPS = """
  const now = performance.now.bind(performance);
  window.slept = 0;
  performance.now = () => now() + slept;
  document.hasFocus = () => true;
"""


def test_the_time_that_a_computer_sleeps_is_not_attention(page: Page, site: Site, relay: Relay) -> None:
    page.add_init_script(SLEEPS)
    page.goto(site.put("page", tag(relay.url)))
    page.evaluate("() => { dispatchEvent(new Event('focus')); slept += 8 * 3.6e6; dispatchEvent(new Event('blur')) }")
    leave(page)
    until(lambda: any(event["type"] == "engagement" for event in sent(relay)))
    spent = [event["engaged_ms"] for event in sent(relay) if event["type"] == "engagement"]
    assert isinstance(spent[0], int)
    assert 20_000 <= spent[0] < 60_000


@pytest.mark.parametrize("style", ["display: none", "height: 0; overflow: hidden", "height: 100%", "height: 9000px"])
def test_how_far_pages_of_any_height_were_scrolled(page: Page, site: Site, relay: Relay, style: str) -> None:
    page.add_init_script(SLEEPS)
    page.goto(site.put("page", f"<style>html, body {{ margin: 0; {style} }}</style>{tag(relay.url)}"))
    page.evaluate("() => { dispatchEvent(new Event('focus')); slept += 5000; dispatchEvent(new Event('blur')) }")
    leave(page)
    until(lambda: any(event["type"] == "engagement" for event in sent(relay)))
    scrolled = [event["scroll"] for event in sent(relay) if event["type"] == "engagement"]
    assert all(isinstance(each, int) and 0 <= each <= 100 for each in scrolled)
    assert scrolled[0] == (8 if style == "height: 9000px" else 100)


def test_who_asks_for_privacy_leaves_nothing_behind(
    page: Page, site: Site, start_server: Callable[..., Server], relay_to: Callable[[Server], Relay]
) -> None:
    server = start_server(VISITOR_TRACKER_IDENTITY_OPT_OUT="anonymous", VISITOR_TRACKER_IDENTITY_VISITOR="client")
    relay = relay_to(server)
    page.goto(site.put("page", tag(relay.url)))
    expect_stored(server, site, [VIEW])
    page.wait_for_function("() => VisitorTracker.tracker.onPage && !VisitorTracker.tracker.queue.length")
    assert sorted(page.evaluate("[...Object.keys(localStorage), ...Object.keys(sessionStorage)]"))[0] == "vt.id"
    page.evaluate("localStorage.theirs = 'kept'")
    page.add_init_script("Object.defineProperty(navigator, 'globalPrivacyControl', {value: true})")
    page.goto(site.put("next", tag(relay.url)))
    page.wait_for_function("() => VisitorTracker.tracker.onPage")
    relay.lose = 100
    page.evaluate("() => { for (let each = 0; each < 60; each++) analytics('Named') }")
    page.evaluate("() => { for (const event of VisitorTracker.tracker.queue) event.t -= 60_000 }")
    page.evaluate("() => VisitorTracker.tracker.keep()")
    idle(page)
    assert page.evaluate(KEPT) == [{"theirs": "kept"}, {}, 0]
    server.stop()


def test_an_address_turns_it_off_and_on(page: Page, site: Site, relay: Relay) -> None:
    url = site.put("page", tag(relay.url))
    page.goto(url)
    page.wait_for_function("() => VisitorTracker.tracker.onPage")
    page.goto(f"{url}#vt-off")
    page.wait_for_function("() => localStorage['vt.off'] === '1'")
    page.evaluate("analytics('Not counted')")
    page.goto(site.put("next", tag(relay.url)))
    page.goto(f"{url}#vt-on")
    page.wait_for_function("() => localStorage['vt.off'] === '0'")
    page.evaluate("analytics('Counted')")
    leave(page)
    until(lambda: "Counted" in [event.get("name") for event in sent(relay)])
    assert "Not counted" not in [event.get("name") for event in sent(relay)]
    assert not any("/next" in str(event["url"]) for event in sent(relay))


def test_a_page_that_is_hidden_and_shown_again_counts_once(
    page: Page, site: Site, relay: Relay, server: Server
) -> None:
    page.goto(site.put("page", tag(relay.url)))
    page.evaluate("analytics('Named')")
    hide(page)
    page.wait_for_function("() => !VisitorTracker.tracker.queue.length")
    show(page)
    page.evaluate("document.dispatchEvent(new Event('visibilitychange', {bubbles: true}))")
    leave(page)
    expect_stored(server, site, [VIEW, Stored("custom", "page", "Named")])
    assert len({event["id"] for event in sent(relay)}) == len({event["seq"] for event in sent(relay)})
