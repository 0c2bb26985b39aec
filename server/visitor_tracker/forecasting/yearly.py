"""What the same season of past years says: how the level moved then from here on."""

from collections.abc import Sequence

_RECENT = 14  # days that a level is the mean of
_LEAST = 35  # days known before the same day of a past year
_YEARS = (365, 730, 1096)  # days
_SHARE = 0.6  # of what past years say is believed


class Years:
    """Means of the level around days of past years."""

    def __init__(self, levels: Sequence[float | None]) -> None:
        self._sums, self._counts = [0.0], [0]
        for level in levels:
            self._sums.append(self._sums[-1] + (level or 0.0))
            self._counts.append(self._counts[-1] + (level is not None))

    @property
    def is_known(self) -> bool:
        return len(self._sums) - 1 >= _YEARS[0] + _LEAST

    def path(self, here: int, width: int, reach: int) -> list[float]:
        """Return the level for `reach` days after `here` known ones; past days are means with `width` on each side."""
        now = self._mean(here - _RECENT, here) or 0.0
        moved = [0.0] * reach
        years = 0
        for year in _YEARS:
            then = self._mean(here - year - _RECENT, here - year) if here - year >= _LEAST else None
            if then is None:
                continue
            years += 1
            for step in range(reach):
                day = here + step - year
                level = self._mean(day - width, min(day + width + 1, here))
                moved[step] += then if level is None else level
            moved = [sum_ - then for sum_ in moved]
        return [now + _SHARE * sum_ / years for sum_ in moved] if years else [now] * reach

    def _mean(self, start: int, end: int) -> float | None:
        start = max(start, 0)
        there = self._counts[end] - self._counts[start] if end > start else 0
        return (self._sums[end] - self._sums[start]) / there if there else None
