"""Send invented hits the way of real ones: understood at their past moments, into the inbox, folded.

    days_of_traffic ──Pipeline──▶ events ──a transaction for each day──▶ inbox, days, cursor ──fold──▶ reports

The cursor counts the days that are written, so who is interrupted goes on where it was, and nothing is there twice.
The keys of visitor hashes are made from the plan's seed and never stored. They keep nobody's secret, since the
addresses are invented too; the store's own keys of past days are destroyed and would not come back for this.
"""

from collections.abc import Callable, Iterator, Sequence
from hashlib import blake2b
from itertools import islice

import msgspec

from visitor_tracker.config.sections import GeoConfig
from visitor_tracker.days import date_of
from visitor_tracker.errors import TrackerError
from visitor_tracker.event import Batch, Event, InboxRow, inbox_rows
from visitor_tracker.ingest.agent import AgentReader
from visitor_tracker.ingest.bots import judge
from visitor_tracker.ingest.geo import GeoReader
from visitor_tracker.ingest.parcel import Record, seen_of
from visitor_tracker.ingest.pipeline import Pipeline
from visitor_tracker.ingest.visitor import PERSISTENT
from visitor_tracker.jobs.demo.chance import chances
from visitor_tracker.jobs.demo.journey import Sent
from visitor_tracker.jobs.demo.plan import Order, Plan
from visitor_tracker.jobs.demo.traffic import days_of_traffic
from visitor_tracker.metrics import Metrics
from visitor_tracker.sites import Policy, Site, Snapshot
from visitor_tracker.store.inbox import Inbox

_ROW_EVENTS = 250  # of an inbox row: the fold takes several at once, or one where a server's visitors wait
_KEY_BYTES = 32
_RESUMED_DAYS = 7  # for so long after it was interrupted a run can go on


class DemoError(TrackerError):
    """No visits can be invented for that site; the message says what to do instead."""


class Start(msgspec.Struct, frozen=True):
    """A plan, and the first day of it that is not written: 0, or where an earlier run was interrupted."""

    plan: Plan
    step: int = 0


class Written(msgspec.Struct, frozen=True):
    """What a run has added; `views` are people's, `robots` the events that are not."""

    days: int = 0
    events: int = 0
    views: int = 0
    robots: int = 0


Fold = Callable[[], bool]
Progress = Callable[[int, int, int], None]  # days done, of all, and events of this run


def find_start(inbox: Inbox, order: Order) -> Start:
    """Return where to begin, or to go on; raises DemoError for a site that has visits already."""
    segment = segment_of(order.site)
    position = inbox.positions([segment]).get(segment, 0)
    if not position and not inbox.holds(order.site.id):
        return Start(order.plan())
    for plan in map(order.plan, range(_RESUMED_DAYS + 1)):
        step = plan.step_of(position)
        if step is not None and step < plan.days:
            return Start(plan, step)
    name = order.site.name
    raise DemoError(
        f"the site {name} has visits already, and no invented ones are put among them: name another one, such as"
        f"  --site {name}2  (a run that was interrupted goes on with the same options within a week)"
    )


def write(inbox: Inbox, start: Start, policy: Policy, *, fold: Fold, progress: Progress) -> Written:
    """Write what is planned, as that policy lets a server know it.

    `fold` folds a piece of what waits in the inbox; False: nothing waits, or another process sees to it. Raises
    DemoError where another process writes the same.
    """
    plan, written = start.plan, Written()
    segment, understood = segment_of(plan.site), Understanding(plan, policy)
    old = plan.position(start.step) if start.step else 0
    for step, sent in enumerate(days_of_traffic(plan, start.step), start.step):
        events = list(understood.events(sent))
        new = plan.position(step + 1)
        if not inbox.drain(list(_rows(events)), _seen(events), segment_id=segment, old=old, new=new, at=plan.until):
            raise DemoError(f"another  visitor-tracker demo  is writing to the site {plan.site.name}: let it finish")
        old = new
        written = _added(written, events)
        while fold():
            pass
        progress(step + 1, plan.days, written.events)
    return written


def segment_of(site: Site) -> bytes:
    """Return under which name the cursor of a site's invented visits is kept: no journal has it."""
    return blake2b(site.seed, digest_size=16, person=b"demo").digest()


class Understanding:
    """Turns invented hits into events, each at its own moment."""

    def __init__(self, plan: Plan, policy: Policy) -> None:
        snapshot = Snapshot((plan.site,), keys_of(plan), auto_create=False, policy=policy)
        # Nothing is asked of files or services about addresses that nobody has.
        self._pipeline = Pipeline(snapshot=lambda: snapshot, make_site=lambda name: None, geo=GeoReader(GeoConfig()))
        self._agents = AgentReader(Metrics().counters())

    def events(self, sent: Sequence[Sent]) -> Iterator[Event]:
        """Yield what becomes of the hits; raises DemoError where a hit is not taken."""
        understand, read = self._pipeline.understand, self._agents.read
        for each in sent:
            event = understand(each.hit, each.client, read(each.client.user_agent), each.ts)
            if isinstance(event, Event):
                yield event
            elif event != "opt_out":
                raise DemoError(f"the server takes no page {each.hit.url} for the site {each.hit.site}: {event}")


def keys_of(plan: Plan) -> dict[str, bytes]:
    """Return keys for visitor hashes on all days of the plan, of its months, and one that stays."""
    days = [date_of(day).isoformat() for day in plan.all_days()]
    periods = {*days, *(day[:7] for day in days), PERSISTENT}
    return {period: chances(plan.seed, plan.site.name, "key", period).randbytes(_KEY_BYTES) for period in periods}


def _rows(events: Sequence[Event]) -> Iterator[InboxRow]:
    left = iter(events)
    while part := list(islice(left, _ROW_EVENTS)):
        yield from inbox_rows(part[0].id, part[0].at, part)


def _seen(events: Sequence[Event]) -> list[tuple[int, bytes, int, int]]:
    """Return who was there on which day, as the drainer would."""
    return seen_of([Record(b"", 0, Batch(b"", 0, list(events)))])


def _added(written: Written, events: Sequence[Event]) -> Written:
    robots = sum(judge(event.signals) for event in events)
    views = sum(event.kind == "pageview" and not judge(event.signals) for event in events)
    return msgspec.structs.replace(
        written,
        days=written.days + 1,
        events=written.events + len(events),
        views=written.views + views,
        robots=written.robots + robots,
    )
