"""`channel` and `alert` on the command line."""

import json

from tests.cli.conftest import Command
from tests.outgoing.mail_server import mail_server
from tests.outgoing.receiver import receiver

INSIDE = "alerts: {allow_private: ['127.0.0.1']}\n"


def test_a_channel_and_an_alert_from_nothing_to_a_test(command: Command) -> None:
    with receiver() as there:
        with open("config.yaml", "w", encoding="utf-8") as file:
            file.write(INSIDE)
        added = command("channel", "add", "program", "--webhook", f"{there.url}/hook")
        assert (added.code, added.out[:6]) == (0, "whsec_"), added.err
        assert "not shown again" in added.err
        assert command("channel", "add", "phone", "--ntfy", f"{there.url}/topic", "--token", "tk_1").code == 0
        listed = command("channel", "list").out
        assert f"{there.url}/…" in listed
        assert "tk_1" not in listed + command("channel", "list", "--json").out
        assert command("channel", "test", "program").out == "program: sent: 200 ok\n"
        made = command(
            *("alert", "add", "Busy", "threshold", "--metric", "views", "--above", "10", "--to", "program"),
            *("--to", "phone", "--quiet", "22:00-07:00", "--cooldown", "30"),
        )
        assert made.code == 0, made.err
        [rule] = [json.loads(line) for line in command("alert", "list", "--json").out.splitlines()]
        assert (rule["name"], rule["value"], rule["quiet_to"], len(rule["channels"])) == ("Busy", 10.0, "07:00", 2)
        assert "program, phone" in command("alert", "list").out
        there.answers = [(500, b"broken", {})]
        tested = command("alert", "test", "Busy")
        assert (tested.code, tested.out) == (1, "program: NOT SENT: 500 broken\nphone: sent: 200 ok\n")
    assert "nothing was told" in command("alert", "history").err
    used = command("channel", "remove", "phone")
    assert (used.code, "Busy" in used.err) == (1, True)
    assert command("alert", "remove", "Busy").code == 0
    assert command("channel", "remove", "phone").code == 0


def test_what_is_wrong_is_told(command: Command) -> None:
    bad = command("channel", "add", "program", "--webhook", "ftp://x.example/")
    assert (bad.code, "no address such as" in bad.err) == (2, True)
    nowhere = command("alert", "add", "Waiting", "lag", "--to", "operators", "--server")
    assert "the server itself has no channel 'operators'" in nowhere.err
    assert "channel add --server" in nowhere.err
    assert command("channel", "add", "operators", "--email", "ops@example.com", "--server").code == 0
    missing = command("alert", "add", "Odd", "anomaly", "--to", "operators")
    assert (missing.code, "channel add" in missing.err) == (1, True)
    wrong = command("alert", "add", "Odd", "anomaly", "--to", "operators", "--server")
    assert (wrong.code, "lag, certificate" in wrong.err) == (2, True)
    assert command("alert", "add", "Waiting", "lag", "--minutes", "10", "--to", "operators", "--server").code == 0
    assert "no alerts yet" in command("alert", "list").err
    assert "Waiting" in command("alert", "list", "--server").out
    assert command("alert", "remove", "Other").code == 1
    limit = command("alert", "add", "X", "threshold", "--metric", "views", "--to", "operators", "--server")
    assert (limit.code, "--above" in limit.err) == (2, True)


def test_mail_is_tried_by_check(command: Command) -> None:
    assert command("channel", "list").code == 0
    without = command("check", "--mail", "anna@reader.example")
    assert (without.code, "mail is not set up" in without.out) == (78, True)
    with mail_server() as post:
        settings = json.dumps({"mail": post.settings()})
        with open("config.yaml", "w", encoding="utf-8") as file:
            file.write(settings)
        assert "took a mail to anna@reader.example: 250 Taken" in command("check", "--mail", "anna@reader.example").out
    assert post.recipients == ["anna@reader.example"]
