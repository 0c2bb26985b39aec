"""Decide what is told: of each event its beginning once, and its end once, when people want to hear of it.

    noticed ──told──▶ told ──over──▶ done        one message, and where the rule says so one more at the end
       └──────over, or it was quiet all the time──▶ done, untold

In quiet hours, and for the rule's cooldown after a message, events wait: they are told afterwards unless they are over.
"""

from collections.abc import Mapping
from datetime import datetime
from hashlib import blake2b

import msgspec

from visitor_tracker.days import zone_of
from visitor_tracker.jobs.alerts.happenings import MINUTE_MS, Happening, Looked
from visitor_tracker.outgoing.channels import Message
from visitor_tracker.store.alert_deliveries import State
from visitor_tracker.store.alerts import Rule


class Decided(msgspec.Struct, frozen=True):
    """What an event becomes, and what is told."""

    event: bytes
    before: State | None
    state: State
    message: Message | None = None


class Circumstances(msgspec.Struct, frozen=True):
    """Whose rule, when, and the address under which people find this server, without a slash at its end."""

    rule: Rule
    site: str
    timezone: str
    now: int
    address: str = ""


def decide(circumstances: Circumstances, states: Mapping[bytes, State], looked: Looked) -> list[Decided]:
    """Return what changes; nothing where all stays as it is."""
    rule, now = circumstances.rule, circumstances.now
    quiet = is_quiet(rule, circumstances.timezone, now)
    spared = (
        quiet or now - max((state.told for state in states.values()), default=0) < rule.cooldown_minutes * MINUTE_MS
    )
    decided: list[Decided] = []
    seen: set[bytes] = set()
    for happening in sorted(looked.found, key=lambda each: each.since):
        event = _event_of(happening, states)
        seen.add(event)
        found = _of_happening(circumstances, event, states.get(event), happening, spared=spared)
        if found is not None:
            decided.append(found)
            spared = spared or (found.message is not None and rule.cooldown_minutes > 0)
    for event, state in states.items():
        if event not in seen and not state.done:
            decided.append(_at_its_end(circumstances, event, state, looked.calm, quiet=quiet))
    return [each for each in decided if each.state != each.before]


def is_quiet(rule: Rule, timezone: str, now: int) -> bool:
    """Say whether nobody wants to hear of it at that moment, by the site's clocks."""
    if rule.urgent or not rule.quiet_from:
        return False
    clock = f"{datetime.fromtimestamp(now / 1000, zone_of(timezone)):%H:%M}"
    if rule.quiet_from <= rule.quiet_to:
        return rule.quiet_from <= clock < rule.quiet_to
    return clock >= rule.quiet_from or clock < rule.quiet_to


def _event_of(happening: Happening, states: Mapping[bytes, State]) -> bytes:
    """Return how the event is called in the store; what goes on keeps the name that it had."""
    if not happening.key:
        there = [event for event, state in states.items() if not state.done]
        if there:
            return there[0]
    return event_id(happening.key or str(happening.since))


def event_id(key: str) -> bytes:
    return blake2b(key.encode(), digest_size=16).digest()


def _of_happening(
    circumstances: Circumstances, event: bytes, before: State | None, happening: Happening, *, spared: bool
) -> Decided | None:
    now, is_over = circumstances.now, happening.is_over
    state = before or State(happening.since)
    if state.done:
        return None
    if state.told:
        quiet = is_quiet(circumstances.rule, circumstances.timezone, now)
        return _at_its_end(circumstances, event, state, happening.text, quiet=quiet) if is_over else None
    if spared:
        return Decided(event, before, State(state.since, over=now, done=True) if is_over else state)
    told = State(state.since, now, over=now if is_over else 0, done=is_over or not happening.has_end)
    return Decided(event, before, told, _told(circumstances, event, happening))


def _at_its_end(circumstances: Circumstances, event: bytes, state: State, calm: str, *, quiet: bool) -> Decided:
    """Return what becomes of an event that is over: in quiet hours what was told waits for them to end."""
    rule, now = circumstances.rule, circumstances.now
    over = state.over or now
    if not state.told or not rule.tell_over:
        return Decided(event, state, State(state.since, state.told, over, done=True))
    if quiet:
        return Decided(event, state, State(state.since, state.told, over))
    message = Message(
        id="",
        title=f"Over: {rule.name}",
        text=f"{calm}\nIt lasted {lasted(over - state.since)}.".strip(),
        at=over,
        severity="info",
        phase="over",
        site=circumstances.site,
        rule=rule.name,
        kind=rule.kind,
        event=event.hex(),
        link=_address(circumstances, ""),
        numbers={"since": state.since, "over": over},
    )
    return Decided(event, state, State(state.since, state.told, over, done=True), message)


def _told(circumstances: Circumstances, event: bytes, happening: Happening) -> Message:
    text = f"{happening.text}\nIt is over by now." if happening.is_over else happening.text
    return Message(
        id="",
        title=happening.title,
        text=text,
        at=circumstances.now,
        severity=happening.severity,
        phase="on",
        site=circumstances.site,
        rule=circumstances.rule.name,
        kind=circumstances.rule.kind,
        event=event.hex(),
        link=_address(circumstances, happening.link),
        numbers={"since": happening.since, **happening.numbers},
    )


def _address(circumstances: Circumstances, path: str) -> str:
    """Return where people look at it, "" where the server does not know its own address."""
    if not circumstances.address:
        return ""
    own = f"/dashboard/{circumstances.site}" if circumstances.site else "/dashboard"
    return circumstances.address + (path or own)


def lasted(milliseconds: int) -> str:
    """Return a time as people say it: 45 minutes, 3 hours, 2 days."""
    minutes = max(1, milliseconds // MINUTE_MS)
    for unit, least, size in (("day", 2 * 1440, 1440), ("hour", 120, 60)):
        if minutes >= least:
            return f"{minutes // size} {unit}s"
    return f"{minutes} minute{'s' if minutes > 1 else ''}"
