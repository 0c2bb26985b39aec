"""What channels and alerts look like in the API and on the command line."""

from typing import Annotated

import msgspec
from msgspec import UNSET, Meta, UnsetType

from visitor_tracker.access.alert_channels import is_readable, shown_place
from visitor_tracker.outgoing.channels import Channel, ChannelKind, Message
from visitor_tracker.reports.alert_rules import METRICS
from visitor_tracker.reports.words import iso
from visitor_tracker.store.alert_deliveries import Delivery
from visitor_tracker.store.alerts import AlertPeriod, Direction, LeastSeverity, Rule, RuleKind, Status

_To = Annotated[list[str], Meta(description="E-mail addresses, of the kind email")]
_Url = Annotated[str, Meta(description="Of webhook, slack and discord; of ntfy the topic's address")]
_Chat = Annotated[str, Meta(description="Of telegram: the number of the chat, or the @name of a channel")]
_Base = Annotated[str, Meta(description="Of telegram: another server than https://api.telegram.org")]
_Token = Annotated[str, Meta(description="Of telegram the bot's token; of ntfy an access token, if it needs one")]
_Channels = Annotated[list[str], Meta(description="Ids of the channels that get it")]
_Metric = Annotated[str, Meta(description=f"Of threshold: {', '.join(METRICS)}")]
_Value = Annotated[float, Meta(description="Of threshold; of bounce_rate a share, of vitals ms as they are measured")]
_Goal = Annotated[str, Meta(description="Of goal: its id")]
_Times = Annotated[int, Meta(description="Of goal: how often it must be reached in the period")]
_Minutes = Annotated[int, Meta(description="Of silent and lag")]
_Days = Annotated[int, Meta(description="Of certificate")]
_Severity = Annotated[LeastSeverity, Meta(description="Of anomaly: the least that is told")]
_Clock = Annotated[str, Meta(description="Such as 22:00, by the site's clocks; empty: no quiet hours")]
_Cooldown = Annotated[int, Meta(description="Minutes after a message in which nothing new is told")]
_Urgent = Annotated[bool, Meta(description="Whether it is told in quiet hours, too")]
_TellOver = Annotated[bool, Meta(description="Whether the end of what was told is told")]


