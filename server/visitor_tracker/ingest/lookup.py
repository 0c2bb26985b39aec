"""Places of addresses from the online services of the visitors.json middleware: off unless the settings say so.

    place() ─ask─▶ waiting addresses (bounded) ─▶ one thread ─HTTP─▶ service ─▶ answers (bounded) ─ask─▶ place()

Nobody waits for an answer: the first visit of an address is stored without its place. Addresses leave this machine,
with ip-api even unencrypted (its free service has no TLS).
"""

import logging
import threading
import time
import urllib.error
import urllib.request
from collections import OrderedDict, deque
from collections.abc import Callable, Mapping
from email.message import Message
from http.client import HTTPException, HTTPMessage, HTTPResponse
from ipaddress import ip_address
from typing import IO, Literal

import msgspec

from visitor_tracker.event import Place
from visitor_tracker.ingest.scrub import clean, cut
from visitor_tracker.ingest.zones import UNKNOWN, country_code

log = logging.getLogger(__name__)

PER_MINUTE = 45  # what ip-api.com gives away; who asks more is shut out
TIMEOUT_SECONDS = 3.0
WAITING_MOST = 1024  # addresses
KNOWN_MOST = 16_384  # addresses
ANSWER_MOST = 64 * 1024  # bytes
PAUSE_SECONDS = 60.0  # after a failure
_PAUSE_MOST_SECONDS = 3600.0
_NAME_MOST = 128
_FIELDS = "status,message,country,countryCode,region,regionName,city,org,isp,query"

BASES = {"ip-api": "http://ip-api.com", "ipapi": "https://ipapi.co"}
_ORDER: dict[str, tuple[Literal["ip-api", "ipapi"], ...]] = {"ip-api": ("ip-api", "ipapi"), "ipapi": ("ipapi",)}


class _IpApi(msgspec.Struct, frozen=True, rename="camel"):
    status: str = ""
    message: str = ""
    country_code: str = ""
    region_name: str = ""
    city: str = ""
    org: str = ""
    isp: str = ""
    query: str = ""


class _Ipapi(msgspec.Struct, frozen=True):
    ip: str | None = None
    error: bool = False
    reserved: bool = False
    country_code: str | None = None
    region: str | None = None
    city: str | None = None
    org: str | None = None


class _Answer(msgspec.Struct, frozen=True):
    """A place, or None for no answer; and how long to leave the service alone."""

    place: Place | None
    pause_seconds: float = 0.0


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """Makes an error of every redirect: an address goes to nobody but the service of the settings."""

    def redirect_request(  # noqa: PLR0913 - the base class's
        self, req: urllib.request.Request, fp: IO[bytes], code: int, msg: str, headers: HTTPMessage, newurl: str
    ) -> None:
        return None


