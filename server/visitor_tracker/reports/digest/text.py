"""A report as plain text: for mail readers that show no HTML, and for terminals."""

from collections.abc import Iterator, Sequence

from visitor_tracker.reports.digest.content import Line
from visitor_tracker.reports.digest.said import Links, Said, clean

WIDTH = 72
_BAR = 40  # of the longest


def text_of(said: Said, links: Links) -> str:
    """Return the report in lines of about 72 characters."""
    return "\n".join(line.rstrip() for line in _lines(said, links)) + "\n"


def _lines(said: Said, links: Links) -> Iterator[str]:
    digest, words = said.digest, said.formats.words
    yield from (said.title, said.days, said.compared, "")
    if digest.is_empty:
        yield from (words.nobody, "")
    else:
        yield from _figures(said)
        yield from _happenings(said, links)
        yield from _bars(said)
        yield from _lists(said)
        yield from _goals(said)
        yield from _moved(said, words.risers, digest.risers)
        yield from _moved(said, words.fallers, digest.fallers)
    if links.base:
        yield from (f"{words.open}: {links.dashboard(digest)}", "")
    yield from said.notes
    if links.to:
        yield from ("", words.why_you.format(address=clean(links.to), site=clean(digest.site)))
        if links.stop:
            yield f"{words.stop}: {links.stop}"


def _figures(said: Said) -> Iterator[str]:
    rows = [said.figure(figure) for figure in said.digest.figures]
    width = max(len(row[0]) for row in rows)
    for name, value, change, usual in rows:
        yield f"{name:<{width}}  {value:>12}  {change:>8}  {usual}"
    yield ""


def _happenings(said: Said, links: Links) -> Iterator[str]:
    words = said.formats.words
    if said.digest.happenings:
        yield words.happened.upper()
    for happening in said.digest.happenings:
        told, why = said.happening(happening)
        yield f"* {told}"
        if why:
            yield f"  {why}"
        if links.base:
            yield f"  {links.base}{happening.link}"
    if said.digest.happenings:
        yield ""


def _bars(said: Said) -> Iterator[str]:
    bars = said.digest.bars
    highest = max(bar.visits for bar in bars) or 1
    yield said.formats.words.measures["visits"].upper()
    width = max(len(said.bar(bar)) for bar in bars)
    for bar in bars:
        drawn = "#" * -(-bar.visits * _BAR // highest)
        yield f"{said.bar(bar):>{width}}  {said.formats.number(bar.visits):>8}  {drawn}"
    yield ""


def _lists(said: Said) -> Iterator[str]:
    for listing in said.digest.lists:
        if not listing.rows:
            continue
        title, measure = said.list_title(listing)
        rows = [said.line(row, is_country=listing.name == "countries") for row in listing.rows]
        yield from _table(title, measure, rows)


def _goals(said: Said) -> Iterator[str]:
    digest, formats = said.digest, said.formats
    rows = [
        (
            clean(goal.name),
            formats.number(goal.conversions),
            "" if goal.rate is None else formats.percent(goal.rate),
        )
        for goal in digest.goals
    ]
    if rows:
        yield from _table(formats.words.goals, formats.words.conversions, rows)


def _moved(said: Said, title: str, lines: Sequence[Line]) -> Iterator[str]:
    if lines:
        yield from _table(title, said.formats.words.measures["views"], [said.line(line) for line in lines])


def _table(title: str, measure: str, rows: Sequence[tuple[str, str, str]]) -> Iterator[str]:
    width = WIDTH - 20
    yield f"{title.upper():<{width}}  {measure:>8}"
    for value, number, more in rows:
        yield f"{value:<{width}}  {number:>8}  {more:>7}"
    yield ""
