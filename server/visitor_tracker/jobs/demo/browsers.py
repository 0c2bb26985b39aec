"""Browsers as they call themselves, with the versions that a day has. What is sold to nobody is not invented."""

from datetime import date
from functools import lru_cache
from random import Random
from typing import Literal

import msgspec

from visitor_tracker.jobs.demo.chance import Weighted

Device = Literal["desktop", "mobile", "tablet"]

_WEBKIT = "AppleWebKit/537.36 (KHTML, like Gecko)"
_APPLE = "AppleWebKit/605.1.15 (KHTML, like Gecko)"
_WINDOWS, _LINUX = "Windows NT 10.0; Win64; x64", "X11; Linux x86_64"
_MAC, _CHROME_OS = "Macintosh; Intel Mac OS X 10_15_7", "X11; CrOS x86_64 14541.0.0"
_IPHONE, _IPAD = "iPhone; CPU iPhone OS 18_7 like Mac OS X", "iPad; CPU OS 18_7 like Mac OS X"  # frozen since Safari 26
_ANDROID = "Linux; Android 10; K"  # frozen by Chrome


class Kind(msgspec.Struct, frozen=True):
    """A browser on a system: how it calls itself, and the screens it is seen on."""

    device: Device
    engine: Literal["chrome", "firefox", "safari"]
    text: str
    screens: tuple[str, ...]


_DESKTOP_SCREENS = ("1920x1080", "1920x1080", "1920x1080", "2560x1440", "1536x864", "1366x768", "3840x2160")
_MAC_SCREENS = ("1440x900", "1512x982", "1728x1117", "2560x1440", "1470x956")
_IPHONE_SCREENS = ("390x844", "393x852", "430x932", "402x874", "375x812")
_ANDROID_SCREENS = ("412x915", "360x800", "384x854", "412x892", "360x780")
_TABLET_SCREENS = ("820x1180", "834x1194", "1024x1366", "800x1280")


def _chromium(system: str, more: str = "", mobile: str = "") -> str:
    return f"Mozilla/5.0 ({system}) {_WEBKIT} Chrome/{{chrome}}.0.0.0 {mobile}Safari/537.36{more}"


def _firefox(system: str) -> str:
    return f"Mozilla/5.0 ({system}; rv:{{firefox}}.0) Gecko/20100101 Firefox/{{firefox}}.0"


def _safari(system: str, mobile: str = "", end: str = "605.1.15") -> str:
    return f"Mozilla/5.0 ({system}) {_APPLE} Version/{{safari}} {mobile}Safari/{end}"


_KINDS: tuple[tuple[Kind, float], ...] = (
    (Kind("desktop", "chrome", _chromium(_WINDOWS), _DESKTOP_SCREENS), 26),
    (Kind("desktop", "chrome", _chromium(_MAC), _MAC_SCREENS), 11),
    (Kind("desktop", "chrome", _chromium(_LINUX), _DESKTOP_SCREENS), 5),
    (Kind("desktop", "chrome", _chromium(_CHROME_OS), ("1366x768", "1920x1080")), 1.2),
    (Kind("desktop", "chrome", _chromium(_WINDOWS, " Edg/{chrome}.0.0.0"), _DESKTOP_SCREENS), 8),
    (Kind("desktop", "chrome", _chromium(_WINDOWS, " OPR/{opera}.0.0.0"), _DESKTOP_SCREENS), 1.5),
    (Kind("desktop", "firefox", _firefox(_WINDOWS), _DESKTOP_SCREENS), 6),
    (Kind("desktop", "firefox", _firefox(_LINUX), _DESKTOP_SCREENS), 5),
    (Kind("desktop", "firefox", _firefox("Macintosh; Intel Mac OS X 10.15"), _MAC_SCREENS), 2.5),
    (Kind("desktop", "safari", _safari(_MAC), _MAC_SCREENS), 9),
    (Kind("mobile", "safari", _safari(_IPHONE, "Mobile/15E148 ", "604.1"), _IPHONE_SCREENS), 22),
    (Kind("mobile", "chrome", _chromium(_ANDROID, mobile="Mobile "), _ANDROID_SCREENS), 19),
    (
        Kind(
            "mobile",
            "safari",
            f"Mozilla/5.0 ({_IPHONE}) {_APPLE} CriOS/{{chrome}}.0.0.0 Mobile/15E148 Safari/604.1",
            _IPHONE_SCREENS,
        ),
        3,
    ),
    (
        Kind(
            "mobile",
            "chrome",
            f"Mozilla/5.0 ({_ANDROID}) {_WEBKIT} SamsungBrowser/{{samsung}}.0 Chrome/{{chromium}}.0.0.0 "
            "Mobile Safari/537.36",
            _ANDROID_SCREENS,
        ),
        3,
    ),
    (
        Kind(
            "mobile",
            "firefox",
            "Mozilla/5.0 (Android 15; Mobile; rv:{firefox}.0) Gecko/{firefox}.0 Firefox/{firefox}.0",
            _ANDROID_SCREENS,
        ),
        1.5,
    ),
    (Kind("tablet", "safari", _safari(_IPAD, "Mobile/15E148 ", "604.1"), _TABLET_SCREENS), 3),
    (Kind("tablet", "chrome", _chromium(_ANDROID), _TABLET_SCREENS), 1.5),
)
_ON_WORKING_DAYS: dict[Device, float] = {"desktop": 1.35, "mobile": 0.9, "tablet": 0.8}
_OFF: dict[Device, float] = {"desktop": 0.75, "mobile": 1.2, "tablet": 1.4}

WORKING = Weighted((kind, weight * _ON_WORKING_DAYS[kind.device]) for kind, weight in _KINDS)
OFF = Weighted((kind, weight * _OFF[kind.device]) for kind, weight in _KINDS)
LATE = Weighted(((0, 72.0), (1, 16.0), (2, 5.0), (6, 4.0), (14, 3.0)))  # how many versions somebody is behind

_CHROME_131, _FIREFOX_132 = date(2024, 11, 12), date(2024, 10, 29)
_RELEASE_DAYS = 28
_AUTUMN = 9  # the month in which Apple raises the number
_MINORS = (0, 1, 1, 2, 3, 3, 4, 5, 5, 6, 6, 6)  # of Safari, by month since then


@lru_cache(4096)
def user_agent(kind: Kind, day: date, late: int) -> str:
    """Return what a browser calls itself on a day, `late` versions behind the newest."""
    chrome = 131 + (day - _CHROME_131).days // _RELEASE_DAYS - late
    firefox = 132 + (day - _FIREFOX_132).days // _RELEASE_DAYS - late
    return kind.text.format(
        chrome=chrome,
        firefox=firefox,
        opera=chrome - 15,
        samsung=27 + (chrome - 131) // 7,
        chromium=chrome - 8,
        safari=_safari_version(day, late),
    )


def screen(kind: Kind, chance: Random) -> str:
    return chance.choice(kind.screens)


def viewport(kind: Kind, size: str) -> str:
    """Return what the browser leaves of the screen for the page."""
    width, _, height = size.partition("x")
    return f"{width}x{max(300, int(height) - (135 if kind.device == 'desktop' else 110))}"


def _safari_version(day: date, late: int) -> str:
    """Return Safari's version: 26 since September 2025, one more each September; 18 before, and its number of late."""
    months = (day.month - _AUTUMN) % 12
    year = day.year if day.month >= _AUTUMN else day.year - 1
    if late > 5:
        year, months = year - 1, 11
    major = year - 1999 if year >= 2025 else 18 - (2024 - year)
    return f"{major}.{_MINORS[max(0, months - late % 5)]}"
