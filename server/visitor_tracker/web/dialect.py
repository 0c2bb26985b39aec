"""What a collect endpoint is: how its requests are read, and how they are answered.

A dialect knows the wire format of one kind of client and nothing else; `web.collect` serves them all.
"""

from collections.abc import Callable
from dataclasses import dataclass

from visitor_tracker.errors import HttpError
from visitor_tracker.http.message import Request, Response
from visitor_tracker.ingest.hit import Hit, Malformed, Receipt

BATCH = -1  # as body_most: as many bytes as http.max_batch says

Read = Callable[[Request], list[Hit | Malformed]]
Write = Callable[[Request, Receipt], Response]


@dataclass(frozen=True, slots=True)
class Dialect:
    """One collect endpoint.

    `read` raises HttpError 400 when nothing of a request can be read. `write` makes the answer, also when every
    hit was dropped; CORS and X-Tracker are added to it. `token` finds a send key that does not come as Authorization.
    `accepted` is what `write` says of one hit that was accepted, where that is always the same.
    With `asks_first` the receipt says whether this is the visitor's first visit, which only a slow lane may ask.
    """

    method: str
    path: str
    summary: str
    read: Read
    write: Write
    body_most: int = 0
    fast: bool = True
    token: Callable[[Request], str] | None = None
    asks_first: bool = False
    accepted: Response | None = None


def unreadable(problem: str, hint: str = "") -> HttpError:
    """Return the refusal of a request of which nothing can be read."""
    return HttpError(400, "invalid_event", problem, hint, dropped="invalid_event")
