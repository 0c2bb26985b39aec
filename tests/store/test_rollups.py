"""Rollups add up, and visitors of a month are counted once, whoever writes at the same time."""

import random
import sqlite3
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import get_args

import pytest

from tests.mariadb import MariaDB
from tests.store.samples import DAY, key
from visitor_tracker.measures import NAMES, Dimension, Grain, Measures, packed
from visitor_tracker.store import migrate
from visitor_tracker.store.rollups import READ_SEEN, Key, SeenKey, add_rollups, see
from visitor_tracker.store.session import Session
from visitor_tracker.store.sql import SqlStore
from visitor_tracker.store.statements import text
from visitor_tracker.store.visits import SESSIONS_IN

MONTH = DAY // 100
LARGE = Measures(2**40, -(2**40), 0, 1, -1, 2**54, -(2**54), 7)
ALICE, BOB, CAROL = key(7), key(8), key(9)
PAGE, OTHER = (int(Dimension.PAGE), -(2**63)), (int(Dimension.PAGE), 2**63 - 1)

# A plan that reads only the rows that are asked for.
FOUND_BY_KEY = {"const", "eq_ref", "ref", "range"}


@pytest.fixture
def far(mariadb: MariaDB, opened: Callable[[str], SqlStore]) -> SqlStore:
    """A store where transactions run side by side."""
    store = opened(mariadb.url(mariadb.fresh_database()))
    migrate(store)
    return store


def add(store: SqlStore, sums: dict[Key, int], grain: Grain = "day", site_id: int = 1) -> None:
    store.database.write(lambda session: add_rollups(session, grain, site_id, sums))


def rollup(store: SqlStore, grain: Grain = "day", site_id: int = 1) -> dict[Key, Measures]:
    rows = store.execute(
        f"select dimension, value, period, {', '.join(NAMES)} from rollup_{grain} where site_id = %s", (site_id,)
    )
    return {(dimension, value, period): Measures(*numbers) for dimension, value, period, *numbers in rows}


def test_measures_add_up(store: SqlStore) -> None:
    one, two = Measures(1, 2, 3, 4, 5, 6, 7, 8), Measures(-1, 20, 0, -3, 50, 60, 70, -8)
    first, second = (*PAGE, DAY), (*OTHER, DAY)
    add(store, {first: packed(one), second: packed(LARGE)})
    add(store, {first: packed(two), (0, 0, DAY): packed(two)})
    assert rollup(store) == {
        first: Measures(0, 22, 3, 1, 55, 66, 77, 0),
        second: LARGE,
        (0, 0, DAY): two,
    }


def test_grains_and_sites_are_apart(store: SqlStore) -> None:
    for number, grain in enumerate(get_args(Grain), 1):
        add(store, {(*PAGE, DAY): packed(Measures(number))}, grain)
        add(store, {(*PAGE, DAY): packed(Measures(views=number))}, grain, site_id=2)
    for number, grain in enumerate(get_args(Grain), 1):
        assert rollup(store, grain) == {(*PAGE, DAY): Measures(number)}
        assert rollup(store, grain, site_id=2) == {(*PAGE, DAY): Measures(views=number)}


def test_a_row_that_changes_nothing_is_not_written(store: SqlStore) -> None:
    add(store, {(*PAGE, DAY): 0, (*OTHER, DAY): packed(LARGE) - packed(LARGE)})
    add(store, {})
    assert rollup(store) == {}


def test_members_of_enums_are_their_numbers(store: SqlStore) -> None:
    add(store, {(Dimension.EXIT, 5, DAY): packed(Measures(1))})
    assert rollup(store) == {(4, 5, DAY): Measures(1)}


def test_many_rows_are_one_call(store: SqlStore) -> None:
    choose = random.Random(1)
    keys = [(choose.randrange(33), choose.getrandbits(64) - 2**63, DAY + choose.randrange(3)) for _ in range(2500)]
    sums = {one: Measures(*(choose.randrange(-9, 9) for _ in NAMES)) for one in keys}
    for _ in range(2):
        add(store, {one: packed(measures) for one, measures in sums.items()})
    wanted = {one: Measures(*(2 * getattr(measures, name) for name in NAMES)) for one, measures in sums.items()}
    assert rollup(store) == wanted


