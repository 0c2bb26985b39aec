"""Mail goes out by a real mail server, in a form that every reader understands, and nobody can add headers to it."""

from datetime import UTC, datetime
from email.message import EmailMessage
from pathlib import Path

import pytest

from tests.net.test_tls import make_certificate
from tests.outgoing.mail_server import PASSWORD, USER, MailServer, mail_server
from visitor_tracker.config import MailConfig
from visitor_tracker.outgoing.mail import Mail, Mailer, MailError, checked_address, message_of

PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256))
MAIL = Mail(
    "anna@reader.example",
    "Besucher: 1.234 – mehr als üblich",
    "Hallo Anna,\n.\nein Punkt allein und Umlaute: äöü €\n" + "x" * 2_000,
    "<p>Grüße</p><img src='cid:chart' alt='chart'>",
    {"chart": PNG},
    {"List-Unsubscribe": "<https://stats.example.com/unsubscribe?token=1>"},
    "report-1",
)


def mailer(server: MailServer, **more: object) -> Mailer:
    return Mailer(MailConfig(**server.settings(**more)))  # type: ignore[arg-type]


def text_of(message: EmailMessage, kind: str) -> str:
    [part] = [each for each in message.walk() if each.get_content_type() == kind]
    assert isinstance(part, EmailMessage)
    return str(part.get_content()).replace("\r\n", "\n")


def test_a_mail_arrives_as_it_was_written() -> None:
    with mail_server() as server:
        assert mailer(server).send(MAIL) == "250 Taken as number 1"
        [got] = server.mails
    assert server.recipients == ["anna@reader.example"]
    assert got["Subject"] == MAIL.subject
    assert str(got["From"]) == "Visitor Tracker <stats@tracker.example>"
    assert got["To"] == "anna@reader.example"
    assert got["Message-ID"] == "<report-1@tracker.example>"
    assert got["List-Unsubscribe"] == MAIL.headers["List-Unsubscribe"]
    assert got["Auto-Submitted"] == "auto-generated"
    assert abs(got["Date"].datetime - datetime.now(UTC)).total_seconds() < 120
    assert text_of(got, "text/plain").rstrip("\n") == MAIL.text
    assert text_of(got, "text/html").rstrip("\n") == MAIL.html
    [image] = [each for each in got.walk() if each.get_content_type() == "image/png"]
    assert image.get_payload(decode=True) == PNG
    assert image["Content-ID"] == "<chart>"
    assert got.get_content_type() == "multipart/alternative"


def test_no_line_of_a_mail_is_longer_than_mail_servers_take() -> None:
    lines = message_of(MAIL, "stats@tracker.example", datetime.now(UTC)).as_bytes().split(b"\r\n")
    assert max(map(len, lines)) <= 998
    assert all(line.isascii() for line in lines)


def test_a_mail_goes_encrypted_after_logging_in(tmp_path: Path) -> None:
    make_certificate(tmp_path, "mail")
    certificate, key = tmp_path / "mail.crt", tmp_path / "mail.key"
    trusted = {"security": "starttls", "authorities": str(certificate), "user": USER, "password": PASSWORD}
    with mail_server(certificate, key) as server:
        mailer(server, **trusted).send(MAIL)
        assert server.was_encrypted == [True]
        with pytest.raises(MailError, match=r"refuses mail\.user and mail.password"):
            mailer(server, **trusted | {"password": "wrong"}).send(MAIL)
        with pytest.raises(MailError, match=r"mail\.security"):
            mailer(server, **trusted | {"authorities": ""}).send(MAIL)
        with pytest.raises(MailError, match="530"):
            mailer(server).send(MAIL)
    assert len(server.mails) == 1


def test_a_server_without_encryption_gets_nothing_where_encryption_is_asked_for() -> None:
    with mail_server() as server, pytest.raises(MailError, match=r"mail\.security"):
        mailer(server, security="starttls").send(MAIL)
    assert server.mails == []


def test_what_a_mail_server_refuses_is_told_with_its_own_words() -> None:
    with mail_server() as server:
        server.busy = 1
        with pytest.raises(MailError, match="451 Try again later") as busy:
            mailer(server).send(MAIL)
        refused = Mail("nobody@refused.example", "s", "t")
        with pytest.raises(MailError, match="550 No such user here") as unknown:
            mailer(server).send(refused)
        port = server.port
    assert (busy.value.is_final, unknown.value.is_final) == (False, True)
    gone = MailConfig("127.0.0.1", port, "none", sender="a@b.example")
    with pytest.raises(MailError, match=f"127.0.0.1:{port} cannot be reached"):
        Mailer(gone).send(MAIL)
    with pytest.raises(MailError, match="mail is not set up"):
        Mailer(MailConfig()).send(MAIL)


BREAKS = ("a\r\nBcc: x@y.example", "a\nb", "a\rb", "a\x00b", "a\u2028b")


@pytest.mark.parametrize("text", BREAKS)
def test_nobody_adds_a_header(text: str) -> None:
    for mail in (
        Mail("anna@reader.example", text, "t"),
        Mail("anna@reader.example", "s", "t", id=text),
        Mail("anna@reader.example", "s", "t", headers={"List-Unsubscribe": text}),
        Mail("anna@reader.example", "s", "t", "<p>", {text: PNG}),
        Mail(f"anna@reader.example{text}", "s", "t"),
    ):
        with pytest.raises(MailError) as error:
            message_of(mail, "stats@tracker.example", datetime.now(UTC))
        assert error.value.is_final


@pytest.mark.parametrize("name", ["Bcc", "subject", "X Y", "X:Y", ""])
def test_headers_that_are_no_ones_to_give_are_refused(name: str) -> None:
    with pytest.raises(MailError, match="cannot be a header"):
        message_of(Mail("a@b.example", "s", "t", headers={name: "x"}), "stats@tracker.example", datetime.now(UTC))


def test_addresses_are_checked_and_domains_written_as_dns_has_them() -> None:
    assert checked_address(" anna.b+x@bücher.example ") == "anna.b+x@xn--bcher-kva.example"
    wrong = ("", "anna", "@b.example", "a@", "a b@c.example", "a@b@c", "a@b..example", "ä@b.example", "<a@b.example>")
    for text in (
        *wrong,
        "a,b@c.example",
        "a@b.example, c@d.example",
        f"{'a' * 65}@b.example",
        f"a@{'b.' * 130}example",
    ):
        with pytest.raises(MailError, match="is no e-mail address"):
            checked_address(text)


def test_a_mail_that_was_taken_is_sent_whatever_is_said_to_the_goodbye() -> None:
    async def handle_quit(*_: object) -> str:
        return "421 Bye"

    with mail_server() as there:
        there.handle_QUIT = handle_quit  # type: ignore[attr-defined]
        assert mailer(there).send(MAIL).startswith("250")
    assert len(there.mails) == 1
