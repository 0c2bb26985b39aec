"""What every store promises."""

from collections.abc import Callable

import pytest

from tests.store.samples import HOME, NOW, new_batch, numbers, page_key, stored_count, visit, visits
from visitor_tracker.errors import OutcomeUnknown, StoreError
from visitor_tracker.event import Counted, PageCount, Visit
from visitor_tracker.store import migrate
from visitor_tracker.store.base import PageOrder, Store
from visitor_tracker.store.sql import SqlStore

ABOUT = "https://example.com/about"
OTHER = "https://example.com/other"
AWKWARD = [
    "https://example.com/straße/日本語/😀",
    "https://example.com/" + "x" * 2028,  # 2,048 bytes in all
    "https://example.com/" + "😀" * 507,
    "https://example.com/?q='%22%5C%00;--%s%25{table}[?]",
    "https://example.com/?a=%s&b=?&c=%(d)s",
    "https://example.com/ delimiter ;; drop table visitors;\n",
    "https://example.com/Case",
    "https://example.com/case",
    "https://example.com/case ",
]


def test_a_store_fulfils_the_protocol(store: SqlStore) -> None:
    promised: Store = store
    promised.ping()


def test_a_page_never_visited_is_none(store: SqlStore) -> None:
    assert store.page(page_key(HOME)) is None
    assert store.totals() == (0, 0)


def test_first_visit_is_number_one(store: SqlStore) -> None:
    assert store.count(new_batch(), visits(HOME), NOW) == [Counted(1, NOW, NOW)]
    assert store.page(page_key(HOME)) == PageCount(HOME, 1, NOW, NOW)


def test_visits_of_one_batch_are_numbered_in_its_order(store: SqlStore) -> None:
    store.count(new_batch(), visits(HOME, HOME), NOW)
    results = store.count(new_batch(), visits(HOME, ABOUT, HOME, HOME, ABOUT), NOW + 5)
    assert numbers(results) == [3, 1, 4, 5, 2]
    assert results[0] == Counted(3, NOW + 5, NOW)
    assert results[1] == Counted(1, NOW + 5, NOW + 5)
    assert store.totals() == (2, 7)


def test_an_empty_batch_counts_nothing(store: SqlStore) -> None:
    assert store.count(new_batch(), [], NOW) == []
    assert store.totals() == (0, 0)


