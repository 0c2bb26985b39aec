"""A page with a module of the tracker script on it, and a tracker that only notes what it is given."""

import json
from collections.abc import Callable
from typing import Any

from playwright.sync_api import Page

Sent = dict[str, Any]

# What modules get from the script, with nothing behind it. `kept` is there after the page has gone, too.
STUB = """
({base, modules, more}) => {
  const kept = (name) => JSON.parse(localStorage.getItem(name) ?? '[]');
  const keep = (name, value) => localStorage.setItem(name, JSON.stringify([...kept(name), value]));
  const files = Object.fromEntries(modules.map((name) => [name, `${name}.js`]));
  window.tracker = {
    add: (type, fields) => keep('events', {type, ...fields}),
    put: (events) => events.forEach((event) => keep('put', event)),
    flush: () => {},
    keep: () => {},
    queue: [],
    seen: [],
    onPage: [],
    onLeave: [],
    page: () => location.href.split('#')[0],
    view: () => {},
    load: (file, use) => import(`${base}client/${file}`).then(use).catch(() => null),
    newId: () => '0'.repeat(32),
    tab: '1'.repeat(32),
    key: 'vt:here',
    base,
    site: '',
    shared: {},
    dataset: {},
    isOff: false,
    settings: {modules, files, memory: true},
    ...more,
    ...(more.shared === 'localStorage' && {shared: localStorage}),
  };
  addEventListener('click', (event) => tracker.seen.push(event), true);
}"""
START = """
async (file) => {
  const module = await import(file);
  module.start(window.tracker);
}"""
_TAKE = """(name) => {
  const found = localStorage.getItem(name) ?? '[]';
  localStorage.removeItem(name);
  return found; // as text: a value passed on loses the field __proto__
}"""


def start(page: Page, base: str, module: str, **more: object) -> None:
    """Start a module of the server at `base` on the open page; `more` are parts of its tracker."""
    modules = more.pop("modules", [])
    page.evaluate(STUB, {"base": f"{base}/", "modules": modules, "more": more})
    page.evaluate(START, f"{base}/client/{module}.js")


def taken(page: Page, name: str = "events") -> list[Sent]:
    """Return what the tracker was given since it was taken last, by any page of this origin."""
    found: list[Sent] = json.loads(page.evaluate(_TAKE, name))
    return found


def without(events: list[Sent], *names: str) -> list[Sent]:
    return [{name: value for name, value in event.items() if name not in names} for event in events]


def leave(page: Page) -> None:
    """Tell the modules that the page is left."""
    page.evaluate("() => tracker.onLeave.forEach((work) => work())")


def until_taken(page: Page, number: int) -> list[Sent]:
    """Wait until the tracker has so many events, and return them."""
    page.wait_for_function("(most) => JSON.parse(localStorage.getItem('events') ?? '[]').length >= most", arg=number)
    return taken(page)


def hide(page: Page) -> None:
    """Let the page believe that nobody sees it any more."""
    page.evaluate("""() => {
      for (const [name, value] of [['visibilityState', 'hidden'], ['hidden', true]])
        Object.defineProperty(document, name, {get: () => value, configurable: true});
      document.dispatchEvent(new Event('visibilitychange', {bubbles: true}));
    }""")


def show(page: Page) -> None:
    """Let it see what is."""
    page.evaluate("() => { delete document.visibilityState; delete document.hidden }")


def push(page: Page, selector: str, x: float = 5, y: float = 5) -> None:
    """Click there as a hand does; for pages that hide from Playwright what their elements are."""
    box = page.locator(selector).bounding_box()
    assert box is not None
    page.mouse.click(box["x"] + x, box["y"] + y)


def frames(page: Page, number: int = 3) -> None:
    """Wait until the page was painted so many times more."""
    page.evaluate("async (left) => { while (left--) await new Promise((done) => requestAnimationFrame(done)) }", number)


def words(value: object) -> str:
    return json.dumps(value)


Do = Callable[[Page], object]
