"""What most visitors of a site do on a day: who does otherwise stands out, who does as all do does not."""

from collections.abc import Iterable

import msgspec

from visitor_tracker.ingest.behaviour.figures import Figures

_VIEWS = 5  # of a visitor who is one of those
_DOUBT = 4  # visitors that are imagined besides, half of them this way: few visitors make no habit


class Habits(msgspec.Struct, frozen=True, gc=False):
    """Shares from 0 to 1 of the visitors with some views: 0.5 says that nothing is known."""

    engage: float = 0.5  # of those whom the script sees: something was read, scrolled or done
    follow_links: float = 0.5  # half of their views or more came by a link of the site
    run_script: float = 0.5


def habits_of(visitors: Iterable[Figures]) -> Habits:
    """Return the habits of a day's visitors."""
    seen = engaged = several = by_link = 0
    for each in visitors:
        if each.views < _VIEWS or each.robot_signals:
            continue
        several += 1
        by_link += each.by_link >= 0.5
        if each.screened:
            seen += 1
            engaged += each.engaged > 0
    return Habits(_share(engaged, seen), _share(by_link, several), _share(seen, several))


def _share(number: int, of: int) -> float:
    return (number + _DOUBT / 2) / (of + _DOUBT)
