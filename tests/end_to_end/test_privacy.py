"""What visitors send of themselves, by whatever endpoint and in whatever field, is on no disk afterwards."""

import json
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote, quote_plus, unquote_to_bytes, urlencode

import pytest

from tests.mariadb import MariaDB
from tests.running import SECONDS, Server, until
from visitor_tracker.ingest.inspection import status
from visitor_tracker.store import open_store

AGENT = (
    "Mozilla/5.0 (X11; Linux x86_64; Zephyr-9) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36"
)
MAIL = "ann.smith-zw7@example.org"
CARD = "4111111111111111"
IPV4 = "203.0.113.77"
IPV6 = "2001:db8:77:88::99aa"
ADDRESSES = {
    IPV4: [b"203.0.113.77"],
    IPV6: [b"2001:db8:77:88::99aa", b"2001:db8:77:88:0:0:0:99aa", b"2001:0db8:0077:0088:0000:0000:0000:99aa"],
}
OTHERS = [AGENT.encode(), b"Zephyr-9", MAIL.encode(), b"ann.smith-zw7", CARD.encode(), b"4111 1111 1111 1111"]
SETTINGS = {
    "VISITOR_TRACKER_TRUSTED_PROXIES": "127.0.0.0/8",
    "VISITOR_TRACKER_RATE_LIMIT_ENABLED": "false",
    "VISITOR_TRACKER_LOG_LEVEL": "debug",
    "VISITOR_TRACKER_JOURNAL_KEEP_MINUTES": "60",
}
HOST = "https://example.com"
MARK = b"nothing personal at all"


def everything_of(ip: str) -> Iterator[str]:
    """Yield texts with all that is personal of one client, in the spellings in which pages send them."""
    spaced = " ".join(CARD[at : at + 4] for at in range(0, 16, 4))
    plain = f"{MAIL} at {ip} by {AGENT} with {CARD} or {spaced}"
    yield plain
    yield " ".join(quote(part, safe="") for part in (MAIL, ip, AGENT, CARD, spaced))
    yield f"{quote_plus(AGENT)} {quote(ip.replace('.', '%2E'), safe='%')} {ip.upper()} {spaced.replace(' ', '-')}"
    yield f"see {HOST}/?m={quote(quote(MAIL, safe=''), safe='')}&a={quote(quote(AGENT))}, (from {ip})"


def address_of(ip: str, text: str) -> str:
    """Return a page's address with all of it in path, query and fragment."""
    part = quote(text, safe="")
    again = quote(part, safe="")
    fields = urlencode({"mail": MAIL, "ip": ip, "agent": AGENT, "card": CARD, "text": text})
    tail = f"?{fields}&utm_source={part}&utm_campaign={part}&ref={part}&twice={again}"
    return f"{HOST}/{quote(MAIL, safe='@')}/{quote(ip)}/{part[:200]}{tail[:1200]}#{MAIL}/{ip}/{part[:100]}"


def addresses_of(ip: str, text: str) -> list[str]:
    """Return addresses with a part of it each."""
    fields = [("m", MAIL), ("ip", ip), ("a", AGENT), ("c", CARD), ("t", text)]
    agent = quote(AGENT)  # as encodeURI leaves its slashes
    return [
        *(f"{HOST}/a?{urlencode([field])}" for field in fields),
        f"{HOST}/{MAIL}/{ip}/{CARD}",
        f"{HOST}/{agent}?{agent}",
    ]


Sent = tuple[str, str, Any]  # method, target, body


def own_events(url: str, text: str) -> list[dict[str, Any]]:
    kinds = ["pageview", "custom", "identify", "click", "scroll", "outbound", "download", "form", "error", "vital"]
    names = ("referrer", "title", "name", "target", "visitor_id", "session_id", "user_id", "language", "timezone")
    more = {name: text for name in names} | {"screen": text, "viewport": text, "currency": text}
    properties = {"text": text, text[:60]: "key", "url": url, "number": int(CARD), "float": float(CARD)}
    events: list[dict[str, Any]] = [
        {"type": kind, "url": url, "properties": properties, **more} for kind in [*kinds, "engagement"]
    ]
    return [*events, *(event | {"referrer": url, "target": url} for event in events)]


