"""deploy/: every example is accepted by the program it is for, and nginx and the server read requests alike."""

import os
import re
import socket
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pytest
import requests

from tests.http.cases import load
from tests.running import Server, until
from visitor_tracker.config import Config, describe

TOP = Path(__file__).parents[1]
DEPLOY = TOP / "deploy"
ENVIRONMENT = os.environ | {"PATH": os.environ.get("PATH", "") + ":/usr/sbin:/sbin"}
MOST_EXPOSED = 1.5  # systemd's score from 0 (safe) to 10
ANSWER_SECONDS = 10.0


def run(*command: str | Path) -> str:
    done = subprocess.run(
        [str(part) for part in command],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        env=ENVIRONMENT,
    )
    assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
    return done.stdout + done.stderr


@pytest.fixture
def units(tmp_path: Path) -> Path:
    """Return a folder with the units, their program replaced by one that is installed here."""
    for name in ("visitor-tracker.service", "visitor-tracker.socket"):
        text = (DEPLOY / name).read_text("utf-8")
        (tmp_path / name).write_text(text.replace("/opt/visitor-tracker/bin/visitor-tracker", "/bin/true"), "utf-8")
    return tmp_path


def test_systemd_accepts_the_units(units: Path) -> None:
    said = run(
        "systemd-analyze", "verify", "--man=no", units / "visitor-tracker.service", units / "visitor-tracker.socket"
    )
    assert [line for line in said.splitlines() if "visitor-tracker" in line] == []


def test_systemd_finds_the_service_closed(units: Path) -> None:
    said = run("systemd-analyze", "security", "--no-pager", "--offline=true", units / "visitor-tracker.service")
    found = re.search(r"exposure level for visitor-tracker.service: ([\d.]+)", said)
    assert found is not None
    assert float(found[1]) <= MOST_EXPOSED, said


def test_the_service_speaks_as_the_program_does() -> None:
    service = (DEPLOY / "visitor-tracker.service").read_text("utf-8")
    for line in ("Type=notify", "WatchdogSec=", "ExecReload=/bin/kill -HUP $MAINPID", "RestartPreventExitStatus=2 78"):
        assert line in service


def variables(text: str) -> set[str]:
    return set(re.findall(r"VISITOR_TRACKER_[A-Z][A-Z_]+", text))


EXAMPLES = sorted(path for path in DEPLOY.rglob("*") if path.is_file() and path.suffix != ".pyc")


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.name)
def test_variables_in_the_examples_exist(path: Path) -> None:
    assert variables(path.read_text("utf-8")) - {row.variable for row in describe()} == set()


def test_the_dockerfile_copies_what_is_there_and_the_ignore_file_lets_it_pass() -> None:
    text = (DEPLOY / "Dockerfile").read_text("utf-8")
    copied = [name for line in re.findall(r"^COPY (?!--from)(.+)$", text, re.MULTILINE) for name in line.split()[:-1]]
    assert len(copied) >= 8
    assert [name for name in copied if not (TOP / name).exists()] == []
    passing = set(re.findall(r"^!([^/\n]+)", (DEPLOY / "Dockerfile.dockerignore").read_text("utf-8"), re.MULTILINE))
    assert {name.partition("/")[0] for name in copied} == passing


def test_the_image_runs_without_root_and_says_how_it_is() -> None:
    last = (DEPLOY / "Dockerfile").read_text("utf-8").rpartition("\nFROM ")[2]
    assert re.search(r"^USER 1\d+$", last, re.MULTILINE)
    assert "HEALTHCHECK" in last
    assert "/healthz" in last
    assert 'ENTRYPOINT ["visitor-tracker"]' in last


def test_nginx_lets_every_body_pass_that_the_server_takes() -> None:
    [most] = re.findall(r"client_max_body_size (\d+)m;", (DEPLOY / "nginx.conf").read_text("utf-8"))
    http = Config().http
    assert int(most) << 20 >= max(http.max_body, http.max_batch)


@pytest.mark.parametrize("example", ["nginx.conf", "haproxy.cfg"])
def test_no_visitor_names_its_own_country_through_the_proxy(example: str) -> None:
    text = (DEPLOY / example).read_text("utf-8").lower()
    header = Config().geo.header
    assert f'proxy_set_header {header} "";' in text or f"http-request del-header {header}\n" in text


