"""The table of sites."""

import msgspec

from visitor_tracker.errors import StoreError
from visitor_tracker.event import DEFAULT_SITE
from visitor_tracker.sites import Module, Policy, Retention, Site
from visitor_tracker.store.session import Database, DuplicateKey, Session, Value

SITES = """/* SiteTable.all */
select id, name, created_at, settings
from sites"""

PUT = """/* SiteTable.put */
insert into sites (id, name, created_at, settings)
values (?, ?, ?, ?)
{replace_site}"""

ADD = """/* SiteTable.add */
insert into sites (id, name, created_at, settings)
values (?, ?, ?, ?)"""

FIND = """/* SiteTable.remove */
select id, name
from sites
where name = ?
{for_update}"""

REMOVE = """/* SiteTable.remove */
delete from sites
where id = ?"""


OWNERS = """/* SiteTable.owners */
select found.site_id, users.username
from site_users as found
join users on users.id = found.user_id
where found.role = 'owner'
order by users.username"""


class _Settings(msgspec.Struct, frozen=True):
    """What the column `settings` holds of a site, as JSON."""

    hostnames: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()
    timezone: str = "UTC"
    policy: Policy | None = None
    public: bool = False
    automatic: bool = False
    modules: tuple[Module, ...] | None = None
    url: str = ""
    retention: Retention | None = None
    holidays: tuple[str, ...] = ()


_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(_Settings).decode


class SiteTable:
    """The sites of a database. Methods raise what `Database.read` and `Database.write` do; any thread."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def all(self) -> list[Site]:
        """Return every site by name, `default` first: it is there even when it was never put.

        Raises StoreError for a row that cannot be read.
        """
        found = {row[0]: _site(*row) for row in self._database.read(lambda session: session.ask(SITES))}
        default = found.pop(DEFAULT_SITE, None) or Site(DEFAULT_SITE, "default")
        return [default, *sorted(found.values(), key=lambda site: site.name)]

    def owners(self) -> dict[int, list[str]]:
        """Return the usernames of who owns each site."""
        found: dict[int, list[str]] = {}
        for site_id, username in self._database.read(lambda session: session.ask(OWNERS)):
            found.setdefault(site_id, []).append(str(username))
        return found

    def put(self, site: Site) -> None:
        """Add a site, or replace the one that has its id; that names are unique is the caller's to see to."""
        self._database.write(lambda session: session.send(PUT, _row(site)))

    def add(self, site: Site) -> bool:
        """Add a site; False: there is one with its id, which stays as it is."""
        try:
            self._database.write(lambda session: session.send(ADD, _row(site)))
        except DuplicateKey:
            return False
        return True

    def remove(self, name: str) -> bool:
        """Take a site from the list; what was counted for it stays. False: there is none of that name."""

        def work(session: Session) -> bool:
            # A name that ends in spaces is another one, but not for MariaDB.
            ids = [row[0] for row in session.ask(FIND, (name,)) if row[1] == name]
            for site_id in ids:
                session.send(REMOVE, (site_id,))
            return bool(ids)

        return self._database.write(work)


def _row(site: Site) -> list[Value]:
    settings = _Settings(**{name: getattr(site, name) for name in _Settings.__struct_fields__})
    return [site.id, site.name, site.created_at, _encode(settings).decode()]


def _site(site_id: int, name: str, created_at: int, text: str) -> Site:
    try:
        settings = _decode(text)
    except msgspec.DecodeError as error:
        raise StoreError(
            f"the settings of the site {name} in the table sites cannot be read ({error}): put the site again"
        ) from error
    return Site(site_id, name, created_at=created_at, **msgspec.structs.asdict(settings))
