"""TLS: what is spoken, what certificate files must be, and handshakes that never end."""

import contextlib
import json
import signal
import socket
import ssl
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.net.processes import started
from tests.net.serving import BIG, Reader, Serving, get, post, serving, wait_until
from visitor_tracker.config import HttpConfig, TlsConfig
from visitor_tracker.errors import ListenError
from visitor_tracker.metrics import Cell
from visitor_tracker.net import tls as tls_module
from visitor_tracker.net.tls import server_context

Make = Callable[[str], TlsConfig]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tls")
    for name in ("first", "second"):
        make_certificate(folder, name)
    return folder


def make_certificate(folder: Path, name: str) -> None:
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"),
            *("-days", "2", "-subj", f"/CN={name}", "-addext", "subjectAltName=IP:127.0.0.1"),
            *("-keyout", str(folder / f"{name}.key"), "-out", str(folder / f"{name}.crt")),
        ],
        check=True,
        capture_output=True,
        timeout=60,
    )


@pytest.fixture
def files(made: Path, tmp_path: Path) -> TlsConfig:
    """Copies of the first certificate and its key that a test may change."""
    for end in ("crt", "key"):
        copy = tmp_path / f"server.{end}"
        copy.write_bytes((made / f"first.{end}").read_bytes())
        copy.chmod(0o600)
    return TlsConfig(certificate=str(tmp_path / "server.crt"), key=str(tmp_path / "server.key"))


def client_context(certificate: str) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=certificate)
    context.set_alpn_protocols(["h2", "http/1.1"])
    return context


@pytest.fixture
def served(files: TlsConfig) -> Iterator[Serving]:
    http = HttpConfig(threads=2, max_per_address=0, max_body=1024 * 1024)
    with serving(http, tls=replace(files, handshake_seconds=0.5)) as serving_now:
        yield serving_now


def connect(served: Serving, files: TlsConfig) -> ssl.SSLSocket:
    return client_context(files.certificate).wrap_socket(served.connect(), server_hostname="127.0.0.1")


def test_requests_are_served(served: Serving, files: TlsConfig) -> None:
    with connect(served, files) as sock:
        assert sock.selected_alpn_protocol() == "http/1.1"
        reader = Reader(sock)
        sock.sendall(get("/peer") + get("/batch"))
        assert reader.answer().body == b"127.0.0.1 False True"
        assert reader.answer().body == b"stored"
        body = b"x" * 500_000  # many records
        sock.sendall(post("/echo", body))
        assert reader.answer().body == body
        sock.sendall(get("/big"))
        assert reader.answer().body == BIG
    assert served.count(Cell.TLS_HANDSHAKES) == 1


def test_a_closed_connection_ends_properly(served: Serving, files: TlsConfig) -> None:
    with connect(served, files) as sock:
        sock.sendall(get("/close"))
        reader = Reader(sock)
        assert reader.answer().body == b"bye"
        assert reader.ends()  # an end without close_notify would raise here


def test_a_refused_request_is_answered_over_tls_too(served: Serving, files: TlsConfig) -> None:
    with connect(served, files) as sock:
        sock.sendall(b"GET nonsense HTTP/1.1\r\n\r\n" + b"x" * 50_000)
        reader = Reader(sock)
        assert reader.answer().status == 400
        assert reader.ends()


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_two_versions_are_spoken(served: Serving, files: TlsConfig, version: ssl.TLSVersion) -> None:
    context = client_context(files.certificate)
    context.minimum_version = context.maximum_version = version
    with context.wrap_socket(served.connect(), server_hostname="127.0.0.1") as sock:
        sock.sendall(get("/ping"))
        assert Reader(sock).answer().body == b"pong"


def test_older_ones_are_not(served: Serving, files: TlsConfig) -> None:
    ran = subprocess.run(
        ["openssl", "s_client", "-connect", f"127.0.0.1:{served.port}", "-tls1_1", "-cipher", "ALL:@SECLEVEL=0"],
        input=b"",
        capture_output=True,
        timeout=30,
        check=False,
    )
    assert ran.returncode != 0
    wait_until(lambda: served.count(Cell.TLS_FAILURES) == 1)
    assert server_context(replace(files, minimum_version="1.3")).minimum_version == ssl.TLSVersion.TLSv1_3


def test_plain_http_on_the_tls_port_is_closed(served: Serving) -> None:
    with served.connect() as sock:
        sock.sendall(get("/ping"))
        with contextlib.suppress(ConnectionResetError):
            while sock.recv(100):
                pass
    wait_until(lambda: served.count(Cell.TLS_FAILURES) == 1)
    assert served.app.handled == []


