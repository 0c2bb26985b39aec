"""What names, hosts and zones of sites may be, and the sites that hits make."""

import fcntl
import os
import stat
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import msgspec
import pytest

from visitor_tracker.access import sites
from visitor_tracker.access.sites import (
    MOST_AUTOMATIC,
    SiteBook,
    SiteError,
    adopt,
    alias_name,
    check_claims,
    host_name,
    own_policy,
    site_name,
    time_zone,
    with_default,
)
from visitor_tracker.sites import Policy, Site, Snapshot, site_id_of

NOBODY = Snapshot()


@pytest.mark.parametrize(
    ("text", "host"),
    [
        ("blog.example.com", "blog.example.com"),
        (" Blog.Example.COM. ", "blog.example.com"),
        ("localhost", "localhost"),
        ("*.example.com", "*.example.com"),
        ("bücher.example", "xn--bcher-kva.example"),
        ("*.bücher.example", "*.xn--bcher-kva.example"),
        ("192.0.2.7", "192.0.2.7"),
        ("::1", "::1"),
        ("[2001:DB8::0:1]", "2001:db8::1"),
    ],
)
def test_a_host_has_one_spelling(text: str, host: str) -> None:
    assert host_name(text) == host


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("https://blog.example.com/x", "give its host only, such as blog.example.com"),
        ("https://", "give its host only"),
        ("example.com:8080", "has a port"),
        ("[::1]:8080", "has a port"),
        ("example.com/blog", "no host name"),
        ("a b", "no host name"),
        ("user@example.com", "no host name"),
        ("", "no host name"),
        ("*", "no host name"),
        ("*.", "no host name"),
        ("*.*.example.com", "no host name"),
        ("a.*.example.com", "no host name"),
        ("example..com", "no host name"),
        ("1.2.3", "no host name"),
        ("*.192.0.2.7", "nothing below an address"),
        ("*.::1", "nothing below an address"),
        ("\ud800.example", "no host name"),
        ("a" * 64 + ".example", "no host name"),
        ("x\x00y", "no host name"),
    ],
)
def test_what_is_no_host_is_refused_with_a_hint(text: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        host_name(text)


@pytest.mark.parametrize("text", ["blog", "Blog", "example.com", "a", "0", "my_site-2", "a" * 64])
def test_names_keep_their_case(text: str) -> None:
    assert site_name(text) == text


@pytest.mark.parametrize("text", ["", ".hidden", "-x", "a b", "a/b", "ä", "a" * 65, "a\n", "../x"])
def test_other_names_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="no site name"):
        site_name(text)


@pytest.mark.parametrize("text", ["b59e9c65-ae32-47f1-8400-119fcf4861c4", "1", "G-12345", "a" * 128])
def test_ids_of_other_trackers_are_aliases(text: str) -> None:
    assert alias_name(text) == text


@pytest.mark.parametrize("text", ["", "a b", "ä", "a" * 129, "a\n"])
def test_other_texts_are_no_aliases(text: str) -> None:
    with pytest.raises(ValueError, match="no alias"):
        alias_name(text)


@pytest.mark.parametrize("text", ["UTC", "Europe/Berlin", "America/Argentina/Buenos_Aires"])
def test_zones_are_those_of_the_iana_database(text: str) -> None:
    assert time_zone(text) == text


@pytest.mark.parametrize(
    ("text", "near"),
    [
        ("europe/berlin", "Europe/Berlin"),
        ("New York", "America/New_York"),
        ("/etc/localtime", ""),
        ("localtime", ""),
        ("../UTC", ""),
        ("", ""),
    ],
)
def test_a_wrong_zone_is_refused_with_one_that_exists(text: str, near: str) -> None:
    with pytest.raises(ValueError, match=f"no time zone.*{near}"):
        time_zone(text)


BLOG = Site(2, "blog", ("blog.example.com", "*.blog.example.com"), ("17", "b-59"))


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (Site(3, "shop", ("blog.example.com",)), "the host blog.example.com belongs to the site blog"),
        (Site(3, "shop", ("*.blog.example.com",)), r"the host \*.blog.example.com belongs to the site blog"),
        (Site(3, "shop", aliases=("17",)), "17 is a name or alias of the site blog"),
        (Site(3, "shop", aliases=("blog",)), "blog is a name or alias of the site blog"),
        (Site(3, "17"), "17 is a name or alias of the site blog"),
    ],
)
def test_what_another_site_has_cannot_be_claimed(asked: Site, said: str) -> None:
    with pytest.raises(SiteError, match=said):
        check_claims(asked, [BLOG])


@pytest.mark.parametrize("asked", [BLOG, Site(3, "shop", ("a.blog.example.com", "*.example.com"), ("18",))])
def test_a_site_may_claim_what_nobody_else_has(asked: Site) -> None:
    check_claims(asked, [BLOG])


def test_the_default_site_is_there_and_first() -> None:
    shop = Site(3, "a-shop")
    assert with_default([BLOG, shop]) == [sites.DEFAULT, shop, BLOG]
    changed = Site(1, "default", timezone="Europe/Berlin")
    assert with_default([BLOG, changed]) == [changed, BLOG]


