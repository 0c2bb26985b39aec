"""What `visitor-tracker check` says about a database."""

import os
import shutil
import sqlite3
import stat
import time
from pathlib import Path

from visitor_tracker.store.base import Finding
from visitor_tracker.store.location import Durability, MysqlLocation
from visitor_tracker.store.session import Session

NETWORK_FILE_SYSTEMS = frozenset({"nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "fuse.sshfs", "glusterfs", "ceph"})
FREE_BYTES = 1 << 30
CLOCK_SECONDS = 5
OLDEST_SQLITE = (3, 40, 0)
OLDEST_MYSQL = (8, 0)
OLDEST_MARIADB = (10, 6)
SPARE_CONNECTIONS = 10  # for administrators and other programs

VARIABLES = """/* Store.check */
show variables
where variable_name in ('version', 'innodb_flush_log_at_trx_commit', 'log_bin', 'sync_binlog', 'binlog_format',
    'max_connections')"""

NOW = """/* Store.check */
select unix_timestamp()"""

CIPHER = """/* Store.check */
show session status like 'Ssl_cipher'"""


def sqlite(path: Path) -> list[Finding]:
    """Look at the file and what it lies on."""
    found: list[Finding] = []
    if path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        found.append(Finding("warning", f"{path} can be read by other users", f"chmod 600 {path}"))
    kind = _file_system(path)
    if kind in NETWORK_FILE_SYSTEMS:
        found.append(
            Finding(
                "warning",
                f"{path} lies on a network file system ({kind}), where SQLite's locks are not safe",
                "move it to a local disk, or use MySQL",
            )
        )
    free = shutil.disk_usage(path).free
    if free < FREE_BYTES:
        found.append(Finding("warning", f"only {free >> 20} MiB are free for {path}", "free some space"))
    if sqlite3.sqlite_version_info < OLDEST_SQLITE:
        found.append(Finding("warning", f"SQLite {sqlite3.sqlite_version} is older than 3.40", "update Python"))
    return found


def mysql(session: Session, location: MysqlLocation, durability: Durability, pure: bool) -> list[Finding]:
    """Look at the server's settings, the connection and the driver."""
    variables: dict[str, str] = {str(name).lower(): str(value) for name, value in session.ask(VARIABLES)}
    most = int(variables["max_connections"])
    found = _version(variables["version"])
    if durability == "full":
        found += _durable(variables)
    if variables["log_bin"] == "ON" and variables.get("binlog_format") == "STATEMENT":
        found.append(
            Finding("error", "binlog_format is STATEMENT, which refuses our transactions", "set binlog_format=ROW")
        )
    if most < location.pool_size + SPARE_CONNECTIONS:
        found.append(
            Finding(
                "warning",
                f"the server allows {most} connections, each worker may open {location.pool_size}",
                "raise max_connections, or lower pool_size in store.url",
            )
        )
    if pure:
        found.append(
            Finding(
                "warning",
                "mysql-connector-python runs without its C extension, reads are several times slower",
                "install the version named in setup.cfg as a wheel for this platform",
            )
        )
    return found + _clock(session) + _encryption(session, location)


def _version(version: str) -> list[Finding]:
    product, oldest = ("MariaDB", OLDEST_MARIADB) if "MariaDB" in version else ("MySQL", OLDEST_MYSQL)
    major, minor = version.split(".")[:2]
    if (int(major), int(minor)) >= oldest:
        return []
    need = ".".join(map(str, oldest))
    return [Finding("warning", f"{product} {version} is older than {need}", "update the database server")]


def _durable(variables: dict[str, str]) -> list[Finding]:
    found: list[Finding] = []
    flush, sync_binlog = variables["innodb_flush_log_at_trx_commit"], variables["sync_binlog"]
    if flush != "1":
        found.append(
            Finding(
                "warning",
                f"innodb_flush_log_at_trx_commit is {flush}: a power cut loses the last visits",
                "set it to 1, or store.durability to relaxed",
            )
        )
    if variables["log_bin"] == "ON" and sync_binlog != "1":
        found.append(
            Finding(
                "warning",
                f"sync_binlog is {sync_binlog}: after a power cut replicas may differ",
                "set it to 1, or store.durability to relaxed",
            )
        )
    return found


def _clock(session: Session) -> list[Finding]:
    [(theirs,)] = session.ask(NOW)
    ahead = int(theirs) - time.time()
    if abs(ahead) <= CLOCK_SECONDS:
        return []
    return [
        Finding(
            "warning",
            f"the database server's clock differs from this machine's by {ahead:+.0f} s",
            "let both follow NTP",
        )
    ]


def _encryption(session: Session, location: MysqlLocation) -> list[Finding]:
    here = location.unix_socket or location.host in ("localhost", "::1") or location.host.startswith("127.")
    rows = session.ask(CIPHER)
    if here or (rows and rows[0][1]):
        return []
    return [
        Finding(
            "warning",
            f"the connection to {location.host} is not encrypted",
            "set up TLS on the database server and ssl_ca in store.url",
        )
    ]


def _file_system(path: Path) -> str:
    """Return the type of the file system that holds `path`; empty where /proc does not say."""
    try:
        mounts = Path("/proc/self/mounts").read_text("utf-8", "surrogateescape")
    except OSError:
        return ""
    real = os.path.realpath(path)
    best = ("", "")
    for line in mounts.splitlines():
        _, point, kind, *_ = line.split(" ")
        point = point.replace("\\040", " ")
        inside = real == point or real.startswith(point.rstrip("/") + "/")
        if inside and len(point) >= len(best[0]):
            best = (point, kind)
    return best[1]
