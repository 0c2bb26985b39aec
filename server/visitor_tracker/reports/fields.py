"""What only events tell, and neither rollups nor visits: properties, titles, where something led."""

import re
from collections.abc import Callable
from dataclasses import dataclass

from visitor_tracker.event import KINDS, Property
from visitor_tracker.sessions.fact import Fact, Rest

PROPERTY = "prop:"  # begins the name of a property's field
NAME_MOST = 64  # characters of a property's name: no longer one is taken in

_WHOLE_MOST = 1 << 53  # beyond it a float has no digits behind the point, and not all before it
_A_NUMBER = re.compile(r"[+-]?\d{1,30}(\.\d{1,30})?", re.ASCII).fullmatch


@dataclass(frozen=True, slots=True)
class Field:
    """Something that an event tells; `name` is one of FIELDS, or prop: and the name that the page gave it."""

    name: str

    @property
    def is_number(self) -> bool:
        """Say whether it can be more or less than something."""
        return self.name in ("value", "scroll") or self.name.startswith(PROPERTY)


_TOLD: dict[str, Callable[[Fact, Rest, str], Property]] = {
    "kind": lambda event, rest, target: KINDS[event.kind],
    "title": lambda event, rest, target: rest.title,
    "target": lambda event, rest, target: target,
    "value": lambda event, rest, target: rest.value or "",
    "scroll": lambda event, rest, target: rest.scroll or "",
    "currency": lambda event, rest, target: rest.currency,
}
FIELDS = {name: Field(name) for name in _TOLD}
LISTED = {name: FIELDS[name] for name in ("title", "target")}  # a number has too many values, kinds are in rollups


def property_field(name: str) -> Field:
    """Return the field of a property; raises ValueError where no property has such a name."""
    if not name or len(name) > NAME_MOST:
        raise ValueError(f"the name of a property has 1 to {NAME_MOST} characters")
    return Field(PROPERTY + name)


def told(field: Field, event: Fact, rest: Rest, target: str) -> Property:
    """Return what an event tells, "" where it tells nothing; `rest` is decoded, `target` a text."""
    if field.name.startswith(PROPERTY):
        return rest.properties.get(field.name[len(PROPERTY) :], "")
    return _TOLD[field.name](event, rest, target)


def shown(value: Property) -> str:
    """Return a value as lists show it and filters compare it: `true`, `3` also for 3.0."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer() and abs(value) < _WHOLE_MOST:
        return str(int(value))
    return str(value)


def number_of(value: Property) -> int | float | None:
    """Return a number, also one that was sent as text; None for anything else."""
    if isinstance(value, str):
        found = _A_NUMBER(value)
        if found is None:
            return None
        return float(value) if found[1] else int(value)
    return None if isinstance(value, bool) else value
