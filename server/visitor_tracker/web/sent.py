"""What is answered to events, for the description of the API; dialects write it by hand."""

from typing import Annotated

import msgspec
from msgspec import UNSET, Meta, UnsetType

from visitor_tracker.event import DropReason


class Dropped(msgspec.Struct, frozen=True):
    """An event that was not kept."""

    index: Annotated[int, Meta(description="Its place in the request")]
    reason: DropReason
    problem: Annotated[str | UnsetType, Meta(description="What is wrong with an `invalid_event`")] = UNSET


class Receipt(msgspec.Struct, frozen=True):
    """What became of events: those that are accepted are on the disk."""

    accepted: int
    dropped: list[Dropped] | UnsetType = UNSET
