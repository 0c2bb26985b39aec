"""Browsers, systems and devices by the names people know, from what ua-parser finds in a user agent.

ua-parser's third part, the names of devices, is left out: it would take 15 MB in every process and names makers
and models, where reports only want to know whether somebody holds a phone or sits at a desk.
"""

from collections.abc import Callable
from functools import cache
from typing import Literal

Device = Literal["", "desktop", "mobile", "tablet", "tv", "console", "wearable", "bot"]
Family = tuple[str, str]  # name, version
Families = tuple[Family, Family]  # browser, system

NAME_MOST = 40  # characters
VERSION_MOST = 12
_NONE: Family = ("", "")

_BROWSERS = {
    "Amazon Silk": "Silk",
    "Android": "Android Browser",
    "BlackBerry WebKit": "BlackBerry",
    "Chrome Mobile WebView": "Android WebView",
    "DuckDuckGo Mobile": "DuckDuckGo",
    "Ecosia Android": "Ecosia",
    "Google": "Google App",
    "IE": "Internet Explorer",
    "IE Large Screen": "Internet Explorer",
    "IE Mobile": "Internet Explorer",
    "LINE": "Line",
    "MiuiBrowser": "Miui Browser",
    "Mobile Safari": "Safari",
    "Mobile Safari UI/WKWebView": "iOS WebView",
    "NetCast Smart TV": "NetCast",
    "Opera Touch": "Opera",
    "Palm Pre": "webOS Browser",
    "QQ Browser Mini": "QQ Browser",
    "Seznam prohlížeč": "Seznam",
    "VivoBrowser": "Vivo Browser",
    "WeChat Browser": "WeChat",
}
_TAILS = (" Mobile iOS", " Mobile", " iOS", " Beta", " Alpha")
_SYSTEMS = {
    "ATV OS X": "tvOS",
    "Chromecast Android": "Chromecast",
    "Chromecast Fuchsia": "Chromecast",
    "Chromecast Linux": "Chromecast",
    "Chromecast SmartSpeaker": "Chromecast",
    "FireHbbTV": "Fire OS",
    "KAIOS": "KaiOS",
    "Mac OS X": "macOS",
    "Nokia Series 30 Plus": "Series 30+",
    "Nokia Series 40": "Series 40",
    "Symbian OS": "Symbian",
    "Symbian^3": "Symbian",
    "Symbian^3 Anna": "Symbian",
    "Symbian^3 Belle": "Symbian",
    "WatchOS": "watchOS",
    "Web0S": "webOS",
}
_APPS = (("MicroMessenger", "WeChat"), ("KAKAOTALK", "KakaoTalk"))  # those that ua-parser takes for a WebView
_OWN_SYSTEMS = (
    ("PlayStation", "PlayStation"), ("PLAYSTATION", "PlayStation"), ("Nintendo", "Nintendo"),
    ("OpenHarmony", "HarmonyOS"),
)  # fmt: skip
_UNVERSIONED = frozenset({"Linux", "Chrome OS", "Chromecast"})  # numbers of a kernel or a platform, which nobody knows


@cache
def family_reader() -> Callable[[str], Families]:
    """Load ua-parser's patterns, once a process (some 100 ms and 13 MB), and return what reads a text with them."""
    from ua_parser import Domain, load_lazy_builtins
    from ua_parser.regex import Resolver

    browsers, systems, _devices = load_lazy_builtins()
    resolver = Resolver((browsers, systems, []))
    domains = Domain.USER_AGENT | Domain.OS

    def read(text: str) -> Families:
        found = resolver(text, domains)
        browser, system = found.user_agent, found.os
        return (
            _browser(browser.family, browser.major or "", text) if browser else _NONE,
            _own_system(text) or (_system(system.family, system.major or "", system.minor or "") if system else _NONE),
        )

    return read


def _own_system(text: str) -> Family | None:
    """Return a system that ua-parser does not know, or takes for another."""
    return next(((name, "") for mark, name in _OWN_SYSTEMS if mark in text), None)


def _browser(family: str, major: str, text: str) -> Family:
    if family == "Apple Mail" and "Mac OS X" not in text:  # any WebKit that does not call itself Safari
        return _NONE
    if family == "Chrome Mobile WebView":
        for mark, app in _APPS:
            if mark in text:
                return app, ""
    name = _BROWSERS.get(family)
    if name is None:
        name = family
        for tail in _TAILS:
            name = name.removesuffix(tail)
    return name[:NAME_MOST], major[:VERSION_MOST]


def _system(family: str, major: str, minor: str) -> Family:
    name = _SYSTEMS.get(family, family)
    if name == "Other":
        return _NONE
    version = "" if name in _UNVERSIONED else major
    if minor and ((name == "macOS" and major == "10") or (name == "Windows" and (major, minor) == ("8", "1"))):
        version = f"{major}.{minor}"  # macOS 10.11 and 10.15 are as far apart as 11 and 15
    return name[:NAME_MOST], version[:VERSION_MOST]


_TV = (
    "smarttv", "smart-tv", "smart tv", "hbbtv", "appletv", "apple tv", "googletv", "google tv", "android tv", "bravia",
    "; aft", "crkey", "roku", "web0s", "webos.tv", "netcast", "vidaa", "viera", "nettv", "dtv", "mitv", "mibox",
    "chromecast", "large screen", "tv safari", "smart_tv", "opera tv", "philipstv", "tizen tv",
    " tv ",
)  # fmt: skip
_CONSOLE = ("playstation", "xbox", "nintendo")
_WEARABLE = ("oculusbrowser", "; quest", " watch", "watchos", "wear os", "; sm-r", "glass ", "picobrowser")
_TABLET = ("ipad", "tablet", "playbook", "kindle", "silk/", "; sm-t", "; sm-x", "; sm-p", "xoom", "transformer")
_MOBILE = (
    "mobi", "phone", "ipod", "blackberry", "bb10", "opera mini", "kaios", "symbian", "series60", "series40", "midp",
    "j2me", "nokia", "palm", "webos/", "maemo",
)  # fmt: skip
_DESKTOP = (
    "windows", "macintosh", "mac os x", "mac_powerpc", "x11", "linux", "cros ", "freebsd", "openbsd", "netbsd", "sunos",
    "haiku", "wow64",
)  # fmt: skip


def device_of(lower: str, system: str) -> Device:
    """Return what somebody holds or sits at, from a user agent in lower case and its system's name."""
    if _holds(lower, _CONSOLE):
        return "console"
    if system in ("Windows", "macOS"):
        return "desktop"
    if system == "iOS":
        return "tablet" if "ipad" in lower else "mobile"
    if system == "tvOS" or _holds(lower, _TV):
        return "tv"
    if system == "watchOS" or _holds(lower, _WEARABLE):
        return "wearable"
    return _android(lower) if system == "Android" else _other(lower)


def _android(lower: str) -> Device:
    """Browsers for Android say Mobile on phones and leave it out on tablets; apps say neither."""
    if "tablet" in lower:
        return "tablet"
    if "mobi" in lower or "opera mini" in lower:
        return "mobile"
    is_browser = "applewebkit" in lower or "gecko/" in lower
    return "tablet" if is_browser or _holds(lower, _TABLET) else "mobile"


def _other(lower: str) -> Device:
    if _holds(lower, _TABLET):
        return "tablet"
    if _holds(lower, _MOBILE):
        return "mobile"
    return "desktop" if _holds(lower, _DESKTOP) else ""


def _holds(lower: str, marks: tuple[str, ...]) -> bool:
    return any(map(lower.__contains__, marks))
