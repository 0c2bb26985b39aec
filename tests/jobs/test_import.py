"""Logs become events, each line once."""

import gzip
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from tests.jobs.import_parts import (
    BLOG,
    FIREFOX,
    GOOGLEBOT,
    NOW,
    SNAPSHOT,
    agents,
    combined,
    line_reader,
    log,
    stored,
    take,
)
from visitor_tracker.config import Config
from visitor_tracker.errors import OutcomeUnknown
from visitor_tracker.event import Event, Signal
from visitor_tracker.ingest.bots import judge
from visitor_tracker.ingest.geo import GeoReader
from visitor_tracker.ingest.hit import Client, Hit
from visitor_tracker.ingest.pipeline import Pipeline
from visitor_tracker.jobs.importing import pace
from visitor_tracker.jobs.importing.importer import ImportFailed
from visitor_tracker.jobs.importing.planning import PlanError, plan
from visitor_tracker.jobs.importing.reading import Wanted
from visitor_tracker.jobs.importing.resume import keys_from
from visitor_tracker.jobs.importing.text_formats import read_ncsa
from visitor_tracker.sites import Policy
from visitor_tracker.store import migrate, open_store
from visitor_tracker.store.inbox import Inbox

CHILD = Path(__file__).with_name("importing_child.py")
TOP = Path(__file__).parents[2]
LONG_AGO = "10/Oct/2026:13:55:36 +0200"


@pytest.fixture
def inbox(store_url: str) -> Iterator[Inbox]:
    store = open_store(store_url)
    migrate(store)
    yield Inbox(store.database)
    store.close()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "access.log"


def event(line: str, wanted: Wanted | None = None, policy: Policy | None = None) -> Event:
    """Return the event of a line of combined."""
    found = line_reader(wanted, policy=policy).event(read_ncsa(line), b"f" * 16, 1)
    assert isinstance(found, Event), found
    return found


def refused(line: str, wanted: Wanted) -> str:
    found = line_reader(wanted).event(read_ncsa(line), b"f" * 16, 1)
    assert isinstance(found, str)
    return found


def pages(inbox: Inbox) -> list[str]:
    return [event.url.removeprefix("https://blog.example") for event in stored(inbox)]


def test_a_line_becomes_the_event_of_its_time() -> None:
    found = event(combined("/a?utm_source=news&b=c", referrer="https://www.google.com/"))
    assert (found.kind, found.site_id, found.ts, found.day) == ("pageview", BLOG.id, 1_791_633_336_000, 20261010)
    assert found.url == "https://blog.example/a?b=c"
    assert (found.source.utm_source, found.source.referrer) == ("news", "www.google.com")
    assert (found.agent.browser, found.agent.os, found.agent.device) == ("Firefox", "Linux", "desktop")
    assert (found.signals, len(found.visitor), found.ip, found.user_agent) == (0, 16, "", "")


@pytest.mark.parametrize("policy", [Policy(), Policy(visitor="monthly"), Policy(visitor="persistent")])
def test_a_visitor_of_today_is_the_one_that_the_server_sees(policy: Policy) -> None:
    snapshot = msgspec.structs.replace(SNAPSHOT, policy=policy)
    live = Pipeline(snapshot=lambda: snapshot, make_site=lambda _: None, geo=GeoReader(Config().geo))
    client = Client("198.51.100.7", FIREFOX, {"accept-language": "de"})
    seen = live.understand(Hit(url="https://blog.example/"), client, agents().read(FIREFOX), NOW)
    assert isinstance(seen, Event)
    assert event(combined(time="22/Nov/2026:10:00:00 +0000"), policy=policy).visitor == seen.visitor


def test_a_date_that_is_over_has_one_key_for_the_whole_import() -> None:
    first, second, other_day = (
        event(combined(time=time)).visitor
        for time in (LONG_AGO, "10/Oct/2026:20:00:00 +0200", "11/Oct/2026:13:55:36 +0200")
    )
    assert first == second != other_day
    reader = line_reader(key_of=keys_from(b"another secret".ljust(32)))
    elsewhere = reader.event(read_ncsa(combined()), b"f" * 16, 1)
    assert isinstance(elsewhere, Event)
    assert elsewhere.visitor not in (b"", first)


