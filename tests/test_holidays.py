"""Holidays of one year and of every year."""

from datetime import date

import pytest

from visitor_tracker.holidays import NO_HOLIDAYS, Holidays, holiday, last_year


def test_days_are_of_a_year_or_of_every_year() -> None:
    found = Holidays.read(["2026-04-05", " 12-25", "02-29"])
    for day in (date(2026, 4, 5), date(2019, 12, 25), date(2028, 2, 29)):
        assert day in found
    for other in (date(2027, 4, 5), date(2026, 12, 24), date(2027, 2, 28), "2026-04-05"):
        assert other not in found
    assert found
    assert not NO_HOLIDAYS
    both = found.with_others(Holidays.read(["05-01"]))
    assert date(2026, 5, 1) in both
    assert date(2026, 4, 5) in both


@pytest.mark.parametrize("text", ["", "Christmas", "2026-13-01", "12-32", "20261225", "2026-1-5", "25.12.", "12/25"])
def test_what_is_no_holiday_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="use days such as 2026-04-05, or 12-25"):
        holiday(text)


def test_there_are_not_more_than_anybody_has() -> None:
    with pytest.raises(ValueError, match="at most 200 days, not 201"):
        Holidays.read(["12-25"] * 201)


def test_a_feast_that_moves_is_the_nearest_one_of_the_year_before() -> None:
    known = [date(2025, 4, 20), date(2025, 12, 24), date(2025, 12, 25)]
    assert last_year(date(2026, 4, 5), known) == date(2025, 4, 20)
    assert last_year(date(2026, 12, 25), known) == date(2025, 12, 25)
    assert last_year(date(2026, 7, 14), known) is None
