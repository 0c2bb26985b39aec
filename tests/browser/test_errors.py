"""modules/errors.js: what goes wrong in a page's scripts, told once and without secrets."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from tests.running import Server

from .modules import Sent, start, taken, until_taken, words
from .origins import Site


@pytest.fixture
def page(chromium: Browser) -> Iterator[Page]:
    """A tab whose scripts may throw."""
    context = chromium.new_context()
    yield context.new_page()
    context.close()


def thrown(page: Page, site: Site, server: Server, script: str, number: int = 1) -> list[Sent]:
    """Run a script of the page and return the errors that are told."""
    page.goto(site.put("page", f"<script>const run = () => {{ {script} }}</script>") + "?token=secret")
    start(page, server.url, "errors")
    page.evaluate("() => { setTimeout(run, 0) }")
    return until_taken(page, number)


@pytest.mark.parametrize(
    ("script", "name"),
    [
        ("null.x", "TypeError: Cannot read properties of null (reading 'x')"),
        ("throw new Error('no')", "Error: no"),
        ("throw 'just words'", "just words"),
        ("throw {secret: 1}", "[object Object]"),
        ("throw null", "null"),
        ("Promise.reject(new RangeError('far'))", "RangeError: far"),
        ("Promise.reject('words')", "words"),
        ("Promise.reject()", "undefined"),
        ("Promise.reject({secret: 1})", "an object was thrown"),
        ("Promise.reject(Symbol('odd'))", "Symbol(odd)"),
        ("Promise.reject(Object.freeze(Object.create(null)))", "an object was thrown"),
        ("Promise.reject(new DOMException('gone', 'AbortError'))", "AbortError: gone"),
        ("Promise.reject({name: 7, message: {}})", "an object was thrown"),
        ("throw Object.assign(new Error('x'.repeat(9999)), {name: 'Long'})", f"Long: {'x' * 506}"),
    ],
)
def test_whatever_is_thrown_has_a_message(page: Page, site: Site, server: Server, script: str, name: str) -> None:
    [found] = thrown(page, site, server, script)
    assert (found["type"], found["name"], found["interactive"]) == ("error", name, False)
    assert "secret" not in words(found)


def column(script: str, words: str) -> int:
    """Return the column of words in the page that `thrown` makes; the script is the whole of its first line."""
    return len("<!doctype html><title>A page</title><script>const run = () => { ") + script.index(words) + 1


def test_an_error_says_where_it_happened(page: Page, site: Site, server: Server) -> None:
    script = "const inner = () => { throw new Error('no') }; inner()"
    [found] = thrown(page, site, server, script)
    path = f"{site.folder}page"
    at, called = column(script, "new Error"), column(script, "inner()")
    assert found["properties"] == {
        "source": path,
        "line": 1,
        "column": at,
        "stack": f"inner ({path}:1:{at}) | run ({path}:1:{called})",
    }


def test_a_rejection_says_where_it_was_made(page: Page, site: Site, server: Server) -> None:
    script = "Promise.reject(new Error('no'))"
    [found] = thrown(page, site, server, script)
    path, at = f"{site.folder}page", column(script, "new Error")
    assert found["properties"] == {"source": path, "line": 1, "column": at, "stack": f"run ({path}:1:{at})"}


def test_a_deep_stack_is_cut_between_two_frames(page: Page, site: Site, server: Server) -> None:
    [found] = thrown(page, site, server, "const f = (n) => { if (n) f(n - 1); else throw new Error('deep') }; f(99)")
    stack = found["properties"]["stack"]
    assert 256 < len(stack) <= 512
    assert re.fullmatch(r"(f \(\S+:1:\d+\)( \| )?)+", stack)


def test_each_error_is_told_once_and_ten_of_a_page(page: Page, site: Site, server: Server) -> None:
    page.goto(site.put("page", ""))
    start(page, server.url, "errors")
    fail = """(numbers) => numbers.forEach((number) => dispatchEvent(new ErrorEvent('error', {
      message: `Uncaught Error: ${number}`, filename: `${location.origin}/a.js`, lineno: 1, colno: 2,
      error: new Error(String(number)),
    })))"""
    page.evaluate(fail, [1, 2, 1, 2, 2])
    assert [found["name"] for found in taken(page)] == ["Error: 1", "Error: 2"]
    page.evaluate(fail, list(range(3, 99)))
    assert len(taken(page)) == 8
    page.evaluate("() => tracker.onPage.forEach((work) => work())")
    page.evaluate(fail, [1])
    assert [found["name"] for found in taken(page)] == ["Error: 1"]


@pytest.mark.parametrize(
    ("event", "wanted"),
    [
        ({"message": "Script error."}, [("Script error.", {})]),
        ({"message": "Uncaught x", "filename": "chrome-extension://abc/content.js", "lineno": 1}, []),
        ({"message": "Uncaught x", "filename": "moz-extension://abc/content.js"}, []),
        ({"message": "x", "filename": "https://cdn.example/a.js?key=secret#x"}, [("x", "https://cdn.example/a.js")]),
        ({"message": "x", "filename": "data:text/javascript,secret"}, [("x", "data:")]),
    ],
)
def test_what_the_browser_tells_of_others_scripts(
    page: Page, site: Site, server: Server, event: dict[str, object], wanted: list[tuple[str, object]]
) -> None:
    page.goto(site.put("page", ""))
    start(page, server.url, "errors")
    page.evaluate("(event) => dispatchEvent(new ErrorEvent('error', event))", event)
    found = taken(page)
    assert [(each["name"], each["properties"].get("source", {})) for each in found] == wanted
    assert "secret" not in words(found)


def test_pictures_that_are_missing_are_no_errors(page: Page, site: Site, server: Server) -> None:
    page.goto(site.put("page", ""))
    start(page, server.url, "errors")
    page.evaluate("""() => new Promise((done) => {
      const image = document.createElement('img');
      image.onerror = done;
      image.src = '/missing.png';
      document.body.append(image);
    })""")
    assert taken(page) == []


HOSTILE = """
  class Trap extends Error { get message() { throw new Error('trap') } get stack() { throw new Error('trap') } }
  Object.defineProperty(Object.prototype, 'source', {set() { throw new Error('taken') }, get() {}});
  Object.defineProperty(Object.prototype, 'line', {set() { throw new Error('taken') }, get() {}});
  Object.freeze(console);
  setTimeout(() => { throw new Trap() }, 0);
  setTimeout(() => { throw new Error('real') }, 10);
"""


def test_errors_that_are_traps_stop_no_others(page: Page, site: Site, server: Server) -> None:
    found = thrown(page, site, server, HOSTILE)
    assert [each["name"] for each in found] == ["Error: real"]


def test_errors_that_the_page_has_kept_are_told_when_the_module_comes(page: Page, site: Site, server: Server) -> None:
    [line] = re.findall("<script>earlyErrors.*</script>", Path("docs/tracker-modules.md").read_text("utf-8"))
    early = "<script>null.x</script><script>Promise.reject(new RangeError('far'))</script>"
    page.goto(site.put("page", f"{line}{early}<script>const fail = () => {{ throw new Error('late') }}</script>"))
    page.wait_for_function("earlyErrors.length === 2")
    start(page, server.url, "errors")
    assert [sent["name"] for sent in until_taken(page, 2)] == [
        "TypeError: Cannot read properties of null (reading 'x')",
        "RangeError: far",
    ]
    page.evaluate("() => { setTimeout(fail, 0) }")
    assert [sent["name"] for sent in until_taken(page, 1)] == ["Error: late"]
    assert page.evaluate("earlyErrors.length") is None  # nobody keeps what is told at once