@pytest.mark.parametrize("size", [1, 2, 3, 5, 63, 64, 65, 512, 1001, 2500])
def test_batches_of_any_size_are_exact(store: SqlStore, size: int) -> None:
    batch = [visit(f"{HOME}{number % 700}", b"%d" % number) for number in range(size)]
    results = store.count(new_batch(), batch, NOW)
    assert numbers(results) == [1 + number // 700 for number in range(size)]
    assert store.totals() == (min(size, 700), size)


def test_the_last_visit_never_moves_back(store: SqlStore) -> None:
    store.count(new_batch(), visits(HOME), NOW)
    assert store.count(new_batch(), visits(HOME), NOW - 60_000) == [Counted(2, NOW, NOW)]


def test_sites_count_apart(store: SqlStore) -> None:
    batch = [visit(HOME, site_id=1), visit(HOME, site_id=2), visit(HOME, site_id=2)]
    assert numbers(store.count(new_batch(), batch, NOW)) == [1, 1, 2]
    assert (stored_count(store, site_id=1), stored_count(store, site_id=2)) == (1, 2)
    assert (store.totals(1), store.totals(2), store.totals(3)) == ((1, 1), (1, 2), (0, 0))


def test_awkward_urls_come_back_as_they_went(store: SqlStore) -> None:
    for url in AWKWARD:
        store.count(new_batch(), visits(url), NOW)
        assert store.page(page_key(url)) == PageCount(url, 1, NOW, NOW)
    store.count(new_batch(), visits(*AWKWARD), NOW)
    assert store.totals() == (len(AWKWARD), 2 * len(AWKWARD))


def test_ids_of_any_bytes_are_told_apart(store: SqlStore) -> None:
    ids = [bytes([byte]) * 16 for byte in range(256)] + [b"delimiter ;';\"`", b"\\'\\\"%s?[]{}\n\r\0\x1a"]
    batch = [visit(HOME, one) for one in ids]
    assert numbers(store.count(new_batch(), batch, NOW)) == list(range(1, len(ids) + 1))
    assert {one.duplicate for one in store.count(new_batch(), batch, NOW)} == {True}


def test_a_repeated_id_counts_once(store: SqlStore) -> None:
    store.count(new_batch(), [visit(HOME, b"a"), visit(HOME)], NOW)
    results = store.count(new_batch(), [visit(HOME, b"a"), visit(HOME, b"b")], NOW + 5)
    assert results == [Counted(3, NOW + 5, NOW, duplicate=True), Counted(3, NOW + 5, NOW)]
    assert stored_count(store) == 3


def test_an_id_twice_in_a_batch_counts_once(store: SqlStore) -> None:
    results = store.count(new_batch(), [visit(HOME, b"a"), visit(HOME), visit(HOME, b"a")], NOW)
    assert results == [Counted(1, NOW, NOW), Counted(2, NOW, NOW), Counted(2, NOW, NOW, duplicate=True)]
    assert stored_count(store) == 2


def test_a_batch_of_duplicates_only_has_results(store: SqlStore) -> None:
    store.count(new_batch(), [visit(HOME, b"a")], NOW)
    assert store.count(new_batch(), [visit(HOME, b"a")], NOW + 5) == [Counted(1, NOW, NOW, duplicate=True)]


def test_an_id_that_was_used_for_another_page_is_a_duplicate(store: SqlStore) -> None:
    store.count(new_batch(), [visit(HOME, b"a")], NOW)
    assert store.count(new_batch(), [visit(ABOUT, b"a")], NOW) == [Counted(0, NOW, NOW, duplicate=True)]
    assert store.page(page_key(ABOUT)) is None


def test_ids_belong_to_their_site(store: SqlStore) -> None:
    batch = [visit(HOME, b"a", site_id=1), visit(HOME, b"a", site_id=2)]
    assert [one.duplicate for one in store.count(new_batch(), batch, NOW)] == [False, False]


def test_ids_are_remembered_over_a_restart(store_url: str, opened: Callable[[str], SqlStore]) -> None:
    first = opened(store_url)
    migrate(first)
    first.count(new_batch(), [visit(HOME, b"a")], NOW)
    first.close()
    again = opened(store_url)
    assert again.count(new_batch(), [visit(HOME, b"a")], NOW) == [Counted(1, NOW, NOW, duplicate=True)]
    assert stored_count(again) == 1


def test_a_retry_returns_the_stored_results(store: SqlStore) -> None:
    store.count(new_batch(), visits(HOME), NOW)
    batch, mixed = new_batch(), [visit(HOME), visit(ABOUT, b"a"), visit(HOME), visit(ABOUT, b"a")]
    first = store.count(batch, mixed, NOW + 5)
    store.count(new_batch(), visits(HOME, ABOUT), NOW + 9)
    assert store.count(batch, mixed, NOW + 99, retry=True) == first
    assert store.totals() == (2, 6)


def test_a_retry_of_a_batch_that_was_not_stored_counts_it(store: SqlStore) -> None:
    assert numbers(store.count(new_batch(), visits(HOME, HOME), NOW, retry=True)) == [1, 2]


def test_a_batch_that_is_sent_twice_counts_once(store: SqlStore) -> None:
    batch = new_batch()
    first = store.count(batch, [visit(HOME, b"a"), visit(ABOUT)], NOW)
    assert store.count(batch, [visit(HOME, b"a"), visit(ABOUT)], NOW) == first
    assert store.totals() == (2, 2)


def test_a_batch_that_cannot_be_stored_leaves_nothing(store: SqlStore) -> None:
    too_large = Visit(page_key(ABOUT), ABOUT, None, site_id=1 << 70)
    with pytest.raises((StoreError, OverflowError)):
        store.count(new_batch(), [visit(HOME, b"a"), too_large], NOW)
    assert store.totals() == (0, 0)
    assert numbers(store.count(new_batch(), [visit(HOME, b"a")], NOW)) == [1]


def fill(store: SqlStore, pages: int) -> list[PageCount]:
    """Visit pages so that counts, times and URLs have ties and different orders."""
    for number in range(pages):
        url = f"{HOME}{number * 7919 % pages:04}"
        store.count(new_batch(), visits(*[url] * (number % 5 + 1)), NOW + number // 3)
    found = [store.page(page_key(f"{HOME}{number:04}")) for number in range(pages)]
    return [page for page in found if page]


KEYS: dict[PageOrder, Callable[[PageCount], tuple[object, ...]]] = {
    "visits": lambda page: (-page.visit_count, page_key(page.page_url)),
    "recent": lambda page: (-page.last_visited, page_key(page.page_url)),
    "url": lambda page: (page.page_url,),
}


@pytest.mark.parametrize("order", list(KEYS))
@pytest.mark.parametrize("limit", [1, 7, 39, 40, 1000])
def test_slices_of_the_list_join_to_the_whole(store: SqlStore, order: PageOrder, limit: int) -> None:
    expected = sorted(fill(store, 40), key=KEYS[order])
    found: list[PageCount] = []
    cursor: str | None = None
    while True:
        part = store.pages(order=order, limit=limit, cursor=cursor)
        assert len(part.pages) <= limit
        found += part.pages
        cursor = part.cursor
        if cursor is None:
            break
    assert found == expected


def test_the_list_holds_one_site(store: SqlStore) -> None:
    store.count(new_batch(), [visit(HOME, site_id=1), visit(ABOUT, site_id=2)], NOW)
    assert [page.page_url for page in store.pages(site_id=2).pages] == [ABOUT]


@pytest.mark.parametrize("cursor", ["", "x", "é", "====", "AAAA", "kw", "k6V2aXNpdHMBxBA", "A" * 5000])
def test_a_foreign_cursor_is_refused(store: SqlStore, cursor: str) -> None:
    with pytest.raises(ValueError, match="cursor"):
        store.pages(cursor=cursor)


def test_a_cursor_of_another_order_is_refused(store: SqlStore) -> None:
    fill(store, 3)
    cursor = store.pages(order="visits", limit=1).cursor
    assert cursor is not None
    with pytest.raises(ValueError, match="another order"):
        store.pages(order="recent", cursor=cursor)


@pytest.mark.parametrize("limit", [0, -1, 1_000_000])
def test_an_impossible_limit_is_refused(store: SqlStore, limit: int) -> None:
    with pytest.raises(ValueError, match="limit"):
        store.pages(limit=limit)


def test_purge_forgets_what_is_old(store: SqlStore) -> None:
    old, new = new_batch(), new_batch()
    store.count(old, [visit(HOME, b"old"), visit(HOME, b"other")], NOW)
    store.count(new, [visit(HOME, b"new")], NOW + 1000)
    assert store.purge(ledger_before=NOW + 1000, ids_before=NOW + 1000) == 3  # one ledger row, two ids
    assert store.purge(ledger_before=NOW + 1000, ids_before=NOW + 1000) == 0
    batch = [visit(HOME, b"old"), visit(HOME, b"new")]
    assert [one.duplicate for one in store.count(new_batch(), batch, NOW + 2000)] == [False, True]
    assert numbers(store.count(new, [visit(HOME, b"new")], NOW, retry=True)) == [3]
    assert stored_count(store) == 4


def test_ledger_and_ids_are_forgotten_at_their_own_time(store: SqlStore) -> None:
    store.count(new_batch(), [visit(HOME, b"one")], NOW)
    assert store.purge(ledger_before=NOW + 1, ids_before=NOW) == 1
    [again] = store.count(new_batch(), [visit(HOME, b"one")], NOW)
    assert again.duplicate


def test_purge_stops_at_the_number_asked_for(store: SqlStore) -> None:
    for number in range(30):
        store.count(new_batch(), [visit(HOME, b"%d" % number, site_id=number % 3)], NOW + number)
    after = NOW + 100
    removed = [store.purge(ledger_before=after, ids_before=after, most=most) for most in (7, 30, 1000, 1000)]
    assert removed == [7, 30, 23, 0]


def test_a_secret_is_made_once(store: SqlStore) -> None:
    secret = store.secret("token")
    assert len(secret) == 32
    assert store.secret("token") == secret
    assert store.secret("other") != secret


def test_secrets_are_shared_by_all_stores_of_a_database(
    lasting_store: SqlStore, store_url: str, opened: Callable[[str], SqlStore]
) -> None:
    assert opened(store_url).secret("token") == lasting_store.secret("token")


def test_the_turn_may_be_held_around_a_count(store: SqlStore) -> None:
    with store.writing():
        store.count(new_batch(), visits(HOME), NOW)
        assert stored_count(store) == 1


def test_own_statements_run(store: SqlStore) -> None:
    store.count(new_batch(), visits(HOME, ABOUT), NOW)
    changed = "update visitors set visit_count = %s where page_url = %s"
    assert store.execute(changed, (7, ABOUT)) == []
    assert store.execute("select page_url, visit_count from visitors order by page_url") == [(HOME, 1), (ABOUT, 7)]
    assert store.execute("select %s, %s", (1.5, None))[0][1] is None


@pytest.mark.parametrize("sql", ["selec", "select * from nothing_there", "insert into visitors (site_id) values (1)"])
def test_wrong_statements_are_refused(store: SqlStore, sql: str) -> None:
    with pytest.raises(StoreError):
        store.execute(sql)
    store.ping()


def test_a_store_without_tables_says_what_to_do(store_url: str, opened: Callable[[str], SqlStore]) -> None:
    with pytest.raises(StoreError, match="visitor-tracker migrate"):
        opened(store_url).count(new_batch(), visits(HOME), NOW)


def test_a_closed_store_refuses(store: SqlStore) -> None:
    store.close()
    with pytest.raises((StoreError, OutcomeUnknown)):
        store.execute("select * from nothing_there")
