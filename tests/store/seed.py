"""The table of the older page counter, as its own program makes it."""

import sqlite3
from urllib.parse import unquote, urlsplit

from tests.mariadb import MariaDB

MYSQL_TABLE = """
create table visitors (
    id int auto_increment primary key,
    page_url varchar(255) unique,
    visit_count int default 1,
    last_visited timestamp default current_timestamp on update current_timestamp,
    created_at timestamp default current_timestamp
)"""

SQLITE_TABLE = """
create table visitors (
    id integer primary key autoincrement,
    page_url varchar(255) unique,
    visit_count int default 1,
    last_visited timestamp default current_timestamp,
    created_at timestamp default current_timestamp
)"""

OldRow = tuple[str | None, int | None, str | None, str | None]


def make_old_table(url: str, rows: list[OldRow], mariadb: MariaDB | None) -> None:
    """Make the old table with (page_url, visit_count, last_visited, created_at), times in UTC."""
    columns = "insert into visitors (page_url, visit_count, last_visited, created_at)"
    if mariadb is None:
        db = sqlite3.connect(urlsplit(url).path.replace("//", "/"))
        db.execute(SQLITE_TABLE)
        db.executemany(f"{columns} values (?, ?, ?, ?)", rows)
        db.commit()
        db.close()
        return
    with mariadb.connection(database=unquote(urlsplit(url).path[1:])) as server:
        cursor = server.cursor()
        cursor.execute("set time_zone = '+00:00'")
        cursor.execute(MYSQL_TABLE)
        cursor.executemany(f"{columns} values (%s, %s, %s, %s)", rows)
