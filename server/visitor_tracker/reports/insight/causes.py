"""What an explanation of an anomaly is made of."""

import msgspec

from visitor_tracker.reports.insight.anomalies import Anomaly


class Detail(msgspec.Struct, frozen=True):
    """What most of a cause has in common: `share` of its visits, `usual_share` of the site's."""

    dimension: str
    value: str
    share: float
    usual_share: float


class Cause(msgspec.Struct, frozen=True):
    """A value that explains a part of the change: 1 is all of it; with what others lost, it may be more."""

    dimension: str
    value: str
    share: float
    excess: float  # what of the share goes beyond an even change of everything
    value_now: float
    value_expected: float
    filter: str
    link: str
    details: list[Detail] = []


class Noted(msgspec.Struct, frozen=True):
    """What somebody noted of that day."""

    id: str
    at: str
    text: str
    link: str


class Received(msgspec.Struct, frozen=True):
    """Events of any kind that the server took in that time, robots' too, and usually takes."""

    events: int
    usually: float


class Depth(msgspec.Struct, frozen=True):
    """Views of a visit, where they explain a change of views: `share` of it."""

    views_per_visit: float
    usually: float
    share: float


class Why(msgspec.Struct, frozen=True):
    """What explains an anomaly. `counter` are values that moved the other way; `suggestion` is a note to make of it."""

    anomaly: Anomaly
    value_now: float
    value_expected: float
    compared_with: list[str]
    causes: list[Cause]
    counter: list[Cause]
    is_even: bool
    depth: Depth | None
    received: Received | None
    annotations: list[Noted]
    suggestion: str
    link: str
    text: str
