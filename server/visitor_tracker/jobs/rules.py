"""How a site counts, by the settings and by what it has of its own."""

from visitor_tracker.access.keeper import policy_of
from visitor_tracker.config import Config
from visitor_tracker.ingest.people import Rule
from visitor_tracker.sites import Site


def rule_of_site(config: Config, site: Site) -> Rule:
    """Return how a site counts, by the settings where it has no policy of its own."""
    is_daily = (site.policy or policy_of(config.identity)).visitor == "daily"
    return Rule(site.timezone, is_daily, config.robots.behaviour)
