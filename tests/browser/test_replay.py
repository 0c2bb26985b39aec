"""Recordings: what the recorder keeps of a page, how it gets to the server, and that a page plays it again."""

import gzip
import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.running import until

from .origins import Site, served
from .recordings import STORY, Receiver, nodes, replayed, tracker

FULL_SNAPSHOT = 2


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


def has_snapshot(receiver: Receiver) -> bool:
    return any(event["type"] == FULL_SNAPSHOT for event in receiver.events)


def record(page: Page, receiver: Receiver, url: str) -> None:
    """Open a page and wait until its first state has arrived."""
    page.goto(url)
    until(lambda: has_snapshot(receiver))


def leave(page: Page) -> None:
    """Go elsewhere, so that the page sends what it has."""
    page.goto("about:blank")


ARTICLE = """
<style>p { margin: 1em } .late { color: rgb(1, 2, 3) }</style>
<h1>Prices of <b>things</b></h1>
<p id="first">Tea is 4 €, coffee 5 €.</p>
<img alt="a photo" src="data:image/gif;base64,R0lGODlhAQABAAAAACH5BAEKAAEALAAAAAABAAEAAAICTAEAOw=="
  width="40" height="30">
<ul></ul>
<button onclick="add()">More</button>
<script>
  let number = 0;
  const add = () => {
    const item = document.createElement('li');
    item.className = 'late';
    item.textContent = `Thing ${++number}`;
    document.querySelector('ul').append(item);
    document.querySelector('#first').firstChild.data = `Tea is ${number} €.`;
  };
</script>
"""


def test_a_recording_shows_the_page_as_it_was_last(
    page: Page, site: Site, receiver: Receiver, complaints: list[str]
) -> None:
    record(page, receiver, site.put("page", ARTICLE + tracker(receiver.url, text="show")))
    for _ in range(3):
        page.get_by_role("button", name="More").click()
    text = page.locator("body").inner_text()
    assert "Thing 3" in text
    leave(page)
    until(lambda: "Thing 3" in receiver.text())
    receiver.story = STORY
    complaints.clear()
    frame = replayed(page, receiver)
    expect(frame.locator("li")).to_have_count(3)
    assert frame.locator("body").inner_text() == text
    color = frame.locator("li").first.evaluate("(element) => getComputedStyle(element).color")
    assert color == "rgb(1, 2, 3)"
    assert complaints == []


SECRETS = """
<title>secret-title</title>
<meta name="description" content="secret-description">
<style>[data-theme=dark] p { color: white }</style>
<!-- secret-comment -->
<noscript>secret-noscript</noscript>
<p title="secret-tip" data-name="secret-data" data-theme="dark" secret-name="secret-custom" onclick="'secret-code'">
  secret-text <a href="https://example.com/secret-path?token=secret-token#secret-part">secret-link</a></p>
<img alt="secret-alt" src="/secret-image.png?user=secret-user" srcset="/secret-set.png 2x">
<p style="background: url(/secret-background.png)" aria-label="secret-label" id="secret@example.com">x</p>
<form action="/secret-action">
  <input id="text" placeholder="secret-placeholder" value="secret-value">
  <input id="password" type="password" value="secret-password">
  <input type="hidden" id="hidden" value="secret-hidden">
  <input type="submit" value="secret-submit">
  <input type="checkbox" id="box" value="secret-box">
  <input type="radio" name="r" id="radio" value="secret-radio">
  <textarea id="area">secret-area</textarea>
  <select id="select"><option value="secret-one">secret-first</option>
    <option value="secret-two">secret-second</option></select>
</form>
<div contenteditable id="edit">secret-editable</div>
<svg width="20" height="20"><title>secret-drawing</title><text x="1" y="9">secret-letters</text></svg>
<div id="host"></div>
<iframe srcdoc="<p>secret-frame</p>"></iframe>
<div data-vt-block><p>secret-block</p></div>
<ul></ul>
<script>
  document.querySelector('#host').attachShadow({mode: 'open'}).innerHTML = 'secret-shadow <i>secret-inner</i>';
  const change = () => {
    const item = '<li title="secret-late-tip" data-user="secret-late-data">secret-late</li>';
    document.querySelector('ul').innerHTML = item;
    const letter = document.querySelector('p').firstChild;
    letter.data = 'secret-changed';
    document.querySelector('p').setAttribute('title', 'secret-new-tip');
    document.querySelector('p').setAttribute('secret-new', 'secret-new-custom');
    document.querySelector('a').setAttribute('href', '/secret-new-path');
    document.querySelector('#text').setAttribute('value', 'secret-new-value');
    document.querySelector('#hidden').value = 'secret-new-hidden';
    document.querySelector('#host').shadowRoot.append('secret-late-shadow');
    document.querySelector('iframe').contentDocument.body.append('secret-late-frame');
    document.querySelector('img').src = '/secret-new-image.png';
    document.querySelector('p').style.backgroundImage = 'url(/secret-new-background.png)';
    document.querySelector('style').sheet.insertRule('p { background: url(/secret-rule.png) }');
    document.querySelector('#password').type = 'text';
  };
</script>
"""


