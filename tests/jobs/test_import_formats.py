"""Lines of every format that logs come in."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.jobs.import_parts import FIREFOX, combined
from visitor_tracker.jobs.importing.formats import FORMATS, recognise
from visitor_tracker.jobs.importing.json_formats import read_json
from visitor_tracker.jobs.importing.line import BrokenLine, LogLine, moment, unescaped
from visitor_tracker.jobs.importing.pages import why_no_view
from visitor_tracker.jobs.importing.text_formats import read_ncsa, read_vhost, read_vhost_surely

AT = 1_791_633_336_000  # 2026-10-10 13:55:36 +0200
TIME = "[10/Oct/2026:13:55:36 +0200]"

TEXT_LINES = {
    f'198.51.100.7 - - {TIME} "GET /a?b=c HTTP/1.1" 200 2326': LogLine(AT, "198.51.100.7", "GET", "/a?b=c", 200),
    f'198.51.100.7 - - {TIME} "GET / HTTP/1.0" 304 - ': LogLine(AT, "198.51.100.7", "GET", "/", 304),
    f'198.51.100.7 ident jane doe {TIME} "GET / HTTP/2.0" 200 0 "https://a.example/" "{FIREFOX}"': LogLine(
        AT, "198.51.100.7", "GET", "/", 200, "", "https://a.example/", FIREFOX
    ),
    f'2001:db8::7 - - {TIME} "GET / HTTP/1.1" 200 5 "-" "-"': LogLine(AT, "2001:db8::7", "GET", "/", 200),
    rf'198.51.100.7 - - {TIME} "GET /\"x\" HTTP/1.1" 200 5 "https://a.example/\xc3\xa4" "an \"agent\" \\ \x22more"': (
        LogLine(AT, "198.51.100.7", "GET", '/"x"', 200, "", "https://a.example/ä", 'an "agent" \\ "more')
    ),
    f'198.51.100.7 - - {TIME} "-" 408 0 "-" "-"': LogLine(AT, "198.51.100.7", "", "", 408),
    f'198.51.100.7 - - {TIME} "" 400 0 "-" "-"': LogLine(AT, "198.51.100.7", "", "", 400),
    rf'198.51.100.7 - - {TIME} "\x16\x03\x01" 400 157 "-" "-"': LogLine(AT, "198.51.100.7", "", "", 400),
    f'198.51.100.7 - - {TIME} "GET /a b HTTP/1.1" 200 5 "-" "-" 0.003 extra': LogLine(
        AT, "198.51.100.7", "GET", "/a b", 200
    ),
    # What nginx.conf of packages writes behind combined.
    f'10.0.0.2 - - {TIME} "GET / HTTP/1.1" 200 5 "-" "x" "203.0.113.9, 198.51.100.7, 10.0.0.9"': LogLine(
        AT, "198.51.100.7", "GET", "/", 200, "", "", "x"
    ),
    f'192.0.2.1 - - {TIME} "GET / HTTP/1.1" 200 5 "-" "x" "203.0.113.9"': LogLine(
        AT, "192.0.2.1", "GET", "/", 200, "", "", "x"
    ),
    f'10.0.0.2 - - {TIME} "GET / HTTP/1.1" 200 5 "-" "x" "-"': LogLine(AT, "10.0.0.2", "GET", "/", 200, "", "", "x"),
    f'client.isp.example - - {TIME} "GET / HTTP/1.1" 200 5': LogLine(AT, "client.isp.example", "GET", "/", 200),
}  # fmt: skip
VHOST_LINES = {
    f'blog.example:443 198.51.100.7 - - {TIME} "GET / HTTP/1.1" 200 5 "-" "x"': LogLine(
        AT, "198.51.100.7", "GET", "/", 200, "blog.example", "", "x"
    ),
    f'[2001:db8::1]:80 2001:db8::7 - - {TIME} "GET / HTTP/1.1" 200 5': LogLine(
        AT, "2001:db8::7", "GET", "/", 200, "[2001:db8::1]"
    ),
    f'blog.example 198.51.100.7 - - {TIME} "GET / HTTP/1.1" 200 5 "-" "x"': LogLine(
        AT, "198.51.100.7", "GET", "/", 200, "blog.example", "", "x"
    ),
}
CADDY = {
    "level": "info", "ts": 1791633336.0004, "logger": "http.log.access.log0", "msg": "handled request",
    "request": {
        "remote_ip": "10.0.0.2", "remote_port": "41342", "client_ip": "2001:db8::7", "proto": "HTTP/2.0",
        "method": "GET", "host": "blog.example", "uri": "/ä?x=1",
        "headers": {"User-Agent": [FIREFOX], "Referer": ["https://a.example/"], "Accept-Language": ["de-DE,de;q=0.5"]},
    },
    "duration": 0.0009, "size": 10900, "status": 200, "resp_headers": {"Content-Type": ["text/html; charset=utf-8"]},
}  # fmt: skip
CADDY_LINE = LogLine(
    AT, "2001:db8::7", "GET", "/ä?x=1", 200, "blog.example", "https://a.example/", FIREFOX, "de-DE,de;q=0.5",
    "text/html; charset=utf-8",
)  # fmt: skip
FLAT_LINE = LogLine(AT, "198.51.100.7", "GET", "/a?b=c", 200, "blog.example", "https://a.example/", FIREFOX)
JSON_LINES: list[tuple[dict[str, object], LogLine]] = [
    (CADDY, CADDY_LINE),
    ({**CADDY, "ts": "2026-10-10T13:55:36.000+0200"}, CADDY_LINE),
    ({**CADDY, "ts": "2026/10/10 11:55:36.000"}, CADDY_LINE),
    (
        {
            "time_iso8601": "2026-10-10T13:55:36+02:00", "remote_addr": "198.51.100.7", "request_method": "GET",
            "request_uri": "/a?b=c", "uri": "/index.php", "status": 200, "host": "blog.example",
            "http_referer": "https://a.example/", "http_user_agent": FIREFOX, "http_x_forwarded_for": "",
        },
        FLAT_LINE,
    ),
    (
        {
            "msec": "1791633336.000", "remoteAddr": "127.0.0.1", "xForwardedFor": "198.51.100.7", "status": "200",
            "request": "GET /a?b=c HTTP/1.1", "server_name": "blog.example", "referrer": "https://a.example/",
            "userAgent": FIREFOX,
        },
        FLAT_LINE,
    ),
    (  # Apache's LogFormat with %t %a %V %U %q %m %>s
        {
            "time": TIME, "remoteIP": "198.51.100.7", "host": "blog.example", "request": "/a", "query": "?b=c",
            "method": "GET", "status": "200", "userAgent": FIREFOX, "referer": "https://a.example/",
        },
        FLAT_LINE,
    ),
]  # fmt: skip


@pytest.mark.parametrize(("text", "line"), TEXT_LINES.items())
def test_a_line_of_common_or_combined_is_read(text: str, line: LogLine) -> None:
    assert read_ncsa(text) == line
    assert recognise([text]) is read_ncsa


@pytest.mark.parametrize(("text", "line"), VHOST_LINES.items())
def test_a_line_with_its_host_in_front_is_read(text: str, line: LogLine) -> None:
    assert read_vhost(text) == line
    assert recognise([text]) is read_vhost_surely


@pytest.mark.parametrize(("record", "line"), JSON_LINES)
def test_a_line_of_json_is_read(record: dict[str, object], line: LogLine) -> None:
    assert read_json(json.dumps(record)) == line
    assert recognise([json.dumps(record)]) is read_json


def test_json_of_servers_that_know_no_json_is_read() -> None:
    line = r'{"time": "2026-10-10T11:55:36Z", "request_uri": "/\x22\xc3\xa4", "request_method": "GET", "status": 200}'
    assert read_json(line) == LogLine(AT, "", "GET", '/"ä', 200)


@pytest.mark.parametrize(
    "record", [{"level": "info", "ts": 1.5, "msg": "server running"}, {"request": {"uri": "/"}, "ts": 1}, {}]
)
def test_json_that_tells_of_no_request_is_none(record: dict[str, object]) -> None:
    assert read_json(json.dumps(record)) is None


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("combined", ""),
        ("combined", "[error] something else"),
        ("combined", combined()[:-20]),
        ("combined", combined().replace("Oct", "Okt")),
        ("combined", combined(time="31/Feb/2026:00:00:00 +0000")),
        ("combined", combined(time="10/Oct/2026:13:55:xx +0000")),
        ("combined", combined(time="10/Oct/0000:13:55:00 +0000")),
        ("combined", f"blog.example:443 {combined()}".replace("198.51.100.7", "client.isp.example")),
        ("common", combined(ip="198.51.100.7:8080:1")),
        ("vhost_combined", combined()),
        ("json", "{"),
        ("json", "[]"),
        ("json", '"text"'),
        ("json", "[" * 60_000),
        ("caddy", json.dumps({**CADDY, "ts": None})),
        ("caddy", json.dumps({**CADDY, "ts": "yesterday"})),
        ("json", '{"time": true, "request": "GET / HTTP/1.1"}'),
        ("combined", '1.2.3.4 - "' + "[ " * 30_000),
        ("combined", "1.2.3.4 - " + '"\\' * 30_000),
    ],
)
def test_a_broken_line_is_told(name: str, text: str) -> None:
    with pytest.raises(BrokenLine):
        FORMATS[name](text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("10/Oct/2026:13:55:36 +0200", AT),
        ("[10/Oct/2026:13:55:36 +02:00]", AT),
        ("10/Oct/2026:11:55:36.250 -0000", AT + 250),
        ("31/Dec/2016:23:59:60 +0000", 1_483_228_799_000),
        ("2026-10-10T13:55:36+02:00", AT),
        ("2026-10-10T11:55:36.25Z", AT + 250),
        ("2026-10-10 11:55:36", AT),
        ("1791633336", AT),
        ("1791633336.25", AT + 250),
        ("1791633336250", AT + 250),
        ("1791633336250000", AT + 250),
        ("1.791633336e9", AT),
    ],
)
def test_times_are_read_as_servers_write_them(text: str, expected: int) -> None:
    assert moment(text) == expected


def test_most_lines_decide_the_format() -> None:
    assert recognise(["# comment", combined(), combined()]) is read_ncsa
    assert recognise(["a", "b"]) is None
    assert recognise([]) is None


@settings(max_examples=300, deadline=None)
@given(
    st.sampled_from(sorted(FORMATS)),
    st.text(max_size=200) | st.sampled_from([combined(), json.dumps(CADDY)]),
    st.data(),
)
def test_no_line_is_a_crash(name: str, text: str, data: st.DataObject) -> None:
    if text:
        position = data.draw(st.integers(0, len(text) - 1))
        text = text[:position] + data.draw(st.text(max_size=5)) + text[position + 1 :]
    try:
        line = FORMATS[name](text)
    except BrokenLine:
        return
    assert line is None or isinstance(why_no_view(line, every=False), str)


def test_escapes_of_logs_are_undone_once() -> None:
    assert unescaped(r"\\x41 \x41 \xff \n\" \\") == '\\x41 A \N{REPLACEMENT CHARACTER} \n" \\'


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({}, ""),
        ({"status": 304}, ""),
        ({"status": 206}, ""),
        ({"target": "/about.html?x=/a.png"}, ""),
        ({"target": "/v1.2/"}, ""),
        ({"target": "/count"}, ""),
        ({"target": "/update?x=1"}, ""),
        ({"method": "POST"}, "method POST"),
        ({"method": "HEAD"}, "method HEAD"),
        ({"method": "", "status": 400}, "no request"),
        ({"method": "get"}, "no request"),
        ({"status": 301}, "status 301"),
        ({"status": 404}, "status 404"),
        ({"status": 0}, "status 0"),
        ({"target": "/a/Logo.PNG?v=2"}, "file"),
        ({"target": "/robots.txt"}, "file"),
        ({"content_type": "application/octet-stream"}, "file"),
        ({"content_type": "text/html"}, ""),
        ({"target": "/update?url=https%3A%2F%2Fa.example"}, "the tracker's own"),
        ({"target": "/matomo.php?idsite=1"}, "the tracker's own"),
        ({"target": "/api/v1/visits"}, "for programs"),
        ({"target": "/.well-known/acme-challenge/x"}, "for programs"),
        ({"target": "http://other.example/"}, "no path"),
        ({"target": "*"}, "no path"),
    ],
)
def test_views_of_pages_are_told_from_other_requests(changes: dict[str, object], reason: str) -> None:
    line = LogLine(**{"ts": AT, "ip": "198.51.100.7", "method": "GET", "target": "/", "status": 200, **changes})  # type: ignore[arg-type]
    assert why_no_view(line, every=False) == reason


@pytest.mark.parametrize(("target", "reason"), [("/logo.png", ""), ("/api/x", ""), ("*", "no path")])
def test_everything_that_was_got_can_be_asked_for(target: str, reason: str) -> None:
    assert why_no_view(LogLine(AT, "", "GET", target, 200), every=True) == reason
    assert why_no_view(LogLine(AT, "", "GET", target, 404), every=True) == "status 404"
