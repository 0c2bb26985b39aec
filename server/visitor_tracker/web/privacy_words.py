"""What /privacy says, made of the settings and a site's policy, so that it cannot say what was true once."""

from collections.abc import Sequence

import msgspec

from visitor_tracker.access.retention import Kept
from visitor_tracker.config import Config
from visitor_tracker.sites import Module, Policy
from visitor_tracker.web.disclosure import ADDRESS, MODULES, OPT_OUT, VISITOR, days_of

_VISITS = "events and visits"


class Collected(msgspec.Struct, frozen=True):
    """A kind of data: what it is, what for, how long it is kept."""

    name: str
    what: str
    purpose: str
    kept: str


class Right(msgspec.Struct, frozen=True):
    """What a visitor may do, and how a program asks for it."""

    name: str
    how: str
    method: str
    path: str


class Notice(msgspec.Struct, frozen=True):
    """The privacy notice of a site. `key_destroyed_at`: when the last key of visitors' numbers was destroyed."""

    site: str
    url: str
    policy: Policy
    you_are: str
    your_address: str
    your_browser: str
    collected: list[Collected]
    key_destroyed_at: str | None
    key_destroyed_of: str | None
    passed_on: str
    opt_out: str
    rights: list[Right]


def collected(policy: Policy, modules: Sequence[Module], kept: Kept, config: Config) -> list[Collected]:
    """Return what is collected."""
    of_events = days_of(kept.events_days)
    found = [
        Collected(
            _VISITS,
            "which page, when, what brought you there, how long it was seen, clicks on links, downloads and forms (not"
            " what is typed); country, browser, system, language and size of the screen",
            "to know what is read, and whether the web site works",
            of_events,
        ),
        Collected(
            "sums",
            "how many visits, pages and countries an hour, a day and a month had; numbers that tell of nobody",
            "to compare with earlier times",
            "for ever",
        ),
    ]
    if policy.ip != "none":
        what = "your address" if policy.ip == "full" else "the first part of your address (/24, /48)"
        found.append(
            Collected(
                "addresses",
                f"{what}, with place, pages and browsers",
                "to see misuse, and who visits as an organisation",
                f"{_after(kept.ip_records_days)}; with {_VISITS} {of_events}",
            )
        )
    if policy.visitor in ("cookie", "client", "persistent"):
        found.append(
            Collected(
                "profile",
                "when you came first and last, how many visits you made, and a note of who runs the web site",
                "to tell new visitors from those who come again",
                _after(kept.profiles_days),
            )
        )
    if policy.traits == "keep":
        found.append(Collected("traits", "what the web site tells of you when you log in", "its own", of_events))
    return [*found, *_of_modules(modules, kept, config)]


def _of_modules(modules: Sequence[Module], kept: Kept, config: Config) -> list[Collected]:
    found: list[Collected] = []
    if "replay" in modules:
        text = "with every letter replaced" if config.replay.text == "mask" else "with its text"
        what = f"what pages looked like ({text}) and what you did there; what you type is replaced before it is sent"
        found.append(Collected("recordings", what, "to see where people get stuck", days_of(kept.replay_days)))
    if "heatmap" in modules:
        what = "how often pages are clicked and where; counts of all visitors together"
        found.append(Collected("heatmaps", what, "to improve pages", "a year"))
    return found + [
        Collected(name, MODULES[name].what, MODULES[name].why, days_of(kept.events_days))
        for name in ("clicks", "vitals", "errors")
        if name in modules
    ]


def you_are(policy: Policy) -> str:
    """Say what a visitor is to the site."""
    return VISITOR[policy.visitor]


def your_address(policy: Policy) -> str:
    return ADDRESS[policy.ip]


def your_browser(policy: Policy) -> str:
    if policy.user_agent == "full":
        return "what it says of itself is stored as it is sent"
    return "only its kind is stored: browser, system, device"


def opt_out(policy: Policy) -> str:
    """Say what Do Not Track and Global Privacy Control do."""
    return f"“Do not track” and Global Privacy Control {OPT_OUT[policy.opt_out]}"


def passed_on(config: Config) -> str:
    """Say who else hears of visitors."""
    service = {"ip-api": "ip-api.com", "ipapi": "ipapi.co"}.get(config.geo.online)
    if service is None:
        return "Nothing is passed on to anybody."
    return f"The address of a visitor is sent to {service}, which answers in which country that is; nothing else is."


def rights(policy: Policy) -> list[Right]:
    """Say how to get at one's data, and how to have it erased."""
    by = {
        "cookie": "with the cookie of this web site",
        "client": "with the id that the page keeps in your browser (vt.id in its local storage)",
    }.get(policy.visitor, "from the address and the browser that you visited with")
    found = [
        Right("see", f"All that is stored of you, {by}.", "GET", "/api/v1/my-data"),
        Right("erase", f"The same, erased for good, {by}; sums stay.", "DELETE", "/api/v1/my-data"),
        Right("token", "What a page or a program sends to ask for both.", "POST", "/api/v1/my-data/token"),
    ]
    if policy.visitor in ("daily", "monthly"):
        when = "day" if policy.visitor == "daily" else "month"
        gone = (
            f"What you did before this {when} cannot be found any more, by nobody: the key to your number is destroyed."
        )
        found.append(Right("earlier", gone, "", ""))
    return found


def _after(days: int) -> str:
    return f"{days} days after the last visit" if days else days_of(0)
