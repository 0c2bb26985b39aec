"""`visitor-tracker check`: what it looks at besides settings and store."""

import os
from contextlib import closing
from pathlib import Path

import pytest

from tests.cli.conftest import Command, Done
from tests.mariadb import MariaDB
from visitor_tracker.access.accounts import Accounts
from visitor_tracker.access.snapshot import write_snapshot
from visitor_tracker.app import App, Shared, first_snapshot, store_of
from visitor_tracker.config import load
from visitor_tracker.serve import migrate_store
from visitor_tracker.sites import Snapshot

MYSQL_AWAY = "mysql://u:p@127.0.0.1:1/d"


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A data folder in which a server has run."""
    config = load(None, {}, {"server.data_dir": str(tmp_path / "data"), "server.workers": 0})
    migrate_store(config)
    App(config, Shared(config, 1, first_snapshot(config))).close()
    return config.data_dir


def lines(done: Done, begins: str) -> list[str]:
    """Return the findings of one kind, without their marks."""
    return [line.removeprefix(begins).strip() for line in done.out.splitlines() if line.startswith(begins)]


def test_nothing_is_wrong_where_a_server_has_run(command: Command, data: Path) -> None:
    done = command("check")
    assert (done.code, done.err, lines(done, "WARNING"), lines(done, "ERROR")) == (0, "", [], [])
    assert f"ok      journal: {data}/journal, 0 of at most" in done.out
    assert "ok      snapshot: sites 1, visitor keys " in done.out


@pytest.mark.parametrize(
    ("server", "is_warned"),
    [
        ("{host: 0.0.0.0}", True),
        ("{host: '::'}", True),
        ("{host: 127.0.0.1}", False),
        ("{host: 0.0.0.0, public_url: 'https://stats.example.com'}", False),
    ],
)
def test_people_need_the_address_of_a_server_that_others_reach(
    command: Command, data: Path, server: str, is_warned: bool
) -> None:
    Path("config.yaml").write_text(f"server: {server}\n", "utf-8")
    assert lines(command("check"), "WARNING") == [], "without accounts nobody gets links"
    with closing(store_of(load(None, {}, {"server.data_dir": str(data)}))) as store:
        Accounts(store).create("ada", is_admin=True)
    warnings = lines(command("check"), "WARNING")
    assert ["server.public_url is not set" in warning for warning in warnings] == [True] * is_warned


def test_it_changes_nothing(command: Command, data: Path) -> None:
    def content() -> dict[str, bytes]:
        return {str(path): path.read_bytes() for path in data.rglob("*") if path.is_file() and "-shm" not in path.name}

    before = content()
    command("check")
    assert content() == before


@pytest.mark.parametrize(
    ("settings", "level", "says"),
    [
        ("geo: {online: ip-api}", "WARNING", "geo.online is ip-api: ip-api.com (not encrypted) and ipapi.co get the"),
        ("geo: {online: ipapi}", "WARNING", "geo.online is ipapi: ipapi.co gets the addresses of visitors"),
        ("geo: {database: none.mmdb}", "WARNING", "none.mmdb: it cannot be read: No such file"),
        ("geo: {asn_database: config.yaml}", "WARNING", "geo.asn_database"),
        ("identity: {ip: full}", "ok", "kept of visitors by the settings identity.*: addresses"),
        ("identity: {ip: truncated, traits: keep}", "ok", "networks of addresses (/24, /48), what pages tell with"),
        ("identity: {key_file: k}", "WARNING", "identity.key_file is of use with MySQL only"),
        (f"identity: {{key_file: k}}\nstore: {{url: '{MYSQL_AWAY}'}}", "ERROR", "k is missing: copy it from another"),
    ],
)
def test_settings_are_judged_by_what_they_do(
    command: Command, data: Path, settings: str, level: str, says: str
) -> None:
    (data.parent / "config.yaml").write_text(settings)
    (data.parent / "config.yaml").chmod(0o600)
    done = command("check")
    assert [line for line in lines(done, level) if says in line] != [], done.out
    assert (done.code, done.err) == (78 if level == "ERROR" else 0, "")


def test_a_site_that_keeps_more_is_named(command: Command, data: Path) -> None:
    command("site", "add", "blog", "--user-agent", "full")
    first_snapshot(load(None, {}, {"server.data_dir": str(data)}))
    assert "ok      kept of visitors by the site blog: user agents as sent" in command("check").out


def test_a_key_file_is_looked_at(command: Command, tmp_path: Path, mariadb: MariaDB) -> None:
    store = mariadb.url(mariadb.fresh_database())
    command("migrate", "--store", store)
    key = tmp_path / "data" / "visitor-keys.key"
    key.parent.mkdir(mode=0o700, exist_ok=True)
    key.write_text("k" * 64)
    key.chmod(0o600)
    done = command("check", "--store", store)
    assert (done.code, f"wrapped with the key in {key}" in done.out) == (0, True), done.out
    key.chmod(0o644)
    done = command("check", "--store", store)
    assert (done.code, "can be used by everybody" in done.out) == (78, True), done.out


def test_a_full_journal_is_an_error(command: Command, data: Path) -> None:
    with (data / "journal" / "0.segment").open("wb") as file:
        os.truncate(file.fileno(), 9 << 20)
    (data.parent / "config.yaml").write_text(f"journal: {{max_bytes: {8 << 20}}}")
    done = command("check")
    assert (done.code, lines(done, "ERROR")) == (
        78, [f"journal: {data}/journal, 9 of at most 8 MiB: it is full, and events are refused"]
    )  # fmt: skip


def test_what_no_store_takes_is_told(command: Command, data: Path) -> None:
    (data / "journal" / "dead").mkdir()
    (data / "journal" / "dead" / "1.record").write_bytes(b"x")
    assert "not even as dead letters" in command("check").out


@pytest.mark.parametrize(
    ("content", "says"), [(b"nothing", "cannot be read"), (None, "has no visitor key of persistent, ")]
)
def test_a_snapshot_that_does_not_help_is_told(command: Command, data: Path, content: bytes | None, says: str) -> None:
    path = data / "snapshot"
    if content is None:
        write_snapshot(path, Snapshot())
    else:
        path.write_bytes(content)
    done = command("check")
    assert (done.code, done.err) == (0, "")
    assert [line for line in lines(done, "WARNING") if says in line] != []


def test_a_snapshot_that_others_can_read_is_told(command: Command, data: Path) -> None:
    (data / "snapshot").chmod(0o644)
    assert f"run  chmod 600 {data}/snapshot" in command("check").out


def test_a_file_in_the_place_of_the_folder_is_told(command: Command, tmp_path: Path) -> None:
    (tmp_path / "data").write_text("")
    done = command("check")
    assert (done.code, f"{tmp_path}/data is no folder" in done.out) == (78, True)


@pytest.mark.parametrize(
    "arguments",
    [
        ("check",), ("migrate",), ("pages",), ("token",), ("site", "list"), ("site", "add", "x"), ("key", "list"),
        ("journal", "status"), ("journal", "verify"), ("privacy", "verify"), ("serve", "--port", "0"),
    ],
)  # fmt: skip
def test_a_folder_that_cannot_be_looked_into_is_named(command: Command, arguments: tuple[str, ...]) -> None:
    """A name that no file system takes stands for a folder of another user, which root does not know."""
    done = command(*arguments, "--data-dir", "x" * 300)
    assert done.code == (78 if arguments == ("check",) else 1)
    assert "xxx/" in done.out + done.err
    assert "File name too long" in done.out + done.err
