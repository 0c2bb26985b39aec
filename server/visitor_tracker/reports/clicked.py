"""What is clicked on a page, and where clicks go wrong: in rage, or on what does nothing."""

from collections import defaultdict
from collections.abc import Callable, Iterable

import msgspec

from visitor_tracker.measures import text_id
from visitor_tracker.reports.problems import told_events
from visitor_tracker.reports.query import Question
from visitor_tracker.reports.within import Within
from visitor_tracker.reports.words import Words
from visitor_tracker.store.apart import of_site
from visitor_tracker.store.problems import ProblemTable, Told
from visitor_tracker.store.reports import ReportTable

CLICKS_MOST = 500_000  # of one question
LIMIT, LIMIT_MOST = 50, 1_000
SESSIONS_MOST = 20  # of a spot
NEAR_COLUMNS, NEAR_ROWS = 3, 2  # how far from a cell of a heatmap is near it: about what its spot covers

Cell = tuple[int, int]  # a column and a row


class Spot(msgspec.Struct, frozen=True):
    """Something that was clicked. `sessions` are ids of visits, the latest first: those with trouble, if any has."""

    page: str
    tag: str
    id: str
    classes: str
    text: str
    clicks: int
    rage: int
    dead: int
    visitors: int
    sessions: list[str] | None = None


class Clicked(msgspec.Struct, frozen=True):
    """Spots, those with most trouble first, then the most clicked; the numbers are of all of them."""

    clicks: int
    rage: int
    dead: int
    spots: list[Spot]
    spots_in_all: int


class _Key(msgspec.Struct, frozen=True):
    """What tells spots apart; page, host and text are ids."""

    host: int
    page: int
    tag: str
    id: str
    classes: str
    text: int


class _Sums:
    """What is known of a spot so far."""

    __slots__ = ("clicks", "dead", "latest", "rage", "troubled", "visitors")

    def __init__(self) -> None:
        self.clicks = self.rage = self.dead = 0
        self.visitors: set[bytes] = set()
        self.latest: dict[bytes, int] = {}  # of each visitor the last click
        self.troubled: dict[bytes, int] = {}

    def add(self, told: Told) -> None:
        """Add a click; they come by time."""
        is_rage, is_dead = (told.rest.properties.get(name) is True for name in ("rage", "dead"))
        self.clicks += 1
        self.rage += is_rage
        self.dead += is_dead
        if not told.visitor:
            return
        self.visitors.add(told.visitor)
        _note(self.latest, told)
        if is_rage or is_dead:
            _note(self.troubled, told)

    @property
    def sessions(self) -> list[str]:
        chosen = self.troubled or self.latest
        return [f"{visitor.hex()}-{ts}" for visitor, ts in reversed(chosen.items())]


def clicked(  # noqa: PLR0913 - the rest by keyword
    table: ReportTable,
    question: Question,
    *,
    page: tuple[str, str] | None = None,
    is_shown: Callable[[str], bool] | None = None,
    near: Cell | None = None,
    limit: int = LIMIT,
    with_sessions: bool = False,
) -> Clicked:
    """Return what was clicked in a span; raises QueryError where there is too much to read.

    `page` is a host and a path; `is_shown` says of which viewports, such as 1280x720, `near` around which place of
    the page. `with_sessions` tells single visits: for who may see them.
    """
    spots: defaultdict[_Key, _Sums] = defaultdict(_Sums)
    within = Within(table, question)
    place = page and (text_id(page[0]), text_id(page[1]))
    for told in told_events(ProblemTable(table.database), question.site, "click", question.span, most=CLICKS_MOST):
        if place and place != (told.host, told.page):
            continue
        if is_shown and not is_shown(told.rest.viewport):
            continue
        if near and not _is_near(told, near):
            continue
        if within.has(told.visitor, told.ts):
            spots[_key(told)].add(told)
    ranked = sorted(spots.items(), key=_rank)
    return Clicked(
        sum(sums.clicks for sums in spots.values()),
        sum(sums.rage for sums in spots.values()),
        sum(sums.dead for sums in spots.values()),
        _shown(table, question.site.id, ranked[:limit], with_sessions=with_sessions),
        len(spots),
    )


def _is_near(told: Told, cell: Cell) -> bool:
    column, row = (told.rest.properties.get(name) for name in ("column", "row"))
    if not (isinstance(column, int) and isinstance(row, int)):
        return False  # by the keyboard, or of a script that does not tell it
    return abs(column - cell[0]) <= NEAR_COLUMNS and abs(row - cell[1]) <= NEAR_ROWS


def _rank(each: tuple[_Key, _Sums]) -> tuple[int, int, str]:
    key, sums = each
    return -(sums.rage + sums.dead), -sums.clicks, f"{key.host:x} {key.page:x} {key.tag} {key.id} {key.text:x}"


def _note(latest: dict[bytes, int], told: Told) -> None:
    latest.pop(told.visitor, None)
    latest[told.visitor] = told.ts
    if len(latest) > SESSIONS_MOST:
        del latest[next(iter(latest))]


def _key(told: Told) -> _Key:
    tag, id, classes = (str(told.rest.properties.get(name, "")) for name in ("tag", "id", "class"))
    return _Key(told.host, told.page, tag.lower(), id, classes, told.name)


def _shown(
    table: ReportTable, site_id: int, ranked: Iterable[tuple[_Key, _Sums]], *, with_sessions: bool
) -> list[Spot]:
    found = list(ranked)
    words = of_site(table.database, site_id).read(lambda session: _learned(Words(session), [key for key, _ in found]))
    return [
        Spot(
            page=f"https://{words.text(key.host)}{words.text(key.page)}" if key.host else words.text(key.page),
            tag=key.tag,
            id=key.id,
            classes=key.classes,
            text=words.text(key.text),
            clicks=sums.clicks,
            rage=sums.rage,
            dead=sums.dead,
            visitors=len(sums.visitors),
            sessions=sums.sessions if with_sessions else None,
        )
        for key, sums in found
    ]


def _learned(words: Words, keys: Iterable[_Key]) -> Words:
    words.learn(texts={text for key in keys for text in (key.host, key.page, key.text)})
    return words
