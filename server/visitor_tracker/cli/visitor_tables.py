"""Visitors as `view_visitors.py` of old prints them; scripts read these lines, so they stay as they are."""

from collections.abc import Sequence

from visitor_tracker.cli.output import say
from visitor_tracker.logs import escape
from visitor_tracker.reports.visitors import Visitor, VisitorStats

# Title, width, field; what is longer than `cut` characters is cut. With a space between them as wide as the rule.
_COLUMNS = (
    ("IP Address", 18, "ip", 0),
    ("Country", 20, "country", 0),
    ("City", 21, "city", 0),
    ("Organization", 31, "org", 28),
    ("Visits", 7, "visit_count", 0),
    ("First Seen", 21, "first_seen", 19),
    ("Last Seen", 20, "last_seen", 19),
)
_FRAME, _RULE = "=" * 80, "-" * 144


def say_visitors(found: Sequence[Visitor]) -> None:
    """Print one line per visitor."""
    _say_title("ALL VISITORS")
    say(" ".join(f"{title:<{width}}" for title, width, *_ in _COLUMNS).rstrip())
    say(_RULE)
    for each in found:
        say(" ".join(f"{_cell(each, name, cut):<{width}}" for _, width, name, cut in _COLUMNS).rstrip())
    say(_FRAME)


def say_stats(found: VisitorStats) -> None:
    """Print how many there are, and from where."""
    _say_title("VISITOR STATISTICS")
    say(f"Total Unique Visitors: {found.total_visitors}")
    say(f"Total Visits: {found.total_visits}")
    say("\nVisitors by Country:")
    for country, count in found.countries.items():
        say(f"  {escape(country)}: {count}")
    say("\nTop 10 IPs by Visit Count:")
    for place, top in enumerate(found.top_ips, 1):
        say(f"  {place}. {escape(top.ip):<17} {escape(top.country):<20} ({top.visit_count} visits)")
    say(_FRAME)


def say_details(found: Visitor) -> None:
    """Print all that is known of one visitor."""
    _say_title(f"VISITOR DETAILS: {escape(found.ip)}")
    for title, value in (
        ("IP Address", found.ip),
        ("Country", f"{found.country} ({found.country_code})"),
        ("Region", found.region),
        ("City", found.city),
        ("Organization", found.org),
        ("ISP", found.isp),
        ("Visit Count", str(found.visit_count)),
        ("First Seen", found.first_seen),
        ("Last Seen", found.last_seen),
    ):
        say(f"{title}: {escape(value)}")
    for title, values in (("Paths Visited", found.paths_visited), ("User Agents", found.user_agents)):
        say(f"\n{title} ({len(values)}):")
        for value in values:
            say(f"  - {escape(value)}")
    say(_FRAME)


def _cell(each: Visitor, name: str, cut: int) -> str:
    text = escape(str(getattr(each, name)))
    return text[:cut] if cut else text


def _say_title(title: str) -> None:
    say(f"{_FRAME}\n{title}\n{_FRAME}")
