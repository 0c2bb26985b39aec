"""Logs to import, and what reads them."""

from collections.abc import Callable, Sequence
from functools import cache

import msgspec

from visitor_tracker.config import Config
from visitor_tracker.event import Event, decode_events
from visitor_tracker.ingest.agent import AgentReader
from visitor_tracker.ingest.geo import GeoReader
from visitor_tracker.jobs.importing.importer import Done, Importer
from visitor_tracker.jobs.importing.planning import plan
from visitor_tracker.jobs.importing.reading import LineReader, Wanted
from visitor_tracker.jobs.importing.resume import KeyOf, keys_from
from visitor_tracker.metrics import Metrics
from visitor_tracker.sites import Policy, Site, Snapshot, site_id_of
from visitor_tracker.store.inbox import Inbox

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:131.0) Gecko/20100101 Firefox/131.0"
GOOGLEBOT = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"
BLOG = Site(site_id_of("blog"), "blog", ("blog.example", "www.blog.example"))
NOW = 1_795_348_800_000  # 2026-11-22 12:00 UTC
SNAPSHOT = Snapshot(
    sites=(Site(1, "default"), BLOG),
    keys={"persistent": b"p" * 32, "2026-11-21": b"y" * 32, "2026-11-22": b"t" * 32, "2026-11": b"m" * 32},
)


def combined(path: str = "/", time: str = "10/Oct/2026:13:55:36 +0200", **more: str) -> str:
    """Return a line of the combined format; `more` are ip, referrer, agent, status and method."""
    return (
        f'{more.get("ip", "198.51.100.7")} - - [{time}] "{more.get("method", "GET")} {path} HTTP/1.1"'
        f' {more.get("status", "200")} 2326 "{more.get("referrer", "-")}" "{more.get("agent", FIREFOX)}"'
    )


def log(*lines: str) -> bytes:
    """Return a log of these lines."""
    return "".join(f"{line}\n" for line in lines).encode()


@cache
def agents() -> AgentReader:
    return AgentReader(Metrics().counters())


def line_reader(
    wanted: Wanted | None = None,
    *,
    key_of: KeyOf | None = None,
    policy: Policy | None = None,
    snapshot: Snapshot = SNAPSHOT,
) -> LineReader:
    """Return a reader that knows the sites default and blog, and keys of today and yesterday."""
    if policy is not None:
        snapshot = msgspec.structs.replace(snapshot, policy=policy)
    return LineReader(
        snapshot,
        key_of or keys_from(b"s" * 32),
        wanted or Wanted(host="blog.example"),
        agents=agents(),
        geo=GeoReader(Config().geo),
        drop_parameters=(),
        now=NOW,
    )


def take(
    paths: Sequence[str],
    inbox: Inbox | None,
    reader: LineReader | None = None,
    *,
    format_name: str = "",
    fold: Callable[[], bool] = lambda: False,
) -> tuple[list[Done], Importer]:
    """Import files."""
    reader = reader or line_reader()
    importer = Importer(reader, inbox=inbox, fold=fold)
    return list(importer.run(plan(paths, reader, site_id=0, format_name=format_name))), importer


def stored(inbox: Inbox) -> list[Event]:
    """Return every event of the inbox by site, in their order."""
    found: list[Event] = []
    for site in SNAPSHOT.sites:
        after = b""
        while rows := inbox.rows(site.id, 100, after):
            after = rows[-1].id
            found += [event for row in rows for event in decode_events(row.body)]
    return found
