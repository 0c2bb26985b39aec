"""What the query API refuses, and how soon."""

import time

import pytest

from tests.web.asking import DAYS, PATH, Asking, Said, with_numbers
from tests.web.conftest import Build


@pytest.fixture
def asking(build: Build) -> Asking:
    """A site with visits on two days, and another one."""
    return with_numbers(build())


@pytest.mark.parametrize(
    ("body", "code", "says"),
    [
        ({"metrics": ["nonsense"]}, "invalid_metrics", "use visitors, visits, views"),
        ({"metrics": ["visitors", "visitors"]}, "invalid_metrics", "once"),
        ({"metrics": "visitors"}, "invalid_metrics", "Expected `array`"),
        ({"metrics": ["bounce_rate"], "dimensions": ["page"]}, "invalid_metrics", "use visitors, visits, views"),
        ({"metrics": ["views"] * 50}, "invalid_metrics", "at most"),
        ({"dimensions": ["nonsense"]}, "invalid_dimensions", "country"),
        ({"dimensions": ["page", "source", "country"]}, "invalid_dimensions", "at most 2"),
        ({"dimensions": ["page", "page"]}, "invalid_dimensions", "once"),
        ({"dimensions": ["time:minute"]}, "invalid_dimensions", "hour, day, week, month"),
        ({"dimensions": ["prop:"]}, "invalid_dimensions", "1 to 64"),
        ({"dimensions": ["bot", "country"], "metrics": ["events"]}, "invalid_dimensions", "time only"),
        ({"dimensions": ["bot"], "metrics": ["events"], "filters": "page is /"}, "invalid_filters", "leave the filter"),
        ({"filters": "country was DE"}, "invalid_filters", "character 9"),
        ({"filters": ["was", "country", ["DE"]]}, "invalid_filters", "is_not"),
        ({"filters": ["is", "planet", ["DE"]]}, "invalid_filters", "country"),
        ({"filters": {"xor": []}}, "invalid_filters", "and, or, not"),
        ({"filters": {"and": []}}, "invalid_filters", "at least one"),
        ({"filters": ["is", "country", []]}, "invalid_filters", "at least one value"),
        ({"filters": ["gt", "country", [1]]}, "invalid_filters", "compares numbers"),
        ({"filters": ["gt", "value", ["many"]]}, "invalid_filters", "one number"),
        ({"filters": ["is", "country", [None]]}, "invalid_filters", "a value is a text"),
        ({"filters": ["contains", "page", [""]]}, "invalid_filters", "fits everything"),
        ({"filters": 7}, "invalid_filters", "got `int`"),
        ({"date_range": "fortnight"}, "invalid_date_range", "lifetime"),
        ({"date_range": ["2026-01-01"]}, "invalid_date_range", "two days"),
        ({"date_range": {"from": "2026-02-01", "to": "2026-01-01"}}, "invalid_date_range", "earlier day first"),
        ({"date_range": {"from": "2026-02-01"}}, "invalid_date_range", "missing required field"),
        ({"interval": "minute"}, "invalid_interval", "hour, day, week, month"),
        ({"week_start": "friday"}, "invalid_week_start", "use monday, sunday, saturday"),
        ({"timezone": "Mars/Olympus"}, "invalid_timezone", "Europe/Berlin"),
        ({"timezone": "../../etc/passwd"}, "invalid_timezone", "Europe/Berlin"),
        ({"compare": "never"}, "invalid_compare", "no period"),
        ({"compare": "year", "date_range": "24h"}, "invalid_compare", "previous"),
        ({"compare": "previous", "date_range": "lifetime"}, "invalid_compare", "nothing before"),
        ({"compare": "previous", "date_range": "1970-01-01"}, "invalid_compare", "later days"),
        ({"order_by": ["bounces"]}, "invalid_order_by", "visitors"),
        ({"order_by": ["visitors:up"]}, "invalid_order_by", ":asc or :desc"),
        ({"limit": 1001}, "invalid_limit", "1 to 1000"),
        ({"limit": -1}, "invalid_limit", "1 to 1000"),
        ({"cursor": "%%%"}, "invalid_cursor", "cannot be read"),
        ({"cursor": "ä"}, "invalid_cursor", "cannot be read"),
        ({"format": "xml"}, "invalid_format", "Invalid enum"),
        ({"metric": []}, "invalid_body", "metrics"),
        ({"date_range": "2020-01-01..2026-01-01", "dimensions": ["time:hour"]}, "invalid_interval", "2000 points"),
    ],
)  # fmt: skip
def test_a_mistake_names_its_part(asking: Asking, body: Said, code: str, says: str) -> None:
    status, found, message = asking.refusal({**DAYS, **body})
    assert (status, found) == (400, code)
    assert says in message


@pytest.mark.parametrize(
    "body",
    [b"", b"[]", b'{"metrics": [1]}', b"\xff", b"{" * 50_000, b"[" * 50_000, b'{"limit": 1e999}', b'{"limit": NaN}',
     b'{"filters": ' + b'{"not": ' * 200 + b'["is","page",["/"]]' + b"}" * 200 + b"}",
     b'{"filters": ["is", "page", [' + b'"x",' * 5_000 + b'"x"]]}',
     b'{"filters": ["matches", "page", ["' + b"*a" * 900 + b'"]], "date_range": "2026-03-10"}'],
)  # fmt: skip
def test_hostile_bodies_are_refused_or_answered_soon(asking: Asking, body: bytes) -> None:
    began = time.process_time()
    assert asking.response(PATH, body or b" ").status in (200, 400)
    assert time.process_time() - began < 5


@pytest.mark.parametrize(
    ("parameters", "code"),
    [
        ({"limit": "many"}, "invalid_limit"),
        ({"limit": "99999999999"}, "invalid_limit"),
        ({"metric": "views"}, "unknown_parameter"),
        ({"filters": "[["}, "invalid_filters"),
        ({"filters": "{}x"}, "invalid_filters"),
        ({"format": "xls"}, "invalid_format"),
        ({"metrics": "visitors,'; drop table sites; --"}, "invalid_metrics"),
        ({"order_by": "visitors desc; drop table sites"}, "invalid_order_by"),
    ],
)
def test_parameters_are_refused_by_name(asking: Asking, parameters: dict[str, str], code: str) -> None:
    assert asking.refusal(**parameters)[:2] == (400, code)