@pytest.mark.parametrize("sites", [1, 4])
def test_writers_at_once_add_up_and_none_waits_for_the_other(far: SqlStore, mariadb: MariaDB, sites: int) -> None:
    keys = [(dimension, value, DAY) for dimension in range(5) for value in range(60)]

    def load(seed: int) -> Counter[tuple[int, Key]]:
        choose, written = random.Random(seed), Counter[tuple[int, Key]]()
        for _ in range(30):
            mine = dict.fromkeys(choose.sample(keys, 200), packed(Measures(1, -1, 5)))
            far.database.write(partial(add_everywhere, site_id=seed % sites, sums=mine))
            written.update((seed % sites, one) for one in mine)
        return written

    before = deadlocks(mariadb)
    with ThreadPoolExecutor(4) as pool:
        total = sum(pool.map(load, range(4)), Counter[tuple[int, Key]]())
    assert deadlocks(mariadb) == before
    for site_id in range(sites):
        wanted = {one: Measures(n, -n, 5 * n) for (site, one), n in total.items() if site == site_id}
        assert [rollup(far, grain, site_id) for grain in get_args(Grain)] == [wanted] * 3


def add_everywhere(session: Session, site_id: int, sums: dict[Key, int]) -> None:
    for grain in get_args(Grain):
        add_rollups(session, grain, site_id, sums)


def deadlocks(mariadb: MariaDB) -> int:
    [(_, number)] = mariadb.execute("show global status like 'Innodb_deadlocks'")
    return int(number)


# Visitors of a month.


def seen(store: SqlStore, changes: dict[SeenKey, int], site_id: int = 1) -> dict[Key, int]:
    return store.database.write(lambda session: see(session, site_id, changes))


def stored(store: SqlStore, site_id: int = 1) -> dict[SeenKey, int]:
    rows = store.execute("select month, visitor, dimension, value, days from seen where site_id = %s", (site_id,))
    return {(month, bytes(visitor), dimension, value): days for month, visitor, dimension, value, days in rows}


def test_a_visitor_counts_once_in_a_month(store: SqlStore) -> None:
    alice, bob = (MONTH, ALICE, *PAGE), (MONTH, BOB, *PAGE)
    assert seen(store, {alice: 1, bob: 2}) == {(*PAGE, MONTH): 2}
    assert seen(store, {alice: 1}) == {}
    assert seen(store, {alice: -1, bob: -2}) == {(*PAGE, MONTH): -1}
    assert stored(store) == {alice: 1}
    assert seen(store, {alice: -1}) == {(*PAGE, MONTH): -1}
    assert stored(store) == {}


def test_who_comes_and_who_goes_cancel_out(store: SqlStore) -> None:
    alice, bob = (MONTH, ALICE, *PAGE), (MONTH, BOB, *PAGE)
    seen(store, {alice: 1})
    assert seen(store, {alice: -1, bob: 1, (MONTH, CAROL, *PAGE): 0}) == {}
    assert stored(store) == {bob: 1}


def test_values_months_and_sites_are_apart(store: SqlStore) -> None:
    changes = {(month, ALICE, *value): 1 for month in (MONTH, MONTH + 1) for value in (PAGE, OTHER)}
    counted = {(*value, month): 1 for month in (MONTH, MONTH + 1) for value in (PAGE, OTHER)}
    assert seen(store, changes) == counted
    assert seen(store, changes, site_id=2) == counted
    assert seen(store, {(MONTH, ALICE, *PAGE): -1}, site_id=2) == {(*PAGE, MONTH): -1}
    assert stored(store) == changes
    assert len(stored(store, site_id=2)) == 3