def stalled_handshakes_disturb_nobody(served: Serving, files: TlsConfig, number: int) -> None:
    stalled = []
    for index in range(number):
        sock = served.connect(f"127.0.3.{1 + index % 100}")
        sock.sendall(b"\x16\x03\x01\x02\x00\x01"[: 1 + index % 6])
        stalled.append(sock)
    for _ in range(5):
        began = time.monotonic()
        with connect(served, files) as sock:
            sock.sendall(get("/ping"))
            assert Reader(sock).answer().body == b"pong"
        assert time.monotonic() - began < 2.0
    wait_until(lambda: served.count(Cell.TLS_FAILURES) == number)
    wait_until(lambda: served.count(Cell.CONNECTIONS_OPEN) == 0)
    for sock in stalled:
        sock.close()


def test_stalled_handshakes_disturb_nobody(served: Serving, files: TlsConfig) -> None:
    stalled_handshakes_disturb_nobody(served, files, 100)


@pytest.mark.slow
def test_five_hundred_stalled_handshakes_disturb_nobody(files: TlsConfig) -> None:
    with serving(HttpConfig(threads=2, max_per_address=0), tls=files) as served:
        stalled_handshakes_disturb_nobody(served, files, 500)


def test_handshakes_are_bounded(files: TlsConfig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tls_module, "MOST_HANDSHAKES", 5)
    with serving(HttpConfig(threads=1, max_per_address=0), tls=replace(files, handshake_seconds=60)) as served:
        socks = []
        for _ in range(8):
            socks.append(served.connect())
            socks[-1].sendall(b"\x16")
        wait_until(lambda: served.count(Cell.TLS_FAILURES) == 3)
        assert socks[0].recv(1) == b""
        for sock in socks:
            sock.close()


def change(make: str, files: TlsConfig, made: Path) -> TlsConfig:
    certificate, key = Path(files.certificate), Path(files.key)
    match make:
        case "world-readable key":
            key.chmod(0o644)
        case "other key":
            key.write_bytes((made / "second.key").read_bytes())
        case "no PEM":
            certificate.write_text("hello")
        case "key with a password":
            command = ["openssl", "ec", "-aes128", "-passout", "pass:x", "-in", str(key), "-out", str(key)]
            subprocess.run(command, check=True, capture_output=True, timeout=30)
        case "no key":
            key.unlink()
        case "no certificate":
            certificate.unlink()
    return files


@pytest.mark.parametrize(
    ("make", "says"),
    [
        ("world-readable key", "chmod 600"),
        ("other key", "does not belong"),
        ("no PEM", "no PEM"),
        ("key with a password", "without password"),
        ("no key", r"tls\.key .* cannot be read"),
        ("no certificate", r"tls\.certificate .* cannot be read"),
    ],
)
def test_unusable_files_are_explained(files: TlsConfig, made: Path, make: str, says: str) -> None:
    with pytest.raises(ListenError, match=says):
        server_context(change(make, files, made))


def test_a_key_open_to_its_group_is_a_warning(files: TlsConfig, caplog: pytest.LogCaptureFixture) -> None:
    Path(files.key).chmod(0o640)
    server_context(files)
    assert "chmod 600 would be safer" in caplog.text


def subject(port: int) -> str:
    """Return the common name of the certificate that the server shows."""
    with socket.create_connection(("127.0.0.1", port), 10) as plain:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        with context.wrap_socket(plain) as sock:
            shown = sock.getpeercert(binary_form=True)
    assert shown is not None
    ran = subprocess.run(
        ["openssl", "x509", "-inform", "DER", "-noout", "-subject"],
        input=shown,
        capture_output=True,
        check=True,
        timeout=30,
    )
    return ran.stdout.decode().strip().rpartition(" ")[2]


def test_a_reload_shows_the_new_certificate(files: TlsConfig, made: Path) -> None:
    tls = {"certificate": files.certificate, "key": files.key}
    settings = json.loads(json.dumps({"workers": 1, "tls": tls}))
    with started(settings) as server:
        wait_until(lambda: subject(server.port) == "first")
        for end, path in (("crt", files.certificate), ("key", files.key)):
            Path(path).write_bytes((made / f"second.{end}").read_bytes())
        server.signal(signal.SIGHUP)
        wait_until(lambda: subject(server.port) == "second")
