"""Online look-ups: what is asked, how often, and what of the answers is believed."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from tests.running import until
from visitor_tracker.config.sections import GeoConfig
from visitor_tracker.event import Place
from visitor_tracker.ingest import lookup as module
from visitor_tracker.ingest.geo import LOCAL_PLACE, GeoReader
from visitor_tracker.ingest.lookup import OnlineLookup

IP = "8.8.8.8"
TOLD = {
    "status": "success", "country": "Germany", "countryCode": "DE", "region": "BE", "regionName": "Land Berlin",
    "city": "Berlin\n", "org": "", "isp": "Example Net", "query": IP,
}  # fmt: skip
ALSO_TOLD = {"ip": IP, "city": "Paris", "region": None, "country_code": "FR", "org": "Autre", "error": False}
BERLIN = Place("DE", "Land Berlin", "Berlin", "Example Net")
PARIS = Place("FR", "", "Paris", "Autre")

Answer = tuple[int, dict[str, str], bytes]


class Service(ThreadingHTTPServer):
    """Both services on this machine: answers by the beginning of the path, and what was asked."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.answers: dict[str, Answer] = {}
        self.asked: list[str] = []

    def lookup(self, kind: str = "ip-api", clock: list[float] | None = None) -> OnlineLookup:
        where = f"http://127.0.0.1:{self.server_address[1]}"
        now = clock if clock is not None else [1000.0]
        bases = {"ip-api": where, "ipapi": f"{where}/other"}
        return OnlineLookup("ip-api" if kind == "ip-api" else "ipapi", bases=bases, clock=lambda: now[0])


