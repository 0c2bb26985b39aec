"""Tell that the store is away, for which it cannot be asked: by what was known when it was last there."""

from collections.abc import Callable, Mapping, Sequence

import msgspec

from visitor_tracker.jobs.alerts.deciding import event_id, lasted
from visitor_tracker.jobs.alerts.happenings import MINUTE_MS
from visitor_tracker.outgoing.channels import Channel, Message
from visitor_tracker.outgoing.courier import Courier, parts_of
from visitor_tracker.store.alerts import Rule


class Watched(msgspec.Struct, frozen=True):
    """A rule about what waits, of which nothing is told at the moment, and its channels."""

    rule: Rule
    channels: tuple[Channel, ...]


class Emergency:
    """Belongs to one thread. Of several nodes the one tells that was looking last."""

    def __init__(self, courier: Courier, clock: Callable[[], int]) -> None:
        """`clock` is epoch ms."""
        self._courier = courier
        self._clock = clock
        self._watched: Sequence[Watched] = ()
        self._since = 0
        self._taken: set[tuple[bytes, bytes, tuple[str, ...]]] = set()
        self._told: dict[bytes, int] = {}

    def remember(self, watched: Sequence[Watched]) -> None:
        """Note what to tell if the store is away from now on."""
        self._watched, self._since = watched, self._clock()
        self._taken.clear()

    def seen(self) -> None:
        """Note that the store answers."""
        self._since = self._clock()

    def forget(self) -> None:
        """Leave it to who looks now, or to nobody."""
        self._watched = ()

    def tell(self) -> None:
        """Tell those who are to know by now, and again those who did not take it."""
        for each in self._watched:
            if self._clock() - self._since >= each.rule.minutes * MINUTE_MS:
                for channel in each.channels:
                    for part in parts_of(channel):
                        self._bring(each.rule, part)

    def told(self) -> Mapping[bytes, int]:
        """Return since when it was that was told, by rule, once."""
        told, self._told = self._told, {}
        return told

    def _bring(self, rule: Rule, channel: Channel) -> None:
        key = (rule.id, channel.id, channel.to)
        if key in self._taken:
            return
        event = event_id(str(self._since)).hex()
        message = Message(
            id=event_id(f"{event} {channel.id.hex()} {channel.to}").hex(),
            title=f"The store has been away for {rule.minutes} minutes",
            text=f"The database has not answered for {lasted(self._clock() - self._since)}. What visitors send waits in"
            " the journal, and nothing is lost as long as there is room; look at the log and at the database.",
            at=self._clock(),
            severity="critical",
            rule=rule.name,
            kind=rule.kind,
            event=event,
            numbers={"since": self._since},
        )
        if self._courier.deliver(channel, message).is_sent:
            self._taken.add(key)
        self._told[rule.id] = self._since
