"""What people of a site keep under a name, for queries: segments and goals."""

from visitor_tracker.store.insight import Goal, InsightTable


def segment_named(table: InsightTable, site_id: int, owner: str, name: str) -> str | None:
    """Return the filter of a segment; one's own comes before one of that name that everybody sees."""
    found = [each for each in table.segments(site_id, owner) if each.name == name]
    found.sort(key=lambda each: each.owner == "")
    return found[0].filter if found else None


def goal_named(table: InsightTable, site_id: int, name: str) -> Goal | None:
    """Return the goal of that name."""
    return next((each for each in table.goals(site_id) if each.name == name), None)
