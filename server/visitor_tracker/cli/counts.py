"""`count` and `pages`: what the per-page counter has."""

import argparse
from typing import Any

import msgspec

from visitor_tracker.cli.arguments import add_command, config_of, opened, positive
from visitor_tracker.cli.output import EXIT_USAGE, complain, moment, moment_json, remark, say, say_json
from visitor_tracker.event import PageCount
from visitor_tracker.http.url import normalise, page_hash
from visitor_tracker.store.base import PageOrder
from visitor_tracker.web.counter import iso

_STEP = 1000  # pages of one query


def add_commands(commands: Any) -> None:  # noqa: ANN401
    """Add the commands of this file."""
    count = add_command(
        commands,
        "count",
        _count,
        "print the visit count of one page",
        examples="visitor-tracker count https://example.com/",
    )
    count.add_argument("url", metavar="URL", help="address of the page, with http:// or https://")
    count.add_argument("--json", action="store_true", help="print the row as JSON")
    pages = add_command(
        commands,
        "pages",
        _pages,
        "list pages with their visit counts",
        examples="visitor-tracker pages --order recent --limit 20\nvisitor-tracker pages --json | head",
    )
    pages.add_argument("--order", choices=("visits", "recent", "url"), default="visits", help="default: visits")
    pages.add_argument("--limit", type=positive, default=50, metavar="N", help="how many at most; default: 50")
    pages.add_argument("--json", action="store_true", help="print the rows as JSON lines")


def _count(options: argparse.Namespace) -> int:
    config = config_of(options)
    try:
        url = normalise(options.url, config.counter.drop_parameters)
    except ValueError as error:
        complain(f"invalid URL: {error}")
        return EXIT_USAGE
    with opened(config) as store:
        page = store.page(page_hash(url))
    page = page or PageCount(url, 0, 0, 0)
    if options.json:
        say_json(_row(page))
    elif page.visit_count:
        times = f"last visit {iso(page.last_visited)}, first {iso(page.created_at)}"
        say(f"{page.visit_count}  {page.page_url}  ({times})")
    else:
        say(f"0  {page.page_url}  (no visit yet)")
    return 0


def _pages(options: argparse.Namespace) -> int:
    order: PageOrder = options.order
    left, cursor, rows = options.limit, None, 0
    with opened(config_of(options)) as store:
        while left:
            found = store.pages(order=order, limit=min(left, _STEP), cursor=cursor)
            if found.pages and not rows and not options.json:
                say(f"{'VISITS':>10}  {'LAST VISIT (UTC)':<19}  PAGE")
            for page in found.pages:
                if options.json:
                    say_json(_row(page))
                else:
                    say(f"{page.visit_count:>10,}  {moment(page.last_visited)}  {page.page_url}")
            rows += len(found.pages)
            left -= len(found.pages)
            cursor = found.cursor
            if cursor is None:
                break
    if not rows and not options.json:
        remark("no visits yet: start  visitor-tracker serve  and open http://127.0.0.1:8000/demo")
    return 0


def _row(page: PageCount) -> dict[str, object]:
    times = {name: moment_json(getattr(page, name)) for name in ("last_visited", "created_at")}
    return msgspec.structs.asdict(page) | times
