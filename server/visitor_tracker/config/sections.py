"""Every setting: its name, type, default and help are written here and nowhere else.

The loader, `visitor-tracker check` and docs/settings.md all read these classes.
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal
from urllib.parse import quote

from visitor_tracker.config.declaring import KIB, MIB, setting


@dataclass(frozen=True, slots=True)
class ServerConfig:
    """Where the server listens and how it is laid out in processes."""

    host: str = setting("127.0.0.1", "address to listen on; 0.0.0.0 or :: for all, empty for none")
    port: int = setting(8000, "TCP port, 0 for any free one", least=0, most=65535)
    socket: str = setting("", "path of a unix socket to listen on besides, for a proxy on this machine", kind="path")
    socket_mode: str = setting("0660", "permissions of that socket file, octal")
    workers: int | Literal["auto"] = setting(
        "auto",
        "worker processes: auto = one per core with MySQL and 1 with SQLite, 0 = everything in one process",
        least=0,
        most=256,
    )
    data_dir: str = setting("data", "folder for the SQLite file and everything else the server keeps", kind="path")
    public_url: str = setting(
        "", "the address visitors use, e.g. https://stats.example.com; for links the server prints"
    )
    secret_key: str = setting(
        "",
        "key that signs security tokens, at least 32 characters; empty: made once and kept in the store",
        kind="secret",
    )
    grace_seconds: float = setting(10.0, "time that running requests get when the server stops", least=0, most=300)


@dataclass(frozen=True, slots=True)
class TlsConfig:
    """TLS on the TCP port, from files that SIGHUP reads again."""

    certificate: str = setting("", "PEM file with the certificate chain; empty: plain HTTP", kind="path")
    key: str = setting("", "PEM file with its private key, readable by the server's user only", kind="path")
    minimum_version: Literal["1.2", "1.3"] = setting("1.2", "oldest TLS version spoken")
    handshake_seconds: float = setting(5.0, "time a client has for the handshake", least=0.1, most=60)
    hsts: bool = setting(False, "send Strict-Transport-Security, so that browsers come back by https only")


@dataclass(frozen=True, slots=True)
class HttpConfig:
    """Limits and deadlines of the HTTP server. Sizes are in bytes, times in seconds."""

    threads: int = setting(
        8, "threads per worker for requests that may wait (lists, admin); counting uses none", least=1, most=256
    )
    dispatch: Literal["lanes", "pool"] = setting("lanes", "pool sends every request through the threads, also counting")
    backlog: int = setting(4096, "connections the kernel may hold before they are accepted", least=1, most=65535)
    max_connections: int = setting(
        10_000, "open connections per worker; beyond it the oldest idle one is closed", least=1
    )
    max_per_address: int = setting(
        100, "open connections per client address and worker, 0: no cap; trusted proxies have none", least=0
    )
    max_streams: int = setting(
        200, "live views that follow a site, per worker; beyond it 503. Each is an open connection", least=0
    )
    max_streams_per_address: int = setting(
        20, "those of one client address; beyond it 429. 0: no cap; trusted proxies have none", least=0
    )
    max_queue: int = setting(
        1024, "requests waiting for a thread, and visits waiting to be stored are four times as many; then 503", least=1
    )
    max_target: int = setting(8 * KIB, "request target; beyond it 414", least=256, most=64 * KIB)
    max_field: int = setting(8 * KIB, "one header field; beyond it 431", least=256, most=64 * KIB)
    max_head: int = setting(32 * KIB, "all header fields; beyond it 431", least=1 * KIB, most=64 * KIB)
    max_fields: int = setting(100, "number of header fields; beyond it 431", least=8, most=1000)
    max_body: int = setting(64 * KIB, "request body; beyond it 413", least=1 * KIB, most=64 * MIB)
    max_batch: int = setting(
        MIB, "body of a request with many events, also unpacked from gzip; beyond it 413", least=1 * KIB, most=64 * MIB
    )
    body_budget: int = setting(64 * MIB, "all request bodies held at once per worker; beyond it 503", least=1 * MIB)
    header_seconds: float = setting(10.0, "time for a whole request head", least=0.1, most=300)
    body_seconds: float = setting(10.0, "time before a slow request body must arrive at body_rate", least=0.1, most=300)
    body_rate: int = setting(1 * KIB, "bytes a second that a request body must reach then", least=1)
    send_seconds: float = setting(10.0, "time in which a client must take an answer", least=0.1, most=300)
    idle_seconds: float = setting(75.0, "time a kept-alive connection may be silent", least=0.1, most=3600)


@dataclass(frozen=True, slots=True)
class StoreConfig:
    """The database."""

    url: str = setting(
        "",
        "sqlite:///PATH or mysql://USER:PASSWORD@HOST:PORT/DATABASE?pool_size=8; empty: sqlite in server.data_dir",
        kind="secret",
    )
    durability: Literal["full", "relaxed"] = setting(
        "full", "full: an answer means synced to disk; relaxed: synced at least once a second"
    )
    connect_seconds: float = setting(2.0, "time to connect to a database server", least=0.1, most=60)
    answer_seconds: float = setting(5.0, "time a database server has to answer a statement", least=0.1, most=300)
    borrow_seconds: float = setting(0.25, "time to wait for a free connection of the pool", least=0.01, most=60)
    ids_keep_days: int = setting(
        7, "days that ids of visits are remembered, so that a repetition counts once", least=1, most=90
    )


@dataclass(frozen=True, slots=True)
class JournalConfig:
    """Where events are before the database has them. Its durability is that of `store.durability`."""

    commit: Literal["auto", "inline", "committer"] = setting(
        "auto",
        "who syncs: inline = the thread that reads requests, committer = another; auto: inline where a sync takes 2 ms "
        "or less at start",
    )
    max_bytes: int = setting(
        4096 * MIB, "size of the journal, and never more than a fifth of the free disk; beyond it 503", least=8 * MIB
    )
    keep_minutes: float = setting(
        60.0, "time a part of the journal is kept after the database has it; room for new events comes first", least=0
    )


@dataclass(frozen=True, slots=True)
class IdentityConfig:
    """What is known of visitors; a site can have its own policy."""

    visitor: Literal["daily", "monthly", "persistent", "cookie", "client"] = setting(
        "daily",
        "who is one visitor: daily, monthly = address and user agent, hashed under a key that is destroyed after that "
        "time; persistent = the same with a key that stays; cookie = a signed cookie; client = the page's visitorId",
    )
    ip: Literal["none", "truncated", "full"] = setting(
        "none", "client addresses that are stored: none, truncated (/24, /48) or full"
    )
    user_agent: Literal["class", "full"] = setting(
        "class", "user agents: class = browser, system, device only; full = as sent"
    )
    traits: Literal["drop", "keep"] = setting("drop", "what pages tell with identify: drop, or keep as it comes")
    opt_out: Literal["ignore", "anonymous", "drop"] = setting(
        "ignore",
        "visits with DNT or Sec-GPC: ignore that, anonymous = count views without visitor, drop = count nothing",
    )
    key_file: str = setting(
        "",
        "file with the key that wraps visitor keys in MySQL, the same on every node; empty: made in server.data_dir",
        kind="path",
    )


@dataclass(frozen=True, slots=True)
class GeoConfig:
    """Where countries come from: a trusted proxy's header, then the .mmdb, then the browser's time zone."""

    database: str = setting(
        "", "an .mmdb file, such as GeoLite2-City or DB-IP; read again when it changes", kind="path"
    )
    asn_database: str = setting("", "a second .mmdb file for organisations, such as GeoLite2-ASN", kind="path")
    header: str = setting("cf-ipcountry", "header in which a trusted proxy names the country; empty: none")
    online: Literal["off", "ip-api", "ipapi"] = setting(
        "off", "ask ip-api.com or ipapi.co for addresses the files do not know: visitors' addresses leave this machine"
    )


@dataclass(frozen=True, slots=True)
class SitesConfig:
    """Web sites that are counted."""

    auto_create: Literal["auto", "on", "off"] = setting(
        "auto", "whether an event may make the site it names, 20 at most; auto: until the first `site add`"
    )


@dataclass(frozen=True, slots=True)
class TrackerConfig:
    """The script that pages load, /script.js."""

    modules: tuple[Literal["clicks", "vitals", "errors", "heatmap", "replay"], ...] = setting(
        (),
        "what pages record besides views, time, scroll depth, links, downloads and forms: clicks, vitals, errors, "
        "heatmap, replay; a site can have its own",
    )
    storage: bool = setting(
        True,
        "whether the script may keep events that are not acknowledged yet, and the tab's number, in the browser; "
        "false: in memory only, and what a closed tab had not sent is lost",
    )


@dataclass(frozen=True, slots=True)
class ReplayConfig:
    """Recordings of what visitors saw and did, where the module `replay` is on."""

    sample: float = setting(1.0, "share of browser tabs that are recorded", least=0, most=1)
    text: Literal["mask", "show"] = setting(
        "mask", "text of the pages: mask every letter, or show it; what visitors type is always masked"
    )
    keep_days: int = setting(30, "days that recordings are kept", least=1, most=3650)
    minutes: int = setting(30, "longest recording of one tab, in minutes", least=1, most=720)
    session_bytes: int = setting(
        10 * MIB, "most that one tab's recording may take in the store", least=64 * KIB, most=1024 * MIB
    )
    site_bytes: int = setting(
        100 * 1024 * MIB,
        "most that all recordings of a site may have, before they are packed; then no more are taken until old ones go",
        least=MIB,
        most=1 << 50,
    )


@dataclass(frozen=True, slots=True)
class RobotsConfig:
    """Robots that say nothing of themselves, found by what they do all day."""

    behaviour: Literal["exclude", "mark", "off"] = setting(
        "exclude",
        "robots by behaviour: exclude = the night after, their day is taken out of the numbers; mark = only listed; "
        "off = not looked for. What a person says of a visitor always holds",
    )


@dataclass(frozen=True, slots=True)
class RateLimitConfig:
    """Token bucket per client address, shared by all workers of a machine."""

    enabled: bool = setting(True, "whether counting is limited per client address", live=True)
    per_second: float = setting(20.0, "visits an address may send per second in the long run", least=0.001, live=True)
    burst: int = setting(100, "visits an address may send at once", least=1, most=1_000_000, live=True)


@dataclass(frozen=True, slots=True)
class CorsConfig:
    """Which web sites may call the counting routes from a browser."""

    origins: tuple[str, ...] = setting(("*",), "origins such as https://example.com, or * for all", live=True)
    max_age: int = setting(
        86_400, "seconds a browser may remember the answer to a preflight", least=0, most=86_400, live=True
    )


@dataclass(frozen=True, slots=True)
class AuthConfig:
    """How people and programs prove who they are."""

    access_minutes: float = setting(15.0, "minutes that an access token is good for", least=1, most=1440)
    login_days: float = setting(30.0, "days without a request after which a log-in ends", least=0.01, most=3650)
    password_least: int = setting(10, "fewest characters of a password", least=8, most=128)
    remote_user: str = setting(
        "", "header in which a trusted proxy names who has logged in there, e.g. Remote-User; empty: none"
    )
    oidc_issuer: str = setting(
        "", "address of an OpenID Connect provider, e.g. https://id.example.com/realms/team; empty: none"
    )
    oidc_client_id: str = setting("", "the id under which this server is known there")
    oidc_client_secret: str = setting("", "its secret; empty for a public client", kind="secret")
    oidc_name: str = setting("single sign-on", "what the log-in page calls it")
    create_users: bool = setting(
        False, "whether somebody whom the proxy or the provider names gets an account, without any site"
    )


@dataclass(frozen=True, slots=True)
class RetentionConfig:
    """How long is kept what tells of single visitors; sums of hours, days and months stay. A site can have its own."""

    events_days: int = setting(0, "days that events and visits are kept, 0: for ever", least=0, most=36_500)
    ip_records_days: int = setting(
        0, "days after the last visit that records of addresses are kept, 0: for ever", least=0, most=36_500
    )
    profiles_days: int = setting(
        400, "days after the last visit that visitors known by a cookie are kept, 0: for ever", least=0, most=36_500
    )
    audit_days: int = setting(730, "days that the audit log is kept, 0: for ever", least=0, most=36_500)


@dataclass(frozen=True, slots=True)
class CounterConfig:
    """The per-page visit counter."""

    drop_parameters: tuple[str, ...] = setting(
        (),
        "query parameters to leave out of page URLs besides the known tracking ones, e.g. session; "
        "a trailing * matches any end",
    )
    badge_floor: int = setting(
        0, 'badges show counts below this as "< floor", so that few visitors stay private', least=0, live=True
    )
    badge_seconds: int = setting(
        60, "seconds that browsers and proxies may keep a badge", least=0, most=86_400, live=True
    )


@dataclass(frozen=True, slots=True)
class MailConfig:
    """The mail server that takes what this server writes to people."""

    host: str = setting("", "name or address of the mail server; empty: no mail is sent")
    port: int = setting(587, "its port: usually 587 for starttls, 465 for tls", least=1, most=65535)
    security: Literal["starttls", "tls", "none"] = setting(
        "starttls", "starttls, tls from the first byte, or none, for a mail server on this machine"
    )
    user: str = setting("", "user name there; empty: without logging in")
    password: str = setting("", "its password", kind="secret")
    sender: str = setting("", "who writes, e.g. stats@example.com or Statistics <stats@example.com>")
    authorities: str = setting(
        "", "PEM file with the certificate authorities to trust; empty: those of the system", kind="path"
    )
    timeout_seconds: float = setting(10.0, "time that the mail server has for each answer", least=0.1, most=120)


@dataclass(frozen=True, slots=True)
class AlertsConfig:
    """Messages to people and programs when something happens."""

    allow_private: tuple[str, ...] = setting(
        (),
        "hosts, addresses or networks inside your own network that alerts may be sent to, e.g. ntfy.lan or 10.0.0.0/8; "
        "* for all. Without it only public addresses are taken",
    )
    timeout_seconds: float = setting(10.0, "time that a receiver of an alert has to answer", least=0.1, most=60)


@dataclass(frozen=True, slots=True)
class LogConfig:
    """What the operator reads."""

    level: Literal["debug", "info", "warning", "error"] = setting(
        "info", "least important messages that are written", live=True
    )
    file: str = setting("", "file to write to, opened again on SIGHUP; empty: standard error", kind="path")


@dataclass(frozen=True, slots=True)
class SiteStore:
    """A site with a database of its own; what `store` does not name is that of the main one, but for the URL."""

    name: str
    store: StoreConfig


@dataclass(frozen=True, slots=True)
class Config:
    """Everything config.yaml can say."""

    server: ServerConfig = field(default_factory=ServerConfig)
    tls: TlsConfig = field(default_factory=TlsConfig)
    http: HttpConfig = field(default_factory=HttpConfig)
    store: StoreConfig = field(default_factory=StoreConfig)
    journal: JournalConfig = field(default_factory=JournalConfig)
    identity: IdentityConfig = field(default_factory=IdentityConfig)
    geo: GeoConfig = field(default_factory=GeoConfig)
    sites: SitesConfig = field(default_factory=SitesConfig)
    tracker: TrackerConfig = field(default_factory=TrackerConfig)
    replay: ReplayConfig = field(default_factory=ReplayConfig)
    robots: RobotsConfig = field(default_factory=RobotsConfig)
    rate_limit: RateLimitConfig = field(default_factory=RateLimitConfig)
    cors: CorsConfig = field(default_factory=CorsConfig)
    auth: AuthConfig = field(default_factory=AuthConfig)
    retention: RetentionConfig = field(default_factory=RetentionConfig)
    counter: CounterConfig = field(default_factory=CounterConfig)
    mail: MailConfig = field(default_factory=MailConfig)
    alerts: AlertsConfig = field(default_factory=AlertsConfig)
    log: LogConfig = field(default_factory=LogConfig)
    trusted_proxies: tuple[str, ...] = setting(
        (),
        "addresses or networks whose X-Forwarded-For and X-Real-IP are believed, e.g. 127.0.0.1 or 10.0.0.0/8",
        live=True,
    )
    site_stores: tuple[SiteStore, ...] = ()  # sites.NAME.store of the file, by name

    @property
    def data_dir(self) -> Path:
        return Path(self.server.data_dir).expanduser().absolute()

    @property
    def journal_folder(self) -> Path:
        """Where this node's journal is."""
        return self.data_dir / "journal"

    @property
    def store_url(self) -> str:
        """The store's URL, spelled out when the setting is empty."""
        return self.store.url or f"sqlite:///{quote(str(self.data_dir / 'visitors.db'))}"
