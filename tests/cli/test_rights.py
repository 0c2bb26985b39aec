"""`export`, `erase`, `retention` and `audit` on the command line."""

import json
import stat
from pathlib import Path

import pytest

from tests.cli.conftest import Command
from tests.everything import places_of
from tests.ingest.test_erasing import ANNA, fold, visit
from visitor_tracker.store import migrate, open_store
from visitor_tracker.store.sql import SqlStore


@pytest.fixture
def where(store_url: str) -> tuple[str, str]:
    store = open_store(store_url)
    migrate(store)
    fold(store, [visit(1), visit(2, "2026-11-21 09:00"), visit(3, person="bert")])
    store.close()
    return "--store", store_url


def opened(where: tuple[str, str]) -> SqlStore:
    return open_store(where[1])


def test_all_of_a_visitor_is_exported(command: Command, where: tuple[str, str], tmp_path: Path) -> None:
    file = tmp_path / "anna.json"
    done = command("export", "--visitor", ANNA.hex(), "--out", str(file), *where)
    assert (done.code, done.out) == (0, "")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    document = json.loads(file.read_text())
    assert [event["url"] for event in document["events"]] == ["https://example.org/"] * 2
    assert document["ip_records"][0]["ip"] == f"192.0.2.{ANNA[0]}"
    by_address = command("export", "--ip", f"192.0.2.{ANNA[0]}", "--out", str(file), *where)
    assert by_address.code == 0
    assert json.loads(file.read_text())["visitors"] == document["visitors"]


def test_erasing_says_what_would_go_first(command: Command, where: tuple[str, str]) -> None:
    look = command("erase", "--visitor", ANNA.hex(), "--json", *where)
    assert look.code == 0
    counted = {"visitors": 1, "visits": 2, "events": 2, "recordings": 0, "ip_records": 1}
    assert counted.items() <= json.loads(look.out).items()
    shown = command("erase", "--visitor", ANNA.hex(), *where)
    assert "STORED" in shown.out
    assert "nothing was erased: say  --yes" in shown.err
    done = command("erase", "--visitor", ANNA.hex(), "--yes", *where)
    assert (done.code, "ERASED" in done.out, "sums of hours" in done.err) == (0, True, True)
    store = opened(where)
    assert places_of(store, [ANNA]) == set()
    assert store.execute("select count(*) from events") == [(1,)]
    store.close()
    again = command("erase", "--visitor", ANNA.hex(), "--yes", *where)
    assert (again.code, "nothing is stored" in again.err) == (1, True)
    [line] = [json.loads(text) for text in command("audit", "--json", *where).out.splitlines()]
    assert (line["action"], line["site"], line["who"]) == ("visitor.erased", "default", "local")
    assert counted.items() <= line["detail"].items()
    assert ANNA.hex() not in str(line)


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("erase",), 2, "one of the arguments --cookie --client-id --ip --visitor is required"),
        (("erase", "--ip", "192.0.2.1", "--visitor", "0" * 32), 2, "not allowed with argument"),
        (("erase", "--visitor", "xyz"), 2, "32 hex digits"),
        (("erase", "--visitor", "0" * 32, "--user-agent", "x"), 2, "--user-agent goes with --ip"),
        (("erase", "--ip", "home"), 1, "no address"),
        (("erase", "--cookie", "x" * 43), 1, "did not give that cookie"),
        (("erase", "--site", "nobody", "--visitor", "0" * 32), 1, "there is no site nobody"),
        (("export", "--visitor", "0" * 32), 1, "nothing is stored"),
        (("export", "--client-id", "x"), 1, "nothing is stored"),
        (("audit", "--limit", "0"), 2, "at least 1"),
        (("audit", "--site", "nobody"), 1, "there is no site nobody"),
    ],
)
def test_mistakes_are_explained(
    command: Command, where: tuple[str, str], arguments: tuple[str, ...], code: int, said: str
) -> None:
    done = command(*arguments, *where)
    assert (done.code, done.out) == (code, ""), done.err
    assert said in done.err


def test_a_file_that_cannot_be_written_is_told(command: Command, where: tuple[str, str], tmp_path: Path) -> None:
    done = command("export", "--visitor", ANNA.hex(), "--out", str(tmp_path / "no" / "file"), *where)
    assert (done.code, str(tmp_path / "no" / "file") in done.err) == (1, True)


def test_retention_says_what_would_go_and_does_it(command: Command, where: tuple[str, str]) -> None:
    command("site", "set", "default", "--retention", "events=1", "--retention", "profiles=0", *where)
    store = opened(where)
    store.execute("update events set ts = ts - %s", (400 * 86_400_000,))
    store.close()
    due = [json.loads(line) for line in command("retention", "--dry-run", "--json", *where).out.splitlines()]
    assert {row["kind"]: row["rows"] for row in due if row["site"]} | {"visits": 0} == {
        "events": 3, "visits": 0, "recordings": 0
    }  # fmt: skip
    assert {"site", "kind", "days", "before", "rows"} == set(due[0])
    assert "WOULD GO" in command("retention", "--dry-run", *where).out
    gone = [json.loads(line) for line in command("retention", "--json", *where).out.splitlines()]
    assert {row["kind"]: row["rows"] for row in gone if row["kind"] == "events"} == {"events": 3}
    store = opened(where)
    assert store.execute("select count(*) from events") == [(0,)]
    store.close()
