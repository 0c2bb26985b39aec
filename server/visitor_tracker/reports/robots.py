"""Which robots came, which pages they asked for, and what is doubtful: from raw events, which are kept with signals."""

from collections import Counter
from collections.abc import Iterable, Iterator

import msgspec

from visitor_tracker.days import bounds, days_between
from visitor_tracker.event import ROBOT, Signal
from visitor_tracker.reports.query import QueryError, Span
from visitor_tracker.reports.words import Words
from visitor_tracker.sites import Site
from visitor_tracker.store.apart import of_site
from visitor_tracker.store.raw_events import RawEvents
from visitor_tracker.store.robots import Found, RobotTable
from visitor_tracker.store.session import Database

READ_MOST = 5_000_000  # events of one question
LIMIT, LIMIT_MOST = 50, 1_000

# Crawlers that collect texts for language models, or answer their users' questions: the names that their makers
# publish, in lower case.
_AI = frozenset(
    {
        "ai2bot", "amazonbot", "anthropic-ai", "applebot-extended", "bytespider", "ccbot", "chatgpt-user",
        "claude-user", "claude-searchbot", "claude-web", "claudebot", "cohere-ai", "cohere-training-data-crawler",
        "deepseekbot", "diffbot", "duckassistbot", "facebookbot", "google-extended", "googleother", "gptbot",
        "imagesiftbot", "kangaroo bot", "meta-externalagent", "meta-externalfetcher", "mistralai-user",
        "oai-searchbot", "omgili", "omgilibot", "panguscanner", "perplexity-user", "perplexitybot",
        "petalbot", "timpibot", "youbot",
    }
)  # fmt: skip


class Reason(msgspec.Struct, frozen=True):
    """A signal, how many events have it, and of how many it is the only one."""

    reason: str
    events: int
    alone: int


class Crawler(msgspec.Struct, frozen=True):
    """A robot by the name that it gives itself; `is_ai`: it reads for language models."""

    name: str
    is_ai: bool
    events: int


class RobotPage(msgspec.Struct, frozen=True):
    """A page that robots asked for."""

    host: str
    page: str
    events: int


class Robots(msgspec.Struct, frozen=True):
    """Robots of a period; the lists have the most frequent first.

    `events` are of robots, `doubtful` of visitors of whom something speaks for one, but not enough. `pages` are
    those of all robots, or of the ones that were asked for. Of `days_missing` events are not kept any more.
    """

    events: int
    doubtful: int
    days_missing: int
    reasons: list[Reason]
    crawlers: list[Crawler]
    pages: list[RobotPage]
    pages_in_all: int


class PagesOf(msgspec.Struct, frozen=True):
    """Whose pages are told, of those that read for language models, or of all; and how many."""

    crawler: str = ""
    only_ai: bool = False
    limit: int = LIMIT

    def has(self, name: str) -> bool:
        if self.crawler:
            return name == self.crawler
        return not self.only_ai or is_ai(name)


class _Sums:
    """Adds up; of one answer."""

    def __init__(self) -> None:
        self.doubtful = 0
        self.signals: Counter[int] = Counter()
        self.contexts: Counter[int] = Counter()
        self.pages: Counter[tuple[int, int, int]] = Counter()  # context, host, page

    def add(self, found: Iterable[Found]) -> None:
        for each in found:
            if each.signals & ROBOT == 0:
                self.doubtful += each.events
                continue
            self.signals[each.signals] += each.events
            self.contexts[each.context] += each.events
            self.pages[each.context, each.host, each.page] += each.events


def is_ai(name: str) -> bool:
    """Say whether a crawler of that name reads for language models."""
    return name.lower() in _AI


def robots(database: Database, site: Site, span: Span, pages_of: PagesOf) -> Robots:
    """Return the robots of a span; raises QueryError where too many events would be read."""
    table = RobotTable(database)
    if table.events(site.id, span.first_day, span.last_day) > READ_MOST:
        raise QueryError("period", f"this would read more than {READ_MOST:,} events: take a shorter period")
    sums = _Sums()
    for start_ms, end_ms in _days(span, site.timezone):
        sums.add(table.found(site.id, start_ms, end_ms))
    kept = RawEvents(database).kept(site.id, span.first_day, span.last_day)
    missing = sum(not is_whole for is_whole in kept.values())

    return of_site(database, site.id).read(lambda session: _robots(sums, Words(session), missing, pages_of))


def _days(span: Span, timezone: str) -> Iterator[tuple[int, int]]:
    """Yield the days of a span, so that others may read in between."""
    for day in days_between(span.first_day, span.last_day):
        start_ms, end_ms = bounds(timezone, day)
        if start_ms < span.end_ms and end_ms > span.start_ms:
            yield max(start_ms, span.start_ms), min(end_ms, span.end_ms)


def _robots(sums: _Sums, words: Words, missing: int, pages_of: PagesOf) -> Robots:
    words.learn(contexts=sums.contexts)
    crawlers: Counter[str] = Counter()
    for context, events in sums.contexts.items():
        if name := words.context(context).agent.bot:
            crawlers[name] += events
    pages: Counter[tuple[int, int]] = Counter()
    for (context, host, page), events in sums.pages.items():
        if pages_of.has(words.context(context).agent.bot):
            pages[host, page] += events
    shown = pages.most_common(pages_of.limit)
    words.learn(texts={text for (host, page), _ in shown for text in (host, page)})
    return Robots(
        events=sum(sums.signals.values()),
        doubtful=sums.doubtful,
        days_missing=missing,
        reasons=_reasons(sums.signals),
        crawlers=[Crawler(name, is_ai(name), events) for name, events in crawlers.most_common()],
        pages=[RobotPage(words.text(host), words.text(page), events) for (host, page), events in shown],
        pages_in_all=len(pages),
    )


def _reasons(signals: Counter[int]) -> list[Reason]:
    found = [
        Reason(
            (signal.name or "").lower(),
            sum(events for each, events in signals.items() if each & signal),
            signals[int(signal)],
        )
        for signal in Signal
        if int(signal) & ROBOT
    ]
    return sorted((each for each in found if each.events), key=lambda each: (-each.events, each.reason))
