"""Fill the settings: what is set later wins, in the order default, file, environment, command line."""

import math
import os
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, fields, is_dataclass, replace
from operator import attrgetter
from pathlib import Path
from typing import Any, Literal, get_origin, get_type_hints
from urllib.parse import quote, unquote

import msgspec
import yaml

from visitor_tracker.config.contradictions import contradictions
from visitor_tracker.config.sections import Config, SiteStore
from visitor_tracker.config.strict_yaml import read_yaml
from visitor_tracker.errors import ConfigError

ENVIRONMENT_PREFIX = "VISITOR_TRACKER_"
_FLAGS = {"store.url": "--store"}  # the other settings' flags are named like them
_SQLITE = "sqlite:///"
_SITE_STORES = "site_stores"
_UNFIT = object()
# Kubernetes sets these in every container when a service is called visitor-tracker.
_SERVICE_LINK = re.compile(ENVIRONMENT_PREFIX + r"(SERVICE_(HOST|PORT\w*)|PORT(_\d+_(TCP|UDP)\w*)?)")


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
    stores: dict[str, dict[str, _Given]] = {}
    if path is not None:
        loaded = _read(path)
        stores = _take_site_stores(loaded, path, mistakes)
        _from_mapping(loaded, path, values, mistakes)
    _from_environment(environment, values, mistakes)
    for name, value in (overrides or {}).items():
        values[name] = _Given(value, _KNOWN[name].flag)
    config = _build({name: _convert(_KNOWN[name], given, mistakes) for name, given in values.items()})
    config = replace(
        config, site_stores=tuple(_site_store(name, stores[name], config, mistakes) for name in sorted(stores))
    )
    mistakes += contradictions(config)
    if mistakes:
        raise ConfigError("\n".join(mistakes))
    return config


def reloaded(running: Config, wanted: Config) -> tuple[Config, list[str]]:
    """Return `running` with the live settings of `wanted`, and the names of those that need a restart to change."""
    values: dict[str, Any] = {}
    waiting: list[str] = []
    for name, setting in _KNOWN.items():
        get = attrgetter(name)
        values[name] = get(wanted if setting.live else running)
        if values[name] != get(wanted):
            waiting.append(name)
    if running.site_stores != wanted.site_stores:
        waiting.append("sites.NAME.store")
    return replace(_build(values), site_stores=running.site_stores), waiting


def describe() -> list[SettingRow]:
    """Return every setting, in the order of the file."""
    return [SettingRow(name, _expected(s), s.default, s.help, s.live) for name, s in _KNOWN.items()]


@dataclass(frozen=True, slots=True)
class _Setting:
    flag: str
    type: Any
    default: Any
    help: str
    least: float | None
    most: float | None
    kind: Literal["plain", "path", "secret"]
    live: bool


@dataclass(frozen=True, slots=True)
class _Given:
    value: Any
    source: str  # what the operator must look at: "config.yaml: http.threads", a variable, a flag
    folder: Path = Path()  # where relative paths start


def _declared() -> dict[str, _Setting]:
    rows: dict[str, _Setting] = {}
    for top in fields(Config):
        if top.name == _SITE_STORES:
            continue
        kind = get_type_hints(Config)[top.name]
        if not is_dataclass(kind):
            rows[top.name] = _Setting(f"--{top.name}", kind, **top.metadata)
            continue
        hints = get_type_hints(kind)
        for item in fields(kind):
            name = f"{top.name}.{item.name}"
            flag = _FLAGS.get(name, f"--{item.name.replace('_', '-')}")
            rows[name] = _Setting(flag, hints[item.name], **item.metadata)
    return rows


_KNOWN: dict[str, _Setting] = _declared()