def test_haproxy_accepts_its_example() -> None:
    run("haproxy", "-c", "-f", DEPLOY / "haproxy.cfg")


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
        return port


@dataclass
class Nginx:
    """nginx with the example of deploy/, on ports of its own and in front of the server on `upstream`."""

    folder: Path
    upstream: int
    port: int
    secure_port: int

    def __post_init__(self) -> None:
        key, certificate = self.folder / "key.pem", self.folder / "fullchain.pem"
        run(
            "openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=stats.example.com",
            "-keyout", key, "-out", certificate,
        )  # fmt: skip
        self.log = self.folder / "access.log"
        self.file = self.folder / "nginx.conf"
        self.file.write_text(self._wrapped(), "utf-8")
        self.folder.chmod(0o755)
        self._process: subprocess.Popen[bytes] | None = None

    def _wrapped(self) -> str:
        example = (DEPLOY / "nginx.conf").read_text("utf-8")
        assert "server unix:/run/visitor-tracker.sock;" in example
        for old, new in (
            ("server unix:/run/visitor-tracker.sock;", f"server 127.0.0.1:{self.upstream};"),
            ("/etc/ssl/stats.example.com", str(self.folder)),
            ("    listen [::]:443 ssl;\n", f"    listen 127.0.0.1:{self.port};\n"),  # the same server without TLS
            ("    listen [::]:80;\n", ""),
            ("listen 443 ssl;", f"listen 127.0.0.1:{self.secure_port} ssl;"),
            ("listen 80;", f"listen 127.0.0.1:{free_port()};"),
            ("keepalive 64;", "keepalive 1;"),  # one connection, so that what is left on it meets the next request
        ):
            assert old in example
            example = example.replace(old, new)
        return (
            f"{'user root;' if os.getuid() == 0 else ''}daemon off; worker_processes 1; pid {self.folder}/pid;\n"
            f"error_log {self.folder}/error.log info;\nevents {{}}\nhttp {{\n"
            f"log_format seen '$upstream_status $status $request_method $request_uri';\n"
            f"access_log {self.log} seen;\n"
            # A connection that is kept or a request that is half there ends soon, so that its case does.
            "keepalive_timeout 50ms; client_header_timeout 100ms; client_body_timeout 100ms;\n"
            + "".join(
                f"{name}_temp_path {self.folder}/{name};\n"
                for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
            )
            + example
            + "}\n"
        )

    def test(self) -> str:
        return run("nginx", "-t", "-e", "stderr", "-c", self.file)

    def start(self) -> None:
        self._process = subprocess.Popen(
            ["nginx", "-e", "stderr", "-c", self.file],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env=ENVIRONMENT,
        )
        until(self._answers, lambda: (self.folder / "error.log").read_text("utf-8", "replace"))

    def stop(self) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.wait(ANSWER_SECONDS)

    def _answers(self) -> bool:
        with suppress(OSError):
            return requests.get(f"http://127.0.0.1:{self.port}/healthz", timeout=ANSWER_SECONDS).status_code == 200
        return False

    def forwarded(self) -> int:
        """Return how many requests the server answered, as nginx saw it."""
        return sum(not line.startswith("- ") for line in self.log.read_text("utf-8", "replace").splitlines())


def test_nginx_accepts_its_example(tmp_path: Path) -> None:
    assert "test is successful" in Nginx(tmp_path, free_port(), free_port(), free_port()).test()


@dataclass
class Front:
    """The server, and nginx in front of it."""

    server: Server
    nginx: Nginx
    reads: int = 0

    def answered(self) -> int:
        """Return how many requests the server has answered, good and bad, without those of this method.

        An answer is counted when it is sent, so that no reading holds itself.
        """
        text = requests.get(f"{self.server.url}/metrics", timeout=ANSWER_SECONDS).text
        numbers = re.findall(r"^visitor_tracker_responses_[2345]xx_total (\d+)$", text, re.MULTILINE)
        assert len(numbers) == 4
        self.reads += 1
        return sum(map(int, numbers)) - (self.reads - 1)

    def send(self, raw: bytes) -> bytes:
        """Return what nginx answers until it closes."""
        received = b""
        address = ("127.0.0.1", self.nginx.port)
        # It may close before it has read all.
        with suppress(ConnectionError), socket.create_connection(address, timeout=ANSWER_SECONDS) as client:
            client.sendall(raw)
            while piece := client.recv(65536):
                received += piece
        return received


