"""`channel`: where alerts go; and what it shares with `alert`."""

import argparse
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, get_args

from visitor_tracker.access.alert_channels import Channels, checked_channel
from visitor_tracker.access.audit import OPERATOR, Audit
from visitor_tracker.cli.arguments import Run, add_command, add_group, config_of, opened
from visitor_tracker.cli.output import EXIT_FAILED, EXIT_USAGE, complain, remark, say, say_json, say_table
from visitor_tracker.cli.questions import NothingSuch, add_json
from visitor_tracker.cli.sites import all_sites, known_site
from visitor_tracker.config import Config
from visitor_tracker.errors import HttpError
from visitor_tracker.outgoing.channels import Channel, ChannelKind
from visitor_tracker.outgoing.courier import courier_of, parts_of
from visitor_tracker.reports.query import QueryError
from visitor_tracker.sites import Site
from visitor_tracker.store.alerts import AlertTables
from visitor_tracker.store.insight import NameTaken, TooMany
from visitor_tracker.store.sql import SqlStore
from visitor_tracker.web.api.alert_shapes import channel_shown
from visitor_tracker.web.api.alerts import SERVER, test_message

_EXAMPLES = """\
visitor-tracker channel add team --email anna@example.com --email ben@example.com
visitor-tracker channel add chat --slack https://hooks.slack.com/services/T0/B0/x
visitor-tracker channel test team
"""
_ADD_EXAMPLES = """\
visitor-tracker channel add team --email anna@example.com
visitor-tracker channel add program --webhook https://example.com/hooks/visits
visitor-tracker channel add phone --ntfy https://ntfy.sh/my-topic --site blog
visitor-tracker channel add bot --telegram -1001234567890 --token 123456:ABC
visitor-tracker channel add operators --email ops@example.com --server
"""


@dataclass(frozen=True, slots=True)
class AlertDesk:
    """A site, or the server itself, and the store that is open for it."""

    config: Config
    store: SqlStore
    site: Site
    channels: Channels
    rules: AlertTables
    now_ms: int

    def channel(self, name: str) -> Channel:
        """Return the channel of that name or id; raises NothingSuch."""
        there = self.channels.all(self.site.id)
        found = [each for each in there if name in (each.id.hex(), each.name)]
        if not found:
            whose = f"the site {self.site.name}" if self.site.name else "the server itself"
            option = "" if self.site.name else " --server"
            known = _known([each.name for each in there], f"channel add{option}")
            raise NothingSuch(f"{whose} has no channel {name!r}: {known}")
        return found[0]

    def note(self, action: str, target: str, thing_id: bytes) -> None:
        """Write a line into the audit log."""
        detail = {"id": thing_id.hex()}
        Audit(self.store).note(OPERATOR, action, site_id=self.site.id, target=target, detail=detail)

    def test(self, channels: Sequence[Channel], about: str) -> bool:
        """Send a test now and print what was said to it; False: not all took it."""
        courier, works = courier_of(self.config), True
        for part in (part for channel in channels for part in parts_of(channel)):
            message = test_message(self.site, about, self.now_ms, self.config.server.public_url)
            outcome = courier.deliver(part, message)
            works = works and outcome.is_sent
            to = f" {part.to[0]}" if part.to else ""
            say(f"{part.name}{to}: {'sent' if outcome.is_sent else 'NOT SENT'}: {outcome.answer}")
        return works


def _known(names: Sequence[str], what: str) -> str:
    return f"there are {', '.join(names[:20])}" if names else f"make one with  visitor-tracker {what}"


def add_whose(command: argparse.ArgumentParser) -> None:
    whose = command.add_mutually_exclusive_group()
    whose.add_argument("--site", metavar="NAME", default="default", help="name or alias; default: default")
    whose.add_argument("--server", action="store_true", help="of the server itself, not of a site")


