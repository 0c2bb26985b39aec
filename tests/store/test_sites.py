"""The table of sites."""

import pytest

from visitor_tracker.errors import StoreError
from visitor_tracker.sites import Policy, Site, site_id_of
from visitor_tracker.store.sites import SiteTable
from visitor_tracker.store.sql import SqlStore

DEFAULT = Site(1, "default")


@pytest.fixture
def sites(store: SqlStore) -> SiteTable:
    return SiteTable(store.database)


def site(name: str, **settings: object) -> Site:
    return Site(site_id_of(name), name, **settings)  # type: ignore[arg-type]


FULL = site(
    "blog",
    hostnames=("blog.example.com", "*.example.org", "xn--strae-oqa.example"),
    aliases=("3f2c", "'%s?[]{}"),
    timezone="Europe/Berlin",
    policy=Policy("cookie", ip="truncated", opt_out="drop"),
    public=True,
    created_at=1_790_000_000_000,
    automatic=True,
)


def test_there_is_always_a_default_site(sites: SiteTable) -> None:
    assert sites.all() == [DEFAULT]


def test_a_site_comes_back_as_it_went(sites: SiteTable) -> None:
    sites.put(FULL)
    assert sites.all() == [DEFAULT, FULL]


def test_sites_are_listed_by_name_after_the_default_one(sites: SiteTable) -> None:
    for name in ("shop", "Blog", "blog", "a"):
        sites.put(site(name))
    assert [one.name for one in sites.all()] == ["default", "Blog", "a", "blog", "shop"]


def test_a_site_is_replaced_wholly(sites: SiteTable) -> None:
    sites.put(FULL)
    changed = site("blog", hostnames=("example.net",))
    sites.put(changed)
    assert sites.all() == [DEFAULT, changed]


def test_what_is_added_replaces_nothing(sites: SiteTable) -> None:
    assert sites.add(FULL)
    assert not sites.add(site("blog", hostnames=("example.net",)))
    assert sites.all() == [DEFAULT, FULL]


def test_the_default_site_can_have_settings(sites: SiteTable) -> None:
    changed = Site(1, "default", timezone="Asia/Tokyo")
    sites.put(changed)
    assert sites.all() == [changed]
    assert sites.remove("default")
    assert sites.all() == [DEFAULT]


def test_a_removed_site_is_not_listed(sites: SiteTable) -> None:
    sites.put(FULL)
    sites.put(site("shop"))
    assert [sites.remove(name) for name in ("blog", "blog", "BLOG", "shop ", "default")] == [True] + 4 * [False]
    assert sites.all() == [DEFAULT, site("shop")]


def test_settings_of_a_later_version_are_passed_over(store: SqlStore, sites: SiteTable) -> None:
    store.execute("insert into sites values (%s, %s, %s, %s)", (7, "x", 5, '{"public":true,"mood":"good"}'))
    assert sites.all() == [DEFAULT, Site(7, "x", created_at=5, public=True)]


@pytest.mark.parametrize("settings", ["", "{", '{"timezone":1}', '{"policy":{"visitor":"nobody"}}'])
def test_settings_that_cannot_be_read_are_named(store: SqlStore, sites: SiteTable, settings: str) -> None:
    store.execute("insert into sites values (%s, %s, %s, %s)", (7, "wrong", 5, settings))
    with pytest.raises(StoreError, match=r"settings of the site wrong .* put the site again"):
        sites.all()
    sites.put(Site(7, "wrong"))
    assert sites.all() == [DEFAULT, Site(7, "wrong")]
