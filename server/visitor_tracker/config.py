"""Settings: one frozen dataclass per section of config.yaml.

A setting's name, type, default and help are written once, here. The loader, `visitor-tracker check` and
docs/settings.md all read these classes. What is set, later wins: default, file, environment, command line.
"""

import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, is_dataclass
from ipaddress import ip_network
from pathlib import Path
from typing import Any, Literal, get_type_hints

import msgspec
import yaml

from visitor_tracker.errors import ConfigError

ENVIRONMENT_PREFIX = "VISITOR_TRACKER_"
KIB = 1024
MIB = 1024 * KIB


def setting(
    default: Any, help: str, *, least: float | None = None, most: float | None = None, live: bool = False
) -> Any:
    """Declare a setting; `live` ones change on SIGHUP, the others need a restart."""
    meta = {"help": help, "least": least, "most": most, "live": live}
    if isinstance(default, tuple | dict):
        return field(default_factory=lambda: default, metadata=meta | {"default": default})
    return field(default=default, metadata=meta | {"default": default})


@dataclass(frozen=True, slots=True)
class ServerConfig:
    """Where the server listens and how it is laid out in processes."""

    host: str = setting("127.0.0.1", "address to listen on; 0.0.0.0 or :: for all, empty for none")
    port: int = setting(8000, "TCP port, 0 for any free one", least=0, most=65535)
    socket: str = setting("", "path of a unix socket to listen on besides, for a proxy on this machine")
    socket_mode: str = setting("0660", "permissions of that socket file, octal")
    workers: int | Literal["auto"] = setting(
        "auto",
        "worker processes: auto = one per core with MySQL and 1 with SQLite, 0 = everything in one process",
        least=0,
        most=256,
    )
    data_dir: str = setting("data", "folder for the SQLite file and everything else the server keeps")
    public_url: str = setting(
        "", "the address visitors use, e.g. https://stats.example.com; for links the server prints"
    )
    secret_key: str = setting(
        "", "key that signs security tokens, at least 32 characters; empty: made once and kept in the store"
    )
    grace_seconds: float = setting(10.0, "time that running requests get when the server stops", least=0, most=300)


@dataclass(frozen=True, slots=True)
class TlsConfig:
    """TLS on the TCP port, from files that SIGHUP reads again."""

    certificate: str = setting("", "PEM file with the certificate chain; empty: plain HTTP")
    key: str = setting("", "PEM file with its private key, readable by the server's user only")
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
    max_queue: int = setting(
        1024, "requests waiting for a thread, and visits waiting to be stored are four times as many; then 503", least=1
    )
    max_target: int = setting(8 * KIB, "request target; beyond it 414", least=256, most=64 * KIB)
    max_field: int = setting(8 * KIB, "one header field; beyond it 431", least=256, most=64 * KIB)
    max_head: int = setting(32 * KIB, "all header fields; beyond it 431", least=1 * KIB, most=64 * KIB)
    max_fields: int = setting(100, "number of header fields; beyond it 431", least=8, most=1000)
    max_body: int = setting(1 * MIB, "request body; beyond it 413", least=1 * KIB, most=64 * MIB)
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
        "", "sqlite:///PATH or mysql://USER:PASSWORD@HOST:PORT/DATABASE?pool_size=8; empty: sqlite in server.data_dir"
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
class CounterConfig:
    """The per-page visit counter."""

    drop_parameters: tuple[str, ...] = setting(
        (),
        "query parameters to leave out of page URLs besides the known tracking ones, e.g. session; a trailing * matches any end",
    )
    badge_floor: int = setting(
        0, 'badges show counts below this as "< floor", so that few visitors stay private', least=0, live=True
    )
    badge_seconds: int = setting(
        60, "seconds that browsers and proxies may keep a badge", least=0, most=86_400, live=True
    )


@dataclass(frozen=True, slots=True)
class LogConfig:
    """What the operator reads."""

    level: Literal["debug", "info", "warning", "error"] = setting(
        "info", "least important messages that are written", live=True
    )
    file: str = setting("", "file to write to, opened again on SIGHUP; empty: standard error")