def test_nobody_seen_is_nothing_done(store: SqlStore) -> None:
    assert seen(store, {}) == seen(store, {(MONTH, ALICE, *PAGE): 0}) == {}
    assert stored(store) == {}


@pytest.mark.parametrize("number", [3, 150, 1500])
def test_visitors_equal_a_recount(store: SqlStore, number: int) -> None:
    choose = random.Random(number)
    keys = [(MONTH + choose.randrange(2), key(choose.randrange(99)), choose.randrange(3), n) for n in range(number)]
    days: Counter[SeenKey] = Counter()
    visitors: Counter[Key] = Counter()
    for _ in range(6):
        mine = choose.sample(keys, 2 * number // 3)
        changes = {one: choose.choice((1, 1, -days[one], -min(1, days[one]))) for one in mine}
        days.update(changes)
        visitors.update(seen(store, changes))
    assert stored(store) == {one: n for one, n in days.items() if n}
    recount = Counter((dimension, value, month) for (month, _, dimension, value), n in days.items() if n)
    assert {one: n for one, n in visitors.items() if n} == recount


def test_sites_count_their_visitors_at_once(far: SqlStore, mariadb: MariaDB) -> None:
    def load(site_id: int) -> Counter[Key]:
        choose, visitors = random.Random(site_id), Counter[Key]()
        for _ in range(20):
            new = {(MONTH, key(choose.randrange(50)), 1, choose.randrange(9)): 1 for _ in range(100)}
            visitors.update(seen(far, dict(new), site_id))
        return visitors

    before = deadlocks(mariadb)
    with ThreadPoolExecutor(4) as pool:
        counted = list(pool.map(load, range(4)))
    assert deadlocks(mariadb) == before
    for site_id, visitors in enumerate(counted):
        assert visitors == Counter((dimension, value, month) for month, _, dimension, value in stored(far, site_id))


# Plans.


@pytest.mark.parametrize("is_analyzed", [False, True])
@pytest.mark.parametrize("rows", [1, 2, 150, 400, 1000])
@pytest.mark.parametrize(("template", "table"), [(SESSIONS_IN["mysql"], "sessions"), (READ_SEEN["mysql"], "seen")])
def test_mariadb_finds_many_keys_by_the_primary_key(
    far: SqlStore, template: str, table: str, rows: int, is_analyzed: bool
) -> None:
    visitor = "unhex(lpad(hex(seq), 32, '0'))"
    ways_to_fill = {
        "sessions": f"insert into sessions select 1, {DAY}, {visitor}, seq, seq, '' from seq_0_to_20000",
        "seen": f"insert into seen select 1, {MONTH}, {visitor}, 1, 5, 1 from seq_0_to_20000",
    }
    far.execute(ways_to_fill[table])
    if is_analyzed:
        far.execute(f"analyze table {table}")
    keys = [(DAY if table == "sessions" else MONTH, key(number)) for number in range(1000)]
    tail = () if table == "sessions" else (1, 5)
    values = [part for one in keys[:rows] for part in (1, *one, *tail)]
    plan = far.database.read(lambda session: session.ask(f"explain {template}", values, rows))
    ways = {line[2]: line[3] for line in plan}
    assert ways[table] in FOUND_BY_KEY, plan


@pytest.mark.parametrize("template", [SESSIONS_IN["sqlite"], READ_SEEN["sqlite"]])
def test_sqlite_finds_many_keys_by_the_primary_key(
    tmp_path: Path, opened: Callable[[str], SqlStore], template: str
) -> None:
    path = tmp_path / "visitors.db"
    migrate(opened(f"sqlite:///{path}"))
    db = sqlite3.connect(path)
    sql = text("sqlite", template, 64)
    plan = [row[3] for row in db.execute(f"explain query plan {sql}", [1] * sql.count("?"))]
    db.close()
    assert [line for line in plan if line.startswith("SEARCH found USING PRIMARY KEY")]
    assert not [line for line in plan if line.startswith("SCAN") and "wanted" not in line and "CONSTANT" not in line]
