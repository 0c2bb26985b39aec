"""What the actions that are no pageviews are listed under."""

from visitor_tracker.event import KIND_CODES
from visitor_tracker.measures import Dimension
from visitor_tracker.sessions.fact import Fact

_DIMENSIONS = {
    KIND_CODES["custom"]: int(Dimension.EVENT),
    KIND_CODES["outbound"]: int(Dimension.OUTBOUND),
    KIND_CODES["download"]: int(Dimension.DOWNLOAD),
    KIND_CODES["form"]: int(Dimension.FORM),
    KIND_CODES["click"]: int(Dimension.CLICK),
}
_NAMED = frozenset({int(Dimension.EVENT)})
_NAMED_OR_LED = frozenset({int(Dimension.FORM), int(Dimension.CLICK)})


def listed_under(fact: Fact) -> tuple[int, int] | None:
    """Return dimension and value of an action, the value 0 where it has none; None: it is a pageview or no action."""
    dimension = _DIMENSIONS.get(fact.kind)
    if dimension is None:
        return None
    if dimension in _NAMED:
        return dimension, fact.name
    return dimension, (dimension in _NAMED_OR_LED and fact.name) or fact.target
