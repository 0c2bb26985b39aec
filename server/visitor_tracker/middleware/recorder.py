"""What the ASGI and the WSGI middleware share: the options, which requests count, and where they go."""

import atexit
import os
from collections.abc import Callable, Iterable, Mapping
from typing import TypedDict, Unpack

import visitor_tracker
from visitor_tracker.errors import ConfigError
from visitor_tracker.middleware.address import TrustedProxies
from visitor_tracker.middleware.http_tracker import HttpTracker
from visitor_tracker.middleware.rules import Rules
from visitor_tracker.middleware.seen import EventMaker, opts_out
from visitor_tracker.middleware.sender import Counts, Sender
from visitor_tracker.middleware.tracker import Tracker

_KNOWN = 304  # the browser has it already
SERVER_VARIABLE, KEY_VARIABLE = "VISITOR_SERVER", "VISITOR_SEND_KEY"


class Options(TypedDict, total=False):
    """What docs/middleware.md tells of; each has a default."""

    server: str
    key: str
    tracker: Tracker | None
    site: str
    exclude: Iterable[str]
    trusted_proxies: Iterable[str]
    honour_opt_out: bool
    queue_size: int
    keep_seconds: float
    exit_seconds: float


_DEFAULTS: Options = {
    "site": "",
    "exclude": (),
    "trusted_proxies": (),
    "honour_opt_out": False,
    "queue_size": 10_000,
    "keep_seconds": 3600.0,
    "exit_seconds": 5.0,
}


class Recorder:
    """Records requests; nothing that goes wrong here may reach the program, so the middleware calls it in a `try`."""

    def __init__(self, *, every_request: bool, **given: Unpack[Options]) -> None:
        """Raise TypeError for an unknown option and ConfigError for a value that cannot work."""
        unknown = sorted(given.keys() - Options.__annotations__.keys())
        if unknown:
            raise TypeError(f"unknown options {unknown}; there are {sorted(Options.__annotations__)}")
        options: Options = {**_DEFAULTS, **given}
        if options["queue_size"] < 1 or options["keep_seconds"] <= 0 or options["exit_seconds"] < 0:
            raise ConfigError("queue_size must be at least 1, keep_seconds more than 0, exit_seconds not below 0")
        self._rules = Rules(every_request=every_request, exclude=options["exclude"])
        self._honour_opt_out = options["honour_opt_out"]
        self._exit_seconds = options["exit_seconds"]
        proxies = TrustedProxies(options["trusted_proxies"])
        self._sender = Sender(
            _tracker(options),
            EventMaker(proxies, options["site"], with_request=every_request).event,
            most=options["queue_size"],
            keep_seconds=options["keep_seconds"],
        )
        self.may_count = self._rules.may_count
        self.takes_all = every_request and not self._honour_opt_out  # whatever `takes` would be asked
        self.put = self._sender.put
        self.failed = self._sender.failed
        atexit.register(self.flush)

    def takes(self, status: int, content_type: str, headers: Callable[[], Mapping[str, str]]) -> bool:
        """Say whether a request that may count does, by its answer; `headers` is called only where they matter."""
        if not self._rules.counts(status, content_type, headers().get("accept", "") if status == _KNOWN else ""):
            return False
        return not (self._honour_opt_out and opts_out(headers()))

    def flush(self) -> bool:
        """Send what waits, for `exit_seconds` at most; False: some of it still waits."""
        return self._sender.flush(self._exit_seconds)

    def counts(self) -> Counts:
        """Return what became of the requests so far, in this process."""
        return self._sender.counts()


def _tracker(options: Options) -> Tracker:
    """Return where events go: what the options say, else the environment; else this program keeps them itself."""
    tracker = options.get("tracker")
    if tracker is not None:
        if options.get("server"):
            raise ConfigError("give a server or a tracker, not both")
        return tracker
    server = options.get("server") or os.environ.get(SERVER_VARIABLE, "")
    if server:
        return HttpTracker(server, options.get("key") or os.environ.get(KEY_VARIABLE, ""))
    return visitor_tracker.default_tracker()