def test_a_visit_over_midnight_knows_who_it_was_before() -> None:
    before = event(combined(time="10/Oct/2026:23:59:00 +0000"))
    after = event(combined(time="11/Oct/2026:00:10:00 +0000"))
    assert after.previous == before.visitor != after.visitor
    assert event(combined(time="11/Oct/2026:00:40:00 +0000")).previous == b""


@pytest.mark.parametrize("kind", ["cookie", "client"])
def test_where_visitors_are_known_for_good_the_lasting_key_is_used(kind: str) -> None:
    policy = Policy(visitor="cookie" if kind == "cookie" else "client")
    first, later = (event(combined(time=f"{day}/Oct/2026:13:55:36 +0000"), policy=policy) for day in (10, 20))
    assert first.visitor == later.visitor
    assert first.visitor == event(combined(), policy=Policy(visitor="persistent")).visitor


def test_robots_are_kept_and_known_and_browsers_are_none() -> None:
    robot = event(combined(agent=GOOGLEBOT))
    assert (judge(robot.signals), robot.agent.bot) == (True, "Googlebot")
    assert event(combined(agent="-")).signals == Signal.USER_AGENT
    assert event(combined("/wp-login.php")).signals == Signal.PROBE_PATH
    assert event(combined()).signals == 0  # a log has no header fields that could be missing


def test_the_host_decides_the_site() -> None:
    assert event(combined(), Wanted(host="www.blog.example")).site_id == BLOG.id
    assert event(combined(), Wanted(host="elsewhere.example")).site_id == 1
    assert event(combined(), Wanted(BLOG, "blog.example")).site_id == BLOG.id
    assert refused(combined(), Wanted(BLOG, "elsewhere.example")) == "hostname"
    assert refused(combined(), Wanted()) == "no host"


def test_a_time_that_cannot_be_is_refused() -> None:
    assert refused(combined(time="24/Nov/2026:13:00:00 +0000"), Wanted(host="blog.example")) == "time"
    assert refused(combined(time="01/Jan/1960:13:00:00 +0000"), Wanted(host="blog.example")) == "time"


def test_a_log_is_stored_once(inbox: Inbox, path: Path) -> None:
    path.write_bytes(
        log(
            combined("/1"),
            combined("/logo.png"),
            combined("/2", agent=GOOGLEBOT),
            combined("/gone", status="404"),
            "something else",
            combined("/ü"),
        ).replace("ü".encode(), b"\xff\xfe")
        + combined("/3").encode()
        + b"\r\n\n"
        + combined("/4").encode()[:-1]
    )
    [done], importer = take([str(path)], inbox)
    tally = importer.tally
    assert (tally.lines, tally.views, tally.broken, dict(tally.robots)) == (8, 3, 1, {"Googlebot": 1})
    assert dict(tally.skipped) == {"file": 1, "status 404": 1, "empty": 1}
    assert [(problem.file, problem.line) for problem in tally.problems] == [(str(path), 5)]
    assert pages(inbox) == ["/1", "/2", "/%EF%BF%BD%EF%BF%BD", "/3"]
    assert done.new_bytes == path.read_bytes().rindex(b"\n") + 1

    [again], importer = take([str(path)], inbox)
    assert (again.new_bytes, importer.tally.lines, len(stored(inbox))) == (0, 0, 4)

    with path.open("ab") as file:
        file.write(b'"\n' + log(combined("/5"), "broken"))
    [grown], importer = take([str(path)], inbox)
    assert (importer.tally.lines, importer.tally.problems[0].line) == (3, 11)
    assert pages(inbox)[-2:] == ["/4", "/5"]

    packed = path.with_name("access.log.1.gz")
    packed.write_bytes(gzip.compress(path.read_bytes()))
    [rotated], _ = take([str(packed)], inbox)
    assert (grown.problem, rotated.new_bytes, len(stored(inbox))) == ("", 0, 6)


@pytest.mark.parametrize("first", [1, 10, 30, 100])
def test_what_grows_is_stored_once_however_small_it_was(inbox: Inbox, path: Path, first: int) -> None:
    lines = [combined(f"/{number}") for number in range(200)]
    for length in (first, first + 1, 35, 110, 200):
        path.write_bytes(log(*lines[:length]))
        take([str(path)], inbox)
    assert pages(inbox) == [f"/{number}" for number in range(200)]
    assert len({event.id for event in stored(inbox)}) == 200


