"""Every metric has one definition: that of the code."""

import re
from pathlib import Path

from visitor_tracker.reports.asking.glossary import glossary
from visitor_tracker.reports.asking.metrics import TABLE

PAGE = Path(__file__).parents[3] / "docs" / "query.md"


def test_the_document_defines_the_metrics_as_the_code_does() -> None:
    rows = re.findall(r"^\| `(\w+)` \| (.*) \| (\w+) \| ([\w, ]+) \|$", PAGE.read_text("utf-8"), re.MULTILINE)
    assert rows == [(each.name, each.definition, each.unit, ", ".join(each.about)) for each in TABLE]


def test_the_api_defines_them_so_too() -> None:
    told = [(each.metric, each.definition, each.unit, tuple(each.rows)) for each in glossary().metrics]
    assert told == [(each.name, each.definition, each.unit, each.about) for each in TABLE]