@dataclass(frozen=True, slots=True)
class Config:
    """Everything config.yaml can say."""

    server: ServerConfig = field(default_factory=ServerConfig)
    tls: TlsConfig = field(default_factory=TlsConfig)
    http: HttpConfig = field(default_factory=HttpConfig)
    store: StoreConfig = field(default_factory=StoreConfig)
    rate_limit: RateLimitConfig = field(default_factory=RateLimitConfig)
    cors: CorsConfig = field(default_factory=CorsConfig)
    counter: CounterConfig = field(default_factory=CounterConfig)
    log: LogConfig = field(default_factory=LogConfig)
    trusted_proxies: tuple[str, ...] = setting(
        (),
        "addresses or networks whose X-Forwarded-For and X-Real-IP are believed, e.g. 127.0.0.1 or 10.0.0.0/8",
        live=True,
    )

    @property
    def data_dir(self) -> Path:
        return Path(self.server.data_dir).expanduser().absolute()

    @property
    def store_url(self) -> str:
        """The store's URL, spelled out when the setting is empty."""
        return self.store.url or f"sqlite:///{self.data_dir / 'visitors.db'}"


@dataclass(frozen=True, slots=True)
class SettingRow:
    """One setting as the docs and `check` show it."""

    name: str
    type: str
    default: Any
    help: str
    live: bool

    @property
    def variable(self) -> str:
        return ENVIRONMENT_PREFIX + self.name.replace(".", "_").upper()


def load(
    path: Path | None = None,
    environment: Mapping[str, str] = os.environ,
    overrides: Mapping[str, Any] | None = None,
) -> Config:
    """Read file, environment and overrides ({"server.port": 80}); raise one ConfigError that names every mistake."""
    mistakes: list[str] = []
    values: dict[str, _Given] = {}
    if path is not None:
        _from_mapping(_read(path), str(path), values, mistakes)
    _from_environment(environment, values, mistakes)
    known = _known()
    for name, value in (overrides or {}).items():
        values[name] = _Given(value, known[name].flag)
    converted = {name: _convert(known[name], given, mistakes) for name, given in values.items()}
    config = _build(converted)
    mistakes += _contradictions(config)
    if mistakes:
        raise ConfigError("\n".join(mistakes))
    return config


def describe() -> list[SettingRow]:
    """Return every setting, in the order of the file."""
    return [SettingRow(name, _type_name(s.type), s.default, s.help, s.live) for name, s in _known().items()]


@dataclass(frozen=True, slots=True)
class _Setting:
    type: Any
    default: Any
    help: str
    least: float | None
    most: float | None
    live: bool
    flag: str


@dataclass(frozen=True, slots=True)
class _Given:
    value: Any
    source: str  # what the operator must look at: "config.yaml: http.threads", a variable, a flag


def _known() -> dict[str, _Setting]:
    rows: dict[str, _Setting] = {}
    for section, kind in get_type_hints(Config).items():
        if not is_dataclass(kind):
            [item] = [item for item in fields(Config) if item.name == section]
            rows[section] = _Setting(kind, flag=f"--{section}", **item.metadata)
            continue
        hints = get_type_hints(kind)
        for item in fields(kind):
            rows[f"{section}.{item.name}"] = _Setting(
                hints[item.name], flag=f"--{item.name.replace('_', '-')}", **item.metadata
            )
    return rows