def seeds(url: str, text: str) -> Iterator[Sent]:
    """The requests of this server's own formats, and of the trackers of old."""
    yield "POST", "/api/v1/events", own_events(url, text)
    yield "POST", "/api/v1/events", [{"url": url}, {"type": text}, {"url": text}, {"url": url, "id": text}]
    yield "GET", f"/update?{urlencode({'url': url})}", None
    yield "GET", f"/pixel.gif?{urlencode({'url': url})}", None
    yield "POST", "/api/v1/visits", {"url": url}
    for path in (url, "/" + quote(text, safe=""), text):
        yield "POST", "/track", {"path": path, "referrer": text}
    yield "POST", "/click", {"url": url}
    yield "POST", "/click", {"url": text}
    for kind in ("pageview", "identify", "custom", text):
        about = {"visitorId": text, "sessionId": text, "title": text, "language": text, "timezone": text, "id": text}
        more = {"extraData": {"eventName": text, "text": text}, "traits": {"mail": MAIL, "text": text}, "name": text}
        yield "POST", "/collect", {"type": kind, "href": url, "referrer": text, **about, **more}
        yield "POST", "/collect", {"type": kind, "href": url, "referrer": url}
    metadata = {"sessionId": text, "url": url, "screen": text, "timestamp": "2027-01-01T00:00:00.000Z"}
    clicks = [{"type": "click", "tag": text, "id": text, "class": text, "text": text, "x": 1, "y": 2, "href": url}]
    yield "POST", "/api/events", {"metadata": metadata, "analytics": clicks, "replay": [{"type": 2, "data": text}]}
    events = [
        {"type": kind, "url": url, "referrer": text, "title": text, "data": {"text": text, "message": text}}
        for kind in ("pageview", "click", "scroll", "form_interaction", "error", "page_exit", "identify", "custom:x")
    ]
    meta = {"userAgent": AGENT, "language": text, "platform": text, "screenResolution": text}
    yield "POST", "/api/analytics", {"events": events, "meta": meta}


def others(url: str, text: str) -> Iterator[Sent]:
    """The requests of other trackers' clients."""
    common = {"u": url, "d": "default", "r": text}
    yield "POST", "/api/event", {"n": "pageview", **common}
    yield "POST", "/api/event", {"n": text, **common, "p": {"text": text}, "$": {"amount": 1, "currency": text}}
    yield "POST", "/api/event", {"n": "Outbound Link: Click", **common, "p": {"url": url}}
    payload = {"website": "default", "url": url, "referrer": text, "title": text, "language": text, "screen": text}
    for more in ({}, {"name": text, "data": {"text": text}, "tag": text}, {"id": text, "vid": text}):
        yield "POST", "/api/send", {"type": "event", "payload": payload | more}
    yield "POST", "/api/send", {"type": "identify", "payload": payload | {"id": text, "data": {"mail": MAIL}}}
    yield "POST", "/api/batch", [{"type": "event", "payload": payload}]
    fields = urlencode({"p": url, "t": text, "r": text, "q": text, "s": text})
    yield "GET", f"/count?{fields}", None
    yield "GET", f"/gc/count?{fields}&e=1", None
    hits = [{"path": url, "title": text, "ref": text, "query": text, "ip": IPV4, "user_agent": AGENT, "event": True}]
    yield "POST", "/api/v0/count", {"hits": hits}
    matomo: dict[str, Any] = {"idsite": "default", "rec": "1", "url": url, "urlref": text, "action_name": text}
    for more in (
        {"e_c": text, "e_a": text, "e_n": text},
        {"link": url},
        {"download": text},
        {"search": text, "search_cat": text},
        {"dimension1": text, "_id": text, "uid": text, "cvar": json.dumps({"1": [text, text]}), "lang": text},
        {"c_n": text, "c_p": text, "c_t": url},
        {"cra": text, "cra_ru": url, "cra_tp": text},
        {"ec_id": text, "idgoal": "0", "res": text, "ua": AGENT, "cip": IPV4},
    ):
        yield "GET", f"/matomo.php?{urlencode(matomo | more)}", None
        yield "POST", "/piwik.php", {"requests": [f"?{urlencode(matomo | more)}"]}
    told = {"siteLocation": url, "siteReferrer": text, "siteLanguage": text}
    query = "mutation createRecord($domainId: ID!, $input: CreateRecordInput!) "
    query += "{ createRecord(domainId: $domainId, input: $input) { payload { id } } }"
    yield "POST", "/api", {"query": query, "variables": {"domainId": "default", "input": told}}