def test_two_logs_that_begin_alike_are_two(inbox: Inbox, tmp_path: Path) -> None:
    same = combined("/health")
    one, other = tmp_path / "one.log", tmp_path / "other.log"
    one.write_bytes(log(same))
    take([str(one)], inbox)
    other.write_bytes(log(same, *(combined(f"/other/{number}") for number in range(100))))
    one.write_bytes(log(same, *(combined(f"/one/{number}") for number in range(100))))
    take([str(one), str(other)], inbox)
    assert len(pages(inbox)) == 201


def test_files_come_by_the_time_of_their_first_line(inbox: Inbox, tmp_path: Path) -> None:
    for day in (12, 10, 11):
        line = combined(f"/{day}", time=f"{day}/Oct/2026:00:00:00 +0000")
        (tmp_path / f"{22 - day}.log").write_bytes(log(line))
    (tmp_path / "empty.log").write_bytes(b"")
    done, _ = take(sorted(map(str, tmp_path.glob("*.log"))), inbox)
    assert [file.name[-6:] for file in done] == ["12.log", "11.log", "10.log"]
    assert pages(inbox) == ["/10", "/11", "/12"]


def test_a_log_named_twice_counts_once(inbox: Inbox, path: Path) -> None:
    path.write_bytes(log(*(combined(f"/{number}") for number in range(1500))))
    packed = path.with_name("copy.gz")
    packed.write_bytes(gzip.compress(path.read_bytes()))
    done, _ = take([str(path), str(path), str(packed)], inbox)
    assert [file.new_bytes for file in done] == [path.stat().st_size, 0]
    assert len(stored(inbox)) == 1500


def test_events_of_one_second_stay_in_their_order(inbox: Inbox, path: Path) -> None:
    path.write_bytes(log(*(combined(f"/{number}") for number in range(300))))
    take([str(path)], inbox)
    in_order = sorted(stored(inbox), key=lambda event: (event.ts, event.id))
    assert [event.url.rpartition("/")[2] for event in in_order] == [str(number) for number in range(300)]


def test_a_log_of_several_sites_is_parted(inbox: Inbox, path: Path) -> None:
    path.write_bytes(log(*(f"{host}:443 {combined()}" for host in ("a.example", "blog.example", "b.example"))))
    take([str(path)], inbox, line_reader(Wanted()))
    assert sorted(event.url for event in stored(inbox) if event.site_id == 1) == [
        "https://a.example/",
        "https://b.example/",
    ]
    assert [event.url for event in stored(inbox) if event.site_id == BLOG.id] == ["https://blog.example/"]


def test_visitors_are_noted_as_the_drainer_does(inbox: Inbox, path: Path) -> None:
    path.write_bytes(log(combined(), combined("/2")))
    take([str(path)], inbox)
    [visitor] = {event.visitor for event in stored(inbox)}
    assert inbox.known(BLOG.id, visitor, 20261010) == (True, True)


def test_a_killed_import_goes_on_where_it_was(inbox: Inbox, store_url: str, path: Path) -> None:
    path.write_bytes(log(*(combined(f"/{number}") for number in range(20_000))))
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(TOP), *sys.path])}
    command = [sys.executable, str(CHILD), store_url, str(path)]
    for _ in range(3):
        child = subprocess.Popen(command, stdout=subprocess.PIPE, env=environment, cwd=TOP)
        assert child.stdout is not None
        assert child.stdout.readline() == b"stored\n"
        child.kill()
        child.stdout.close()
        assert child.wait() == -9
    killed_at = inbox.pending()[1]
    assert 0 < killed_at < 20_000
    assert subprocess.run(command, stdout=subprocess.DEVNULL, env=environment, cwd=TOP, check=True).returncode == 0
    assert sorted(int(page[1:]) for page in pages(inbox)) == list(range(20_000))


class Forgetful(Inbox):
    """Stores, and loses the answer the first time."""

    def drain(self, *arguments: object, **more: object) -> bool:
        answer = super().drain(*arguments, **more)  # type: ignore[arg-type]
        if answer:
            raise OutcomeUnknown("the connection broke")
        return answer


