"""deploy/compose.yaml: SQLite by default, MySQL as a profile."""

import os
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from visitor_tracker.config import Config, load

TOP = Path(__file__).parents[1]
DEPLOY = TOP / "deploy"


def compose() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text("utf-8"))
    return loaded


def interpolated(text: str, **variables: str) -> str:
    """Return a value as compose fills it in: of its forms those that the file uses."""
    inner = re.sub(r"\$\{(\w+)\}", lambda found: variables.get(found[1], ""), text)
    inner = re.sub(r"\$\{(\w+):\+([^}]*)\}", lambda found: found[2] if variables.get(found[1]) else "", inner)
    return re.sub(r"\$\{(\w+):-([^}]*)\}", lambda found: variables.get(found[1]) or found[2], inner)


def test_compose_starts_with_sqlite_and_has_mysql_as_a_profile() -> None:
    file = compose()
    tracker, database = file["services"]["tracker"], file["services"]["database"]
    assert ("profiles" in tracker, database["profiles"]) == (False, ["mysql"])
    url = tracker["environment"]["VISITOR_TRACKER_STORE_URL"]
    assert interpolated(url) == ""
    assert Config().store_url.startswith("sqlite:///")
    assert interpolated(url, MYSQL_PASSWORD="abc") == "mysql://tracker:abc@database:3306/visitors"


def test_an_empty_store_url_is_the_default(tmp_path: Path) -> None:
    config = load(None, {"VISITOR_TRACKER_STORE_URL": "", "VISITOR_DATA_DIR": str(tmp_path)})
    assert config.store_url == f"sqlite:///{tmp_path}/visitors.db"


def test_compose_waits_for_a_healthy_database_where_there_is_one_and_keeps_both_volumes() -> None:
    file = compose()
    tracker, database = file["services"]["tracker"], file["services"]["database"]
    assert tracker["depends_on"] == {"database": {"condition": "service_healthy", "required": False}}
    assert "healthcheck" in database
    named = {volume.partition(":")[0] for service in (tracker, database) for volume in service["volumes"]}
    assert named == set(file["volumes"])
    assert (DEPLOY / tracker["build"]["context"]).resolve() == TOP
    assert (TOP / tracker["build"]["dockerfile"]).is_file()


@pytest.mark.parametrize(("password", "code"), [("", 78), ("abc", 0)])
def test_the_database_does_not_start_without_a_password_and_says_so(tmp_path: Path, password: str, code: int) -> None:
    """Its entry point, with a program in the place of MySQL's own."""
    database = compose()["services"]["database"]
    assert interpolated(database["environment"]["MYSQL_PASSWORD"]) == ""
    assert "MYSQL_ROOT_PASSWORD" not in database["environment"]
    own = tmp_path / "docker-entrypoint.sh"
    own.write_text('#!/bin/sh\necho "$@"\n')
    own.chmod(0o755)
    shell, option, script = database["entrypoint"]
    done = subprocess.run(
        [shell, option, script.replace("$$", "$")],
        env={"PATH": f"{tmp_path}:{os.environ['PATH']}", "MYSQL_PASSWORD": password},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == code
    assert ("MYSQL_PASSWORD" in done.stderr, done.stdout.startswith("mysqld --character-set")) == (code > 0, code == 0)


def test_the_example_of_variables_is_empty() -> None:
    example = (DEPLOY / "compose.env.example").read_text("utf-8")
    assert re.findall(r"^(\w+)=(.*)$", example, re.MULTILINE) == [("MYSQL_PASSWORD", ""), ("TRUSTED_PROXIES", "")]


def test_compose_publishes_on_this_machine_only() -> None:
    services = compose()["services"].values()
    assert [port for service in services for port in service.get("ports", ())] == ["127.0.0.1:8000:8000"]
