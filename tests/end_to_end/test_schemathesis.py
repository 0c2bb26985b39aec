"""Requests made from the description of the API, by Schemathesis: answers are as described, whatever is sent.

    coverage   each parameter at its bounds and beyond, missing, twice, of another type; methods that are not there
    fuzzing    whole requests by chance, always the same ones

Each phase checks that nothing answers 5xx, that statuses, media types, headers and bodies are described, and that other
methods get 405 with Allow. That private routes refuse who has no proof is asked before: those requests may make a
site public, whose numbers everybody reads then.
"""

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from tests.running import SECONDS, Server
from visitor_tracker.client_api import Client

pytestmark = pytest.mark.slow

CHECKS = (
    "not_a_server_error", "status_code_conformance", "content_type_conformance", "response_headers_conformance",
    "response_schema_conformance", "unsupported_method", "allow_header_conformance",
)  # fmt: skip
CONFIG = """\
[generation]
with-security-parameters = false

[phases.coverage]
unexpected-methods = ["DELETE", "PATCH", "POST", "PUT"]
"""
ENDLESS = "/api/v1/live/stream"  # its answer has no end; tests of its own read it
LIMIT_SECONDS = 600  # of a phase; it takes a minute or less on two cores
_TESTED = re.compile(r"Tested: (\d+)")
_SELECTED = re.compile(r"Selected: (\d+)/(\d+)")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("server")
    settings = {"VISITOR_TRACKER_RATE_LIMIT_ENABLED": "false"}
    server = Server(folder, f"sqlite:///{folder / 'visits.db'}", settings)
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="module")
def key(server: Server) -> str:
    """An admin's key; from here on the server knows accounts, so that its own machine needs proof as well."""
    server.set_up("anna", "correct horse battery")
    with Client.log_in(server.url, "anna", "correct horse battery") as client:
        return client.create_key("schemathesis", ["read", "ingest", "admin"]).key


@pytest.mark.parametrize("proof", [{}, {"Authorization": f"Bearer vt_{'A' * 43}"}, {"Cookie": "vt_session=AAAA"}])
def test_private_routes_refuse_who_has_no_proof(server: Server, key: str, proof: dict[str, str]) -> None:
    described = server.session.get(f"{server.url}/openapi.json", timeout=SECONDS).json()
    answered = {}
    for path, operations in described["paths"].items():
        for method, operation in operations.items():
            if operation["security"]:
                url = server.url + re.sub(r"\{\w+\}", "default", path)
                answer = requests.request(method, url, headers=proof, json={}, timeout=SECONDS, allow_redirects=False)
                to_login = answer.headers.get("Location", "").startswith("/login?next=")
                answered[f"{method.upper()} {path}"] = 401 if to_login else answer.status_code
    assert len(answered) > 60
    assert {route: status for route, status in answered.items() if status not in (401, 403)} == {}


@pytest.mark.parametrize(("phase", "examples"), [("coverage", 1), ("fuzzing", 6)])
def test_answers_are_as_described(server: Server, key: str, tmp_path: Path, phase: str, examples: int) -> None:
    config = tmp_path / "schemathesis.toml"
    config.write_text(CONFIG, "utf-8")
    run = subprocess.run(
        [
            *(str(Path(sys.executable).with_name("schemathesis")), "--config-file", str(config), "run"),
            *(f"{server.url}/openapi.json", "--header", f"Authorization: Bearer {key}"),
            *("--phases", phase, "--max-examples", str(examples), "--seed", "1", "--no-shrink", "--no-color"),
            *("--checks", ",".join(CHECKS), "--continue-on-failure", "--warnings", "off"),
            *("--exclude-path", ENDLESS),
            *("--request-timeout", str(SECONDS), "--output-sanitize", "false"),
        ],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=LIMIT_SECONDS,
        check=False,
    )
    assert run.returncode == 0, "\n".join(line[:200] for line in run.stdout.splitlines()[-150:]) + run.stderr
    selected, tested = _SELECTED.search(run.stdout), _TESTED.search(run.stdout)
    assert selected is not None
    assert tested is not None
    assert int(selected[1]) == int(selected[2]) - 1 == int(tested[1]), "not every route was tested"
    assert "Traceback" not in server.log
