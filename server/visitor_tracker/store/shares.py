"""The table of share links, by digest."""

from typing import NamedTuple

from visitor_tracker.store import audit
from visitor_tracker.store.audit import AuditRow
from visitor_tracker.store.session import Database, Session, Value

LINKS = """/* ShareTable.all */
select share_links.digest, id, share_links.site_id, name, password, user_id, created_at, expires_at, last_used_at,
    coalesce(origins, '')
from share_links
left join share_embeds on share_embeds.digest = share_links.digest
order by created_at, id"""

LINKS_OF_SITE = """/* ShareTable.of_site */
select share_links.digest, id, share_links.site_id, name, password, user_id, created_at, expires_at, last_used_at,
    coalesce(origins, '')
from share_links
left join share_embeds on share_embeds.digest = share_links.digest
where share_links.site_id = ?
order by created_at, id"""

FIND = """/* ShareTable.find */
select share_links.digest, id, share_links.site_id, name, password, user_id, created_at, expires_at, last_used_at,
    coalesce(origins, '')
from share_links
left join share_embeds on share_embeds.digest = share_links.digest
where share_links.digest = ?"""

ADD = """/* ShareTable.add */
insert into share_links (digest, id, site_id, name, password, user_id, created_at, expires_at, last_used_at)
values (?, ?, ?, ?, ?, ?, ?, ?, ?)"""

ADD_EMBED = """/* ShareTable.add */
insert into share_embeds (digest, site_id, origins)
values (?, ?, ?)"""

LOCK = """/* ShareTable.revoke */
select digest
from share_links
where site_id = ? and id = ?
{for_update}"""

REVOKE = """/* ShareTable.revoke */
delete from share_links
where digest = ?"""

REVOKE_EMBED = """/* ShareTable.revoke */
delete from share_embeds
where digest = ?"""

USED = """/* ShareTable.used */
update share_links
set last_used_at = ?
where digest = ? and last_used_at < ?"""


class ShareLink(NamedTuple):
    """A link to one site's numbers. Times are epoch ms, 0: never; `password` is a hash, "" for none.

    `origins` are those of pages that may show the numbers in a frame, with a space between two; "*" all, "" none.
    """

    digest: bytes
    id: str
    site_id: int
    name: str = ""
    password: str = ""
    user_id: str = ""
    created_at: int = 0
    expires_at: int = 0
    last_used_at: int = 0
    origins: str = ""

    def is_over(self, now_ms: int) -> bool:
        return 0 < self.expires_at <= now_ms


class ShareTable:
    """Methods raise what `Database.read` and `Database.write` do; any thread."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def all(self) -> list[ShareLink]:
        """Return every link, the oldest first."""
        return [_link(row) for row in self._database.read(lambda session: session.ask(LINKS))]

    def of_site(self, site_id: int) -> list[ShareLink]:
        """Return a site's links, the oldest first."""
        return [_link(row) for row in self._database.read(lambda session: session.ask(LINKS_OF_SITE, (site_id,)))]

    def find(self, digest: bytes) -> ShareLink | None:
        """Return the link with that digest."""
        found = self._database.read(lambda session: session.ask(FIND, (digest,)))
        return _link(found[0]) if found else None

    def add(self, link: ShareLink, note: AuditRow) -> None:
        """Store a link and the line that tells it; raises DuplicateKey if it is there."""
        values: list[Value] = [*link[:-1]]

        def work(session: Session) -> None:
            session.send(ADD, values)
            if link.origins:
                session.send(ADD_EMBED, (link.digest, link.site_id, link.origins))
            audit.add(session, note)

        self._database.write(work)

    def revoke(self, site_id: int, link_id: str, note: AuditRow) -> bool:
        """Delete a site's link and tell it; False: the site has none with that id."""

        def work(session: Session) -> bool:
            found = session.ask(LOCK, (site_id, link_id))
            for (digest,) in found:
                session.send(REVOKE, (bytes(digest),))
                session.send(REVOKE_EMBED, (bytes(digest),))
            if found:
                audit.add(session, note)
            return bool(found)

        return self._database.write(work)

    def used(self, digest: bytes, at: int, unless_after: int) -> None:
        """Note when a link was used last, unless it was so after that moment."""
        self._database.write(lambda session: session.send(USED, (at, digest, unless_after)))


def _link(row: tuple[bytes, str, int, str, str, str, int, int, int, str]) -> ShareLink:
    return ShareLink(bytes(row[0]), *row[1:])
