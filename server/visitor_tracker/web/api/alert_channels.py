"""Channels of alerts by REST; what proves who writes to them is taken in and never told again."""

import msgspec

from visitor_tracker.access.alert_channels import check_move, checked_channel, new_secret
from visitor_tracker.access.who import Access
from visitor_tracker.errors import HttpError
from visitor_tracker.http.message import Answer, Request
from visitor_tracker.outgoing.channels import Channel
from visitor_tracker.web.api.alert_shapes import (
    ChannelChanged,
    ChannelMade,
    ChannelShown,
    ChannelsShown,
    ChannelWithSecret,
    NewSecret,
    Tested,
    channel_shown,
)
from visitor_tracker.web.api.alerts import OF_SERVER, OF_SITE, AlertDesk, AlertRoutes
from visitor_tracker.web.api.kept import BODY_MOST, NoQuery, body_of, gone, made, refused
from visitor_tracker.web.asked import answer, query_as
from visitor_tracker.web.parts import Parts
from visitor_tracker.web.router import Route

_HINT = "docs/alerts.md says what each kind of channel needs"


def routes(parts: Parts) -> list[Route]:
    """Return the routes of channels and alerts."""
    desk = AlertDesk(parts)
    return [*ChannelRoutes(desk).routes(), *AlertRoutes(desk).routes()]


class ChannelRoutes:
    """Handlers of `…/channels`."""

    def __init__(self, desk: AlertDesk) -> None:
        self._desk = desk
        self._mail_is_set_up = bool(desk.parts.config.mail.host)

    def routes(self) -> list[Route]:
        return [*self._routes(OF_SITE, "a site"), *self._routes(OF_SERVER, "the server itself")]

    def _routes(self, base: str, whose: str) -> list[Route]:
        one = f"{base}/channels/{{channel}}"
        may: Access = "admin" if base == OF_SERVER else "manage"
        return [
            Route(
                "GET", f"{base}/channels", self.all, f"channels of {whose}", may, query=NoQuery, answer=ChannelsShown
            ),
            Route(
                "POST", f"{base}/channels", self.add, f"make a channel of {whose}", may,
                query=NoQuery, body=ChannelMade, answer=ChannelWithSecret, status=201, body_most=BODY_MOST,
            ),
            Route(
                "PATCH", one, self.change, f"change a channel of {whose}", may,
                query=NoQuery, body=ChannelChanged, answer=ChannelShown, body_most=BODY_MOST,
            ),
            Route("DELETE", one, self.remove, f"remove a channel of {whose}", may, query=NoQuery, status=204),
            Route(
                "POST", f"{one}/test", self.test, f"send a test to a channel of {whose}", may,
                query=NoQuery, answer=Tested,
            ),
            Route(
                "POST", f"{one}/secret", self.renew, f"make a new secret for a webhook of {whose}", may,
                query=NoQuery, answer=NewSecret,
            ),
        ]  # fmt: skip

    def all(self, request: Request) -> Answer:
        """GET …/channels: {channels, mail_is_set_up}."""
        query_as(request, NoQuery)
        found = self._desk.channels.all(self._desk.site(request).id)
        return answer(ChannelsShown([self._shown(each) for each in found], self._mail_is_set_up))

    def add(self, request: Request) -> Answer:
        """POST …/channels: 201 and the channel, of a webhook with its secret."""
        site = self._desk.site(request)
        asked = msgspec.structs.asdict(body_of(request, ChannelMade, _HINT))
        channel = checked_channel(Channel(**asked | {"to": tuple(asked["to"])}, at=self._desk.parts.clock()))
        with refused():
            channel = self._desk.channels.add(site.id, channel)
        self._desk.note(request, "channel.added", site, channel.id, channel.name)
        shown = msgspec.structs.asdict(self._shown(channel))
        return made(ChannelWithSecret(**shown, secret=channel.secret or None))

    def change(self, request: Request) -> Answer:
        """PATCH …/channels/{channel}: the channel."""
        site = self._desk.site(request)
        channel = self._desk.channel(request, site)
        asked = msgspec.structs.asdict(body_of(request, ChannelChanged, _HINT))
        changes = {name: each for name, each in asked.items() if each is not msgspec.UNSET}
        if "to" in changes:
            changes["to"] = tuple(changes["to"])
        if "token" in changes:
            changes["token"] = changes["token"] or ""
        before, channel = channel, checked_channel(msgspec.structs.replace(channel, **changes))
        check_move(before, channel, has_new_token="token" in changes)
        with refused():
            self._desk.channels.change(site.id, channel)
        self._desk.note(request, "channel.changed", site, channel.id, channel.name)
        return answer(self._shown(channel))

    def remove(self, request: Request) -> Answer:
        """DELETE …/channels/{channel}: 204; 409 where alerts use it."""
        site = self._desk.site(request)
        channel = self._desk.channel(request, site)
        using = [each.name for each in self._desk.rules.rules(site.id) if channel.id.hex() in each.channels]
        if using:
            raise HttpError(409, "channel_used", f"alerts use it: {', '.join(using[:5])}", "change them first")
        self._desk.channels.remove(site.id, channel.id)
        self._desk.note(request, "channel.removed", site, channel.id, channel.name)
        return gone()

    def test(self, request: Request) -> Answer:
        """POST …/channels/{channel}/test: {sent, receivers}."""
        site = self._desk.site(request)
        channel = self._desk.channel(request, site)
        tested = self._desk.tested(site, [channel], "")
        self._desk.note(request, "channel.tested", site, channel.id, channel.name)
        return answer(tested)

    def renew(self, request: Request) -> Answer:
        """POST …/channels/{channel}/secret: {secret}; the one before is worthless at once."""
        site = self._desk.site(request)
        channel = self._desk.channel(request, site)
        if channel.kind != "webhook":
            raise HttpError(409, "no_secret", "only webhooks are signed", "change its token with PATCH")
        secret = new_secret()
        with refused():
            self._desk.channels.change(site.id, msgspec.structs.replace(channel, secret=secret))
        self._desk.note(request, "channel.secret_renewed", site, channel.id, channel.name)
        return answer(NewSecret(secret))

    def _shown(self, channel: Channel) -> ChannelShown:
        return channel_shown(channel, mail_is_set_up=self._mail_is_set_up)
