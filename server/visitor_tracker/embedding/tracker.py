"""The embedded tracker as programs have it: starts what does the work, again after a fork or when it has ended."""

import atexit
import logging
import os
import threading
import weakref
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from visitor_tracker.config import Config, load
from visitor_tracker.embedding.beside import Beside, Gone
from visitor_tracker.embedding.channel import Name
from visitor_tracker.errors import ConfigError
from visitor_tracker.middleware.tracker import Delivered, Unavailable

if TYPE_CHECKING:
    from visitor_tracker.embedding.inside import Inside

log = logging.getLogger(__name__)

Row = dict[str, Any]


def embedded(
    settings: Mapping[str, Any] | None = None, *, file: Path | str | None = None, own_process: bool = True
) -> "EmbeddedTracker":
    """Return a tracker that keeps events itself, by {"server.data_dir": …}, the environment and a settings file.

    A child process does the work, or with `own_process=False` threads of this one. Raises ConfigError for settings
    that cannot work. Nothing is opened before the first event.
    """
    try:
        config = load(None if file is None else Path(file), os.environ, {"server.workers": 0} | dict(settings or {}))
    except KeyError as error:
        raise ConfigError(f"there is no setting {error.args[0]}") from error
    return EmbeddedTracker(config, own_process=own_process)


@cache
def default_tracker() -> "EmbeddedTracker":
    """Return the one that middleware uses which was told of no other, by settings of the environment only."""
    return embedded()


class EmbeddedTracker:
    """What takes the middleware's events in its own program; in a forked child it opens everything anew."""

    def __init__(self, config: Config, *, own_process: bool = True) -> None:
        self._config = config
        self._own_process = own_process
        self._lock = threading.Lock()  # of the next two
        self._beside: Beside | None = None
        self._inside: Inside | None = None
        _trackers.add(self)
        atexit.register(self.close)  # after the senders' flush, which was registered later

    @property
    def child(self) -> int | None:
        """Return the process that does the work, None before the first event and where there is none."""
        with self._lock:
            return None if self._beside is None else self._beside.pid

    def send(self, events: bytes) -> Delivered:
        """Understand and journal a JSON array of events; raises Unavailable, Refused."""
        delivered: Delivered = self._ask("send", events)
        return delivered

    def get_all_visitors(self, limit: int | None = None) -> list[Row]:
        """Return the visitors of all sites as docs/visitors.md shows them, the newest first, 1,000 or `limit`."""
        found: list[Row] = self._ask("get_all_visitors", *([] if limit is None else [limit]))
        return found

    def get_visitor(self, ip: str) -> Row:
        """Return one visitor, or {error, ip} where there is none."""
        found: Row = self._ask("get_visitor", ip)
        return found

    def get_visitor_stats(self) -> Row:
        """Return {total_visitors, total_visits, countries, top_ips}."""
        found: Row = self._ask("get_visitor_stats")
        return found

    def close(self) -> None:
        """Store what waits and let go of everything; the next event opens it again."""
        with self._lock:
            opened = (self._beside, self._inside)
            self._beside = self._inside = None
        for one in opened:
            if one is not None:
                one.close()

    def forget(self) -> None:
        """Begin anew in a forked child: what the parent has open must be neither used nor closed there."""
        if self._inside is not None:
            _abandoned.append(self._inside)
        if self._beside is not None:
            _abandoned.append(self._beside)
            self._beside.abandon()
        self._beside = self._inside = None
        self._lock = threading.Lock()

    def _ask(self, name: Name, *given: object) -> Any:  # noqa: ANN401
        beside = self._opened_beside()
        if beside is None:
            return getattr(self._opened_inside(), name)(*given)
        try:
            return beside.ask(name, *given)
        except Gone as error:
            with self._lock:
                if self._beside is beside:
                    self._beside = None
                    self._own_process = beside.has_worked  # one that ends at once would do so again
            beside.close()
            raise Unavailable(str(error)) from error

    def _opened_beside(self) -> Beside | None:
        """Return the child process; None where there is to be none, or none can be started."""
        with self._lock:
            if self._beside is None and self._own_process:
                try:
                    self._beside = Beside(self._config)
                except OSError as error:
                    self._own_process = False
                    log.warning("the tracker has no process of its own and works in this one: %s", error)
            return self._beside

    def _opened_inside(self) -> "Inside":
        from visitor_tracker.embedding.inside import Inside  # here: it loads the whole server

        with self._lock:
            if self._inside is None:
                self._inside = Inside(self._config)
            return self._inside


_trackers: weakref.WeakSet[EmbeddedTracker] = weakref.WeakSet()
_abandoned: list[object] = []  # of the parent: closing its SQLite connections here could harm its file


def _forget_all() -> None:
    for tracker in list(_trackers):
        tracker.forget()


os.register_at_fork(after_in_child=_forget_all)