def live(page: Page) -> None:
    """Do with the page of secrets what visitors do."""
    page.fill("#text", "secret-typed")
    page.fill("#password", "secret-typed-password")
    page.fill("#area", "secret-typed-area")
    page.check("#box")
    page.check("#radio")
    page.select_option("#select", "secret-two")
    page.locator("#edit").press_sequentially("secret-written")
    page.evaluate("() => change()")
    page.fill("#password", "secret-shown-password")
    page.locator("#edit").blur()


def test_nothing_that_a_page_says_or_hears_is_in_a_masked_recording(page: Page, site: Site, receiver: Receiver) -> None:
    record(page, receiver, site.put("page", SECRETS + tracker(receiver.url)) + "?q=secret-query#secret-hash")
    live(page)
    leave(page)
    until(lambda: len(receiver.stored) > 1)
    events = json.dumps([chunk["events"] for chunk in receiver.sent])
    assert set(re.findall("secret[-@][a-z-]*", events)) == set()
    assert "***" in events  # the text is there, masked
    shapes = [(node["tagName"], node["attributes"]) for event in receiver.events if event["type"] == FULL_SNAPSHOT
              for node in nodes(event["data"]["node"]) if node["type"] == 2]  # fmt: skip
    paragraph = next(attributes for tag, attributes in shapes if tag == "p")
    assert paragraph["data-theme"] == "dark"
    assert paragraph["data-name"] == ""
    password = next(attributes for _, attributes in shapes if attributes.get("type") == "password")
    assert "value" not in password


def test_where_text_is_shown_what_visitors_write_is_not(page: Page, site: Site, receiver: Receiver) -> None:
    record(page, receiver, site.put("page", SECRETS + tracker(receiver.url, text="show")))
    live(page)
    leave(page)
    until(lambda: "secret-late-frame" in receiver.text())
    shown = set(re.findall("secret[-@][a-z-]*", json.dumps([chunk["events"] for chunk in receiver.sent])))
    # fmt: off
    assert shown == {f"secret-{word}" for word in (
        "title", "tip", "text", "link", "alt", "label", "placeholder", "submit", "first", "second", "drawing",
        "letters", "shadow", "inner", "frame", "late-tip", "late", "changed", "new-tip", "late-shadow", "late-frame",
    )}
    # fmt: on


def test_marked_parts_are_masked_where_text_is_shown(page: Page, site: Site, receiver: Receiver) -> None:
    html = """<p>open</p><div data-vt-mask><p title="secret">secret</p><div id="host"></div></div>
      <script>
        const root = document.querySelector('#host').attachShadow({mode: 'open'});
        root.innerHTML = '<b>secret</b>';
        const add = () => { root.append('secret-late'); root.querySelector('b').firstChild.data = 'secret-new'; };
      </script>"""
    record(page, receiver, site.put("page", html + tracker(receiver.url, text="show")))
    page.evaluate("() => add()")
    leave(page)
    until(lambda: len(receiver.stored) > 1)
    assert "open" in receiver.text()
    assert "secret" not in receiver.text()


def test_a_page_with_a_strict_policy_records(page: Page, site: Site, receiver: Receiver) -> None:
    script = tracker(receiver.url, text="show").removeprefix('<script type="module">').removesuffix("</script>")
    own = site.put("own.js", "", Content_Type="text/javascript")
    site._pages[site.folder + "own.js"] = (script.encode(), {"Content-Type": "text/javascript"})
    policy = (
        f"default-src 'none'; script-src 'self' {receiver.url}; connect-src {receiver.url}; style-src 'self';"
        " require-trusted-types-for 'script'"
    )
    html = f'<p>strict</p><script type="module" src="{own}"></script>'
    record(page, receiver, site.put("page", html, Content_Security_Policy=policy))
    assert "strict" in receiver.text()


