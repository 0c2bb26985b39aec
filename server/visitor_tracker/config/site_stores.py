"""Sites that have a database of their own: sites.NAME.store in the settings file."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from visitor_tracker.config.sections import Config, SiteStore

SITE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}").fullmatch
_ENDS = (".place", ".new")  # of files that lie beside the journals, which are called like their sites


@dataclass(frozen=True, slots=True)
class Place:
    """Where what belongs to such a site is on this node; `marker` says that its database was in use."""

    url: str
    journal: Path
    marker: Path


def place_of(config: Config, site: SiteStore) -> Place:
    """Return where a site's own database, and the journal in front of it, are."""
    folder = config.data_dir
    return Place(
        site.store.url or f"sqlite:///{quote(str(folder / 'stores' / f'{site.name}.db'))}",
        folder / "journals" / site.name,
        folder / "journals" / f"{site.name}.place",
    )


def contradictions(config: Config) -> Iterator[str]:
    """Yield what cannot be of these settings."""
    taken = {config.store_url: "store.url"}
    names = {site.name for site in config.site_stores}
    for site in config.site_stores:
        name = f"sites.{site.name}.store.url"
        url = place_of(config, site).url
        if not SITE_NAME(site.name):
            yield f"sites.{site.name}: this cannot be the name of a site: use 1 to 64 of A-Z a-z 0-9 _ . -"
        for end in _ENDS:
            if site.name.endswith(end) and site.name.removesuffix(end) in names:
                other = site.name.removesuffix(end)
                yield f"sites.{site.name}: of {other} and {site.name} one alone can have a database of its own"
        if not url.startswith(("sqlite:///", "mysql://")):
            yield f"{name} must begin with sqlite:/// or mysql://"
        elif url.endswith("/:memory:"):
            yield f"{name} must be a file or a database server: several processes use it"
        if url in taken:
            yield f"{name} is the same database as {taken[url]}: each needs one of its own"
        taken[url] = name
