"""Mail: messages as RFC 5322 and MIME have them, handed to the mail server of the settings (RFC 5321)."""

import re
import smtplib
import socket
import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, make_msgid, parseaddr
from typing import Final

import idna
import msgspec

from visitor_tracker.config.sections import MailConfig
from visitor_tracker.errors import TrackerError

ADDRESS_MOST: Final = 254  # characters (RFC 5321, 4.5.3.1.3)

_NO_IMAGES: Mapping[str, bytes] = {}
_NO_HEADERS: Mapping[str, str] = {}
_local = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*").fullmatch
_domain = re.compile(r"([A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?\.)*[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?").fullmatch
_header = re.compile(r"[A-Za-z][A-Za-z0-9-]*").fullmatch
_OWN_HEADERS = frozenset({"to", "from", "subject", "date", "message-id", "content-type", "bcc", "cc", "mime-version"})
_FINAL = 500  # replies from here on say that another try makes no difference
_ANSWER_MOST = 300  # characters


class MailError(TrackerError):
    """The mail was not sent; `is_final` where another try would make no difference."""

    def __init__(self, message: str, *, is_final: bool = False) -> None:
        super().__init__(message)
        self.is_final = is_final


class Mail(msgspec.Struct, frozen=True):
    """One mail to one person. `html` may show the PNG files of `images` by their keys, as in `<img src="cid:chart">`.

    `id` makes the Message-ID: who gets the same mail twice can see that. One that is empty is made.
    """

    to: str
    subject: str
    text: str
    html: str = ""
    images: Mapping[str, bytes] = _NO_IMAGES
    headers: Mapping[str, str] = _NO_HEADERS
    id: str = ""


class Mailer:
    """Sends by the mail server of the settings, a connection for each mail. Any thread."""

    def __init__(self, config: MailConfig) -> None:
        self._config = config

    @property
    def is_set_up(self) -> bool:
        """Say whether the settings name a mail server."""
        return bool(self._config.host)

    def send(self, mail: Mail) -> str:
        """Hand the mail over and return what the server said to it; raises MailError."""
        if not self.is_set_up:
            raise MailError("mail is not set up: name a mail server in mail.host, and an address in mail.sender")
        sender, recipient = checked_address(parseaddr(self._config.sender)[1]), checked_address(mail.to)
        message = message_of(mail, self._config.sender, datetime.now(UTC)).as_bytes(policy=SMTP)
        with self._connected(sender) as server:
            server.ehlo_or_helo_if_needed()
            self._expect("the sender", server.mail(sender))
            self._expect(f"the recipient {recipient}", server.rcpt(recipient))
            return self._expect("the mail", server.data(message))

    @contextmanager
    def _connected(self, sender: str) -> Iterator[smtplib.SMTP]:
        """Connect, encrypt and log in as the settings say."""
        config = self._config
        where = f"{config.host}:{config.port}"
        try:
            server = self._open(sender.rpartition("@")[2])
            try:
                if config.security == "starttls":
                    server.starttls(context=self._context())
                if config.user:
                    server.login(config.user, config.password)
                yield server
            finally:
                _leave(server)
        except smtplib.SMTPAuthenticationError as error:
            raise MailError(f"{where} refuses mail.user and mail.password: {_said(error.smtp_error)}") from error
        except smtplib.SMTPNotSupportedError as error:
            raise MailError(f"{where} cannot do what mail.security or mail.user needs: {error}") from error
        except smtplib.SMTPResponseException as error:
            raise MailError(f"{where} answered {error.smtp_code} {_said(error.smtp_error)}") from error
        except ssl.SSLError as error:
            raise MailError(f"{where}: no encryption ({error.reason or error}): look at mail.security") from error
        except (smtplib.SMTPException, OSError) as error:
            raise MailError(f"{where} cannot be reached: {_reason(error)}") from error

    def _open(self, domain: str) -> smtplib.SMTP:
        config = self._config
        name = socket.gethostname()
        own = name if "." in name else domain  # smtplib's own guess asks the name servers
        if config.security == "tls":
            return smtplib.SMTP_SSL(
                config.host, config.port, own, timeout=config.timeout_seconds, context=self._context()
            )
        return smtplib.SMTP(config.host, config.port, own, timeout=config.timeout_seconds)

    def _context(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=self._config.authorities or None)

    def _expect(self, what: str, reply: tuple[int, bytes]) -> str:
        code, text = reply
        if 200 <= code < 300:
            return f"{code} {_said(text)}"
        raise MailError(f"{self._config.host} refuses {what}: {code} {_said(text)}", is_final=code >= _FINAL)


