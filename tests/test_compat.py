"""A program written for the raw-socket counter runs unchanged."""

import http.client
import json
import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.mariadb import PASSWORD, USER, MariaDB
from tests.running import until
from visitor_tracker import VisitorTrackingServer, resources
from visitor_tracker.compat import store_url
from visitor_tracker.errors import AlreadyRunning, ConfigError, ListenError, StoreError
from visitor_tracker.store.location import MysqlLocation, locate

PAGE = "https://example.com/"
KEY = "k" * 32


@pytest.fixture(params=["sqlite", "mysql"])
def db_config(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any] | None:
    monkeypatch.chdir(tmp_path)
    if request.param == "sqlite":
        return None
    mariadb: MariaDB = request.getfixturevalue("mariadb")
    place = {"host": "127.0.0.1", "port": mariadb.port, "database": mariadb.fresh_database()}
    return place | {"user": USER, "password": PASSWORD, "pool_name": "visitor_pool", "pool_size": 5}


@pytest.fixture
def server(db_config: dict[str, Any] | None) -> Iterator[VisitorTrackingServer]:
    made = VisitorTrackingServer(host="127.0.0.1", port=0, db_config=db_config, secret_key=KEY)
    yield made
    made.close()


def test_counts_through_its_methods(server: VisitorTrackingServer) -> None:
    assert server.create_database_table() == resources.migrations()
    assert server.validate_request(PAGE)
    assert not server.validate_request("ftp://example.com/")
    first, second = server.update_visitor_count(PAGE), server.update_visitor_count(PAGE)
    assert (first["visit_count"], second["visit_count"]) == (1, 2)
    one = server.get_visitor_count(PAGE)
    assert isinstance(one, dict)
    assert one["visit_count"] == 2
    server.update_visitor_count("https://example.com/b")
    every = server.get_visitor_count()
    assert [(row["page_url"], row["visit_count"]) for row in every if isinstance(row, dict)] == [
        (PAGE, 2),
        ("https://example.com/b", 1),
    ]
    assert len(server.generate_token(PAGE)) == 64