class _Handler(BaseHTTPRequestHandler):
    server: Service

    def do_GET(self) -> None:
        self.server.asked.append(self.path)
        answers = self.server.answers
        status, headers, body = next((answers[path] for path in answers if self.path.startswith(path)), (404, {}, b""))
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Write nothing."""


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch) -> Iterator[Service]:
    monkeypatch.setenv("no_proxy", "*")
    with Service() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def ok(told: object, **headers: str) -> Answer:
    return 200, headers, json.dumps(told).encode()


def asked_once(lookup: OnlineLookup, ip: str = IP) -> Place | None:
    assert lookup.ask(ip) is None
    lookup.step()
    return lookup.ask(ip)


def test_an_answer_is_there_for_the_next_visit(service: Service) -> None:
    service.answers["/json"] = ok(TOLD)
    lookup = service.lookup()
    assert asked_once(lookup) == BERLIN
    assert lookup.step() is None
    fields = "status,message,country,countryCode,region,regionName,city,org,isp,query"
    assert service.asked == [f"/json/{IP}?fields={fields}"]


def test_the_other_service_is_asked_when_the_first_fails(service: Service) -> None:
    service.answers = {"/json": (500, {}, b""), "/other": ok(ALSO_TOLD)}
    assert asked_once(service.lookup()) == PARIS
    assert [path.partition("?")[0] for path in service.asked] == [f"/json/{IP}", f"/other/{IP}/json/"]


def test_only_ipapi_is_asked_where_the_settings_name_it(service: Service) -> None:
    service.answers = {"/json": ok(TOLD), "/other": ok(ALSO_TOLD)}
    assert asked_once(service.lookup("ipapi")) == PARIS
    assert service.asked == [f"/other/{IP}/json/"]


@pytest.mark.parametrize(
    "answer",
    [
        (200, {}, b""),
        (200, {}, b"\xff\xfe"),
        (200, {}, b"[" * 60_000),
        (200, {}, b'{"status": "success"' + b" " * 70_000 + b"}"),
        (204, {}, b""),
        (429, {"X-Ttl": "9"}, b"slow down"),
        ok([TOLD]),
        ok({**TOLD, "countryCode": 49}),
        ok({**TOLD, "query": "9.9.9.9"}),
        ok({**TOLD, "query": "<script>"}),
        ok({**TOLD, "status": "busy"}),
    ],
)
def test_an_answer_that_is_none_leaves_the_place_unknown_and_the_service_alone(
    service: Service, answer: Answer
) -> None:
    service.answers["/json"] = answer
    lookup = service.lookup()
    assert asked_once(lookup) is None
    assert lookup.step() not in (0.0, None)
    assert len(service.asked) == 2  # the other service had no answer either


def test_a_redirect_is_not_followed(service: Service) -> None:
    service.answers = {"/json": (302, {"Location": "/elsewhere"}, b""), "/elsewhere": ok(TOLD)}
    assert asked_once(service.lookup()) is None
    assert not any(path.startswith("/elsewhere") for path in service.asked)


@pytest.mark.parametrize(
    "told", [{"status": "fail", "message": "reserved range", "query": IP}, {**TOLD, "countryCode": "ZZ"}]
)
def test_an_address_that_has_no_place_is_asked_for_once(service: Service, told: object) -> None:
    service.answers["/json"] = ok(told)
    assert asked_once(service.lookup()) == Place()


@pytest.mark.parametrize("ip", ["127.0.0.1", "10.0.0.1", "::1", "fe80::1", "fd00::1", "192.168.1.1", "", "x/../y"])
def test_local_addresses_and_other_texts_never_leave(service: Service, ip: str) -> None:
    lookup = service.lookup()
    assert lookup.ask(ip) is None
    assert (lookup.step(), service.asked) == (None, [])


def test_no_more_than_45_are_asked_for_in_a_minute(service: Service) -> None:
    clock = [1000.0]
    lookup = service.lookup("ipapi", clock)
    for number in range(60):
        ip = f"8.8.4.{number}"
        service.answers[f"/other/{ip}/"] = ok({**ALSO_TOLD, "ip": ip})
        lookup.ask(ip)
    waits = []
    for _ in range(50):
        waits.append(lookup.step())
        clock[0] += 0.5
    assert (len(service.asked), waits.count(0.0)) == (45, 45)
    clock[0] += waits[-1] or 0.0
    assert lookup.step() == 0.0
    assert len(service.asked) == 46


def test_a_service_that_says_when_gets_that_time(service: Service) -> None:
    clock = [1000.0]
    service.answers["/other"] = ok(ALSO_TOLD, **{"X-Rl": "0", "X-Ttl": "17"})
    lookup = service.lookup("ipapi", clock)
    assert asked_once(lookup) == PARIS
    lookup.ask("8.8.4.4")
    assert lookup.step() == 17.0


def test_what_waits_and_what_is_known_is_bounded(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "WAITING_MOST", 2)
    monkeypatch.setattr(module, "KNOWN_MOST", 1)
    service.answers = {f"/json/8.8.8.{last}?": ok({**TOLD, "query": f"8.8.8.{last}"}) for last in range(4)}
    lookup = service.lookup()
    for last in range(4):
        lookup.ask(f"8.8.8.{last}")
    while lookup.step() is not None:
        pass
    assert len(service.asked) == 2
    assert [lookup.ask(f"8.8.8.{last}") for last in (0, 1)] == [None, BERLIN]


def test_a_reader_takes_answers_where_files_and_proxy_say_nothing(service: Service) -> None:
    service.answers["/json"] = ok(TOLD)
    reader = GeoReader(GeoConfig(online="ip-api"), online=service.lookup())
    assert reader.place("192.168.0.1", "", "") == LOCAL_PLACE
    assert reader.place(IP, "AT", "") == Place("AT")
    assert reader.place(IP, "", "Asia/Tokyo") == Place("JP")
    reader.refresh()
    until(lambda: reader.place(IP, "", "Asia/Tokyo") == BERLIN)
    reader.close()
    assert [path.partition("?")[0] for path in service.asked] == [f"/json/{IP}"]


def test_nothing_is_asked_unless_the_settings_say_so() -> None:
    reader = GeoReader(GeoConfig())
    reader.refresh()
    assert reader.place(IP, "", "") == Place()
    assert "geo-lookup" not in {thread.name for thread in threading.enumerate()}
    reader.close()
