"""Send what is due, and try again what was not taken: for a day, less and less often."""

import logging
from collections.abc import Callable
from typing import Final

import msgspec

from visitor_tracker.access.alert_channels import Channels, is_readable
from visitor_tracker.days import DAY_MS, HOUR_MS
from visitor_tracker.errors import OutcomeUnknown, StoreError, StoreUnavailable
from visitor_tracker.outgoing.channels import Channel, Message
from visitor_tracker.outgoing.courier import Courier, Outcome, parts_of
from visitor_tracker.store.alert_deliveries import Delivery, DeliveryTable
from visitor_tracker.store.alerts import Status

log = logging.getLogger(__name__)

TRIED_MS: Final = DAY_MS  # after which a delivery has failed
FIRST_MS: Final = 60_000  # until the second try; each pause is twice as long as the one before it
LONGEST_MS: Final = HOUR_MS
AT_ONCE: Final = 500  # deliveries of one round
_ANSWER_MOST = 500  # characters


class Parcel(msgspec.Struct, frozen=True):
    """The body of a delivery; `to` is the address, where the channel is of e-mail."""

    message: Message
    to: str = ""


def parcels(channel: Channel, message: Message) -> list[str]:
    """Return the bodies of the deliveries that bring a message to a channel."""
    parts = [Parcel(message, part.to[0] if part.to else "") for part in parts_of(channel)]
    return [msgspec.json.encode(part).decode() for part in parts]


class Deliverer:
    """Belongs to one thread."""

    def __init__(self, table: DeliveryTable, channels: Channels, courier: Courier, clock: Callable[[], int]) -> None:
        """`clock` is epoch ms."""
        self._table = table
        self._channels = channels
        self._courier = courier
        self._clock = clock

    def run(self, is_over: Callable[[], bool] = bool) -> int:
        """Send what is due, and return how many that were; a channel that did not take one is spared for a minute."""
        spared: set[bytes] = set()
        begun, found = 0, AT_ONCE
        while found == AT_ONCE:
            due = self._table.due(self._clock(), AT_ONCE)
            found = len(due)
            for delivery in due:
                if is_over():
                    return begun
                if delivery.channel_id not in spared:
                    begun += 1
                    if not self._send(delivery):
                        spared.add(delivery.channel_id)
                        self._table.spare(delivery, self._clock() + FIRST_MS - 1)
        return begun

    def _send(self, delivery: Delivery) -> bool:
        # Counted before it is sent: who is killed meanwhile does not begin again at once, nor for ever.
        pause = min(FIRST_MS << min(delivery.tries, 10), LONGEST_MS)
        if not self._table.begin(delivery, self._clock() + pause):
            return True
        outcome = self._outcome(delivery)
        now = self._clock()
        next_at = now + max(pause, min(outcome.retry_after * 1000, LONGEST_MS))
        is_late = outcome.is_final or next_at > delivery.at + TRIED_MS
        status: Status = "sent" if outcome.is_sent else "failed" if is_late else "waiting"
        self._table.end(delivery, status, next_at if status == "waiting" else now, outcome.answer[:_ANSWER_MOST])
        if status == "failed":
            log.warning("an alert of site %d was not taken and is given up: %s", delivery.site_id, outcome.answer)
        return outcome.is_sent or outcome.is_final

    def _outcome(self, delivery: Delivery) -> Outcome:
        """Send it; what goes wrong in that is a try like others, so that it ends after a day."""
        try:
            channel = self._channels.find(delivery.site_id, delivery.channel_id)
            if channel is None:
                return Outcome(is_sent=False, answer="the channel was removed", is_final=True)
            return self._deliver(delivery, channel)
        except (StoreUnavailable, OutcomeUnknown):
            raise
        except StoreError as error:
            return Outcome(is_sent=False, answer=str(error))
        except Exception:
            log.exception("an alert of site %d cannot be sent", delivery.site_id)
            return Outcome(is_sent=False, answer="it failed: the server's log says why")

    def _deliver(self, delivery: Delivery, channel: Channel) -> Outcome:
        if not is_readable(channel):
            return Outcome(
                is_sent=False, answer="its secrets were stored under another server.secret_key: set them again"
            )
        parcel = msgspec.json.decode(delivery.body, type=Parcel)
        to = (parcel.to,) if parcel.to else channel.to
        message = msgspec.structs.replace(parcel.message, id=delivery.id.hex())
        return self._courier.deliver(msgspec.structs.replace(channel, to=to), message)
