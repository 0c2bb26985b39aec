"""An explanation in plain English: one or two sentences."""

from visitor_tracker.reports.insight.causes import Cause, Detail, Why

_ALL, _NEARLY_ALL = 0.995, 0.9
_OUT_OF_REACH = 0.3  # of the events that usually arrive
_VALUE_MOST = 80  # characters of a value in a sentence

_NAMES = {
    "utm_campaign": "the campaign {}",
    "utm_source": "the campaign source {}",
    "channel": "the channel {}",
    "entry": "visits that began on {}",
    "page": "the page {}",
    "country": "visitors from {}",
    "region": "visitors from {}",
    "city": "visitors from {}",
    "language": "visitors who read {}",
    "organisation": "the network of {}",
    "device": "{} devices",
    "event": "the event {}",
}


def explained(found: Why) -> str:
    """Return what happened and why."""
    anomaly = found.anomaly
    change = "rise" if anomaly.kind == "spike" else "fall"
    begin = anomaly.text.removesuffix(".")
    if found.depth is not None:
        more = "more" if anomaly.kind == "spike" else "fewer"
        each = f"{found.depth.views_per_visit:.1f} a visit, usually {found.depth.usually:.1f}"
        return f"{begin}: {_part(found.depth.share)} of the {change} is that visits had {more} views, {each}."
    if found.causes:
        return f"{begin}: {_because(found.causes[0], change)}."
    if not found.is_even:
        return f"{begin}: many sources, pages or places have a part in it, and none of them most of it."
    if anomaly.kind == "dip" and _fell_silent(found):
        return f"{begin}: {_arrived(found)}. Was the site, its script or this server out of reach?"
    if anomaly.kind == "dip":
        return f"{begin}: all sources fell alike. Could the site or its script not be reached?"
    return f"{begin}: all sources, pages and places rose alike."


def _arrived(found: Why) -> str:
    """Return what is known of it: a holiday looks much like a server that was away for half of the day."""
    if found.received is None:
        return "hardly anything arrived, from no source"
    events, usually = found.received.events, found.received.usually
    return f"{events:,} events arrived, where {usually:,.0f} usually do, and all sources fell alike"


def _because(cause: Cause, change: str) -> str:
    said = [f"{_part(cause.share)} of the {change} is {_name(cause.dimension, cause.value)}"]
    said += [_detail(each) for each in cause.details]
    return ", ".join(said)


def _part(share: float) -> str:
    return "all" if share >= _ALL else f"{share:.0%}".replace("%", " %")


def _detail(detail: Detail) -> str:
    much = "nearly all" if detail.share >= _NEARLY_ALL else "mostly"
    if detail.dimension in ("entry", "page"):
        return f"{much} to {_short(detail.value)}"
    if detail.dimension == "country":
        return f"{much} from {detail.value}"
    return f"{much} by {_short(detail.value)}"


def _name(dimension: str, value: str) -> str:
    return _NAMES.get(dimension, "{}").format(_short(value))


def _short(value: str) -> str:
    return value if len(value) <= _VALUE_MOST else f"{value[: _VALUE_MOST - 1]}…"


def _fell_silent(found: Why) -> bool:
    """Say whether hardly any event of any kind arrived; without numbers of arrivals, whether hardly anybody came."""
    if found.received is not None and found.received.usually:
        return found.received.events <= _OUT_OF_REACH * found.received.usually
    return found.value_now <= 0.02 * found.value_expected
