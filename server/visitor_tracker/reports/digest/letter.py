"""A report as a mail."""

from urllib.parse import urlsplit

from visitor_tracker.config import Config
from visitor_tracker.outgoing.mail import Mail
from visitor_tracker.reports.digest.page import CHART, mail_of
from visitor_tracker.reports.digest.said import Links, Said
from visitor_tracker.reports.digest.text import text_of

_SUBJECT_MOST = 150  # characters


def letter(said: Said, links: Links, mail_id: str = "") -> Mail:
    """Return the mail to `links.to`; who gets one with the same `mail_id` twice can see that it is the same."""
    html, picture = mail_of(said, links)
    headers = {"List-ID": f"<report.{_host(links.base)}>"}
    if links.stop:
        headers |= {
            "List-Unsubscribe": f"<{links.stop}>",
            "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",  # RFC 8058
        }
    images = {} if said.digest.is_empty else {CHART: picture}
    return Mail(links.to, said.subject[:_SUBJECT_MOST], text_of(said, links), html, images, headers, mail_id)


def base_of(config: Config) -> str:
    """Return the server's address without a slash at its end; without server.public_url it is a guess."""
    scheme = "https" if config.tls.certificate else "http"
    return config.server.public_url.rstrip("/") or f"{scheme}://127.0.0.1:{config.server.port or 8000}"


def _host(base: str) -> str:
    return urlsplit(base).hostname or "localhost"
