"""Count what came of events in the transaction that stores them, so that no number can be another than the truth."""

from collections.abc import Iterable

from visitor_tracker.days import HOUR_MS
from visitor_tracker.event import Event
from visitor_tracker.ingest.bots import doubtful, judge
from visitor_tracker.store.arrivals import ArrivedEvents

LATE_MS = 10 * 60_000  # browsers send at once; later came what waited for the network, or for the next page


def arrivals_of(accepted: Iterable[Event], new: Iterable[Event]) -> dict[int, ArrivedEvents]:
    """Return by the hour of arrival what came of accepted events, of which `new` were not known before."""
    found: dict[int, list[int]] = {}
    for event in accepted:
        sums = found.setdefault(event.at - event.at % HOUR_MS, [0] * 6)
        sums[0] += 1
        sums[1] += 1  # until it is found to be new
    for event in new:
        sums = found[event.at - event.at % HOUR_MS]
        sums[1] -= 1
        sums[2] += event.at - event.ts > LATE_MS
        sums[3] += event.seq > 0
        sums[4] += judge(event.signals)
        sums[5] += doubtful(event.signals)
    return {hour: ArrivedEvents(*sums) for hour, sums in found.items()}
