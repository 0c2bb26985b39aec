"""Every format by its name, and which one a log has."""

from collections.abc import Sequence

from visitor_tracker.jobs.importing.json_formats import read_json
from visitor_tracker.jobs.importing.line import BrokenLine, Format, LogLine
from visitor_tracker.jobs.importing.text_formats import read_ncsa, read_vhost, read_vhost_surely

FORMATS: dict[str, Format] = {
    "combined": read_ncsa,
    "common": read_ncsa,
    "vhost_combined": read_vhost,
    "nginx": read_ncsa,
    "json": read_json,
    "caddy": read_json,
}
_TRIED: tuple[Format, ...] = (read_json, read_vhost_surely, read_ncsa)


def recognise(lines: Sequence[str]) -> Format | None:
    """Return the format that most of these lines have; None where none has any, or there is no line."""
    counts = [(sum(_is_request(read, line) for line in lines), read) for read in _TRIED]
    most, found = max(counts, key=lambda pair: pair[0])
    return found if most else None


def first_request(read: Format, lines: Sequence[str]) -> LogLine | None:
    """Return the first line that tells of a request."""
    for line in lines:
        try:
            found = read(line)
        except BrokenLine:
            continue
        if found is not None:
            return found
    return None


def _is_request(read: Format, line: str) -> bool:
    try:
        return read(line) is not None
    except BrokenLine:
        return False
