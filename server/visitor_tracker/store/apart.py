"""Sites that have a database of their own, beside the one that has all else.

    Apart.of_site(blog) ──▶ Own(blog's database)      events, visits, sums, recordings of blog
    Apart itself        ──▶ the main database         all other sites; people, keys, settings, counts of pages

A table that has rows of events asks `of_site` for each site; all other tables take the main database without knowing
of others.
"""

from collections.abc import Iterable, Mapping

from visitor_tracker.errors import OutcomeUnknown, StoreError, StoreUnavailable
from visitor_tracker.store.session import Database


class Apart:
    """The main database, which knows those of single sites. Fulfils `Database`."""

    def __init__(self, main: Database, own: Mapping[int, Database]) -> None:
        """`own` is by the site's id."""
        self.dialect = main.dialect
        self.main = main
        self.own = own
        self.read, self.write, self.write_at_once = main.read, main.write, main.write_at_once
        self.alone, self.writing, self.is_wanted = main.alone, main.writing, main.is_wanted
        self.ping, self.probe, self.describe, self.check = main.ping, main.probe, main.describe, main.check

    def close(self) -> None:
        for database in (*self.own.values(), self.main):
            database.close()


def of_site(database: Database, site_id: int) -> Database:
    """Return the database that has a site's events, and what was made of them."""
    return database.own.get(site_id, database.main) if isinstance(database, Apart) else database


def is_apart(database: Database, site_id: int) -> bool:
    """Say whether a site has a database of its own."""
    return isinstance(database, Apart) and site_id in database.own


def main_of(database: Database) -> Database:
    """Return the database that has what belongs to no site, and the sites without one of their own."""
    return database.main if isinstance(database, Apart) else database


def every(database: Database) -> list[Database]:
    """Return the main database, and those of single sites."""
    return [database.main, *database.own.values()] if isinstance(database, Apart) else [database]


def by_database(database: Database, site_ids: Iterable[int]) -> list[tuple[Database, list[int]]]:
    """Return the databases of some sites, the main one first, each with its sites."""
    if not isinstance(database, Apart):
        return [(database, list(site_ids))]
    main: list[int] = []
    found: list[tuple[Database, list[int]]] = []
    for site_id in site_ids:
        if site_id in database.own:
            found.append((database.own[site_id], [site_id]))
        else:
            main.append(site_id)
    return [(database.main, main), *found] if main or not found else found


def away(database: Database, site_ids: Iterable[int]) -> list[int]:
    """Return those of some sites whose own database does not answer now; the main one is not asked."""
    if not isinstance(database, Apart):
        return []
    return [site_id for site_id in site_ids if site_id in database.own and not answers(database.own[site_id])]


def answers(database: Database) -> bool:
    """Say whether a database answers now."""
    try:
        database.ping()
    except (StoreUnavailable, OutcomeUnknown, StoreError):
        return False
    return True
