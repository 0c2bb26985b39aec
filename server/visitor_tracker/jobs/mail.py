"""Where jobs find the mailer. Routes import it from `outgoing.mail`, which is below both."""

from visitor_tracker.outgoing.mail import Mail, Mailer, MailError

__all__ = ["Mail", "MailError", "Mailer"]
