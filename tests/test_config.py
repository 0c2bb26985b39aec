"""Settings: where they come from, and what a mistake says."""

import re
from pathlib import Path

import pytest

from visitor_tracker.config import Config, describe, load, reloaded
from visitor_tracker.errors import ConfigError
from visitor_tracker.store.location import SqliteLocation, locate

Environment = dict[str, str]


def write(folder: Path, text: str, name: str = "config.yaml") -> Path:
    path = folder / name
    path.write_text(text, "utf-8")
    return path


def mistakes(path: Path | None = None, environment: Environment | None = None) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        load(path, environment or {})
    return str(caught.value).splitlines()


def test_nothing_said_means_the_defaults() -> None:
    assert load(None, {}) == Config()


def test_an_empty_file_means_the_defaults(tmp_path: Path) -> None:
    assert load(write(tmp_path, ""), {}) == Config()
    assert load(write(tmp_path, "server:\nhttp:\n"), {}) == Config()


def test_the_later_place_wins(tmp_path: Path) -> None:
    path = write(tmp_path, "server: {port: 1001}\nhttp: {threads: 3, backlog: 7}")
    environment = {"VISITOR_TRACKER_SERVER_PORT": "1002", "VISITOR_TRACKER_HTTP_THREADS": "4"}
    config = load(path, environment, {"server.port": 1003})
    assert (config.server.port, config.http.threads, config.http.backlog) == (1003, 4, 7)


def test_toml_is_read_too(tmp_path: Path) -> None:
    config = load(write(tmp_path, "trusted_proxies = ['10.0.0.0/8']\n[server]\nport = 81\n", "settings.toml"), {})
    assert (config.server.port, config.trusted_proxies) == (81, ("10.0.0.0/8",))


@pytest.mark.parametrize(
    ("variable", "text", "section", "name", "value"),
    [
        ("RATE_LIMIT_ENABLED", "false", "rate_limit", "enabled", False),
        ("RATE_LIMIT_PER_SECOND", "2.5", "rate_limit", "per_second", 2.5),
        ("RATE_LIMIT_PER_SECOND", "2", "rate_limit", "per_second", 2.0),
        ("SERVER_WORKERS", "auto", "server", "workers", "auto"),
        ("SERVER_WORKERS", "4", "server", "workers", 4),
        ("SERVER_SOCKET_MODE", "0600", "server", "socket_mode", "0600"),
        ("SERVER_HOST", "::", "server", "host", "::"),
        ("SERVER_HOST", "", "server", "host", ""),
        ("STORE_DURABILITY", "relaxed", "store", "durability", "relaxed"),
        ("TLS_MINIMUM_VERSION", "1.3", "tls", "minimum_version", "1.3"),
        ("CORS_ORIGINS", "*", "cors", "origins", ("*",)),
        ("CORS_ORIGINS", "https://a.example, https://b.example", "cors", "origins", ("https://a.example", "https://b.example")),
        ("CORS_ORIGINS", '["https://a.example"]', "cors", "origins", ("https://a.example",)),
    ],
)  # fmt: skip
def test_a_variable_is_read_as_its_type(variable: str, text: str, section: str, name: str, value: object) -> None:
    environment = {"VISITOR_TRACKER_SERVER_SOCKET": "/run/s", f"VISITOR_TRACKER_{variable}": text}
    assert getattr(getattr(load(None, environment), section), name) == value


def test_the_data_folder_has_a_second_variable_that_loses() -> None:
    first = {"VISITOR_TRACKER_SERVER_DATA_DIR": "/new", "VISITOR_DATA_DIR": "/old"}
    assert load(None, first).data_dir == Path("/new")
    assert load(None, dict(reversed(first.items()))).data_dir == Path("/new")
    assert load(None, {"VISITOR_DATA_DIR": "/old"}).data_dir == Path("/old")


@pytest.mark.parametrize(("text", "mode"), [("0640", "0640"), ('"0640"', "0640"), ("640", "640"), ("0o640", "0o640")])
def test_permissions_mean_what_is_written(tmp_path: Path, text: str, mode: str) -> None:
    assert load(write(tmp_path, f"server: {{socket_mode: {text}}}"), {}).server.socket_mode == mode


@pytest.mark.parametrize("word", ["on", "off"])
def test_on_and_off_are_words(tmp_path: Path, word: str) -> None:
    config = load(write(tmp_path, f"sites: {{auto_create: {word}}}\ngeo: {{online: off}}"), {})
    assert (config.sites.auto_create, config.geo.online) == (word, "off")
    assert load(None, {"VISITOR_TRACKER_SITES_AUTO_CREATE": word}).sites.auto_create == word