def send_all(server: Server, ip: str) -> int:
    """Send everything; return how many requests were answered as accepted."""
    accepted = 0
    for text in everything_of(ip):
        for url in addresses_of(ip, text):
            accepted += send(server, ip, ("POST", "/api/v1/events", own_events(url, text)), {"Referer": url})
            accepted += send(server, ip, ("GET", f"/update?{urlencode({'url': url})}", None), {})
        url = address_of(ip, text)
        for sent in (*seeds(url, text), *others(url, text)):
            accepted += send(server, ip, sent, {"Referer": url})
    return accepted


def send(server: Server, ip: str, sent: Sent, headers: Mapping[str, str]) -> bool:
    method, target, body = sent
    answer = server.session.request(
        method,
        server.url + target,
        data=None if body is None else json.dumps(body),
        headers={
            "User-Agent": AGENT,
            "X-Forwarded-For": ip,
            "Accept-Language": "en",
            "Content-Type": "text/plain",
            **headers,
        },
        timeout=SECONDS,
    )
    assert answer.status_code < 500, (sent, answer.text)
    return answer.headers.get("X-Tracker") == "accepted"


def found_in(folder: Path, needles: Sequence[bytes]) -> list[str]:
    """Return where one of these is, as it is or percent-encoded up to twice."""
    places: list[str] = []
    for path in sorted(folder.rglob("*")):
        if not path.is_file() or path.is_symlink():
            continue
        content = path.read_bytes().strip(b"\0")
        once = unquote_to_bytes(content) if b"%" in content else content
        twice = unquote_to_bytes(once) if b"%" in once else once
        for spelled in {content, once, twice}:
            for text in (spelled, spelled.replace(b"+", b" ")):
                places += [f"{path.name}: {told(text, needle)}" for needle in needles if needle in text]
    return places


def told(content: bytes, needle: bytes) -> str:
    at = content.index(needle)
    return f"{needle!r} in {content[max(0, at - 100) : at + 100]!r}"


@dataclass(frozen=True)
class Place:
    """A running server, and all folders in which something of its visitors could be."""

    server: Server
    store_url: str
    folders: list[Path]


@pytest.fixture(params=["sqlite", "mysql"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    """A server on a database server that nobody else uses: its log files are shared by all of its databases."""
    with ExitStack() as stack:
        folders, store_url = [tmp_path], f"sqlite:///{tmp_path / 'visitors.db'}"
        if request.param == "mysql":
            folders.append(Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="mariadb-"))))
            mariadb = MariaDB(folders[1])
            stack.callback(mariadb.kill9)
            mariadb.install()
            store_url = mariadb.url(mariadb.fresh_database())
        running = Server(tmp_path, store_url, SETTINGS, ["--workers", "1"])
        stack.callback(running.kill9)
        running.start()
        yield Place(running, store_url, folders)


def test_nothing_personal_is_on_any_disk(place: Place) -> None:
    server = place.server
    for ip in ADDRESSES:
        assert send_all(server, ip) > 150
    send(server, "192.0.2.1", ("POST", "/api/v1/events", {"url": HOST, "title": MARK.decode()}), {})
    journal = server.folder / "data" / "journal"
    store = open_store(place.store_url)
    until(lambda: status(journal, store).waiting_bytes == 0)
    store.close()
    assert server.stop() == 0
    assert list(journal.glob("*.segment")), "the journal is kept for an hour, to be looked at here"
    for folder in place.folders:
        assert found_in(folder, [MARK]), "else nothing here would be found"
    needles = [*OTHERS, *(spelling for spellings in ADDRESSES.values() for spelling in spellings)]
    assert [found for folder in place.folders for found in found_in(folder, needles)] == []