def test_a_sites_own_policy_is_the_settings_one_with_changes() -> None:
    settings = Policy(ip="truncated")
    own = own_policy(None, settings, {"visitor": "cookie"})
    assert own == Policy("cookie", "truncated")
    assert own_policy(own, Policy(), {"opt_out": "drop"}) == Policy("cookie", "truncated", opt_out="drop")


def test_a_hit_makes_a_site_that_other_processes_find(tmp_path: Path) -> None:
    made = SiteBook(tmp_path).create("Example.com", NOBODY)
    assert made == Site(
        site_id_of("Example.com"), "Example.com", created_at=made.created_at if made else 0, automatic=True
    )
    other = SiteBook(tmp_path)
    assert other.create("Example.com", NOBODY) == made
    assert other.sites() == [made]
    assert len((tmp_path / "sites.new").read_bytes().splitlines()) == 1
    assert stat.S_IMODE((tmp_path / "sites.new").stat().st_mode) == 0o600


def test_a_site_of_the_snapshot_is_not_made_again(tmp_path: Path) -> None:
    assert SiteBook(tmp_path).create("17", Snapshot((BLOG,))) == BLOG
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["", "-x", "a b", "é", "x" * 65, "a\nb", "\ud800"])
def test_a_hit_makes_no_site_without_a_proper_name(tmp_path: Path, name: str) -> None:
    assert SiteBook(tmp_path).create(name, NOBODY) is None
    assert list(tmp_path.iterdir()) == []


def test_hits_make_no_site_where_the_settings_say_so(tmp_path: Path) -> None:
    book = SiteBook(tmp_path)
    made = book.create("a", NOBODY)
    closed = Snapshot(auto_create=False)
    assert (book.create("b", closed), book.create("a", closed)) == (None, made)


def test_hits_make_twenty_sites_and_no_more(tmp_path: Path) -> None:
    book = SiteBook(tmp_path)
    made = [book.create(f"site{number}", NOBODY) for number in range(MOST_AUTOMATIC)]
    before = (tmp_path / "sites.new").read_bytes()
    flood = [book.create(f"other{number}", NOBODY) for number in range(1000)]
    assert set(flood) == {None}
    assert (tmp_path / "sites.new").read_bytes() == before
    assert [book.create(f"site{number}", NOBODY) for number in range(MOST_AUTOMATIC)] == made
    assert SiteBook(tmp_path).create("late", NOBODY) is None


def test_the_sites_of_the_store_are_among_the_twenty(tmp_path: Path) -> None:
    automatic = tuple(Site(10 + number, f"s{number}", automatic=True) for number in range(MOST_AUTOMATIC - 1))
    by_hand = tuple(Site(100 + number, f"h{number}") for number in range(50))
    snapshot = Snapshot((*automatic, *by_hand))
    assert SiteBook(tmp_path).create("one", snapshot) is not None
    assert SiteBook(tmp_path).create("two", snapshot) is None


def test_a_site_that_the_store_has_too_is_counted_once(tmp_path: Path) -> None:
    book = SiteBook(tmp_path)
    made = [book.create(f"site{number}", NOBODY) for number in range(MOST_AUTOMATIC - 1)]
    snapshot = Snapshot(tuple(site for site in made if site))
    assert book.create("last", snapshot) is not None


def test_many_threads_make_each_site_once(tmp_path: Path) -> None:
    together = threading.Barrier(8)

    def make(number: int) -> list[Site | None]:
        book = SiteBook(tmp_path)
        together.wait()
        return [book.create(f"site{(step + number) % 24}", NOBODY) for step in range(24)]

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(make, range(8)))
    stored = {site.name: site for site in SiteBook(tmp_path).sites()}
    assert len(stored) == MOST_AUTOMATIC
    assert len((tmp_path / "sites.new").read_bytes().splitlines()) == MOST_AUTOMATIC
    for given in answers:
        assert all(site is None or stored[site.name] == site for site in given)


@pytest.mark.parametrize(
    "damage",
    [
        b'{"id":17,"name":"half',
        b"\x00\xff\n",
        b"[]\nnull\n",
        b'{"id":1,"name":"../x"}\n',
        b'{"id":5,"name":"wrong-id"}\n',
        b"   \n\r\n",
    ],
)
def test_a_damaged_line_harms_no_other(tmp_path: Path, damage: bytes) -> None:
    book = SiteBook(tmp_path)
    first = book.create("first", NOBODY)
    with (tmp_path / "sites.new").open("ab") as file:
        file.write(damage)
    second = SiteBook(tmp_path).create("second", NOBODY)
    assert SiteBook(tmp_path).sites() == [first, second]


def test_a_forgotten_site_is_gone_for_every_process(tmp_path: Path) -> None:
    mine, others = SiteBook(tmp_path), SiteBook(tmp_path)
    first, second = (mine.create(name, NOBODY) for name in ("first", "second"))
    assert others.sites() == [first, second]
    mine.forget(["first", "unknown"])
    assert (mine.sites(), others.sites()) == ([second], [second])
    mine.forget(["second"])
    assert (tmp_path / "sites.new").stat().st_size == 0
    again = others.create("first", NOBODY)
    assert mine.sites() == [again]