def test_a_tab_that_is_not_in_the_sample_stays_so(page: Page, site: Site, receiver: Receiver) -> None:
    none = site.put("none", "x" + tracker(receiver.url, sample=0))
    page.goto(none)
    expect(page.locator("html[data-started]")).to_have_count(1)
    page.goto(site.put("all", "x" + tracker(receiver.url, sample=1)))
    expect(page.locator("html[data-started]")).to_have_count(1)
    page.mouse.click(5, 5)
    leave(page)
    record(page.context.new_page(), receiver, site.put("all", "x" + tracker(receiver.url, sample=1, tab="f" * 32)))
    assert {chunk["session"] for chunk in receiver.sent} == {"f" * 32}


def test_a_tab_closed_at_once_leaves_its_recording(page: Page, site: Site, receiver: Receiver) -> None:
    url = site.put("page", ARTICLE + tracker(receiver.url, text="show"))
    tab = page.context.new_page()
    tab.goto(url)
    expect(tab.locator("html[data-started]")).to_have_count(1)
    tab.get_by_role("button", name="More").click()
    tab.close(run_before_unload=True)
    until(lambda: "Thing 1" in receiver.text())
    assert has_snapshot(receiver)


def test_chunks_wait_for_a_server_that_is_away(page: Page, site: Site, receiver: Receiver) -> None:
    receiver.away = 2
    record(page, receiver, site.put("page", ARTICLE + tracker(receiver.url, text="show")))
    page.get_by_role("button", name="More").click()
    leave(page)
    until(lambda: "Thing 1" in receiver.text())
    assert receiver.away == 0
    sequences = [chunk["sequence"] for chunk in receiver.sent]
    assert sorted(sequences) == sorted(set(sequences))
    assert sorted(sequences) == list(range(min(sequences), max(sequences) + 1))


def test_a_refusal_ends_it_for_the_tab(page: Page, site: Site, receiver: Receiver) -> None:
    receiver.refuses = "replay"
    url = site.put("page", ARTICLE + tracker(receiver.url))
    page.goto(url)
    until(lambda: page.evaluate("() => sessionStorage['vt.replay']") == "0")
    receiver.refuses = ""
    asked = len([seen for seen in receiver.seen if seen.method == "POST"])
    page.get_by_role("button", name="More").click()
    page.goto(url)
    expect(page.locator("html[data-started]")).to_have_count(1)
    leave(page)
    page.wait_for_load_state("networkidle")
    assert len([seen for seen in receiver.seen if seen.method == "POST"]) == asked


def test_chunks_are_packed(page: Page, site: Site, receiver: Receiver) -> None:
    long = "".join(f"<p class='row-{number}'>Row {number}</p>" for number in range(2_000))
    record(page, receiver, site.put("page", long + tracker(receiver.url, text="show")))
    (first,) = [seen for seen in receiver.seen if seen.method == "POST"][:1]
    assert first.headers["Content-Type"] == "text/plain"
    assert len(gzip.decompress(first.body)) > 10 * len(first.body)


def test_it_keeps_nothing_in_the_browser_where_that_is_forbidden(page: Page, site: Site, receiver: Receiver) -> None:
    html = tracker(receiver.url).replace('"modules"', '"memory": true, "modules"')
    record(page, receiver, site.put("page", "x" + html))
    assert page.evaluate("() => [...Object.keys(localStorage), ...Object.keys(sessionStorage)]") == []


@pytest.mark.parametrize(
    "objects", ["navigator, 'globalPrivacyControl', {value: true}", "navigator, 'doNotTrack', {value: '1'}"]
)
@pytest.mark.parametrize("quiet", [2, 1])  # as /script.js says of `drop` and `anonymous`
def test_who_objects_is_not_recorded(page: Page, site: Site, receiver: Receiver, quiet: int, objects: str) -> None:
    page.add_init_script(f"Object.defineProperty({objects})")
    page.goto(site.put("page", "x" + tracker(receiver.url).replace('"modules"', f'"quiet": {quiet}, "modules"')))
    expect(page.locator("html[data-started]")).to_have_count(1)
    leave(page)
    page.goto(site.put("other", "<p>other</p>"))
    page.wait_for_load_state("networkidle")
    assert [seen.route for seen in receiver.seen if seen.method == "POST"] == []


def test_who_opts_out_now_is_recorded_no_further(page: Page, site: Site, receiver: Receiver) -> None:
    record(page, receiver, site.put("page", ARTICLE + tracker(receiver.url, text="show")))
    page.evaluate("() => { localStorage['vt.off'] = '1'; }")
    page.get_by_role("button", name="More").click()
    leave(page)
    page.goto(site.put("other", "<p>other</p>"))
    page.wait_for_load_state("networkidle")
    assert "Thing 1" not in receiver.text()
