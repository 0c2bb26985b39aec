"""The counter in Flask on waitress: a SQLite connection per thread and one commit per visit.

    flask_counter.py PORT DATABASE

WAL with synchronous=FULL: every commit is durable.
"""

import hashlib
import secrets
import sqlite3
import sys
import threading
from datetime import UTC, datetime
from urllib.parse import urlsplit

from flask import Flask, Response, jsonify, request
from waitress import serve

THREADS = 8  # 4 and 16 were no faster
SECRET = secrets.token_hex(32)
SCHEMA = """
create table if not exists visitors (
    id integer primary key,
    page_url varchar(255) not null unique,
    visit_count integer not null,
    last_visited timestamp not null,
    created_at timestamp not null
)
"""
UPSERT = """
insert into visitors (page_url, visit_count, last_visited, created_at) values (?, 1, ?, ?)
on conflict (page_url) do update set visit_count = visit_count + 1, last_visited = excluded.last_visited
"""
SELECT = "select page_url, visit_count, last_visited, created_at from visitors where page_url = ?"

app = Flask(__name__)
local = threading.local()


def connection() -> sqlite3.Connection:
    if not hasattr(local, "connection"):
        local.connection = sqlite3.connect(sys.argv[2], timeout=30, isolation_level=None)
        local.connection.execute("pragma journal_mode=wal")
        local.connection.execute("pragma synchronous=full")
    opened: sqlite3.Connection = local.connection
    return opened


@app.get("/update")
def update() -> Response | tuple[str, int]:
    url = request.args.get("url", "")
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.netloc:
        return "Invalid URL", 400
    now = datetime.now(UTC).isoformat()
    db = connection()
    db.execute("begin immediate")
    db.execute(UPSERT, (url, now, now))
    row = db.execute(SELECT, (url,)).fetchone()
    db.execute("commit")
    answer = jsonify(
        page_url=row[0],
        visit_count=row[1],
        last_visited=row[2],
        created_at=row[3],
        security_token=hashlib.sha256(f"{url}{SECRET}{now}".encode()).hexdigest(),
    )
    answer.headers["Access-Control-Allow-Origin"] = "*"
    answer.headers["Cache-Control"] = "no-store"
    return answer


if __name__ == "__main__":
    connection().execute(SCHEMA)
    serve(app, host="127.0.0.1", port=int(sys.argv[1]), threads=THREADS, connection_limit=1000, _quiet=True)