def _read(path: Path) -> Any:
    try:
        text = path.read_text("utf-8")
        if path.suffix == ".toml":
            return tomllib.loads(text)
        loaded = yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}") from error
    except (yaml.YAMLError, tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: cannot be understood: {' '.join(str(error).split())}") from error
    return {} if loaded is None else loaded


def _from_mapping(loaded: Any, where: str, values: dict[str, _Given], mistakes: list[str]) -> None:
    if not isinstance(loaded, dict):
        mistakes.append(f"{where}: must be a mapping of sections, such as  server: {{port: 8000}}")
        return
    known = _known()
    for section, content in loaded.items():
        if section in known:
            values[section] = _Given(content, f"{where}: {section}")
        elif not any(name.startswith(f"{section}.") for name in known):
            mistakes.append(f"{where}: unknown section {section}; the sections are {', '.join(get_type_hints(Config))}")
        elif not isinstance(content, dict | None):
            mistakes.append(f"{where}: {section} must be a mapping of settings")
        else:
            _from_section(section, content or {}, where, values, mistakes)


def _from_section(
    section: str, content: dict[Any, Any], where: str, values: dict[str, _Given], mistakes: list[str]
) -> None:
    known = _known()
    for key, value in content.items():
        name = f"{section}.{key}"
        if name in known:
            values[name] = _Given(value, f"{where}: {name}")
        else:
            there = ", ".join(
                known_name.partition(".")[2] for known_name in known if known_name.startswith(f"{section}.")
            )
            mistakes.append(f"{where}: unknown setting {name}; {section} has {there}")


def _from_environment(environment: Mapping[str, str], values: dict[str, _Given], mistakes: list[str]) -> None:
    names = {row.variable: row.name for row in describe()}
    for variable, text in environment.items():
        if variable == "VISITOR_DATA_DIR":
            values["server.data_dir"] = _Given(text, variable)
        elif variable in names:
            values[names[variable]] = _Given(_from_text(text), variable)
        elif variable.startswith(ENVIRONMENT_PREFIX):
            mistakes.append(f"{variable}: there is no such setting; docs/settings.md lists all variables")


def _from_text(text: str) -> Any:
    """Read a variable as YAML would, so that numbers, booleans and [lists] can be written; commas make a list too."""
    try:
        return yaml.load(text, Loader=yaml.SafeLoader) if text else ""
    except yaml.YAMLError:
        return text


def _convert(setting: _Setting, given: _Given, mistakes: list[str]) -> Any:
    value = given.value
    if setting.type == tuple[str, ...] and isinstance(value, str):
        value = [part.strip() for part in value.split(",") if part.strip()]
    elif setting.type is str and type(value) in (int, float):
        value = str(value)  # an unquoted number in YAML
    try:
        converted = msgspec.convert(value, setting.type)
    except msgspec.ValidationError:
        mistakes.append(f"{given.source} must be {_type_name(setting.type)}, not {value!r}")
        return setting.default
    if isinstance(converted, int | float) and not isinstance(converted, bool):
        low, high = setting.least, setting.most
        if (low is not None and converted < low) or (high is not None and converted > high) or converted != converted:
            limits = f"at least {low:g}" if high is None else f"from {low or 0:g} to {high:g}"
            mistakes.append(f"{given.source} must be {limits}, not {value!r}")
            return setting.default
    return converted


def _type_name(kind: Any) -> str:
    names = {
        str: "text",
        int: "a whole number",
        float: "a number",
        bool: "true or false",
        tuple[str, ...]: "a list of texts",
    }
    if kind in names:
        return names[kind]
    parts = getattr(kind, "__args__", ())
    if all(isinstance(part, str) for part in parts):
        return "one of " + ", ".join(parts)
    return " or ".join(_type_name(part).removeprefix("one of ") for part in parts)


def _build(values: Mapping[str, Any]) -> Config:
    sections: dict[str, Any] = {}
    for section, kind in get_type_hints(Config).items():
        if is_dataclass(kind):
            prefix = f"{section}."
            sections[section] = kind(**{k.removeprefix(prefix): v for k, v in values.items() if k.startswith(prefix)})
        elif section in values:
            sections[section] = values[section]
    return Config(**sections)


def _contradictions(config: Config) -> list[str]:
    """Return what no single setting shows."""
    found = []
    if bool(config.tls.certificate) != bool(config.tls.key):
        found.append("tls: certificate and key are needed both, or none of them")
    if 0 < len(config.server.secret_key) < 32:
        found.append("server.secret_key must have at least 32 characters, or be left empty to have one made")
    if not config.server.host and not config.server.socket:
        found.append("server: host or socket is needed, or nobody can connect")
    if config.http.max_field > config.http.max_head:
        found.append("http.max_field must not be larger than http.max_head")
    for network in config.trusted_proxies:
        try:
            ip_network(network, strict=False)
        except ValueError:
            found.append(f"trusted_proxies: {network!r} is no address or network such as 10.0.0.0/8")
    for origin in config.cors.origins:
        scheme, _, host = origin.partition("://")
        if origin != "*" and (scheme not in ("http", "https") or not host or "/" in host):
            found.append(f"cors.origins: {origin!r} is no origin such as https://example.com, nor *")
    try:
        int(config.server.socket_mode, 8)
    except ValueError:
        found.append(f"server.socket_mode must be octal such as 0660, not {config.server.socket_mode!r}")
    scheme = config.store_url.partition(":")[0]
    if scheme not in ("sqlite", "mysql"):
        found.append("store.url must begin with sqlite:/// or mysql://")
    return found
