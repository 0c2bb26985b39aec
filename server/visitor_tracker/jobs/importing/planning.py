"""Look at the files of an import before anything is stored: their format, whose pages they tell of, what is new."""

from collections.abc import Sequence

import msgspec

from visitor_tracker.errors import TrackerError
from visitor_tracker.jobs.importing.formats import FORMATS, first_request, recognise
from visitor_tracker.jobs.importing.line import Format
from visitor_tracker.jobs.importing.reading import LineReader
from visitor_tracker.jobs.importing.sources import Source, SourceError
from visitor_tracker.store.inbox import Inbox

_SHOWN = 120  # characters of a line that no format has
_NOTHING = "nothing was imported"


class PlanError(TrackerError):
    """The import cannot begin; the message says what to change."""


class Planned(msgspec.Struct, frozen=True):
    """A file to import, in which there is a line; `identities` as `Source` gives them.

    `first_ts` is the time of its first line, epoch ms.
    """

    source: Source
    read: Format
    identities: Sequence[tuple[bytes, int]]
    first_ts: int

    @property
    def id(self) -> bytes:
        return self.identities[-1][0]

    def begin(self, inbox: Inbox) -> tuple[int, int]:
        """Return where its new lines begin, and where its cursor in the store is."""
        positions = inbox.positions([file_id for file_id, _ in self.identities])
        own = positions.get(self.id)
        if own is not None:
            return own, own
        # What it was when it was shorter was stored as a whole, in one transaction.
        return max((length for file_id, length in self.identities if positions.get(file_id) == length), default=0), 0


def plan(paths: Sequence[str], reader: LineReader, *, site_id: int, format_name: str = "") -> list[Planned]:
    """Return the files with lines, by the time of their first one; raises PlanError.

    `site_id` is 0 where each page's host decides.
    """
    try:
        plans = [_plan(Source(path), reader, site_id, format_name) for path in dict.fromkeys(paths)]
    except SourceError as error:
        raise PlanError(f"{error}\n{_NOTHING}") from error
    return sorted((found for found in plans if found is not None), key=lambda found: found.first_ts)


def _plan(source: Source, reader: LineReader, site_id: int, format_name: str) -> Planned | None:
    identities = source.identities(site_id)
    lines = source.first_lines
    if not identities or not lines:
        return None
    read = FORMATS[format_name] if format_name else recognise(lines)
    first = first_request(read, lines) if read is not None else None
    if read is None or (format_name and first is None):
        known = f"the format {format_name}" if format_name else "a format that is known"
        line = lines[0] if len(lines[0]) <= _SHOWN else lines[0][:_SHOWN] + "…"
        raise PlanError(f"{source.name} is not in {known}, its first line is\n  {line}\n{_NOTHING}")
    if first is not None and not reader.host_of(first):
        raise PlanError(
            f"{source.name} does not say of which host its pages are: name it, as in  --host www.example.com"
            f"\n{_NOTHING}"
        )
    return Planned(source, read, identities, 0 if first is None else first.ts)
