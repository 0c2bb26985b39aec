"""What an operator does with a running server: reload, rotate logs, put TLS or a proxy before it."""

import http.client
import json
import os
import re
import signal
import socket
import ssl
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import requests

from tests.running import Server, until

PAGE = "https://example.com/"
Start = Callable[..., Server]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Return a function that starts a server from the text of its config.yaml."""
    started: list[Server] = []

    def make(config: str, *arguments: str) -> Server:
        file = tmp_path / "config.yaml"
        file.write_text(config)
        server = Server(tmp_path, arguments=["--config", str(file), *arguments])
        started.append(server)
        server.start()
        return server

    yield make
    for server in started:
        server.kill9()


def visit(server: Server, source: str = "127.0.0.1", **headers: str) -> tuple[int, dict[str, str]]:
    """Count a visit on a connection of its own; return status and headers."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, 20, (source, 0))
    connection.request("GET", f"/update?url={PAGE}", headers={k.replace("_", "-"): v for k, v in headers.items()})
    answer = connection.getresponse()
    answer.read()
    connection.close()
    return answer.status, dict(answer.getheaders())


def test_a_reload_reaches_every_worker(start: Start, tmp_path: Path) -> None:
    server = start("rate_limit: {enabled: false}\n", "--workers", "2")
    assert visit(server, Origin="https://a.example")[1]["Access-Control-Allow-Origin"] == "*"
    (tmp_path / "config.yaml").write_text("rate_limit: {enabled: false}\ncors: {origins: [https://b.example]}\n")
    server.send(signal.SIGHUP)
    until(lambda: "reloaded" in server.log)
    workers_alike = 30  # connections: both workers take some of them
    until(
        lambda: all(
            visit(server, Origin="https://b.example")[1].get("Access-Control-Allow-Origin") == "https://b.example"
            and visit(server, Origin="https://a.example")[0] == 403
            for _ in range(workers_alike)
        )
    )


@pytest.mark.parametrize("workers", ["0", "2"])
def test_a_broken_reload_changes_nothing(start: Start, tmp_path: Path, workers: str) -> None:
    server = start("cors: {origins: [https://b.example]}\n", "--workers", workers)
    (tmp_path / "config.yaml").write_text("cors: {origins: [nonsense]}\nhttp: {treads: 1}\n")
    server.send(signal.SIGHUP)
    until(lambda: "reload refused" in server.log)
    refused = next(line for line in server.log.splitlines() if "reload refused" in line)
    assert "nonsense" in refused
    assert "http.treads" in refused
    assert visit(server, Origin="https://b.example")[0] == 200
    assert visit(server, Origin="https://a.example")[0] == 403


@pytest.mark.parametrize("workers", ["0", "2"])
def test_a_reload_names_what_needs_a_restart(start: Start, tmp_path: Path, workers: str) -> None:
    server = start("http: {max_target: 300}\n", "--workers", workers)
    (tmp_path / "config.yaml").write_text("http: {max_target: 400}\ncors: {origins: [https://b.example]}\n")
    server.send(signal.SIGHUP)
    until(lambda: visit(server, Origin="https://a.example")[0] == 403)
    until(lambda: "need a restart" in server.log, lambda: server.log)  # written by a thread of its own
    assert server.log.count("need a restart: http.max_target") == 1
    assert requests.get(f"{server.url}/{350 * 'x'}", timeout=20).status_code == 414


def test_logs_are_opened_again(start: Start, tmp_path: Path) -> None:
    file = tmp_path / "server.log"
    server = start(f"log: {{file: {file}, level: debug}}\n", "--workers", "1")
    file.rename(tmp_path / "server.log.1")
    server.send(signal.SIGHUP)
    until(lambda: file.exists() and "reloaded" in file.read_text())
    os.kill(server.children()[0], signal.SIGKILL)
    until(lambda: "was killed by SIGKILL" in file.read_text())


