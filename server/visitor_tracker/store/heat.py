"""Heat of pages: in which cells visitors clicked, moved and scrolled, as counts that name nobody.

add:  event_ids:   the report's id, scope "heat": a repetition adds nothing
      heat_pages:  the page's row
      heat:        the cells, by ascending key
"""

from collections.abc import Mapping, Sequence
from functools import partial
from secrets import token_bytes

import msgspec

from visitor_tracker.store.apart import of_site
from visitor_tracker.store.session import Database, Rows, Session, Value, send_rows

PAGES_MOST = 2_000  # of a site
CELLS_MOST = 50_000  # of an answer, those with the most
_PAGES_AT_ONCE = 20  # that are looked for
_CELLS_AT_ONCE = 2_000  # that one transaction deletes: visits wait for no more than that

CLAIM = """/* HeatTable.add */
insert into event_ids (site_id, scope, id, batch_id, at)
values (?, 'heat', ?, ?, ?)
{keep_old_id}"""

IS_MINE = """/* HeatTable.add */
select 1
from event_ids
where site_id = ? and scope = 'heat' and id = ? and batch_id = ?"""

PAGES = """/* HeatTable.add */
select
    (select count(*) from heat_pages where site_id = ?),
    exists (select 1 from heat_pages where site_id = ? and page = ?)"""

MAKE_PAGE = """/* HeatTable.add */
insert into heat_pages (site_id, page, first_at, last_at, reports, url)
values (?, ?, ?, ?, 0, ?)
{keep_old_row}"""

GROW_PAGE = """/* HeatTable.add */
update heat_pages
set last_at = ?, reports = reports + 1
where site_id = ? and page = ?"""

ADD_CELLS = """/* HeatTable.add */
insert into heat (site_id, page, viewport, kind, month, y, x, n)
values [(?, ?, ?, ?, ?, ?, ?, ?)]
{add_heat}"""

CELLS = """/* HeatTable.cells */
select x, y, sum(n)
from heat
where site_id = ? and page = ? and viewport = ? and kind = ?
group by x, y
order by sum(n) desc, y, x
limit ?"""

TOTAL = """/* HeatTable.cells */
select coalesce(sum(n), 0)
from heat
where site_id = ? and page = ? and viewport = ? and kind = ?"""

LIST = """/* HeatTable.pages */
select url, last_at, reports
from heat_pages
where site_id = ?
order by last_at desc, page
limit ?"""

OLD_PAGES = """/* HeatTable.purge */
select site_id, page
from heat_pages
where first_at < ?
order by site_id, page
limit ?"""

OLD_CELLS = """/* HeatTable.purge */
select viewport, kind, month, y
from heat
where site_id = ? and page = ? and month < ?
order by viewport, kind, month, y, x
limit ?"""

FORGET_CELLS = """/* HeatTable.purge */
delete from heat
where site_id = ? and page = ? and viewport = ? and kind = ? and month = ? and y between ? and ?"""

FORGET_PAGE = """/* HeatTable.purge */
delete from heat_pages
where site_id = ? and page = ? and last_at < ?"""

BEGIN_LATER = """/* HeatTable.purge */
update heat_pages
set first_at = ?
where site_id = ? and page = ?"""

Cells = Mapping[int, Sequence[tuple[int, int, int]]]  # by kind: x, y, n


class HeatPage(msgspec.Struct, frozen=True, gc=False):
    """A page of which there is heat."""

    url: str
    last_at: int
    reports: int


class Report(msgspec.Struct, frozen=True, gc=False):
    """The heat of one visit to a page; viewport and kinds are codes."""

    site_id: int
    id: bytes
    page: bytes
    url: str
    viewport: int
    month: int
    at: int
    cells: Cells


class HeatTable:
    """Heat of a database. Methods raise what `Database.read` and `Database.write` do; any thread."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, report: Report) -> bool:
        """Add a report once, however often it comes; False: the site has no room for another page."""
        mine = token_bytes(16)
        return of_site(self._database, report.site_id).write(lambda session: _add(session, report, mine))

    def cells(self, site_id: int, page: bytes, viewport: int, kind: int) -> tuple[list[tuple[int, int, int]], int]:
        """Return the cells of a page as (x, y, n), the warmest first, and the sum of all n."""

        def work(session: Session) -> tuple[list[tuple[int, int, int]], int]:
            key = (site_id, page, viewport, kind)
            [(total,)] = session.ask(TOTAL, key)
            return [(x, y, int(n)) for x, y, n in session.ask(CELLS, (*key, CELLS_MOST))], int(total)

        return of_site(self._database, site_id).read(work)

    def pages(self, site_id: int, limit: int) -> list[HeatPage]:
        """Return the pages of which there is heat, the newest first."""
        return of_site(self._database, site_id).read(
            lambda session: [HeatPage(*row) for row in session.ask(LIST, (site_id, limit))]
        )

    def purge(self, before: int, month: int) -> int:
        """Delete cells of months before `month` (which begins at `before`, epoch ms) of some pages, each in a
        transaction of its own; return how many pages it were; 0: nothing is left to do."""
        pages = self._database.read(lambda session: session.ask(OLD_PAGES, (before, _PAGES_AT_ONCE)))
        for site_id, page in pages:
            key = (site_id, bytes(page))
            old = self._database.read(partial(_old_cells, key=key, month=month))
            self._database.write(partial(_purge, key=key, old=old, before=before))
        return len(pages)


def _add(session: Session, report: Report, mine: bytes) -> bool:
    site_id, page = report.site_id, report.page
    [(number, is_there)] = session.ask(PAGES, (site_id, site_id, page))
    if number >= PAGES_MOST and not is_there:
        return False
    session.send(CLAIM, (site_id, report.id, mine, report.at))
    if not session.ask(IS_MINE, (site_id, report.id, mine)):
        return True
    session.send(MAKE_PAGE, (site_id, page, report.at, report.at, report.url))
    session.send(GROW_PAGE, (report.at, site_id, page))
    sums: dict[tuple[int, int, int], int] = {}
    for kind, cells in report.cells.items():
        for x, y, n in cells:
            sums[kind, y, x] = sums.get((kind, y, x), 0) + n
    values: list[Value] = []
    for (kind, y, x), n in sorted(sums.items()):
        values += (site_id, page, report.viewport, kind, report.month, y, x, n)
    send_rows(session, ADD_CELLS, 8, values)
    return True


def _old_cells(session: Session, *, key: tuple[int, bytes], month: int) -> Rows:
    return session.ask(OLD_CELLS, (*key, month, _CELLS_AT_ONCE))


def _purge(session: Session, *, key: tuple[int, bytes], old: Rows, before: int) -> None:
    """Delete old cells of a page, and the page itself if nothing came since; it is done when these were the last."""
    rows: dict[tuple[int, int, int], list[int]] = {}
    for viewport, kind, month, y in old:
        rows.setdefault((viewport, kind, month), []).append(y)
    for of, found in rows.items():
        session.send(FORGET_CELLS, (*key, *of, found[0], found[-1]))
    if len(old) < _CELLS_AT_ONCE:
        session.send(FORGET_PAGE, (*key, before))
        session.send(BEGIN_LATER, (before, *key))
