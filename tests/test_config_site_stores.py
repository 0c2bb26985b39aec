"""sites.NAME.store: what the file may say, and what a mistake says."""

from pathlib import Path

import pytest

from tests.test_config import mistakes, write
from visitor_tracker.config import StoreConfig, load, reloaded
from visitor_tracker.config.site_stores import place_of


def test_a_site_has_what_it_names_and_else_what_the_others_have(tmp_path: Path) -> None:
    text = """
server: {data_dir: kept}
store: {durability: relaxed, url: "mysql://u:p@db/all"}
sites:
  auto_create: "on"
  shop: {store: {url: "sqlite:///shop.db", durability: full}}
  blog: {store: }
"""
    config = load(write(tmp_path, text), {})
    blog, shop = config.site_stores
    assert config.sites.auto_create == "on"
    assert (blog.name, blog.store) == ("blog", StoreConfig(durability="relaxed"))
    assert (shop.name, shop.store) == ("shop", StoreConfig(url=f"sqlite:///{tmp_path}/shop.db"))
    place = place_of(config, blog)
    assert place.url == f"sqlite:///{tmp_path}/kept/stores/blog.db"
    assert place.journal == tmp_path / "kept" / "journals" / "blog"


@pytest.mark.parametrize(
    ("sites", "problem"),
    [
        (
            "{blog: {store: 1}}",
            "config.yaml: sites.blog can only have a store, such as  store: {url: sqlite:///blog.db}",
        ),
        ("{blog: {}}", "config.yaml: sites.blog can only have a store, such as  store: {url: sqlite:///blog.db}"),
        (
            "{blog: {store: {urll: x}}}",
            "unknown setting sites.blog.store.urll; a store has url, durability",
        ),
        ("{blog: {store: {ids_keep_days: 0}}}", "sites.blog.store.ids_keep_days must be a whole number from 1 to 90"),
        ("{blog: {store: {url: x}}}", "sites.blog.store.url must begin with sqlite:/// or mysql://"),
        ("{blog: {store: {url: 'sqlite:///:memory:'}}}", "sites.blog.store.url must be a file or a database server"),
        ("{'a b': {store: {}}}", "sites.a b: this cannot be the name of a site"),
        ("{blog: {store: }, blog.place: {store: }}", "of blog and blog.place one alone can have a database of its own"),
        ("{blog: 1}", "unknown setting sites.blog; sites has auto_create"),
    ],
)
def test_a_mistake_is_named(tmp_path: Path, sites: str, problem: str) -> None:
    [said] = mistakes(write(tmp_path, f"sites: {sites}"))
    assert problem in said


def test_each_needs_a_database_of_its_own(tmp_path: Path) -> None:
    one, other = "store: {url: 'sqlite:////x/one.db'}", "store: {url: 'sqlite:////x/main.db'}"
    text = f"sites: {{a: {{{one}}}, b: {{{one}}}, c: {{{other}}}}}\nstore: {{url: 'sqlite:////x/main.db'}}"
    assert mistakes(write(tmp_path, text)) == [
        "sites.b.store.url is the same database as sites.a.store.url: each needs one of its own",
        "sites.c.store.url is the same database as store.url: each needs one of its own",
    ]


def test_a_reload_keeps_them_and_says_so(tmp_path: Path) -> None:
    running = load(write(tmp_path, "sites: {blog: {store: {}}}"), {})
    kept, waiting = reloaded(running, load(write(tmp_path, ""), {}))
    assert (kept, waiting) == (running, ["sites.NAME.store"])
