"""Rules about the server itself: what waits to be counted, and its certificate."""

from datetime import UTC, datetime
from pathlib import Path

from cryptography import x509

from visitor_tracker.days import DAY_MS
from visitor_tracker.jobs.alerts.deciding import lasted
from visitor_tracker.jobs.alerts.happenings import MINUTE_MS, Happening, Looked, View
from visitor_tracker.jobs.alerts.waiting import waiting_anywhere
from visitor_tracker.outgoing.channels import Severity
from visitor_tracker.reports.query import QueryError

_CRITICAL_DAYS = 3


def lag(view: View) -> Looked | None:
    """Look how long the oldest of what visitors sent has waited, in this node's journal and in the inbox."""
    since = waiting_anywhere(view)
    age = view.now - since
    if not since or age < view.rule.minutes * MINUTE_MS:
        return Looked(calm="What visitors sent is counted again without delay.")
    text = (
        f"What visitors sent has waited for {lasted(age)} to be counted. Nothing is lost as long as there is room in"
        " the journal; look at the log, at the database, and at  visitor-tracker check."
    )
    title = f"Events have waited for {lasted(age)}"
    return Looked((Happening("", since, title, text, "critical", numbers={"waiting_since": since}),))


def certificate(view: View) -> Looked | None:
    """Look for how many days the server's own certificate is good."""
    path = view.config.tls.certificate
    if not path:
        raise QueryError("kind", "this server has no certificate of its own (tls.certificate): remove the alert")
    try:
        ends = x509.load_pem_x509_certificate(Path(path).read_bytes()).not_valid_after_utc
    except (OSError, ValueError) as error:
        raise QueryError("kind", f"{path} cannot be read: {error}") from error
    days = (ends - datetime.fromtimestamp(view.now / 1000, UTC)).total_seconds() * 1000 / DAY_MS
    if days > view.rule.days:
        return Looked()
    left = f"for {days:.0f} days" if days >= 1 else "for less than a day" if days > 0 else "no more"
    text = f"The certificate {path} is good until {ends:%-d %B %Y}, {left}. Renew it, and send the server SIGHUP."
    severity: Severity = "critical" if days < _CRITICAL_DAYS else "warning"
    key = f"certificate {ends:%Y%m%d%H%M}"
    title = "The certificate ends soon" if days > 0 else "The certificate has ended"
    return Looked((Happening(key, view.now, title, text, severity, numbers={"days": round(days, 1)}, has_end=False),))
