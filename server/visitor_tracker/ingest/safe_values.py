"""Values as strangers send them in recordings, of any type, and what of them can be used."""

from collections.abc import Iterator
from typing import Any

from visitor_tracker.ingest.safe_markup import NUMBER_MOST

Made = dict[str, Any]  # becomes JSON again
Sent = dict[object, object]

ID_LEAST, ID_MOST = -2, 1 << 31  # of nodes and style sheets; -2: a node that the recorder ignores
_MOMENT_MOST = 1 << 52


def dicts(sent: object) -> Iterator[Sent]:
    return (each for each in sent if isinstance(each, dict)) if isinstance(sent, list) else iter(())


def with_id(sent: object) -> Iterator[tuple[Sent, int]]:
    for each in dicts(sent):
        node_id = id_of(each)
        if node_id is not None:
            yield each, node_id


def id_of(sent: Sent) -> int | None:
    return whole(sent.get("id"), ID_LEAST, ID_MOST)


def whole(value: object, least: int, most: int = _MOMENT_MOST) -> int | None:
    """Return a whole number within bounds, None for anything else."""
    if isinstance(value, float) and -_MOMENT_MOST <= value <= _MOMENT_MOST:
        value = int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) and least <= value <= most else None


def number(value: object) -> int | float | None:
    """Return a number within bounds; no comparison holds for NaN."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return value if -NUMBER_MOST <= value <= NUMBER_MOST else None


def string(value: object) -> str:
    return value if isinstance(value, str) else ""
