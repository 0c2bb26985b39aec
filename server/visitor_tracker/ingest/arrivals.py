"""Count what came of events in the transaction that stores them, so that no number can be another than the truth."""

from collections import Counter
from collections.abc import Iterable

from visitor_tracker.days import HOUR_MS
from visitor_tracker.event import Event, RawEvent
from visitor_tracker.ingest.bots import doubtful, judge
from visitor_tracker.store.arrivals import ArrivedEvents

LATE_MS = 10 * 60_000  # browsers send at once; later came what waited for the network, or for the next page


def arrivals_of(accepted: Iterable[Event | RawEvent], new: Iterable[Event | RawEvent]) -> dict[int, ArrivedEvents]:
    """Return by the hour of arrival what came of accepted events, of which `new` were not known before."""
    hours = Counter([event.at // HOUR_MS for event in accepted])
    found = {hour: [times, times, 0, 0, 0, 0] for hour, times in hours.items()}  # all known until found to be new
    for event in new:
        at = event.at
        sums = found[at // HOUR_MS]
        sums[1] -= 1
        if at - event.ts > LATE_MS:
            sums[2] += 1
        if event.seq > 0:
            sums[3] += 1
        if event.signals:
            sums[4] += judge(event.signals)
            sums[5] += doubtful(event.signals)
    return {hour * HOUR_MS: ArrivedEvents(*sums) for hour, sums in found.items()}