@pytest.mark.parametrize(("text", "value"), [("true", True), ("True", True), ("false", False), ("FALSE", False)])
def test_true_and_false_are_no_words(tmp_path: Path, text: str, value: bool) -> None:
    assert load(write(tmp_path, f"rate_limit: {{enabled: {text}}}"), {}).rate_limit.enabled is value
    assert load(None, {"VISITOR_TRACKER_RATE_LIMIT_ENABLED": text}).rate_limit.enabled is value


@pytest.mark.parametrize("word", ["no", "yes", "on", "off", "n", "1"])
def test_any_other_word_for_a_switch_is_told_what_to_write(tmp_path: Path, word: str) -> None:
    [line] = mistakes(write(tmp_path, f"rate_limit: {{enabled: {word}}}"))
    assert "rate_limit.enabled must be true or false, not " in line
    [line] = mistakes(None, {"VISITOR_TRACKER_RATE_LIMIT_ENABLED": word})
    assert line.startswith("VISITOR_TRACKER_RATE_LIMIT_ENABLED must be true or false, not ")


def test_a_relative_path_starts_where_it_was_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "etc").mkdir()
    monkeypatch.chdir(tmp_path)
    path = write(
        tmp_path / "etc",
        "server: {data_dir: data, socket: run/s}\ntls: {certificate: c.pem, key: /k.pem}\nlog: {file: log}\n"
        "store: {url: 'sqlite:///v.db'}",
    )
    config = load(Path("etc/config.yaml"), {})
    assert path.exists()
    assert config.data_dir == tmp_path / "etc" / "data"
    assert config.server.socket == str(tmp_path / "etc" / "run" / "s")
    assert (config.tls.certificate, config.tls.key) == (str(tmp_path / "etc" / "c.pem"), "/k.pem")
    assert config.log.file == str(tmp_path / "etc" / "log")
    assert config.store_url == f"sqlite:///{tmp_path}/etc/v.db"
    overridden = load(path, {"VISITOR_TRACKER_LOG_FILE": "l"}, {"server.data_dir": "d", "store.url": "sqlite:///v"})
    assert overridden.data_dir == tmp_path / "d"
    assert overridden.log.file == str(tmp_path / "l")
    assert overridden.store_url == f"sqlite:///{tmp_path}/v"


def test_a_tilde_is_a_home_and_without_such_a_user_a_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    for folder, found in (("~", tmp_path / "home"), ("~nobody-there", tmp_path / "~nobody-there")):
        config = load(None, {}, {"server.data_dir": f"{folder}/d", "store.url": f"sqlite:///{folder}/v.db"})
        assert config.data_dir == found / "d"
        assert locate(config.store_url) == SqliteLocation(found / "v.db")


def test_the_store_is_in_the_data_folder_unless_named(tmp_path: Path) -> None:
    assert load(None, {"VISITOR_DATA_DIR": "/data"}).store_url == "sqlite:////data/visitors.db"
    assert load(None, {"VISITOR_DATA_DIR": "/50 %?"}).store_url == "sqlite:////50%20%25%3F/visitors.db"
    named = write(tmp_path, "store: {url: 'mysql://u:p@db/v?pool_size=4'}")
    assert load(named, {}).store_url == "mysql://u:p@db/v?pool_size=4"
    assert load(write(tmp_path, "store: {url: 'sqlite:////v.db'}"), {}).store_url == "sqlite:////v.db"


def test_one_address_cannot_hold_all_room_for_bodies() -> None:
    http = Config().http
    assert http.max_per_address * http.max_body < http.body_budget / 2


def test_a_reload_takes_live_settings_only(tmp_path: Path) -> None:
    running = load(write(tmp_path, "http: {threads: 3}\nrate_limit: {burst: 5}"), {})
    wanted = load(write(tmp_path, "http: {threads: 4}\nrate_limit: {burst: 6}\nstore: {url: 'sqlite:////v.db'}"), {})
    config, waiting = reloaded(running, wanted)
    assert (config.http.threads, config.rate_limit.burst, config.store.url) == (3, 6, "")
    assert waiting == ["http.threads", "store.url"]
    assert reloaded(running, running) == (running, [])


