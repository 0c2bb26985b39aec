"""Signed requests against real servers: what was taken by one worker, or one node, is taken by no other."""

import json
import os
import re
import secrets
import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from hashlib import sha256
from pathlib import Path
from threading import Barrier

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tests.mariadb import MariaDB
from tests.running import SECONDS, Server, until

TARGET = "/stats?site=default"
ROUNDS = 5
EACH = 4  # connections to each worker
CROWD = 40  # connections of which these are chosen


def workers_of(server: Server) -> dict[str, int]:
    """Return which worker has which connection to the server's port, by the client's port."""
    inodes: dict[str, int] = {}
    for pid in server.children():
        for link in Path(f"/proc/{pid}/fd").iterdir():
            with suppress(FileNotFoundError):  # it was closed just now
                if found := re.fullmatch(r"socket:\[(\d+)\]", os.readlink(link)):
                    inodes[found[1]] = pid
    owners = {}
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        fields = line.split()
        if int(fields[1].partition(":")[2], 16) == server.port and fields[9] in inodes:
            owners[str(int(fields[2].partition(":")[2], 16))] = inodes[fields[9]]
    return owners


def spread(server: Server, stack: ExitStack) -> list[socket.socket]:
    """Return open connections, as many to each of two workers.

    An idle worker takes whatever comes; of many that come at once the other takes a part.
    """
    chosen: list[socket.socket] = []

    def is_enough() -> bool:
        crowd = [socket.create_connection(("127.0.0.1", server.port), SECONDS) for _ in range(CROWD)]
        by_worker: dict[int, list[socket.socket]] = {}
        for each in crowd:
            each.sendall(b"GET /healthz HTTP/1.1\r\nHost: stats.example.com\r\n\r\n")
        assert all(each.recv(4096).startswith(b"HTTP/1.1 200") for each in crowd)
        owners = workers_of(server)
        for each in crowd:
            by_worker.setdefault(owners[str(each.getsockname()[1])], []).append(each)
        is_spread = len(by_worker) == 2 and all(len(its) >= EACH for its in by_worker.values())
        chosen.extend(each for its in by_worker.values() for each in its[:EACH] if is_spread)
        for each in crowd:
            if each in chosen:
                stack.enter_context(each)
            else:
                each.close()
        return is_spread

    until(is_enough, lambda: "all connections went to one worker")
    return chosen


def registered(server: Server) -> tuple[Ed25519PrivateKey, str]:
    private = Ed25519PrivateKey.generate()
    asked = {"name": f"r{secrets.token_hex(4)}", "public_key": private.public_key().public_bytes_raw().hex()}
    url = f"{server.url}/api/v1/sites/default/signing-keys"
    made = server.session.post(url, json=asked, headers=server.admin, timeout=SECONDS)
    assert made.status_code == 201, made.text
    return private, made.json()["id"]


def signed(private: Ed25519PrivateKey, key_id: str) -> bytes:
    """Return a whole request, with a new nonce."""
    timestamp, nonce = str(int(time.time())), secrets.token_urlsafe(16)
    text = "\n".join(("VT2", "GET", TARGET, sha256(b"").hexdigest(), timestamp, nonce))
    fields = {
        "Host": "stats.example.com",
        "X-Signature-Version": "2",
        "X-Timestamp": timestamp,
        "X-Nonce": nonce,
        "X-Key-Id": key_id,
        "X-Signature": private.sign(text.encode()).hex(),
    }
    head = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
    return f"GET {TARGET} HTTP/1.1\r\n{head}\r\n".encode()


def status_of(connection: socket.socket, request: bytes, barrier: Barrier) -> int:
    barrier.wait(SECONDS)
    connection.sendall(request)
    answer = b""
    while b"\r\n\r\n" not in answer:
        answer += connection.recv(65536)
    head, _, body = answer.partition(b"\r\n\r\n")
    length = int(re.findall(rb"Content-Length: (\d+)", head)[0])
    while len(body) < length:
        body += connection.recv(65536)
    return int(head.split()[1])


def sent_at_once(connections: list[socket.socket], request: bytes) -> list[int]:
    barrier = Barrier(len(connections))
    with ThreadPoolExecutor(len(connections)) as pool:
        return sorted(pool.map(lambda each: status_of(each, request, barrier), connections))


def test_of_two_workers_one_takes_a_signed_request(store_url: str, tmp_path: Path) -> None:
    server = Server(tmp_path, store_url, arguments=["--workers", "2"])
    try:
        server.start()
        private, key_id = registered(server)
        with ExitStack() as stack:
            connections = spread(server, stack)
            for _ in range(ROUNDS):
                statuses = sent_at_once(connections, signed(private, key_id))
                assert statuses == [200] + [401] * (2 * EACH - 1)
    finally:
        server.kill9()


@pytest.fixture
def nodes(tmp_path: Path, mariadb: MariaDB) -> Iterator[list[Server]]:
    url = mariadb.url(mariadb.fresh_database())
    started: list[Server] = []
    shared = {"VISITOR_TRACKER_IDENTITY_KEY_FILE": str(tmp_path / "node-0" / "data" / "visitor-keys.key")}
    for number in range(2):
        folder = tmp_path / f"node-{number}"
        folder.mkdir()
        started.append(Server(folder, url, shared if number else {}, ["--workers", "1"]))
        started[-1].start()
    yield started
    for node in started:
        node.kill9()


def test_of_two_nodes_one_takes_a_signed_request(nodes: list[Server]) -> None:
    private, key_id = registered(nodes[0])
    with ExitStack() as stack:
        connections = [
            stack.enter_context(socket.create_connection(("127.0.0.1", node.port), SECONDS))
            for node in nodes
            for _ in range(EACH)
        ]
        for _ in range(ROUNDS):
            assert sent_at_once(connections, signed(private, key_id)) == [200] + [401] * (2 * EACH - 1)


def test_what_is_revoked_is_refused_by_all_at_once(store_url: str, tmp_path: Path) -> None:
    server = Server(tmp_path, store_url, arguments=["--workers", "2"])
    try:
        server.start()
        asked = {"name": "reports", "scopes": ["read"]}
        made = server.session.post(f"{server.url}/api/v1/keys", json=asked, headers=server.admin, timeout=SECONDS)
        key = made.json()
        text = (
            f"GET {TARGET} HTTP/1.1\r\nHost: stats.example.com\r\nAuthorization: Bearer {key['key']}\r\n\r\n".encode()
        )
        with ExitStack() as stack:
            connections = spread(server, stack)
            assert sent_at_once(connections, text) == [200] * 2 * EACH
            gone = server.session.delete(f"{server.url}/api/v1/keys/{key['id']}", headers=server.admin, timeout=SECONDS)
            assert gone.status_code == 204
            assert sent_at_once(connections, text) == [401] * 2 * EACH
        assert json.loads(made.text)["last_used_at"] is None
    finally:
        server.kill9()