def test_a_full_standard_output_is_no_reason_not_to_serve(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "visitor_tracker", "serve", "--port", "0", "--data-dir", str(tmp_path / "data")]
    with open("/dev/full", "wb") as full, (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen(
            [*command, "--workers", "0"],
            stdout=full,
            stderr=log,
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        )
        try:
            until(lambda: "standard output cannot be written" in (tmp_path / "log").read_text())
            [url] = re.findall(r" on (http://[^ ,]+)", (tmp_path / "log").read_text())
            assert requests.get(f"{url}/healthz", timeout=30).status_code == 200
            process.terminate()
            assert process.wait(30) == 0
        finally:
            process.kill()
    assert "Traceback" not in (tmp_path / "log").read_text()


def test_one_rate_limit_for_all_workers(start: Start) -> None:
    server = start("rate_limit: {per_second: 0.001, burst: 25}\n", "--workers", "2")
    statuses = Counter(visit(server, "127.0.0.9")[0] for _ in range(60))
    assert statuses == {200: 25, 429: 35}
    assert visit(server, "127.0.0.10")[0] == 200
    assert server.metric("dropped_rate_limit_total") == 35


def make_certificate(folder: Path, name: str) -> None:
    curve = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2")
    names = ("-subj", f"/CN={name}", "-addext", "subjectAltName=IP:127.0.0.1")
    subprocess.run(
        ["openssl", "req", "-x509", *curve, *names, "-keyout", folder / "key.pem", "-out", folder / "cert.pem"],
        check=True,
        capture_output=True,
    )
    (folder / "key.pem").chmod(0o600)


def handshake(port: int, version: str) -> bool:
    """Say whether a client that speaks only this version of TLS gets through."""
    client = ["openssl", "s_client", "-connect", f"127.0.0.1:{port}", version, "-cipher", "ALL:@SECLEVEL=0"]
    return (
        subprocess.run(client, stdin=subprocess.DEVNULL, capture_output=True, timeout=20, check=False).returncode == 0
    )


def name_on_certificate(port: int) -> str:
    pem = ssl.get_server_certificate(("127.0.0.1", port), timeout=20)
    shown = subprocess.run(
        ["openssl", "x509", "-noout", "-subject"], input=pem, capture_output=True, text=True, check=True
    )
    return shown.stdout.strip().rpartition("=")[2].strip()


def test_tls_and_a_new_certificate(tmp_path: Path) -> None:
    make_certificate(tmp_path, "first")
    settings = {
        "VISITOR_TRACKER_TLS_CERTIFICATE": str(tmp_path / "cert.pem"),
        "VISITOR_TRACKER_TLS_KEY": str(tmp_path / "key.pem"),
    }
    server = Server(tmp_path, settings=settings, certificate=tmp_path / "cert.pem")
    server.start()
    try:
        answer = server.session.get(f"{server.url}/update", params={"url": PAGE}, timeout=20)
        assert answer.json()["visit_count"] == 1
        assert name_on_certificate(server.port) == "first"
        make_certificate(tmp_path, "second")
        server.send(signal.SIGHUP)
        until(lambda: name_on_certificate(server.port) == "second")
        assert handshake(server.port, "-tls1_2")
        assert not handshake(server.port, "-tls1_1")
    finally:
        server.kill9()


def test_a_proxy_on_the_unix_socket_is_believed(start: Start, tmp_path: Path) -> None:
    path = tmp_path / "s"
    start(f"server: {{socket: {path}}}\nrate_limit: {{per_second: 0.001, burst: 2}}\n")

    def status(client: str) -> int:
        with socket.socket(socket.AF_UNIX) as proxy:
            proxy.settimeout(20)
            proxy.connect(str(path))
            head = (
                f"GET /update?url={PAGE} HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: {client}\r\nConnection: close\r\n\r\n"
            )
            proxy.sendall(head.encode())
            return int(proxy.recv(4096).split(b" ")[1])

    assert [status("192.0.2.1") for _ in range(3)] == [200, 200, 429]
    assert status("192.0.2.2") == 200


def test_answers_show_no_secrets_of_the_server(start: Start) -> None:
    server = start("server: {workers: 1}\n")
    for target, method in (
        ("/nothing", "GET"),
        ("/update", "DELETE"),
        ("/update?url=x", "GET"),
        ("/count?cursor=x", "GET"),
    ):
        answer = requests.request(method, server.url + target, timeout=20)
        shown = (str(answer.headers) + answer.text).lower()
        for secret in ("traceback", "python", "sqlite", "select ", "visitor_tracker/", str(server.folder)):
            assert secret not in shown, (target, secret)


def test_the_log_has_nothing_of_the_visitors(start: Start) -> None:
    server = start("log: {level: debug}\n")
    evil = "evil\x1b[31m\u202eagent"
    requests.get(
        f"{server.url}/update",
        params={"url": "https://example.com/secret-page"},
        headers={"User-Agent": evil.encode("utf-8").decode("latin-1")},
        timeout=20,
    )
    requests.get(f"{server.url}/nothing%0d%0aFORGED", timeout=20)
    assert server.stop() == 0
    for private in ("secret-page", "evil", "127.0.0.1 ", "FORGED", "\x1b"):
        assert private not in server.log.replace("http://127.0.0.1", "")


def test_metrics_cover_all_workers(start: Start) -> None:
    server = start("rate_limit: {enabled: false}\n", "--workers", "2")
    for _ in range(40):
        visit(server)
    assert server.metric("accepted_total") == 40
    assert json.loads(requests.get(f"{server.url}/readyz", timeout=20).text)["status"] == "ok"