@pytest.fixture(scope="module")
def front(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Front]:
    folder = tmp_path_factory.mktemp("front")
    settings = {"RATE_LIMIT_ENABLED": "false", "TRUSTED_PROXIES": "127.0.0.1", "SERVER_WORKERS": "1"}
    server = Server(folder, settings={f"VISITOR_TRACKER_{name}": value for name, value in settings.items()})
    server.start()
    nginx = Nginx(folder, server.port, free_port(), free_port())
    try:
        nginx.start()
        yield Front(server, nginx)
    finally:
        nginx.stop()
        server.kill9()


def post(*fields: str, body: str, version: str = "1.1") -> bytes:
    head = "\r\n".join([f"POST /api/v1/visits HTTP/{version}", "Host: stats.example.com", *fields])
    return f"{head}\r\n\r\n{body}".encode("latin-1")


HIDDEN = "GET /update?url=https://hidden.example/ HTTP/1.1\r\nHost: stats.example.com\r\n\r\n"
GOOD = "GET /update?url=https://seen.example/ HTTP/1.1\r\nHost: stats.example.com\r\n"
CHUNK = f"{len(HIDDEN):x}\r\n{HIDDEN}\r\n0\r\n\r\n"
CASES = {
    "two good requests": (GOOD + "\r\n" + GOOD + "\r\n").encode(),
    "a request as the body of another": post(f"Content-Length: {len(HIDDEN)}", body=HIDDEN),
    "a request as a chunk": post("Transfer-Encoding: chunked", body=CHUNK),
    "chunks, then a good request": post("Transfer-Encoding: chunked", body="0\r\n\r\n" + GOOD + "\r\n"),
    "length and chunks": post("Content-Length: 4", "Transfer-Encoding: chunked", body="0\r\n\r\n" + HIDDEN),
    "chunks and length": post("Transfer-Encoding: chunked", f"Content-Length: {len(CHUNK)}", body=CHUNK),
    "length zero and chunks": post("Content-Length: 0", "Transfer-Encoding: chunked", body=CHUNK),
    "two lengths": post("Content-Length: 0", f"Content-Length: {len(HIDDEN)}", body=HIDDEN),
    "equal lengths twice": post("Content-Length: 2", "Content-Length: 2", body="{}" + HIDDEN),
    "a list of lengths": post(f"Content-Length: 0, {len(HIDDEN)}", body=HIDDEN),
    "a signed length": post("Content-Length: +0", body=HIDDEN),
    "a hexadecimal length": post("Content-Length: 0x2", body="{}" + HIDDEN),
    "a length with an underscore": post("Content-Length: 0_2", body="{}" + HIDDEN),
    "a negative length": post("Content-Length: -1", body=HIDDEN),
    "a huge length": post("Content-Length: 18446744073709551616", body=HIDDEN),
    "a space before the colon": post(f"Content-Length : {len(HIDDEN)}", body=HIDDEN),
    "a folded length": post("Content-Length:\r\n 0", body=HIDDEN),
    "folded chunking": post("X-A: b\r\n Transfer-Encoding: chunked", body=CHUNK),
    "chunking with a tab": post("Transfer-Encoding:\tchunked", body=CHUNK),
    "chunking in quotes": post('Transfer-Encoding: "chunked"', body=CHUNK),
    "unknown coding before chunking": post("Transfer-Encoding: x, chunked", body=CHUNK),
    "chunking before identity": post("Transfer-Encoding: chunked, identity", body=CHUNK),
    "chunking twice": post("Transfer-Encoding: chunked", "Transfer-Encoding: chunked", body=CHUNK),
    "chunking and identity": post("Transfer-Encoding: chunked", "Transfer-Encoding: identity", body=CHUNK),
    "chunking with a vertical tab": post("Transfer-Encoding: \x0bchunked", body=CHUNK),
    "chunking with a zero byte": post("Transfer-Encoding: chunked\x00", body=CHUNK),
    "chunking on 1.0": post("Transfer-Encoding: chunked", body=CHUNK, version="1.0"),
    "another name like chunking": post("Transfer_Encoding: chunked", body=CHUNK),
    "a chunk size with a prefix": post("Transfer-Encoding: chunked", body="0x0\r\n\r\n" + HIDDEN),
    "a chunk size with a sign": post("Transfer-Encoding: chunked", body="+0\r\n\r\n" + HIDDEN),
    "a chunk size that overflows": post("Transfer-Encoding: chunked", body="10000000000000000\r\n\r\n" + HIDDEN),
    "a chunk extension": post("Transfer-Encoding: chunked", body="0;a=b\r\n\r\n" + HIDDEN),
    "a chunk extension with a bare line feed": post("Transfer-Encoding: chunked", body="0;a\n\r\n\r\n" + HIDDEN),
    "chunk lines with bare line feeds": post("Transfer-Encoding: chunked", body="2\n{}\n0\n\n" + HIDDEN),
    "a chunk without its line end": post("Transfer-Encoding: chunked", body="2\r\n{}xx0\r\n\r\n" + HIDDEN),
    "framing in a trailer": post("Transfer-Encoding: chunked", body="0\r\nContent-Length: 9\r\n\r\n" + HIDDEN),
    "bare line feeds": (GOOD + "\r\n").replace("\r\n", "\n").encode() + HIDDEN.encode(),
    "a bare carriage return in a field": f"{GOOD}X-A: b\rContent-Length: {len(HIDDEN)}\r\n\r\n{HIDDEN}".encode(),
    "a line feed in the target": f"GET /count?url=https://a.example/\n HTTP/1.1\r\nHost: a\r\n\r\n{HIDDEN}".encode(),
    "a body on GET": f"{GOOD}Content-Length: {len(HIDDEN)}\r\n\r\n{HIDDEN}".encode(),
    "chunks on GET": f"{GOOD}Transfer-Encoding: chunked\r\n\r\n{CHUNK}".encode(),
    "two hosts": f"{GOOD}Host: other.example\r\n\r\n{HIDDEN}".encode(),
    "a target with its own host": b"GET http://other.example/healthz HTTP/1.1\r\nHost: stats.example.com\r\n\r\n",
    "a target with a port only": b"GET http://:80/healthz HTTP/1.1\r\nHost: stats.example.com\r\n\r\n",
    "an expectation": post("Expect: 100-continue", f"Content-Length: {len(HIDDEN)}", body=HIDDEN),
    "an unknown expectation": post("Expect: everything", "Content-Length: 0", body=HIDDEN),
    "an upgrade": f"{GOOD}Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n\r\n{HIDDEN}".encode(),
    "a length that Connection hides": post("Connection: Content-Length", f"Content-Length: {len(HIDDEN)}", body=HIDDEN),
    "an end without a length": post(body=HIDDEN),
    "half a request": GOOD.encode(),
    "half a body": post("Content-Length: 100", body="{"),
    "an encoded line end in the target": b"GET /healthz%0d%0aX:%20y HTTP/1.1\r\nHost: a\r\n\r\n",
    "an unknown method": f"SMUGGLE / HTTP/1.1\r\nHost: a\r\n\r\n{HIDDEN}".encode(),
    "an old version": f"GET /healthz HTTP/0.9\r\n\r\n{HIDDEN}".encode(),
}  # fmt: skip


CASES |= {case.name: case.raw for case in load()}


@pytest.mark.parametrize("raw", CASES.values(), ids=CASES.keys())
def test_nginx_and_the_server_see_the_same_requests(front: Front, raw: bytes) -> None:
    answered, forwarded = front.answered(), front.nginx.forwarded()
    front.send(raw)
    sentinel = front.send(b"GET /verify?url=https://sentinel.example/ HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
    assert b"https://sentinel.example/" in sentinel, "an answer of another request came"
    until(lambda: "sentinel" in (front.nginx.log.read_text("utf-8", "replace").splitlines() or [""])[-1])
    assert front.answered() - answered == front.nginx.forwarded() - forwarded


def test_no_hidden_request_was_counted_that_nginx_did_not_see(front: Front) -> None:
    lines = front.nginx.log.read_text("utf-8", "replace").splitlines()
    for page in ("hidden", "seen"):
        seen = [line for line in lines if line.endswith(f"200 200 GET /update?url=https://{page}.example/")]
        assert front.server.count(f"https://{page}.example/") == len(seen)
