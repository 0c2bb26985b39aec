"""Who visits: from where, in which language, with what; nobody who exists.

Addresses are of 198.18.0.0/15, which is for trying out devices in laboratories (RFC 2544): nobody on the internet has
one of them. Countries are told by the browsers' time zones.
"""

from datetime import date
from functools import lru_cache
from random import Random

import msgspec

from visitor_tracker.ingest.hit import Client
from visitor_tracker.jobs.demo import browsers
from visitor_tracker.jobs.demo.chance import Weighted, chances

_HOUR_MS = 3_600_000
_ENGLISH_TOO = 0.18  # of those who speak another language at home
_OPTED_OUT = {"chrome": 0.01, "firefox": 0.14, "safari": 0.0}  # that send Global Privacy Control


class Home(msgspec.Struct, frozen=True):
    """Where people live: `offset` is their clock's, in hours, as reckoned for when they are awake."""

    timezone: str
    offset: int
    language: str
    google: str


# (time zone, hours from UTC, language, Google's domain there, weight)
_HOMES: tuple[tuple[str, int, str, str, float], ...] = (
    ("America/New_York", -5, "en-US", "com", 13), ("America/Chicago", -6, "en-US", "com", 7),
    ("America/Los_Angeles", -8, "en-US", "com", 9), ("America/Denver", -7, "en-US", "com", 2),
    ("Europe/Berlin", 1, "de-DE", "de", 14), ("Europe/London", 0, "en-GB", "co.uk", 8),
    ("Europe/Paris", 1, "fr-FR", "fr", 6), ("Europe/Amsterdam", 1, "nl-NL", "nl", 4),
    ("Europe/Madrid", 1, "es-ES", "es", 3), ("Europe/Rome", 1, "it-IT", "it", 2.5),
    ("Europe/Warsaw", 1, "pl-PL", "pl", 2.5), ("Europe/Stockholm", 1, "sv-SE", "se", 2),
    ("Europe/Zurich", 1, "de-CH", "ch", 2.2), ("Europe/Vienna", 1, "de-AT", "at", 2),
    ("Europe/Kyiv", 2, "uk-UA", "com.ua", 1.2), ("Europe/Istanbul", 3, "tr-TR", "com.tr", 1),
    ("Asia/Kolkata", 5, "en-IN", "co.in", 6), ("Asia/Tokyo", 9, "ja-JP", "co.jp", 2.5),
    ("Asia/Singapore", 8, "en-SG", "com.sg", 1.2), ("Asia/Jakarta", 7, "id-ID", "co.id", 1),
    ("Asia/Seoul", 9, "ko-KR", "co.kr", 1), ("Australia/Sydney", 10, "en-AU", "com.au", 2.2),
    ("America/Toronto", -5, "en-CA", "ca", 4), ("America/Sao_Paulo", -3, "pt-BR", "com.br", 3),
    ("America/Mexico_City", -6, "es-MX", "com.mx", 1.2), ("Africa/Johannesburg", 2, "en-ZA", "co.za", 0.8),
    ("Africa/Lagos", 1, "en-NG", "com.ng", 0.7), ("", 0, "en-US", "com", 1.2),
)  # fmt: skip

# How many are awake and at a screen, by the hour of their own clock.
_AWAKE = (2, 1, 1, 1, 1, 2, 4, 7, 9, 10, 11, 11, 10, 11, 11, 11, 10, 9, 8, 8, 9, 9, 7, 4)


class Person(msgspec.Struct, frozen=True):
    """Somebody with one device; `late` is how many versions its browser is behind."""

    ip: str
    home: Home
    language: str
    kind: browsers.Kind
    late: int
    screen: str
    opted_out: bool

    @property
    def is_mobile(self) -> bool:
        return self.kind.device != "desktop"


@lru_cache(48)
def homes_at(hour: int, zones: str = "") -> Weighted[Home]:
    """Return where visitors are from when it is that hour in UTC, of time zones that begin so."""
    return Weighted(
        (Home(timezone, offset, language, google), weight * _AWAKE[(hour + offset) % 24])
        for timezone, offset, language, google, weight in _HOMES
        if timezone.startswith(zones)
    )


def stranger(chance: Random, ts_ms: int, *, working: bool, zones: str = "") -> Person:
    """Return somebody who is awake now, where time zones begin so."""
    home = homes_at(ts_ms // _HOUR_MS % 24, zones).pick(chance)
    kind = (browsers.WORKING if working else browsers.OFF).pick(chance)
    english = not home.language.startswith("en") and chance.random() < _ENGLISH_TOO
    return Person(
        address(chance),
        home,
        "en-US" if english else home.language,
        kind,
        browsers.LATE.pick(chance),
        browsers.screen(kind, chance),
        chance.random() < _OPTED_OUT[kind.engine],
    )


@lru_cache(16_384)
def regular(seed: int, number: int) -> Person:
    """Return one of those who come again and again."""
    chance = chances(seed, "regular", number)
    return stranger(chance, chance.randrange(24) * _HOUR_MS, working=True)


def client_of(person: Person, day: date, base: str) -> Client:
    """Return what a request of the person's tells, such as the tracker in a page sends it."""
    agent = browsers.user_agent(person.kind, day, person.late)
    return Client(person.ip, agent, _headers(base, person.language, opted_out=person.opted_out))


def address(chance: Random) -> str:
    """Return an address; there are some 131,000."""
    number = chance.getrandbits(17)
    return f"198.{18 + (number >> 16)}.{number >> 8 & 255}.{number & 255}"


@lru_cache(256)
def _headers(base: str, language: str, *, opted_out: bool) -> dict[str, str]:
    fields = {
        "accept": "*/*",
        "accept-encoding": "gzip, deflate, br",
        "accept-language": f"{language},{language[:2]};q=0.9",
        "origin": base,
        "sec-fetch-mode": "cors",
    }
    return fields | {"sec-gpc": "1"} if opted_out else fields
