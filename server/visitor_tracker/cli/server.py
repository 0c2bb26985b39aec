"""`serve`, `check`, `migrate` and `token`: running the server."""

import argparse
import logging
import sys
from typing import Any

from visitor_tracker.access.accounts import Accounts
from visitor_tracker.access.tokens import ReadToken
from visitor_tracker.cli.arguments import add_command, config_of, opened, reach, settings_file, whole
from visitor_tracker.cli.output import EXIT_FAILED, EXIT_SETTINGS, complain, say, say_document, say_findings
from visitor_tracker.config import Config
from visitor_tracker.errors import StoreError
from visitor_tracker.outgoing.mail import Mail, Mailer, MailError
from visitor_tracker.serve import check_all, migrate_store, serve
from visitor_tracker.store.base import Finding
from visitor_tracker.web.checkup import look_around

_SERVE_EXAMPLES = """\
visitor-tracker serve
visitor-tracker serve --host 0.0.0.0 --port 9000 --data-dir /var/lib/visitor-tracker
"""


def add_commands(commands: Any) -> None:  # noqa: ANN401
    """Add the commands of this file but `token`, which stands last."""
    command = add_command(commands, "serve", _serve, "run the server until SIGTERM or Ctrl-C", examples=_SERVE_EXAMPLES)
    command.add_argument("--host", metavar="ADDRESS", help="address to listen on; default: 127.0.0.1")
    command.add_argument("--port", type=whole, metavar="PORT", help="port to listen on, 0 for any free; default: 8000")
    command.add_argument("--workers", metavar="N", help="worker processes, auto, or 0 for everything in one process")
    command.add_argument("--dev", action="store_true", help="for work on the program: one process, debug messages")
    check = add_command(
        commands,
        "check",
        _check,
        "look at settings, store, journal and files, and say what to change; exit code 78 when there is an error",
        examples="visitor-tracker check --config /etc/visitor-tracker/config.yaml",
    )
    check.add_argument("--json", action="store_true", help="print the findings as JSON")
    check.add_argument("--mail", metavar="ADDRESS", default="", help="send a mail there, too, to see that mail works")
    add_command(
        commands,
        "migrate",
        _migrate,
        "bring the store's tables up to this version (serve does it too)",
        examples="visitor-tracker migrate --store mysql://tracker:secret@127.0.0.1:3306/visitors",
    )


def add_token(commands: Any) -> None:  # noqa: ANN401
    """Add `token`."""
    add_command(
        commands,
        "token",
        _token,
        "print the token that opens lists and metrics to other machines, as long as there is no account",
        examples='curl -H "Authorization: Bearer `visitor-tracker token`" https://stats.example.com/count',
    )


def _serve(options: argparse.Namespace) -> int:
    return serve(config_of(options), lambda: config_of(options), settings_file(options))


def _check(options: argparse.Namespace) -> int:
    config = config_of(options)
    try:
        reach(config)
        findings = check_all(config, settings_file(options))
    except StoreError as error:
        findings = [Finding("error", f"store: {error}")]
    findings += look_around(config)
    if options.mail:
        findings.append(_check_mail(config, options.mail))
    if options.json:
        say_document(findings)
    else:
        say_findings(findings)
    return EXIT_SETTINGS if any(finding.level == "error" for finding in findings) else 0


def _check_mail(config: Config, address: str) -> Finding:
    where = f"{config.mail.host}:{config.mail.port}"
    text = f"This is a test of the mail settings. It was sent by {where}.\n"
    try:
        said = Mailer(config.mail).send(Mail(address, "Visitor Tracker: mail works", text))
    except MailError as error:
        return Finding("error", f"mail: {error}", "look at the settings mail.*")
    return Finding("ok", f"mail: {where} took a mail to {address}: {said}")


def _migrate(options: argparse.Namespace) -> int:
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
    config = config_of(options)
    reach(config)
    done = migrate_store(config)
    say("\n".join(f"applied {name}" for name in done) or "nothing to do: the tables are up to date")
    return 0


def _token(options: argparse.Namespace) -> int:
    with opened(config_of(options)) as store:
        if Accounts(store).any():
            complain(
                "there are accounts, so the token opens nothing any more: log in, or make a key with"
                "  visitor-tracker key add NAME"
            )
            return EXIT_FAILED
        say(ReadToken(store.secret("reads")).text)
    return 0