def test_an_answer_that_is_lost_doubles_nothing(inbox: Inbox, path: Path) -> None:
    path.write_bytes(log(*(combined(f"/{number}") for number in range(2500))))
    take([str(path)], Forgetful(inbox._database))
    assert len(pages(inbox)) == len(set(pages(inbox))) == 2500


class Racing(Inbox):
    """Another import is quicker."""

    def drain(self, *arguments: object, **more: object) -> bool:
        super().drain(*arguments, **{**more, "new": 1, "at": 1})  # type: ignore[arg-type]
        return super().drain(*arguments, **more)  # type: ignore[arg-type]


def test_two_imports_of_one_file_do_not_double_it(inbox: Inbox, path: Path) -> None:
    path.write_bytes(log(combined()))
    with pytest.raises(ImportFailed, match="imported elsewhere"):
        take([str(path)], Racing(inbox._database))
    assert len(stored(inbox)) == 1


def test_it_folds_after_each_transaction_for_as_long_as_there_is_something(inbox: Inbox, path: Path) -> None:
    path.write_bytes(log(*(combined(f"/{number}") for number in range(2500))))
    calls: list[int] = []

    def fold() -> bool:
        calls.append(inbox.pending()[1])
        return len(calls) == 1

    take([str(path)], inbox, fold=fold)
    assert calls == [1000, 1000, 2000, 2500]


def test_a_long_log_without_visits_moves_the_cursor_too(inbox: Inbox, path: Path) -> None:
    path.write_bytes(log(*[combined("/logo.png")] * 60_000))
    calls: list[int] = []

    def fold() -> bool:
        calls.append(inbox.pending()[1])
        return False

    take([str(path)], inbox, fold=fold)
    assert calls == [0, 0]
    assert take([str(path)], inbox)[0][0].new_bytes == 0


def test_large_events_are_parted_into_rows_that_fit(inbox: Inbox, path: Path) -> None:
    query = "&".join(f"{name}=x{'y' * 60}" for name in map(chr, range(97, 121)))
    path.write_bytes(log(*(combined(f"/{number}?{query}") for number in range(999))))
    take([str(path)], inbox)
    rows = inbox.rows(BLOG.id, 100)
    assert len(rows) > 1
    assert max(len(row.body) for row in rows) <= 1 << 20
    assert sum(row.events for row in rows) == 999


def test_without_an_inbox_nothing_is_stored(path: Path) -> None:
    path.write_bytes(log(*(combined(f"/{number}") for number in range(2500))))
    [done], importer = take([str(path)], None)
    assert (done.new_bytes, importer.tally.events, len(importer.tally.examples)) == (path.stat().st_size, 2500, 5)


def test_an_import_that_cannot_begin_says_why(path: Path) -> None:
    path.write_bytes(log("no format at all", "none"))
    with pytest.raises(PlanError, match="not in a format that is known, its first line is\n  no format at all\n"):
        plan([str(path)], line_reader(), site_id=0)
    path.write_bytes(log(combined()))
    with pytest.raises(PlanError, match="not in the format json"):
        plan([str(path)], line_reader(), site_id=0, format_name="json")
    with pytest.raises(PlanError, match=r"--host www\.example\.com"):
        plan([str(path)], line_reader(Wanted()), site_id=0)
    path.write_bytes(b"\xff" * 500 + b"\n")
    with pytest.raises(PlanError) as told:
        plan([str(path)], line_reader(), site_id=0)
    assert len(str(told.value)) < 400


def test_the_server_gets_time_to_fold(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pace, "_PAUSE_SECONDS", 0.0)
    waiting = iter([100, 50_000, 30_000, 20_000])
    step = pace.Pace(lambda: (1, next(waiting))).step
    assert [step() for _ in range(4)] == [False, True, True, False]


def test_a_server_that_does_not_fold_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pace, "_PAUSE_SECONDS", 0.0)
    monkeypatch.setattr(pace, "_PATIENCE_SECONDS", -1.0)
    step = pace.Pace(lambda: (1, 50_000)).step
    assert [step() for _ in range(3)] == [True, False, False]
