"""A Visitor Tracker server, reached over HTTP."""

import json
import os
import re
from contextlib import suppress
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from typing import Any
from urllib.parse import urlsplit

from visitor_tracker.errors import ConfigError
from visitor_tracker.middleware.tracker import Delivered, Refused, Unavailable

ANSWER_SECONDS = 10.0
_ANSWER_BYTES = 1 << 20
_KEY = re.compile(r"[\x21-\x7e]+").fullmatch
# Answers that may be others next time: by what is in the way, or when somebody has put the set-up right.
_PASSING = frozenset({401, 403, 404, 405, 408, 421, 425, 429})


class HttpTracker:
    """Sends to `server` ("https://stats.example.com") with a send key. Belongs to one thread of each process."""

    def __init__(self, server: str, key: str) -> None:
        parts = urlsplit(server)
        try:
            port = parts.port
        except ValueError as error:
            raise ConfigError(f"server: {server.rpartition('@')[2]!r}: {error}") from error
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.username:
            shown = server.rpartition("@")[2]  # a password is for nobody's log
            raise ConfigError(f"server must be an address such as https://stats.example.com, not {shown!r}")
        if not _KEY(key):
            raise ConfigError("key must be a send key; make one with  visitor-tracker key add NAME")
        self._make = HTTPSConnection if parts.scheme == "https" else HTTPConnection
        self._host, self._port = parts.hostname, port
        self._path = f"{parts.path.rstrip('/')}/api/v1/events"
        self._headers = {
            "Authorization": f"Bearer {key}",
            "Content-Type": "application/json",
            "User-Agent": "visitor-tracker-middleware",
        }
        self._kept: tuple[int, HTTPConnection] | None = None  # with the process it belongs to

    def send(self, events: bytes) -> Delivered:
        """Post the events; a connection that was kept may have ended meanwhile, so a new one is tried then."""
        kept, self._kept = self._kept, None
        if kept is not None and kept[0] == os.getpid():
            try:
                return self._sent(kept[1], events)
            except (OSError, HTTPException):
                kept[1].close()
        connection = self._make(self._host, self._port, timeout=ANSWER_SECONDS)
        try:
            return self._sent(connection, events)
        except (OSError, HTTPException) as error:
            connection.close()
            raise Unavailable(f"{self._host}: {error!r}") from error

    def close(self) -> None:
        """End the connection that was kept; the next events come on a new one."""
        kept, self._kept = self._kept, None
        if kept is not None:
            kept[1].close()

    def _sent(self, connection: HTTPConnection, events: bytes) -> Delivered:
        connection.request("POST", self._path, events, self._headers)
        response = connection.getresponse()
        body = response.read(_ANSWER_BYTES)
        if response.isclosed():
            self._kept = (os.getpid(), connection)
        else:
            connection.close()  # more than any answer of ours
        if response.status == 202:
            return _delivered(body)
        problem = f"{response.status} {_message(body) or response.reason}"
        if response.status >= 500 or response.status < 400 or response.status in _PASSING:
            raise Unavailable(problem, retry_after=_retry_after(response))
        raise Refused(problem)


def _delivered(body: bytes) -> Delivered:
    try:
        answer = json.loads(body)
        return Delivered(int(answer["accepted"]), tuple(str(one["reason"]) for one in answer["dropped"]))
    except (ValueError, KeyError, TypeError) as error:
        raise Unavailable("what answers there is no Visitor Tracker") from error


def _message(body: bytes) -> str:
    with suppress(ValueError, KeyError, TypeError):
        answer: Any = json.loads(body)
        return str(answer["error"]["message"])
    return ""


def _retry_after(response: HTTPResponse) -> float:
    text = response.headers.get("Retry-After", "")
    return float(text) if text.isdecimal() else 0.0