def test_forgetting_nothing_makes_no_file(tmp_path: Path) -> None:
    SiteBook(tmp_path).forget(["a"])
    assert SiteBook(tmp_path).sites() == []
    assert list(tmp_path.iterdir()) == []


def remove_folder(folder: Path) -> None:
    folder.rmdir()


def put_link(folder: Path) -> None:
    (folder / "sites.new").symlink_to(folder / "elsewhere")


def put_folder(folder: Path) -> None:
    (folder / "sites.new").mkdir()


@pytest.mark.parametrize("spoil", [remove_folder, put_link, put_folder])
def test_where_the_file_cannot_be_written_no_site_is_made(
    tmp_path: Path, spoil: Callable[[Path], None], caplog: pytest.LogCaptureFixture
) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    spoil(folder)
    book = SiteBook(folder)
    assert [book.create(name, NOBODY) for name in ("a", "b")] == [None, None]
    assert len(caplog.records) == 1
    assert "cannot make the site a" in caplog.text


def test_a_file_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    put_folder(tmp_path)
    with pytest.raises(SiteError, match=r"sites\.new: Is a directory: run as the user"):
        SiteBook(tmp_path).sites()


def test_a_lock_that_somebody_keeps_holds_nobody_up(tmp_path: Path) -> None:
    book = SiteBook(tmp_path)
    book.create("a", NOBODY)
    keeper = os.open(tmp_path / "sites.new", os.O_RDWR)
    fcntl.flock(keeper, fcntl.LOCK_EX)
    try:
        assert book.create("b", NOBODY) is None
    finally:
        os.close(keeper)
    assert SiteBook(tmp_path).create("b", NOBODY) is not None


class Memory:
    """A table of sites."""

    def __init__(self, *there: Site) -> None:
        self.rows = {site.name: site for site in there}

    def all(self) -> list[Site]:
        return list(self.rows.values())

    def add(self, site: Site) -> bool:
        return self.rows.setdefault(site.name, site) is site


def test_the_store_adopts_what_hits_made_and_keeps_what_it_has(tmp_path: Path) -> None:
    book = SiteBook(tmp_path)
    made, known = book.create("made", NOBODY), book.create("known", NOBODY)
    assert made is not None
    assert known is not None
    mine = Site(known.id, "known", timezone="Europe/Berlin")
    table = Memory(mine)
    assert adopt(book, table, made.created_at) == [sites.DEFAULT, mine, made]
    assert table.rows == {"known": mine, "made": made}
    assert book.sites() == [made, known], "workers may not know of them yet"
    adopt(book, table, made.created_at + 120_000)
    assert book.sites() == []
    assert table.rows == {"known": mine, "made": made}


class Racing(Memory):
    """A table into which somebody else puts a site between the reading and the adding."""

    def __init__(self, late: Site) -> None:
        super().__init__()
        self._late = late

    def add(self, site: Site) -> bool:
        self.rows[self._late.name] = self._late
        return super().add(site)


def test_what_somebody_sets_meanwhile_is_not_overwritten(tmp_path: Path) -> None:
    book = SiteBook(tmp_path)
    made = book.create("made", NOBODY)
    assert made is not None
    mine = Site(made.id, "made", timezone="Europe/Berlin")
    table = Racing(mine)
    assert adopt(book, table, made.created_at) == [sites.DEFAULT, mine]
    assert table.rows == {"made": mine}


def test_a_line_is_a_site_as_json(tmp_path: Path) -> None:
    made = SiteBook(tmp_path).create("a", NOBODY)
    assert msgspec.json.decode((tmp_path / "sites.new").read_bytes(), type=Site) == made


def test_what_is_forgotten_at_once_is_seen_by_others(tmp_path: Path) -> None:
    """Also where the clock of the file system has not moved on meanwhile."""
    mine, others = SiteBook(tmp_path), SiteBook(tmp_path)
    for name in ("first", "second"):
        mine.create(name, NOBODY)
    assert len(others.sites()) == 2
    before = (tmp_path / "sites.new").stat()
    mine.forget(["first"])
    os.utime(tmp_path / "sites.new", ns=(before.st_atime_ns, before.st_mtime_ns))
    assert [site.name for site in others.sites()] == ["second"]


def test_the_sites_of_another_process_are_found_while_this_one_could_make_none(tmp_path: Path) -> None:
    book = SiteBook(tmp_path)
    book.create("a", NOBODY)
    keeper = os.open(tmp_path / "sites.new", os.O_RDWR)
    fcntl.flock(keeper, fcntl.LOCK_EX)
    try:
        assert book.create("b", NOBODY) is None
    finally:
        os.close(keeper)
    made = SiteBook(tmp_path).create("c", NOBODY)
    assert made is not None
    assert book.create("c", NOBODY) == made
