"""How long keys and links are good for, as people write it: 12h, 90d, 26w."""

import re

PATTERN = "^[1-9][0-9]{0,4}[hdw]$"
MOST_DAYS = 3650

_HOUR_MS = 3_600_000
_UNITS = {"h": _HOUR_MS, "d": 24 * _HOUR_MS, "w": 7 * 24 * _HOUR_MS}
_LIFETIME = re.compile(PATTERN).fullmatch


def lifetime(text: str) -> int:
    """Return a time in ms; raises ValueError."""
    found = _UNITS[text[-1]] * int(text[:-1]) if _LIFETIME(text) else 0
    if not 0 < found <= MOST_DAYS * _UNITS["d"]:
        raise ValueError(f"{text!r} is no time: use hours, days or weeks such as 12h, 90d, 26w; {MOST_DAYS}d at most")
    return found
