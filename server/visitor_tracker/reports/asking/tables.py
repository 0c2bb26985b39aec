"""Rows of an answer as CSV (RFC 4180) and as NDJSON."""

from collections.abc import Iterator, Sequence

import msgspec

from visitor_tracker.reports.asking.shapes import Answered, Row, Shown

_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_QUOTED = frozenset('",\r\n')
_NUMBERS = ("", "_compared", "_change", "_change_percent")


def csv_of(found: Answered) -> bytes:
    """Return a header and a line for each row; without dimensions one line of totals.

    A text that a spreadsheet would take for a formula begins with an apostrophe.
    """
    lines = [_header(found), *_lines(found)]
    return "".join(f"{','.join(line)}\r\n" for line in lines).encode("utf-8", "replace")


def ndjson_of(found: Answered) -> bytes:
    """Return the same rows as JSON objects, one a line."""
    names = _header(found, escape=False)
    encode = msgspec.json.encode
    rows = (dict(zip(names, cells, strict=True)) for cells in _cells(found))
    return b"".join(encode(row) + b"\n" for row in rows)


def _header(found: Answered, *, escape: bool = True) -> list[str]:
    names = [*found.query.dimensions]
    if found.meta.compared is not None and "time" in names:
        names.append("time_compared")
    metrics = found.query.metrics
    kinds = _NUMBERS if found.meta.compared is not None else _NUMBERS[:1]
    names += [f"{metric}{kind}" for metric in metrics for kind in kinds]
    return [_text(name) for name in names] if escape else names


def _lines(found: Answered) -> Iterator[list[str]]:
    for cells in _cells(found):
        yield [_text(cell) if isinstance(cell, str) else "" if cell is None else str(cell) for cell in cells]


def _cells(found: Answered) -> Iterator[list[str | Shown]]:
    rows = found.rows
    if not found.query.dimensions:
        totals = found.totals
        rows = [Row({}, totals.metrics, totals.compared, totals.change)]
    for row in rows:
        cells: list[str | Shown] = [row.dimensions[name] for name in found.query.dimensions]
        if found.meta.compared is not None and "time" in found.query.dimensions:
            cells.append(row.compared_time)
        yield cells + _numbers(row, found.query.metrics)


def _numbers(row: Row, metrics: Sequence[str]) -> list[str | Shown]:
    cells: list[str | Shown] = []
    for name in metrics:
        cells.append(row.metrics[name])
        if row.compared is not None and row.change is not None:
            change = row.change[name]
            cells += [row.compared[name], change.absolute, change.percent]
    return cells


def _text(text: str) -> str:
    """Return a cell that is no formula and ends where it should."""
    safe = f"'{text}" if text.startswith(_FORMULA) else text
    return '"' + safe.replace('"', '""') + '"' if _QUOTED.intersection(safe) else safe