class ChannelMade(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A new channel; what it needs depends on the kind."""

    name: str
    kind: ChannelKind
    to: _To = []
    url: _Url = ""
    chat: _Chat = ""
    base: _Base = ""
    token: _Token = ""


class ChannelChanged(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is to be another; the kind stays. A token that is null is removed."""

    name: str | UnsetType = UNSET
    to: _To | UnsetType = UNSET
    url: _Url | UnsetType = UNSET
    chat: _Chat | UnsetType = UNSET
    base: _Base | UnsetType = UNSET
    token: _Token | UnsetType | None = UNSET


class ChannelShown(msgspec.Struct, frozen=True):
    """A channel; `place` is where it leads as far as that is no secret, `problem` why nothing can get there."""

    id: str
    name: str
    kind: ChannelKind
    place: str
    to: list[str]
    chat: str
    base: str
    has_token: bool
    created_at: str
    problem: str


class ChannelWithSecret(ChannelShown, frozen=True):
    """A channel that was just made: the secret signs what a webhook gets, and is shown now and never again."""

    secret: str | None


class NewSecret(msgspec.Struct, frozen=True):
    """The secret that signs what the webhook gets from now on; it is not shown again."""

    secret: str


class ChannelsShown(msgspec.Struct, frozen=True):
    """Channels, the oldest first. `mail_is_set_up`: the settings name a mail server."""

    channels: list[ChannelShown]
    mail_is_set_up: bool


class Tried(msgspec.Struct, frozen=True):
    """A receiver: whether it took the message, and what it said."""

    channel: str
    to: str
    sent: bool
    answer: str


class Tested(msgspec.Struct, frozen=True):
    """What became of a test; `sent` where all of them took it."""

    sent: bool
    receivers: list[Tried]


class AlertMade(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A new alert; which fields matter depends on the kind."""

    name: str
    kind: RuleKind
    channels: _Channels
    metric: _Metric = ""
    direction: Direction = "above"
    value: _Value = 0.0
    period: AlertPeriod = "hour"
    goal: _Goal = ""
    times: _Times = 1
    minutes: _Minutes = 60
    days: _Days = 14
    severity: _Severity = "strong"
    quiet_from: _Clock = ""
    quiet_to: _Clock = ""
    urgent: _Urgent = False
    cooldown_minutes: _Cooldown = 0
    tell_over: _TellOver = True
    is_on: bool = True


class AlertChanged(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is to be another; the kind stays."""

    name: str | UnsetType = UNSET
    channels: _Channels | UnsetType = UNSET
    metric: _Metric | UnsetType = UNSET
    direction: Direction | UnsetType = UNSET
    value: _Value | UnsetType = UNSET
    period: AlertPeriod | UnsetType = UNSET
    goal: _Goal | UnsetType = UNSET
    times: _Times | UnsetType = UNSET
    minutes: _Minutes | UnsetType = UNSET
    days: _Days | UnsetType = UNSET
    severity: _Severity | UnsetType = UNSET
    quiet_from: _Clock | UnsetType = UNSET
    quiet_to: _Clock | UnsetType = UNSET
    urgent: _Urgent | UnsetType = UNSET
    cooldown_minutes: _Cooldown | UnsetType = UNSET
    tell_over: _TellOver | UnsetType = UNSET
    is_on: bool | UnsetType = UNSET


class AlertShown(AlertMade, frozen=True, kw_only=True):
    """An alert; `problem` is why it could not be looked at the last time."""

    id: str
    created_at: str
    problem: str


class AlertsShown(msgspec.Struct, frozen=True):
    """Alerts, the oldest first."""

    alerts: list[AlertShown]


class DeliveryShown(msgspec.Struct, frozen=True):
    """A message to one receiver. `answer` is what it said the last time, `next_at` when it is tried again."""

    id: str
    at: str
    alert: str
    channel: str
    to: str
    title: str
    text: str
    phase: str
    link: str
    status: Status
    tries: int
    answer: str
    next_at: str | None


class History(msgspec.Struct, frozen=True):
    """Deliveries, the newest first; `before` asks for those that follow."""

    deliveries: list[DeliveryShown]
    before: str | None


class _Parcel(msgspec.Struct, frozen=True):
    message: Message
    to: str = ""


def channel_shown(channel: Channel, *, mail_is_set_up: bool) -> ChannelShown:
    problem = "" if is_readable(channel) else "its secrets were stored under another server.secret_key: set them again"
    if channel.kind == "email" and not mail_is_set_up:
        problem = "this server sends no mail: name a mail server in its settings, mail.host"
    return ChannelShown(
        channel.id.hex(),
        channel.name,
        channel.kind,
        shown_place(channel),
        list(channel.to),
        channel.chat,
        channel.base,
        bool(channel.token),
        iso(channel.at),
        problem,
    )


def alert_shown(rule: Rule) -> AlertShown:
    about = msgspec.structs.asdict(rule)
    channels, rule_id, at = list(rule.channels), about.pop("id"), about.pop("at")
    return AlertShown(**about | {"channels": channels}, id=rule_id.hex(), created_at=iso(at))


def delivery_shown(delivery: Delivery, channels: dict[bytes, str]) -> DeliveryShown:
    """`channels` are names by id."""
    parcel = msgspec.json.decode(delivery.body, type=_Parcel)
    message = parcel.message
    return DeliveryShown(
        delivery.id.hex(),
        iso(delivery.at),
        message.rule,
        channels.get(delivery.channel_id, ""),
        parcel.to,
        message.title,
        message.text,
        message.phase,
        message.link,
        delivery.status,
        delivery.tries,
        delivery.answer,
        iso(delivery.next_at) if delivery.status == "waiting" else None,
    )