def test_every_mistake_is_named_at_once(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        """
        server: {port: 70000, workers: some, colour: red}
        htpp: {threads: 4}
        cors: [1]
        http: {threads: many, idle_seconds: .nan}
        trusted_proxies: [10.0.0.0/8, everyone]
        """,
    )
    assert mistakes(path, {"VISITOR_TRACKER_SERVER_PROT": "1", "VISITOR_TRACKER_LOG_LEVEL": "loud"}) == [
        f"{path}: unknown setting server.colour; server has host, port, socket, socket_mode, workers, data_dir, "
        "public_url, secret_key, grace_seconds",
        f"{path}: unknown section htpp; the sections are server, tls, http, store, journal, identity, geo, sites, "
        "tracker, replay, robots, rate_limit, cors, auth, retention, counter, mail, alerts, log, trusted_proxies",
        f"{path}: cors must be a mapping of settings",
        "VISITOR_TRACKER_SERVER_PROT: there is no such setting; docs/settings.md lists all variables",
        f"{path}: server.port must be a whole number from 0 to 65535, not 70000",
        f"{path}: server.workers must be a whole number from 0 to 256 or auto, not 'some'",
        f"{path}: http.threads must be a whole number from 1 to 256, not 'many'",
        f"{path}: http.idle_seconds must be a number from 0.1 to 3600, not '.nan'",
        "VISITOR_TRACKER_LOG_LEVEL must be one of debug, info, warning, error, not 'loud'",
        "trusted_proxies: 'everyone' is no address or network such as 10.0.0.0/8",
    ]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("- a list", "must be a mapping of sections"),
        ("server: {port: 1, port: 2}", "cannot be understood in line 1: port is there twice"),
        ("server:\n  port: [1", "cannot be understood in line 2"),
        ("a: !!python/object/apply:os.getcwd []", "cannot be understood in line 1: could not determine a constructor"),
        ("server: {port: true}", "server.port must be a whole number"),
        ("server: {port: 12:30}", "not '12:30'"),
        ("server: {port: 8000.5}", "server.port must be a whole number"),
        ("http: {threads: 1e400}", "http.threads must be"),
        ("rate_limit: {per_second: .inf}", "rate_limit.per_second must be a number of at least 0.001"),
        ("cors: {origins: [1]}", "cors.origins must be a list of texts"),
        ("cors: {origins: [a.example]}", "'a.example' is no origin"),
        ("cors: {origins: ['https://a.example/x']}", "is no origin"),
        ("tls: {certificate: c.pem}", "certificate and key are needed both"),
        ("server: {host: ''}", "host or socket is needed"),
        ("server: {socket_mode: rw}", "server.socket_mode must be octal"),
        ("server: {public_url: stats.example.com}", "server.public_url must be like https://"),
        ("http: {max_field: 40000}", "http.max_field must not be larger than http.max_head"),
        ("http: {max_body: 2000000, body_budget: 1048576}", "http.max_body must not be larger than http.body_budget"),
        ("store: {url: 'postgres://x'}", "store.url must begin with sqlite:/// or mysql://"),
    ],
)
def test_a_mistake_says_what_is_wrong(tmp_path: Path, text: str, says: str) -> None:
    [line] = mistakes(write(tmp_path, text))
    assert says in line


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    missing = tmp_path / "none.yaml"
    assert mistakes(missing) == [f"{missing}: cannot be read: No such file or directory"]
    binary = tmp_path / "binary.toml"
    binary.write_bytes(b"\xff")
    assert "cannot be understood" in mistakes(binary)[0]


@pytest.mark.parametrize(
    "text",
    [
        "server: {secret_key: [sesame]}",
        "server: {secret_key: sesame}",
        "store: {url: ['mysql://root:sesame@db/x']}",
        "store: {url: 'oracle://root:sesame@db/x'}",
        "store: {url: 'mysql://root:sesame@db/x}",
    ],
)
def test_secrets_are_in_no_message(tmp_path: Path, text: str) -> None:
    assert "sesame" not in "".join(mistakes(write(tmp_path, text)))


def test_secrets_are_in_no_representation() -> None:
    config = load(None, {}, {"store.url": "mysql://u:sesame@h/d", "server.secret_key": "sesame" * 6})
    assert "sesame" not in repr(config)


def test_every_setting_has_its_own_variable_and_a_help() -> None:
    rows = describe()
    assert len({row.variable for row in rows}) == len(rows)
    assert [row.name for row in rows if not row.help or row.help.endswith(".")] == []
    assert all(re.fullmatch(r"VISITOR_TRACKER_[A-Z_]+", row.variable) for row in rows)


def test_every_default_is_accepted_when_written_down() -> None:
    assert load(None, {}, {row.name: row.default for row in describe() if row.default != "data"}) == Config()