def _leave(server: smtplib.SMTP) -> None:
    """Say goodbye; what is said to that changes nothing about a mail that was taken, or was not."""
    try:
        server.quit()
    except (smtplib.SMTPException, OSError):
        server.close()


def message_of(mail: Mail, sender: str, at: datetime) -> EmailMessage:
    """Return the mail in its form on the way; raises MailError for what may not be in a header."""
    name, address = parseaddr(sender)
    sent_by = checked_address(address)
    message = EmailMessage(policy=SMTP)
    message["From"] = Address(_line("the sender's name", name), addr_spec=sent_by)
    message["To"] = Address(addr_spec=checked_address(mail.to))
    message["Subject"] = _line("the subject", mail.subject)
    message["Date"] = format_datetime(at)
    domain = sent_by.rpartition("@")[2]
    message["Message-ID"] = f"<{_line('the id', mail.id)}@{domain}>" if mail.id else make_msgid(domain=domain)
    message["Auto-Submitted"] = "auto-generated"  # RFC 3834: no holiday notices, please
    for header, value in mail.headers.items():
        if not _header(header) or header.lower() in _OWN_HEADERS:
            raise MailError(f"{header!r} cannot be a header of a mail", is_final=True)
        message[header] = _line(header, value)
    message.set_content(mail.text, cte="quoted-printable")
    if mail.html:
        message.add_alternative(mail.html, subtype="html", cte="quoted-printable")
        _add_images(message, mail.images)
    return message


def _add_images(message: EmailMessage, images: Mapping[str, bytes]) -> None:
    parts = message.get_payload()
    page = parts[-1] if isinstance(parts, list) else None
    if not isinstance(page, EmailMessage):
        return
    for name, image in images.items():
        page.add_related(
            image,
            maintype="image",
            subtype="png",
            cid=f"<{_line('the name of an image', name)}>",
            filename=f"{name}.png",
            disposition="inline",
        )


def checked_address(text: str) -> str:
    """Return an e-mail address with its domain as DNS has it; raises MailError."""
    name, at, domain = text.strip().rpartition("@")
    try:
        domain = domain if domain.isascii() else idna.encode(domain, uts46=True).decode()
    except (idna.IDNAError, UnicodeError):
        domain = ""
    if not at or not _local(name) or not _domain(domain) or len(name) > 64 or len(name) + len(domain) >= ADDRESS_MOST:
        raise MailError(f"{text[:80]!r} is no e-mail address such as anna@example.com", is_final=True)
    return f"{name}@{domain}"


def _line(what: str, text: str) -> str:
    """Return a text that stays within its header."""
    if any(ord(sign) < 32 or ord(sign) == 127 or sign in "\x85\u2028\u2029" for sign in text):
        raise MailError(f"{what} may have no line breaks and no control characters", is_final=True)
    return text


def _said(reply: bytes | str) -> str:
    text = reply.decode("utf-8", "replace") if isinstance(reply, bytes) else reply
    return " ".join(text.split())[:_ANSWER_MOST]


def _reason(error: Exception) -> str:
    if isinstance(error, TimeoutError):
        return "it does not answer in time"
    return (error.strerror if isinstance(error, OSError) else "") or str(error) or type(error).__name__
