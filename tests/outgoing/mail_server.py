"""A real mail server on this machine, which keeps what it gets."""

import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

USER, PASSWORD = "tracker", "a mail password"


class MailServer:
    """`mails` are those it has taken; it refuses recipients at refused.example, and the first mails while `busy`."""

    def __init__(self) -> None:
        self.mails: list[EmailMessage] = []
        self.recipients: list[str] = []
        self.was_encrypted: list[bool] = []
        self.port = free_port()
        self.busy = 0

    def settings(self, **more: object) -> dict[str, object]:
        """Return what MailConfig needs to send here."""
        return {
            "host": "127.0.0.1",
            "port": self.port,
            "security": "none",
            "sender": "Visitor Tracker <stats@tracker.example>",
            **more,
        }

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, rcpt_options: list[str]
    ) -> str:
        if address.endswith("@refused.example"):
            return "550 No such user here"
        if self.busy:
            self.busy -= 1
            return "451 Try again later"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        content = envelope.content
        assert isinstance(content, bytes)
        message = message_from_bytes(content, policy=default)
        assert isinstance(message, EmailMessage)
        self.mails.append(message)
        self.recipients += envelope.rcpt_tos
        self.was_encrypted.append(session.ssl is not None)
        return f"250 Taken as number {len(self.mails)}"


@contextmanager
def mail_server(certificate: Path | None = None, key: Path | None = None) -> Iterator[MailServer]:
    """Run one; with a certificate it wants STARTTLS and a password."""
    kept = MailServer()
    context = None
    if certificate is not None:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(certificate, key)
    controller = Controller(
        kept,
        hostname="127.0.0.1",
        port=kept.port,
        tls_context=context,
        require_starttls=context is not None,
        auth_required=context is not None,
        authenticator=_is_known,
    )
    controller.start()
    try:
        yield kept
    finally:
        controller.stop()


def free_port() -> int:
    """Return a port on which nobody listens at the moment."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def _is_known(server: SMTP, session: Session, envelope: Envelope, mechanism: str, given: object) -> AuthResult:
    right = LoginPassword(USER.encode(), PASSWORD.encode())
    return AuthResult(success=given == right, handled=False)