@contextmanager
def alert_desk_of(options: argparse.Namespace) -> Iterator[AlertDesk]:
    """Open the store for what the options name."""
    config = config_of(options)
    with opened(config, make=True) as store:
        site = SERVER
        if not options.server:
            sites = all_sites(store, config)
            named = (each for each in sites if options.site in each.aliases)
            site = next(named, None) or known_site(sites, options.site)
        secret = config.server.secret_key.encode() or store.secret("token")
        channels = Channels(store.database, secret)
        yield AlertDesk(config, store, site, channels, AlertTables(store.database), time.time_ns() // 1_000_000)


def at_desk(run: Callable[[argparse.Namespace, AlertDesk], bool | None]) -> Run:
    """Return the command that tells what is wrong and ends with an exit code; False is a failure that was told."""

    def command(options: argparse.Namespace) -> int:
        try:
            with alert_desk_of(options) as desk:
                return EXIT_FAILED if run(options, desk) is False else 0
        except QueryError as error:
            complain(str(error))
            return EXIT_USAGE
        except HttpError as error:
            complain(f"{error.message}: {error.hint}" if error.hint else error.message)
            return EXIT_USAGE
        except (NothingSuch, NameTaken, TooMany) as error:
            complain(str(error))
            return EXIT_FAILED

    return command


def add_commands(commands: Any) -> None:  # noqa: ANN401
    """Add the commands of this file."""
    group = add_group(commands, "channel", "say where alerts go: mail, webhooks, chats", examples=_EXAMPLES)
    add = add_command(group, "add", at_desk(_add), "make a channel", examples=_ADD_EXAMPLES)
    add.usage = "%(prog)s NAME (--email ADDRESS | --webhook URL | --slack URL | … one of them) [options]"
    add.add_argument("name", metavar="NAME", help="what people will read, e.g. team")
    add_whose(add)
    kind = add.add_mutually_exclusive_group(required=True)
    kind.add_argument("--email", metavar="ADDRESS", action="append", help="send mail there; may be given several times")
    kind.add_argument("--webhook", metavar="URL", help="send signed JSON to a program; prints the secret, once")
    kind.add_argument("--slack", metavar="URL", help="an incoming webhook of Slack, or of Mattermost")
    kind.add_argument("--discord", metavar="URL", help="a webhook of Discord")
    kind.add_argument("--telegram", metavar="CHAT", help="write into a chat: its number, or @name; needs --token")
    kind.add_argument("--ntfy", metavar="URL", help="a topic, such as https://ntfy.sh/my-topic")
    add.add_argument("--token", metavar="TOKEN", default="", help="of Telegram's bot, or of ntfy")
    add.add_argument("--base", metavar="URL", default="", help="another server than https://api.telegram.org")
    listing = add_command(
        group, "list", at_desk(_list), "list the channels", examples="visitor-tracker channel list --json"
    )
    add_whose(listing)
    add_json(listing, "the channels as JSON lines")
    for name, run, text in (
        ("test", _test, "send a test now, and print what the other side says"),
        ("remove", _remove, "remove a channel that no alert uses"),
    ):
        command = add_command(group, name, at_desk(run), text, examples=f"visitor-tracker channel {name} team")
        command.add_argument("name", metavar="NAME", help="its name, or its id as  channel list --json  shows it")
        add_whose(command)


def _add(options: argparse.Namespace, desk: AlertDesk) -> None:
    kind = next(each for each in get_args(ChannelKind) if getattr(options, each))
    given = getattr(options, kind)
    where = {"email": {"to": tuple(given)}, "telegram": {"chat": given}}.get(kind, {"url": given})
    channel = Channel(options.name, kind, token=options.token, base=options.base, at=desk.now_ms, **where)
    channel = desk.channels.add(desk.site.id, checked_channel(channel))
    desk.note("channel.added", channel.name, channel.id)
    if channel.secret:
        say(channel.secret)
        remark("keep it now, it is not shown again: the program checks with it that messages are from here")
    if kind == "email" and not desk.config.mail.host:
        remark("this server sends no mail yet: name a mail server in its settings, mail.host")
    remark(f"added the channel {channel.name}; see  visitor-tracker channel test")


def _list(options: argparse.Namespace, desk: AlertDesk) -> None:
    has_mail = bool(desk.config.mail.host)
    found = [channel_shown(each, mail_is_set_up=has_mail) for each in desk.channels.all(desk.site.id)]
    if options.json:
        for channel in found:
            say_json(channel)
    elif found:
        say_table(
            ("NAME", "KIND", "WHERE", "PROBLEM"), [(each.name, each.kind, each.place, each.problem) for each in found]
        )
    else:
        remark("no channels yet: make one with  visitor-tracker channel add NAME --email ADDRESS")


def _test(options: argparse.Namespace, desk: AlertDesk) -> bool:
    channel = desk.channel(options.name)
    desk.note("channel.tested", channel.name, channel.id)
    return desk.test([channel], "")


def _remove(options: argparse.Namespace, desk: AlertDesk) -> None:
    channel = desk.channel(options.name)
    using = [rule.name for rule in desk.rules.rules(desk.site.id) if channel.id.hex() in rule.channels]
    if using:
        raise NothingSuch(f"alerts use the channel {channel.name}: remove {', '.join(using[:5])} first")
    desk.channels.remove(desk.site.id, channel.id)
    desk.note("channel.removed", channel.name, channel.id)
    say(f"removed the channel {channel.name}")
