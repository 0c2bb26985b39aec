"""What every number means: the same table for the API and the documentation."""

import msgspec

from visitor_tracker.reports.asking.metrics import TABLE, Metric


class Definition(msgspec.Struct, frozen=True):
    """One metric. `rows`: what the rows may be that it is asked of."""

    metric: str
    definition: str
    unit: str
    rows: list[str]
    reads: str


class Glossary(msgspec.Struct, frozen=True):
    """All of them."""

    metrics: list[Definition]


def glossary() -> Glossary:
    """Return the definitions of all metrics."""
    return Glossary(
        [
            Definition(metric.name, metric.definition, metric.unit, list(metric.about), _reads(metric))
            for metric in TABLE
        ]
    )


def _reads(metric: Metric) -> str:
    if metric.of_goal:
        return "visits, or events"
    return "events" if metric.from_events else "rollups; visits or events under filters and by two dimensions"
