"""What a client sent, whatever dialect it speaks, before anything of it is believed."""

import msgspec

from visitor_tracker.event import DropReason, Event, Kind, Property

TEXT_MOST = 2048  # characters of a URL
TITLE_MOST = 512
NAME_MOST = 128
VALUE_MOST = 512  # characters of a property's value
KEY_MOST = 64
PROPERTIES_MOST = 30
SEQ_MOST = 1 << 31  # number of an event in its tab
AGE_MOST_MS = 7 * 86_400_000  # older events are dropped: too_old


class Client(msgspec.Struct, frozen=True, gc=False):
    """The facts of a request that all of its hits share. Address and user agent live no longer than the request.

    `headers` are the request's (lower case); with `vouched`, a trusted key says for whom it sends, and what a
    browser's own request would show (missing headers, cookies) says nothing.
    """

    ip: str
    user_agent: str
    headers: dict[str, str]
    vouched: bool = False
    only_site: int = 0  # the one site that the key may send for, 0: every site
    country: str = ""  # from a trusted proxy's header, ISO 3166-1 alpha-2
    cookie: bytes = b""  # the visitor's verified cookie id, under the cookie policy


class Hit(msgspec.Struct, gc=False):
    """One event as it was sent. Texts may have any length and content: the pipeline cuts and cleans them."""

    kind: Kind = "pageview"
    id: bytes | None = None  # 16 bytes
    site: str = ""  # name, alias or host name; empty: the site that has the URL's host
    url: str = ""
    referrer: str = ""
    title: str = ""
    name: str = ""
    target: str = ""
    properties: dict[str, Property] = {}
    visitor: str = ""  # the page's own visitor id
    session: str = ""
    person: str = ""  # who the page says the visitor is
    age_ms: int = 0
    language: str = ""
    timezone: str = ""
    screen: str = ""
    viewport: str = ""
    engaged_ms: int = 0
    scroll: int = 0
    value: float = 0.0
    currency: str = ""
    interactive: bool = True
    automation: bool = False
    ip: str = ""  # for whom a trusted key sends; ignored without one
    user_agent: str = ""
    tab: str = ""  # of the browser: 32 hex digits, the first 12 of them epoch ms
    seq: int = 0  # of the event in its tab, from 1


class Malformed(msgspec.Struct, frozen=True, gc=False):
    """A part of a batch that is no event; `problem` says what to change."""

    problem: str
    reason: DropReason = "invalid_event"


class Receipt(msgspec.Struct, frozen=True, gc=False):
    """What became of the hits of a request, in their order: None is accepted (durable), else why it was dropped.

    `problems` says of those that could not be read what to change, by position; `first` is the first accepted
    event, for answers that show what was understood.
    """

    verdicts: list[DropReason | None]
    problems: dict[int, str] = {}
    first: Event | None = None
    first_visit: tuple[bool, bool] | None = (
        None  # whether `first` is its visitor's first, ever and today; None: unknown
    )

    @property
    def accepted(self) -> int:
        return self.verdicts.count(None)
