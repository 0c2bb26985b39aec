"""Add up the events that a filter selects: by one dimension or two, by bucket of time, or by both; and their gains."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence

from visitor_tracker.event import KINDS
from visitor_tracker.measures import ENGAGED, EVENTS, VIEWS, VISITS, Dimension, text_id
from visitor_tracker.reports.asking.gains import Gaining
from visitor_tracker.reports.asking.groups import Key
from visitor_tracker.reports.asking.metrics import about
from visitor_tracker.reports.buckets import Buckets
from visitor_tracker.reports.fields import FIELDS, Field
from visitor_tracker.reports.filters import OF_ACTS
from visitor_tracker.reports.matching import Happened, Matched
from visitor_tracker.reports.selection import Whole
from visitor_tracker.reports.tally import Sums, merge, once
from visitor_tracker.sessions.fact import PAGEVIEW

Placed = tuple[Happened, Key, int]  # an event of the span, the row's key, and the place of its bucket

GAIN_FIELDS = (FIELDS["value"], FIELDS["scroll"], FIELDS["currency"])
KIND_IDS = tuple(text_id(kind) for kind in KINDS)
KIND_TEXTS = dict(zip(KIND_IDS, KINDS, strict=True))

_VITAL = KINDS.index("vital")


class EventRows:
    """To which rows an event belongs. `fields` are those that were told with each event, in this order."""

    def __init__(
        self, dimensions: Sequence[Dimension | Field], fields: Sequence[Field], buckets: Buckets, *, by_time: bool
    ) -> None:
        self.rows = about(dimensions)
        self.by_time = by_time
        self._values = [_value_in(each, fields) for each in dimensions]
        self._place = buckets.place
        self._by_hours = buckets.by_hours

    def place_of(self, event: Happened) -> int | None:
        """Return the bucket in which an event happened, None outside of the span."""
        return self._place(event.hour if self._by_hours else event.day)

    def values(self, whole: Whole, event: Happened) -> Key:
        """Return the values of an event by dimension, 0 for none."""
        return tuple([value(whole, event) for value in self._values])

    def key(self, values: Key, place: int) -> Key:
        return (*values, place) if self.by_time else values

    def placed(self, matched: Matched) -> Iterator[Placed]:
        """Yield the events of the span that are in a row."""
        for event in matched.events:
            place, values = self.place_of(event), self.values(matched.whole, event)
            if place is not None and all(values):
                yield event, self.key(values, place), place


class EventGroups:
    """Rows and totals, of one pass. A visit counts for a row at its first event there."""

    def __init__(self, rows: EventRows) -> None:
        self.total = Sums()
        self.found: defaultdict[Key, Sums] = defaultdict(Sums)
        self._rows = rows

    def add(self, matched: Matched) -> None:
        portions = self._portions(matched)
        for sums in portions.values():
            merge(self.total, sums)
        if self._rows.rows != "visits":
            self._add_events(matched)
            return
        values = self._rows.values(matched.whole, matched.events[0])
        if all(values):
            for place, sums in portions.items():
                merge(self.found[self._rows.key(values, place)], sums)

    def _portions(self, matched: Matched) -> dict[int, Sums]:
        """Return what was selected by bucket: events where they happened, the visit at its first one."""
        whole = matched.whole
        found: dict[int, Sums] = {}
        for number, event in enumerate(matched.events):
            place = self._rows.place_of(event)
            if place is None:
                continue
            sums = found.setdefault(place, Sums())
            sums.number += _number_of(event)
            if whole.is_visit:
                sums.number += 0 if number else once(whole)
                sums.visitors.add(event.visitor)
        return found

    def _add_events(self, matched: Matched) -> None:
        whole, begun = matched.whole, set[Key]()
        for event in matched.events:
            values = self._rows.values(whole, event)
            if not all(values):
                continue
            number = _number_of(event) if self._rows.rows == "looks" else EVENTS
            if whole.is_visit and values not in begun:
                begun.add(values)
                number += VISITS
            if (place := self._rows.place_of(event)) is None:
                continue
            sums = self.found[self._rows.key(values, place)]
            sums.number += number
            if whole.is_visit:
                sums.visitors.add(event.visitor)


class GainGroups:
    """Revenue and scroll depth of rows and in all; `GAIN_FIELDS` are what was told last. `texts` has what was told."""

    def __init__(self, rows: EventRows, texts: dict[int, str]) -> None:
        self.total = Gaining()
        self.found: defaultdict[Key, Gaining] = defaultdict(Gaining)
        self._rows = rows
        self._texts = texts

    def add(self, matched: Matched) -> None:
        in_all = [event for event in matched.events if self._rows.place_of(event) is not None]
        self._gain(matched, [(event, self.total) for event in in_all])
        self._gain(matched, [(event, self.found[key]) for event, key, _ in self._rows.placed(matched)])

    def _gain(self, matched: Matched, gaining: Sequence[tuple[Happened, Gaining]]) -> None:
        deepest: dict[tuple[int, int], tuple[int, Gaining]] = {}
        for event, gains in gaining:
            value, scroll, currency = (self._texts.get(each, "") for each in event.told[-len(GAIN_FIELDS) :])
            if value and event.kind != _VITAL:
                gains.earn(float(value), currency)
            if scroll:
                place = (id(gains), event.page)
                deepest[place] = max(deepest.get(place, (0, gains))[0], int(scroll)), gains
        for percent, gains in deepest.values():
            gains.reach(percent)


def _value_in(dimension: Dimension | Field, fields: Sequence[Field]) -> Callable[[Whole, Happened], int]:
    """Return what says the id of an event's value for a dimension."""
    if isinstance(dimension, Field):
        place = fields.index(dimension)
        return lambda _, event: event.told[place]
    if dimension is Dimension.KIND:
        return lambda _, event: KIND_IDS[event.kind]
    if dimension is Dimension.PAGE:
        return lambda _, event: event.page
    if dimension is Dimension.HOST:
        return lambda _, event: event.host
    if dimension in OF_ACTS:
        return lambda _, event: event.value if event.dimension == dimension else 0
    return lambda whole, _: whole.value(dimension)


def _number_of(event: Happened) -> int:
    """Return what an event adds, packed."""
    return event.engaged_ms * ENGAGED + (VIEWS if event.kind == PAGEVIEW else EVENTS if event.dimension else 0)
