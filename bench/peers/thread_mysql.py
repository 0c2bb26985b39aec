"""A thread-per-connection socket server with one pooled MySQL transaction per visit.

    thread_mysql.py PORT      (MYSQL_PORT, MYSQL_USER, MYSQL_PASSWORD, MYSQL_DATABASE in the environment)

The plain design: accept, a thread, recv until the head is whole, a connection from the connector's pool,
upsert + select + commit, the row as JSON. It keeps connections alive and waits for a pooled connection, so that
neither connects nor an exhausted pool weigh on the comparison.
"""

import hashlib
import json
import os
import secrets
import socket
import sys
import threading
from datetime import datetime
from urllib.parse import parse_qs, urlsplit

import mysql.connector
from mysql.connector.pooling import MySQLConnectionPool

POOL_SIZE = 32  # the connector's most; 5 and 16 were no faster
SECRET = secrets.token_hex(32)
DEADLOCK = 1213
SCHEMA = """
create table if not exists visitors (
    id int auto_increment primary key,
    page_url varchar(255) not null unique,
    visit_count int not null default 1,
    last_visited timestamp not null default current_timestamp on update current_timestamp,
    created_at timestamp not null default current_timestamp
)
"""
UPSERT = "insert into visitors (page_url) values (%s) on duplicate key update visit_count = visit_count + 1"
SELECT = "select page_url, visit_count, last_visited, created_at from visitors where page_url = %s"
HEAD = (
    "HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n"
    "Access-Control-Allow-Origin: *\r\nCache-Control: no-store\r\nConnection: {connection}\r\n\r\n"
)


class Server:
    """Owns the pool; every connection has a thread of its own."""

    def __init__(self, port: int) -> None:
        self._pool = MySQLConnectionPool(
            pool_name="visitor_pool",
            pool_size=POOL_SIZE,
            host="127.0.0.1",
            port=int(os.environ["MYSQL_PORT"]),
            user=os.environ["MYSQL_USER"],
            password=os.environ["MYSQL_PASSWORD"],
            database=os.environ["MYSQL_DATABASE"],
            collation="utf8mb4_bin",
            use_pure=False,  # the C extension or an error, never the slow fallback
        )
        self._free = threading.Semaphore(POOL_SIZE)
        self._listener = socket.create_server(("127.0.0.1", port), backlog=1024)
        with self._pool.get_connection() as db:
            db.cursor().execute(SCHEMA)

    def run(self) -> None:
        while True:
            client, _ = self._listener.accept()
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(target=self._converse, args=(client,), daemon=True).start()

    def _converse(self, client: socket.socket) -> None:
        with client:
            received = b""
            while True:
                end = received.find(b"\r\n\r\n")
                if end < 0:
                    try:
                        more = client.recv(4096)
                    except OSError:
                        return
                    if not more:
                        return
                    received += more
                    continue
                head, received = received[:end].decode("latin-1"), received[end + 4 :]
                keep = "connection: close" not in head.lower()
                try:
                    client.sendall(self._answer(head.partition("\r\n")[0], keep))
                except OSError:
                    return
                if not keep:
                    return

    def _answer(self, request_line: str, keep: bool) -> bytes:
        parts = urlsplit(request_line.split(" ")[1])
        url = parse_qs(parts.query).get("url", [""])[0]
        if parts.path != "/update" or urlsplit(url).scheme not in ("http", "https"):
            status, body = "400 Bad Request", b"Invalid URL"
        else:
            row = self._count(url)
            token = hashlib.sha256(f"{url}{SECRET}{datetime.now()}".encode()).hexdigest()
            status, body = "200 OK", json.dumps(row | {"security_token": token}).encode()
        connection = "keep-alive" if keep else "close"
        return HEAD.format(status=status, length=len(body), connection=connection).encode() + body

    def _count(self, url: str) -> dict[str, object]:
        with self._free, self._pool.get_connection() as db:
            while True:
                try:
                    cursor = db.cursor(dictionary=True)
                    cursor.execute(UPSERT, (url,))
                    cursor.execute(SELECT, (url,))  # the row is ours until the commit: the exact new count
                    row: dict[str, object] = cursor.fetchone()
                    db.commit()
                except mysql.connector.Error as error:
                    db.rollback()
                    if error.errno != DEADLOCK:
                        raise
                else:
                    return {k: v.isoformat() if isinstance(v, datetime) else v for k, v in row.items()}


if __name__ == "__main__":
    Server(int(sys.argv[1])).run()