def _read(path: Path) -> Any:
    try:
        text = path.read_text("utf-8")
        return tomllib.loads(text) if path.suffix == ".toml" else read_yaml(text)
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}") from error
    except yaml.MarkedYAMLError as error:
        # The exception's own text quotes the line, which may hold a password.
        line = f" in line {error.problem_mark.line + 1}" if error.problem_mark else ""
        raise ConfigError(f"{path}: cannot be understood{line}: {error.problem}") from error
    except (yaml.YAMLError, tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: cannot be understood: {' '.join(str(error).split())}") from error


def _from_mapping(loaded: Any, path: Path, values: dict[str, _Given], mistakes: list[str]) -> None:
    if not isinstance(loaded, dict):
        mistakes.append(f"{path}: must be a mapping of sections, such as  server: {{port: 8000}}")
        return
    sections = {name: kind for name, kind in get_type_hints(Config).items() if name != _SITE_STORES}
    for section, content in loaded.items():
        if section not in sections:
            mistakes.append(f"{path}: unknown section {section}; the sections are {', '.join(sections)}")
        elif section in _KNOWN:
            values[section] = _Given(content, f"{path}: {section}", path.parent)
        elif not isinstance(content, dict | None):
            mistakes.append(f"{path}: {section} must be a mapping of settings")
        else:
            _from_section(section, content or {}, path, values, mistakes)


def _from_section(
    section: str, content: dict[Any, Any], path: Path, values: dict[str, _Given], mistakes: list[str]
) -> None:
    for key, value in content.items():
        name = f"{section}.{key}"
        if name in _KNOWN:
            values[name] = _Given(value, f"{path}: {name}", path.parent)
        else:
            there = [known.partition(".")[2] for known in _KNOWN if known.startswith(f"{section}.")]
            mistakes.append(f"{path}: unknown setting {name}; {section} has {', '.join(there)}")


def _take_site_stores(loaded: Any, path: Path, mistakes: list[str]) -> dict[str, dict[str, _Given]]:
    """Take the sites' own stores out of what the file says, and return what is given of each."""
    section = loaded.get("sites") if isinstance(loaded, dict) else None
    sites = section if isinstance(section, dict) else {}
    found: dict[str, dict[str, _Given]] = {}
    there = [name.partition(".")[2] for name in _KNOWN if name.startswith("store.")]
    for name in [name for name, content in sites.items() if isinstance(content, dict)]:
        content = sites.pop(name)
        given = content.get("store", {})
        if list(content) != ["store"] or not isinstance(given, dict | None):
            mistakes.append(f"{path}: sites.{name} can only have a store, such as  store: {{url: sqlite:///{name}.db}}")
            continue
        unknown = [f"sites.{name}.store.{key}" for key in given or {} if key not in there]
        mistakes += [f"{path}: unknown setting {key}; a store has {', '.join(there)}" for key in unknown]
        found[str(name)] = {
            key: _Given(value, f"{path}: sites.{name}.store.{key}", path.parent)
            for key, value in (given or {}).items()
            if key in there
        }
    return found


def _site_store(name: str, given: Mapping[str, _Given], config: Config, mistakes: list[str]) -> SiteStore:
    values = {key: _convert(_KNOWN[f"store.{key}"], value, mistakes) for key, value in given.items()}
    return SiteStore(name, replace(config.store, **({"url": ""} | values)))


def _from_environment(environment: Mapping[str, str], values: dict[str, _Given], mistakes: list[str]) -> None:
    if folder := environment.get("VISITOR_DATA_DIR"):
        values["server.data_dir"] = _Given(folder, "VISITOR_DATA_DIR")
    names = {row.variable: row.name for row in describe()}
    for variable, text in environment.items():
        if variable in names:
            name = names[variable]
            values[name] = _Given(_from_text(text, _KNOWN[name]), variable)
        elif variable.startswith(ENVIRONMENT_PREFIX) and not _SERVICE_LINK.fullmatch(variable):
            mistakes.append(f"{variable}: there is no such setting; docs/settings.md lists all variables")


def _from_text(text: str, setting: _Setting) -> Any:
    """Read a variable: a text as it is; all else as YAML, so that numbers, booleans and [lists] can be written."""
    if setting.type is str or not text:
        return text
    try:
        return read_yaml(text)
    except yaml.YAMLError:
        return text


def _convert(setting: _Setting, given: _Given, mistakes: list[str]) -> Any:
    value = given.value
    if get_origin(setting.type) is tuple and isinstance(value, str):
        value = [part.strip() for part in value.split(",") if part.strip()]
    elif type(value) in (int, float) and _type_name(setting.type).startswith(("text", "one of")):
        value = str(value)  # an unquoted number in YAML
    shown = type(value).__name__ if setting.kind == "secret" else repr(given.value)
    try:
        converted = msgspec.convert(value, setting.type)
    except msgspec.ValidationError:
        converted = _UNFIT
    if converted is _UNFIT or (_is_number(converted) and not _within(setting, converted)):
        mistakes.append(f"{given.source} must be {_expected(setting)}, not {shown}")
        return setting.default
    return _rooted(setting, converted, given.folder)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _within(setting: _Setting, value: float) -> bool:
    low = -math.inf if setting.least is None else setting.least
    high = math.inf if setting.most is None else setting.most
    return math.isfinite(value) and low <= value <= high


def _expected(setting: _Setting) -> str:
    limits = ""
    if setting.most is not None:
        limits = f" from {setting.least or 0:.15g} to {setting.most:.15g}"
    elif setting.least is not None:
        limits = f" of at least {setting.least:.15g}"
    return _type_name(setting.type).replace("number", f"number{limits}")


def _rooted(setting: _Setting, value: Any, folder: Path) -> Any:
    """Make a relative path absolute, so that a later change of the working directory means nothing."""
    if setting.kind == "path" and value:
        return str((folder / _expanded(value)).absolute())
    if setting.flag == "--store" and value.startswith(_SQLITE) and value[len(_SQLITE) :][:1] not in ("", "/", ":"):
        first, slash, rest = value.removeprefix(_SQLITE).partition("/")
        return _SQLITE + quote(str((folder / _expanded(unquote(first))).absolute())) + slash + rest
    return value


def _expanded(path: str) -> Path:
    """Replace a leading ~ or ~user; one that names no user is a file name like any other."""
    try:
        return Path(path).expanduser()
    except RuntimeError:
        return Path(path)


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
    parts: tuple[Any, ...] = getattr(kind, "__args__", ())
    if get_origin(kind) is tuple:
        return f"a list, each {_type_name(parts[0])}"
    if all(isinstance(part, str) for part in parts):
        return "one of " + ", ".join(parts) if len(parts) > 1 else str(parts[0])
    return " or ".join(_type_name(part) for part in parts)


def _build(values: Mapping[str, Any]) -> Config:
    sections: dict[str, Any] = {}
    for section, kind in get_type_hints(Config).items():
        if isinstance(kind, type) and is_dataclass(kind):
            prefix = f"{section}."
            sections[section] = kind(**{k.removeprefix(prefix): v for k, v in values.items() if k.startswith(prefix)})
        elif section in values:
            sections[section] = values[section]
    return Config(**sections)