def test_begins_while_the_database_is_away(mariadb: MariaDB, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    place = {"host": "127.0.0.1", "port": mariadb.port, "database": mariadb.fresh_database()}
    program = VisitorTrackingServer(port=0, db_config=place | {"user": USER, "password": PASSWORD})
    assert program.update_visitor_count(PAGE)["visit_count"] == 1
    program.close()
    mariadb.kill9()
    try:
        away = program.update_visitor_count(PAGE)
        assert (away["visit_count"], away["pending"]) == (None, True)
    finally:
        mariadb.start()
    until(lambda: program.execute_query("select visit_count from visitors", fetch_all=True) == [(2,)])
    program.close()


def test_takes_sql_of_the_program(server: VisitorTrackingServer) -> None:
    server.update_visitor_count(PAGE)
    query = "select visit_count from visitors where page_url = %s"
    assert tuple(server.execute_query(query, (PAGE,), fetch_one=True)) == (1,)
    assert [tuple(row) for row in server.execute_query(query, (PAGE,), fetch_all=True)] == [(1,)]
    server.execute_query("update visitors set visit_count = visit_count + %s where page_url = %s", (5, PAGE))
    assert server.update_visitor_count(PAGE)["visit_count"] == 7


@pytest.mark.parametrize(
    ("query", "values"),
    [
        ("select count(*) from visitors where page_url like '%example%'", ()),
        ("select count(*) from visitors where page_url like '%example%' and visit_count > %s", (0,)),
        ("select count(*) from visitors where page_url like '%s' or visit_count = 1", ()),
        ("select count(*) from visitors where '2000-01-01' < %s", (date(2001, 1, 1).isoformat(),)),
        ("select count(*) from visitors where visit_count * 1.5 = %s", (1.5,)),
    ],
)
def test_takes_sql_as_the_connector_does(server: VisitorTrackingServer, query: str, values: tuple[Any, ...]) -> None:
    server.update_visitor_count(PAGE)
    assert tuple(server.execute_query(query, values, fetch_one=True)) == (1,)


@pytest.mark.parametrize("values", [(1, 2), ("x",) * 3])
def test_too_many_values_are_an_error(server: VisitorTrackingServer, values: tuple[Any, ...]) -> None:
    with pytest.raises(StoreError):
        server.execute_query("select 1 where 1 = %s", values)


def test_its_own_methods_have_no_rate_limit(server: VisitorTrackingServer) -> None:
    for number in range(1, 251):
        assert server.update_visitor_count(PAGE)["visit_count"] == number
        row = server.get_visitor_count(PAGE)
        assert isinstance(row, dict)
        assert row["visit_count"] == number


def test_rows_are_those_of_the_routes(server: VisitorTrackingServer) -> None:
    thread = threading.Thread(target=server.start_server)
    thread.start()
    try:
        assert server.started.wait(20)
        for url in (PAGE, "https://example.com/never"):
            shown = requests.get(f"{server.address}/count", params={"url": url}, timeout=20).json()
            assert server.get_visitor_count(url) == shown
            server.update_visitor_count(PAGE)
        answer = requests.get(f"{server.address}/update", params={"url": PAGE}, timeout=20).json()
        row = server.update_visitor_count(PAGE)
        assert row.keys() == answer.keys()
        proof = {"url": PAGE, "token": row["security_token"]}
        verified = requests.get(f"{server.address}/verify", params=proof, timeout=20).json()
        assert (verified["valid"], verified["visit_count"]) == (True, row["visit_count"])
    finally:
        server.stop_server()
        thread.join(20)


def test_many_threads_count_beside_the_server(server: VisitorTrackingServer) -> None:
    thread = threading.Thread(target=server.start_server)
    thread.start()
    assert server.started.wait(20)
    address = server.address

    def count(number: int) -> int:
        if number % 2:
            return int(server.update_visitor_count(PAGE)["visit_count"])
        return int(requests.get(f"{address}/update", params={"url": PAGE}, timeout=20).json()["visit_count"])

    try:
        with ThreadPoolExecutor(8) as pool:
            assert sorted(pool.map(count, range(80))) == list(range(1, 81))
    finally:
        server.stop_server()
        thread.join(20)


def test_a_second_start_is_refused_and_stops_nothing(server: VisitorTrackingServer) -> None:
    thread = threading.Thread(target=server.start_server)
    thread.start()
    try:
        assert server.started.wait(20)
        with pytest.raises(AlreadyRunning, match="runs already"):
            server.start_server()
        assert requests.get(f"{server.address}/healthz", timeout=20).status_code == 200
    finally:
        server.stop_server()
        thread.join(20)
    assert not thread.is_alive()


def test_a_start_that_fails_leaves_no_threads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        server = VisitorTrackingServer(host="127.0.0.1", port=taken.getsockname()[1])
        before = threading.active_count()
        with pytest.raises(ListenError):
            server.start_server()
    assert threading.active_count() == before


def test_an_ipv6_host_is_an_address() -> None:
    found = locate(store_url({"host": "::1", "user": "u", "database": "d"}))
    assert isinstance(found, MysqlLocation)
    assert (found.host, found.port) == ("::1", 3306)


def test_serves_until_it_is_stopped(server: VisitorTrackingServer) -> None:
    thread = threading.Thread(target=server.start_server)
    thread.start()
    try:
        assert server.started.wait(20)
        for number in (1, 2, 3):
            row = requests.get(f"{server.address}/update", params={"url": PAGE}, timeout=20).json()
            assert row["visit_count"] == number
        listed = requests.get(f"{server.address}/count", timeout=20).json()
        assert [row["visit_count"] for row in listed] == [3]
    finally:
        server.stop_server()
        thread.join(20)
    assert not thread.is_alive()
    again = server.get_visitor_count(PAGE)
    assert isinstance(again, dict)
    assert again["visit_count"] == 3


def test_serves_a_socket_of_the_program(server: VisitorTrackingServer) -> None:
    listener = socket.create_server(("127.0.0.1", 0))
    client = http.client.HTTPConnection("127.0.0.1", listener.getsockname()[1], timeout=20)
    client.connect()
    accepted, _ = listener.accept()
    thread = threading.Thread(target=server.handle_request, args=(accepted,))
    thread.start()
    for number in (1, 2):
        client.request("GET", f"/update?url={PAGE}")
        answer = client.getresponse()
        assert (answer.status, json.loads(answer.read())["visit_count"]) == (200, number)
    client.close()
    thread.join(20)
    listener.close()
    assert not thread.is_alive()


def test_bad_requests_on_a_socket_of_the_program(server: VisitorTrackingServer) -> None:
    ours, theirs = socket.socketpair()
    ours.sendall(b"GET /\r\n\r\n")
    server.handle_request(theirs)
    with ours:
        assert ours.recv(100).startswith(b"HTTP/1.1 400 ")


def test_an_invalid_url_is_refused(server: VisitorTrackingServer) -> None:
    with pytest.raises(ValueError, match="Invalid URL"):
        server.update_visitor_count("javascript:alert(1)")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"secret_key": "short"}, "32 characters"),
        ({"db_config": {"host": "localhost"}}, r"missing keys \['database', 'user'\]"),
        ({"db_config": {"user": "u", "database": "d", "passwd": "p"}}, r"unknown keys \['passwd'\]"),
        ({"port": 99_999}, "from 0 to 65535"),
    ],
)
def test_wrong_arguments_are_named(arguments: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        VisitorTrackingServer(**arguments)


def test_missing_certificates_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ListenError, match=r"server\.key cannot be read"):
        VisitorTrackingServer().setup_ssl()
