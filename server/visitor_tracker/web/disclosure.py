"""/what-we-send: every field that the tracker script sends, what it is for and how long it is kept, for everybody.

The page is made from the settings and the site's policy, so that it cannot say what was true once. A test holds the
names below against the fields that /e takes.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape

from visitor_tracker.access.retention import Kept, kept_by
from visitor_tracker.config import Config
from visitor_tracker.event import DEFAULT_SITE
from visitor_tracker.http.message import Answer, Headers, Request, Response
from visitor_tracker.sites import Policy, Snapshot
from visitor_tracker.web.assets import PAGE_HEADERS, AssetRoutes
from visitor_tracker.web.router import HTML, Route
from visitor_tracker.web.site_query import OfPolicy
from visitor_tracker.web.typed import question_of

_HTML: Headers = (*PAGE_HEADERS, ("Cache-Control", "no-store"))
_EVENTS = "{events}"
_NOT_KEPT = "not kept"


@dataclass(frozen=True, slots=True)
class Told:
    """Fields of one purpose: their names as they are sent, what they hold, what for, how long they are kept."""

    names: tuple[str, ...]
    what: str
    why: str
    kept: str = _EVENTS


ALWAYS = (
    Told(("type",), "what happened: a page view, a click on a link, …", "to tell events apart"),
    Told(("site",), "the name of this web site", "one server counts several web sites"),
    Told(
        ("url",),
        "address of the page without its fragment; the server takes out secrets, e-mail addresses and card numbers",
        "which pages are read",
    ),
    Told(
        ("id",),
        "a random number of this event",
        "so that an event that had to be sent twice counts once",
        "{ids_keep_days} days, and as the name of the event",
    ),
    Told(
        ("tab", "seq"),
        "a random number of this browser tab, and how many events it has sent",
        "to see how many events were lost on the way, and which belong together",
        "as a keyed hash",
    ),
    Told(("age_ms",), "how long ago it happened", "when pages are read, without trusting the clock"),
    Told(("t",), "the time by the browser's clock", "to know how long ago, when it is sent again", _NOT_KEPT),
)
VIEWS = (
    Told(("referrer", "title"), "the page before this one, and the title of this one", "what brings readers"),
    Told(("screen", "viewport"), "size of the screen and of the window", "which layouts are needed"),
    Told(("timezone",), "the browser's time zone", "the country, where nothing else tells it", _NOT_KEPT),
    Told(("automation",), "whether a program drives the browser", "to keep robots out of the numbers"),
    Told(
        ("visitor_id",),
        "only where the site's policy is “client”: a random number that the browser keeps",
        "to recognise a visitor who comes back",
        "as a keyed hash",
    ),
    Told(
        ("engaged_ms", "scroll"),
        "how long the page was seen and in focus, and how far it was scrolled",
        "whether pages are read",
    ),
)
DEEDS = (
    Told(("target",), "where a clicked link, a download or a form leads", "which links and files are used"),
    Told(
        ("name", "properties", "value", "currency"),
        "events that this web site names itself, such as an order and its sum; never what is typed into forms",
        "whether the web site does what it is for",
    ),
    Told(
        ("user_id",),
        "who the web site says you are, where it calls identify",
        "to count people who log in once",
        "{traits}",
    ),
    Told(("interactive",), "whether you did it, or the page by itself", "to tell visits with one page apart"),
)
MODULES = {
    "clicks": Told(
        ("click",), "which button or link was clicked, the words on it, and where", "to find what does not work"
    ),
    "vitals": Told(("vital",), "how fast the page was for you", "to find slow pages"),
    "errors": Told(
        ("error",), "errors of the page's own scripts: their message, and where in the script", "to find what is broken"
    ),
    "heatmap": Told(
        ("heatmap",),
        "where on a page the mouse was and clicked, and how far it was scrolled: counts of all visitors together",
        "to improve pages",
        "a year",
    ),
    "replay": Told(
        ("recording",),
        "what the page looked like and what you did, {replay_text}; what you type is replaced before it is sent",
        "to see where people get stuck",
        "{recordings}",
    ),
}
# Fields of /e that only programs with a send key use, or no script of ours sends.
NOT_OF_THE_SCRIPT = frozenset({"ip", "user_agent", "session_id", "language"})

ADDRESS = {
    "none": "is used at once for the country and a visitor number, and not stored",
    "truncated": "is used for the country and a visitor number; the first part of it (/24, /48) is stored",
    "full": "is stored",
}
VISITOR = {
    "daily": "a number made from address, browser and a secret of the day; the secret is destroyed when the day is "
    "over, and then nobody can recognise you by it",
    "monthly": "a number made from address, browser and a secret of the month, which is destroyed after it",
    "persistent": "a number made from address, browser and a secret that stays",
    "cookie": "a random number in a cookie of this web site",
    "client": "a random number that the page keeps in your browser",
}
OPT_OUT = {
    "ignore": "are not regarded here: your visit is counted like any other",
    "anonymous": "make your visit one without a visitor number, and nothing is kept in your browser",
    "drop": "mean that nothing is sent at all",
}


class DisclosureRoutes:
    """`/what-we-send`, and with `?site=NAME` what holds for that site."""

    def __init__(self, config: Config, snapshot: Callable[[], Snapshot], assets: AssetRoutes) -> None:
        self._config = config
        self._snapshot = snapshot
        self._style = assets.immutable_path("demo.css")
        self._icon = assets.immutable_path("icon.svg")

    def routes(self) -> list[Route]:
        summary = "what the tracker script sends, what for, and how long it is kept"
        return [Route("GET", "/what-we-send", self._answer, summary, "own", query=OfPolicy, media=HTML)]

    def _answer(self, request: Request) -> Answer:
        name = question_of(request, OfPolicy).site
        snapshot = self._snapshot()
        site = snapshot.by_name.get(name) or snapshot.by_id[DEFAULT_SITE]
        kept = kept_by(site, self._config)
        content = self._content(snapshot.policy_of(site.id), snapshot.modules_of(site.id), kept)
        return Response(200, self._page(content).encode(), _HTML)

    def _content(self, policy: Policy, modules: Sequence[str], kept: Kept) -> str:
        replay = self._config.replay
        said = {
            "ids_keep_days": str(self._config.store.ids_keep_days),
            "traits": "as a keyed hash" if policy.traits == "drop" else "a keyed hash, and what the site tells with it",
            "replay_text": "with every letter of the page replaced"
            if replay.text == "mask"
            else "with the page's text",
            "events": days_of(kept.events_days),
            "recordings": days_of(kept.replay_days),
        }
        parts = [
            ("With every event", ALWAYS),
            ("When a page is seen", VIEWS),
            ("When something happens on it", DEEDS),
            *([("This web site also records", [MODULES[name] for name in modules])] if modules else []),
        ]
        tables = "".join(_table(title, [_filled(told, said) for told in part]) for title, part in parts)
        return tables + _notes(policy, modules, storage=self._config.tracker.storage)

    def _page(self, content: str) -> str:
        links = f'<link rel="stylesheet" href="{self._style}">' if self._style else ""
        links += f'<link rel="icon" href="{self._icon}" type="image/svg+xml">' if self._icon else ""
        return (
            '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>What we send</title>'
            f'<meta name="viewport" content="width=device-width, initial-scale=1">{links}</head><body>'
            '<header class="bar"><strong>What we send</strong></header><main class="home fields">'
            '<section class="card"><h1>What this web site&rsquo;s statistics know of you</h1><p>This is all that its '
            "tracker script sends, and it sends it to this server only. Add <code>?explain</code> to the address of a "
            f"page to see each event in your browser&rsquo;s console.</p></section>{content}</main></body></html>"
        )


def days_of(days: int) -> str:
    """Say how long something is kept; 0: for ever."""
    return f"{days} days" if days else "until the operator deletes it"


def _filled(told: Told, said: dict[str, str]) -> Told:
    return Told(told.names, told.what.format_map(said), told.why, told.kept.format_map(said))


def _table(title: str, part: Sequence[Told]) -> str:
    rows = "".join(
        f'<tr><td class="request">{"<br>".join(map(escape, told.names))}</td>'
        f'<td>{escape(told.what)}</td><td title="What for">{escape(told.why)}</td>'
        f'<td title="Kept">{escape(told.kept)}</td></tr>'
        for told in part
    )
    heads = "".join(f'<th scope="col">{head}</th>' for head in ("Field", "What it is", "What it is for", "Kept"))
    return (
        f'<section class="card"><h1>{escape(title)}</h1><table><thead><tr>{heads}</tr></thead>'
        f"<tbody>{rows}</tbody></table></section>"
    )


def _keeps(policy: Policy, modules: Sequence[str]) -> str:
    """Say what a browser keeps for the script; docs/tracker.md names the same."""
    of_tab = ["vt.tab", "vt.seq", *(["vt.replay"] if "replay" in modules else [])]
    names = ", ".join(f"<code>{name}</code>" for name in of_tab)
    known = ", a random number that stays (<code>vt.id</code>)" if policy.visitor == "client" else ""
    return (
        "Events that are not acknowledged yet (<code>vt:…</code>, 7 days at most), what is known of the tab "
        f"({names}, gone with the tab){known}, and <code>vt.off</code> for who turned it off."
    )


def _notes(policy: Policy, modules: Sequence[str], *, storage: bool) -> str:
    agent = "its kind (browser, system, device)" if policy.user_agent == "class" else "the whole text"
    keeps = _keeps(policy, modules) if storage else "Only <code>vt.off</code>, for who turned it off."
    return (
        '<section class="card"><h1>What every request shows</h1><dl>'
        f"<div><dt>Your address</dt><dd>{escape(ADDRESS[policy.ip])}.</dd></div>"
        f"<div><dt>Your browser</dt><dd>{escape(agent)} and the first of its languages are stored.</dd></div>"
        f"<div><dt>You are</dt><dd>{escape(VISITOR[policy.visitor])}.</dd></div>"
        f"<div><dt>Kept in your browser</dt><dd>{keeps}</dd></div></dl></section>"
        '<section class="card"><h1>If you do not want that</h1>'
        f"<p>“Do not track” and Global Privacy Control {escape(OPT_OUT[policy.opt_out])}. "
        "To turn it off in this browser, put <code>#vt-off</code> behind the address of any page of the web site and "
        "open it; <code>#vt-on</code> turns it on again.</p></section>"
    )
