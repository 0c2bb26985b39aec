"""What the server answers, as values, and the event that is sent; fields that a newer server adds are left out."""

from typing import Literal
from uuid import uuid4

import msgspec

Number = int | float | None  # null: not told, see `Meta.suppressed`
Role = Literal["viewer", "owner"]
Scope = Literal["read", "ingest", "admin"]


class Event(msgspec.Struct, omit_defaults=True):
    """Something that happened on a page; `id` makes it harmless to send it twice. See docs/events.md."""

    url: str
    type: str = "pageview"
    id: str = msgspec.field(default_factory=lambda: uuid4().hex)
    site: str = ""
    name: str = ""
    properties: dict[str, str | int | float | bool] = {}
    referrer: str = ""
    title: str = ""
    target: str = ""
    visitor_id: str = ""
    session_id: str = ""
    user_id: str = ""
    age_ms: int = 0
    value: float = 0.0
    currency: str = ""
    ip: str = ""  # of whom the program sends for, as user_agent; both need a key that may send
    user_agent: str = ""


class Dropped(msgspec.Struct, frozen=True):
    """An event that was not kept, by its place in the request."""

    index: int
    reason: str
    problem: str = ""


class Receipt(msgspec.Struct, frozen=True):
    """What became of events; those that are accepted are on the server's disk."""

    accepted: int
    dropped: tuple[Dropped, ...] = ()


class PageCount(msgspec.Struct, frozen=True):
    """A page of the counter."""

    page_url: str
    visit_count: int
    last_visited: str | None
    created_at: str | None


class CountedVisit(msgspec.Struct, frozen=True):
    """A counted visit; `visit_count` is None where it is stored and its number not known yet."""

    page_url: str
    visit_count: int | None
    last_visited: str | None
    created_at: str | None
    security_token: str | None = None
    duplicate: bool = False
    pending: bool = False


class Change(msgspec.Struct, frozen=True):
    """How much more there is than in the period that is compared with."""

    absolute: Number
    percent: float | None


class Totals(msgspec.Struct, frozen=True):
    """Numbers by metric; `compared` and `change` where a period is compared with."""

    metrics: dict[str, Number]
    compared: dict[str, Number] | None = None
    change: dict[str, Change] | None = None


class Row(msgspec.Struct, frozen=True):
    """One row of an answer: its values by dimension, its numbers by metric."""

    dimensions: dict[str, str]
    metrics: dict[str, Number]
    compared: dict[str, Number] | None = None
    change: dict[str, Change] | None = None
    compared_time: str = ""


class Suppressed(msgspec.Struct, frozen=True):
    """A metric that is None, and why."""

    metric: str
    reason: str


class Meta(msgspec.Struct, frozen=True, rename={"first": "from", "last": "to"}):
    """What one must know to read the numbers."""

    first: str
    last: str
    timezone: str
    interval: str
    visitors_are: str
    note: str
    rows_in_all: int
    as_of: str
    suppressed: tuple[Suppressed, ...] = ()


class Answer(msgspec.Struct, frozen=True):
    """The answer to a query; `cursor` asks for the rows that follow."""

    rows: tuple[Row, ...]
    totals: Totals
    meta: Meta
    cursor: str | None


class Stats(msgspec.Struct, frozen=True):
    """Everything of all time, in a few maps."""

    total_visits: int
    unique_visitors: int
    countries: dict[str, int]
    pages: dict[str, int]
    devices: dict[str, int]
    browsers: dict[str, int]
    os: dict[str, int]
    referrers: dict[str, int]
    links: dict[str, int]
    total_sessions: int


class Share(msgspec.Struct, frozen=True):
    """How many visitors have this in common: of those here now, and of the last half hour."""

    name: str
    now: int
    visitors: int


class Live(msgspec.Struct, frozen=True):
    """A site at one moment."""

    site: str
    time: str
    now: int
    visitors: int
    views: int
    pages: tuple[Share, ...]
    sources: tuple[Share, ...]
    countries: tuple[Share, ...]
    feed: tuple[dict[str, object], ...]


class Visitor(msgspec.Struct, frozen=True):
    """One visitor; without the policy to keep addresses `ip` is a hash."""

    ip: str
    country: str
    country_code: str
    region: str
    city: str
    first_seen: str
    last_seen: str
    visit_count: int
    paths_visited: tuple[str, ...]
    user_agents: tuple[str, ...]


class Site(msgspec.Struct, frozen=True):
    """A web site; `policy` and `retention` are what holds."""

    name: str
    id: str
    url: str
    created_at: str | None
    hostnames: tuple[str, ...]
    aliases: tuple[str, ...]
    timezone: str
    policy: dict[str, str]
    modules: tuple[str, ...]
    retention: dict[str, int | None]
    public: bool


class Member(msgspec.Struct, frozen=True):
    """Somebody with a role on a site."""

    username: str
    role: Role


class Goal(msgspec.Struct, frozen=True):
    """A goal of a site; what its kind does not have is empty or 0."""

    id: str
    name: str
    kind: str
    page: str
    event: str
    where: str
    percent: int
    engaged_ms: int
    created_at: str


class User(msgspec.Struct, frozen=True):
    """A user; `roles` are by site."""

    id: str
    username: str
    email: str
    is_admin: bool
    disabled: bool
    roles: dict[str, Role]
    created_at: str
    seen_at: str | None


class Invitation(msgspec.Struct, frozen=True):
    """The link with which a new user chooses a password."""

    link: str
    expires_at: str


class NewUser(msgspec.Struct, frozen=True):
    """A user that was just made, and the link to hand to them."""

    user: User
    invitation: Invitation | None


class Key(msgspec.Struct, frozen=True):
    """An API key; `site` None: every site."""

    id: str
    name: str
    site: str | None
    scopes: tuple[Scope, ...]
    user: str | None
    created_at: str
    expires_at: str | None
    last_used_at: str | None


class NewKey(Key, frozen=True):
    """A key that was just made: only now `key` is told."""

    key: str = ""


class LoggedIn(msgspec.Struct, frozen=True):
    """The tokens of a log-in: the access token is good for minutes, the refresh token gets the next ones, once."""

    access_token: str
    refresh_token: str


class Me(msgspec.Struct, frozen=True):
    """Who the server takes this client for."""

    kind: str
    username: str
    is_admin: bool
    roles: dict[str, Role]
    everywhere: Role | None