class OnlineLookup:
    """Asks the services in a thread of its own, at most 45 times a minute."""

    def __init__(
        self,
        kind: Literal["ip-api", "ipapi"],
        *,
        bases: Mapping[str, str] = BASES,
        per_minute: int = PER_MINUTE,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Ask ipapi.co, or ip-api.com first; `bases` are the services' addresses without a path."""
        self._bases = bases
        self._per_minute = per_minute
        self._clock = clock
        self._opener = urllib.request.build_opener(_NoRedirects)
        self._lock = threading.Lock()
        self._waiting: OrderedDict[str, None] = OrderedDict()
        self._known: OrderedDict[str, Place] = OrderedDict()
        self._asked: deque[float] = deque()  # when, of the last minute; this and the next are the thread's own
        self._paused = dict.fromkeys(_ORDER[kind], clock())  # until when, by service, in their order
        self._bell = threading.Event()
        self._closing = False
        self._thread: threading.Thread | None = None

    def ask(self, ip: str) -> Place | None:
        """Return the address's place, or None as long as it is not known; then it will be asked for."""
        with self._lock:
            place = self._known.get(ip)
            if place is not None:
                self._known.move_to_end(ip)
                return place
            if ip in self._waiting or len(self._waiting) >= WAITING_MOST:
                return None
        if _is_public(ip):
            with self._lock:
                self._waiting[ip] = None
            self._bell.set()
        return None

    def start(self) -> None:
        """See that the thread runs; it does not survive a fork."""
        if not self._closing and (self._thread is None or not self._thread.is_alive()):
            self._thread = threading.Thread(target=self._run, name="geo-lookup", daemon=True)
            self._thread.start()

    def close(self) -> None:
        """Ask no more; an answer on its way has its time to come."""
        self._closing = True
        self._bell.set()
        if self._thread is not None:
            self._thread.join(TIMEOUT_SECONDS)

    def step(self) -> float | None:
        """Ask for one address; return how long to wait before the next, None for until there is one."""
        now = self._clock()
        wait = self._wait_seconds(now)
        with self._lock:
            if not self._waiting:
                return None
            if wait > 0:
                return wait
            ip, _ = self._waiting.popitem(last=False)
            if ip in self._known:  # somebody asked for it while its answer was on its way
                return 0.0
        place = self._look_up(ip, now)
        if place is not None:
            with self._lock:
                self._known[ip] = place
                if len(self._known) > KNOWN_MOST:
                    self._known.popitem(last=False)
        return 0.0

    def _run(self) -> None:
        while not self._closing:
            self._bell.clear()
            wait = self.step()
            if wait != 0.0:
                self._bell.wait(wait)  # a bell in between does not shorten the wait: the next step finds the rest of it

    def _wait_seconds(self, now: float) -> float:
        """Return how long no service may be asked; each address may take one request to each of them."""
        while self._asked and self._asked[0] <= now - 60.0:
            self._asked.popleft()
        ready = [until for until in self._paused.values() if until <= now]
        if not ready:
            return min(self._paused.values()) - now
        over = len(self._asked) + len(ready) - self._per_minute
        return 0.0 if over <= 0 or not self._asked else self._asked[min(over, len(self._asked)) - 1] + 60.0 - now

    def _look_up(self, ip: str, now: float) -> Place | None:
        for name, until in self._paused.items():
            if until <= now and not self._closing:
                self._asked.append(now)
                answer = _READERS[name](_fetch(self._opener, _URLS[name].format(base=self._bases[name], ip=ip)), ip)
                if answer.pause_seconds > 0:
                    log.warning("%s gives no answer, or no more of them, for %d s", name, answer.pause_seconds)
                    self._paused[name] = now + answer.pause_seconds
                if answer.place is not None:
                    return answer.place
        return None


def _is_public(ip: str) -> bool:
    try:
        return ip_address(ip).is_global
    except ValueError:
        return False


class _Page(msgspec.Struct, frozen=True):
    """What a service sent; no body for an error."""

    body: bytes = b""
    pause_seconds: float = 0.0


def _fetch(opener: urllib.request.OpenerDirector, url: str) -> _Page:
    request = urllib.request.Request(url, headers={"User-Agent": "visitor-tracker", "Accept": "application/json"})
    try:
        with opener.open(request, timeout=TIMEOUT_SECONDS) as response:
            is_last = response.headers.get("X-Rl") == "0"
            return _Page(_body(response), _pause(response.headers) if is_last else 0.0)
    except urllib.error.HTTPError as error:
        with error:
            return _Page(pause_seconds=_pause(error.headers))
    except (OSError, HTTPException, ValueError):
        return _Page(pause_seconds=PAUSE_SECONDS)


def _body(response: HTTPResponse) -> bytes:
    """Read the body; raise ValueError if it is too long, or comes too slowly."""
    until = time.monotonic() + TIMEOUT_SECONDS
    body = b""
    while len(body) <= ANSWER_MOST and time.monotonic() < until:
        piece = response.read1(ANSWER_MOST + 1 - len(body))
        if not piece:
            return body
        body += piece
    raise ValueError("the answer is too long or too slow")


def _pause(headers: Message) -> float:
    """Return how long the service says that it wants to be left alone."""
    text = str(headers.get("X-Ttl") or headers.get("Retry-After") or "")
    seconds = float(text) if text.isascii() and text.isdecimal() and len(text) < 10 else PAUSE_SECONDS
    return min(max(seconds, 1.0), _PAUSE_MOST_SECONDS)


def _read_ip_api(page: _Page, ip: str) -> _Answer:
    try:
        told = msgspec.json.decode(page.body, type=_IpApi)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return _Answer(None, page.pause_seconds or PAUSE_SECONDS)
    if told.status == "fail":  # a reserved address
        return _Answer(Place(), page.pause_seconds)
    if told.status != "success" or not _is_same(told.query, ip):
        return _Answer(None, page.pause_seconds or PAUSE_SECONDS)
    return _Answer(_place(told.country_code, told.region_name, told.city, told.org or told.isp), page.pause_seconds)


def _read_ipapi(page: _Page, ip: str) -> _Answer:
    try:
        told = msgspec.json.decode(page.body, type=_Ipapi)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return _Answer(None, page.pause_seconds or PAUSE_SECONDS)
    if told.reserved:
        return _Answer(Place(), page.pause_seconds)
    if told.error or not _is_same(told.ip or "", ip):
        return _Answer(None, page.pause_seconds or PAUSE_SECONDS)
    return _Answer(
        _place(told.country_code or "", told.region or "", told.city or "", told.org or ""), page.pause_seconds
    )


def _is_same(told: str, ip: str) -> bool:
    try:
        return ip_address(told) == ip_address(ip)
    except ValueError:
        return False


def _place(code: str, region: str, city: str, organisation: str) -> Place:
    country = country_code(code)
    if country == UNKNOWN:
        return Place()
    return Place(country, *(cut(clean(text), _NAME_MOST) for text in (region, city, organisation)))


_URLS = {"ip-api": "{base}/json/{ip}?fields=" + _FIELDS, "ipapi": "{base}/{ip}/json/"}
_READERS: dict[str, Callable[[_Page, str], _Answer]] = {"ip-api": _read_ip_api, "ipapi": _read_ipapi}
