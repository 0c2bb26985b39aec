"""Every error this package raises on purpose."""


class TrackerError(Exception):
    """Root of the tree; catch it only where a thread or the program ends."""


class ConfigError(TrackerError):
    """The settings say something that cannot work; the message names every mistake."""


class HttpError(TrackerError):
    """The request ends here with this status; message and hint are safe to show.

    `code` is the machine-readable name in the error JSON, `hint` says what to change, `dropped` is the
    reason shown in X-Tracker when this ends a hit.
    """

    def __init__(  # noqa: PLR0913
        self, status: int, code: str, message: str, hint: str = "", *, retry_after: int = 0, dropped: str = ""
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.hint = hint
        self.retry_after = retry_after
        self.dropped = dropped


class ListenError(TrackerError):
    """An address, socket file or certificate cannot be used to listen on."""


class StoreError(TrackerError):
    """The store refuses for good: wrong schema, wrong URL, damaged file."""


class StoreUnavailable(TrackerError):
    """The store is away, busy or full; nothing was stored and the same call may be tried again."""


class OutcomeUnknown(TrackerError):
    """The connection broke during COMMIT: stored or not. Call again with the same batch id to learn which."""


class AlreadyRunning(TrackerError):
    """Another server holds this data folder or SQLite file."""
