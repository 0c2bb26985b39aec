"""What rollups do not know of a row: revenue, how far pages were scrolled, how often a goal was reached."""

import msgspec

_DIGITS = 4


class Gain(msgspec.Struct, frozen=True, gc=False):
    """Sums over events; `currencies` are those in which values were."""

    value: float = 0.0
    currencies: frozenset[str] = frozenset()
    depths: int = 0  # in percent, of all pages of visits that told one
    depths_told: int = 0
    conversions: int = 0  # of the goal that the query names
    converted: int = 0  # visitors who reached it
    among: int = 0  # of so many

    @property
    def conversion_rate(self) -> float | None:
        return round(self.converted / self.among, _DIGITS) if self.among else None

    @property
    def revenue(self) -> float | None:
        return None if len(self.currencies) > 1 else round(self.value, _DIGITS)

    @property
    def scroll_depth(self) -> float | None:
        return round(self.depths / self.depths_told, _DIGITS) if self.depths_told else None


class Gaining:
    """Adds up one row, visit by visit."""

    __slots__ = ("currencies", "depths", "depths_told", "value")

    def __init__(self) -> None:
        self.value = 0.0
        self.currencies: set[str] = set()
        self.depths = 0
        self.depths_told = 0

    def earn(self, value: float, currency: str) -> None:
        self.value += value
        self.currencies.add(currency)

    def reach(self, percent: int) -> None:
        """Add the deepest point of one page of one visit."""
        self.depths += percent
        self.depths_told += 1

    @property
    def gain(self) -> Gain:
        return Gain(self.value, frozenset(self.currencies), self.depths, self.depths_told)
