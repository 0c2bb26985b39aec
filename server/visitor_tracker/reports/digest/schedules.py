"""Check what people save about reports by mail; raises QueryError that names the part."""

from hashlib import blake2b
from typing import Final, get_args

import msgspec

from visitor_tracker.outgoing.mail import MailError, checked_address
from visitor_tracker.reports.digest.calendar import WEEKDAYS, Every, Times
from visitor_tracker.reports.digest.words import Language
from visitor_tracker.reports.query import QueryError
from visitor_tracker.store.report_schedules import ReportSchedule

RECIPIENTS_MOST: Final = 50  # of a schedule
HOUR_MOST: Final = 23


def checked_schedule(schedule: ReportSchedule) -> ReportSchedule:
    """Return the schedule with its addresses as mail servers have them, each once."""
    for name, value, known in (
        ("every", schedule.every, get_args(Every)),
        ("language", schedule.language, get_args(Language)),
    ):
        if value not in known:
            raise QueryError(name, f"{name} cannot be {value[:40]!r}: use {', '.join(known)}")
    if not 0 <= schedule.hour <= HOUR_MOST:
        raise QueryError("hour", f"hour cannot be {schedule.hour}: use 0 to {HOUR_MOST}, by the clock of the site")
    if not 0 <= schedule.weekday < len(WEEKDAYS):
        raise QueryError("weekday", f"weekday cannot be {schedule.weekday}: use {', '.join(WEEKDAYS)}")
    recipients = {digest_of(address): address for address in map(_address, schedule.recipients)}
    if not 1 <= len(recipients) <= RECIPIENTS_MOST:
        raise QueryError("recipients", f"there are {len(recipients)} recipients: use 1 to {RECIPIENTS_MOST} addresses")
    return msgspec.structs.replace(schedule, recipients=tuple(recipients.values()))


def weekday_of(name: str) -> int:
    """Return the number of a weekday's English name."""
    if name.lower() not in WEEKDAYS:
        raise QueryError("weekday", f"weekday cannot be {name[:40]!r}: use {', '.join(WEEKDAYS)}")
    return WEEKDAYS.index(name.lower())


def times_of(schedule: ReportSchedule) -> Times:
    return Times(schedule.every, schedule.hour, schedule.weekday)


def digest_of(address: str) -> bytes:
    """Return by what a recipient is known where the address itself need not be."""
    return blake2b(address.lower().encode(), digest_size=16, person=b"report-to").digest()


def _address(text: str) -> str:
    try:
        return checked_address(text)
    except MailError as error:
        raise QueryError("recipients", f"{error}: use an address such as anna@example.com") from error
