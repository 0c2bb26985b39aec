"""The JavaScript reader in Node.js, against the server as users start it: the documents' own example."""

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.running import SECONDS, Server, until
from visitor_tracker.resources import CLIENT

PAGE = Path(__file__).parents[2] / "docs" / "api-clients.md"
FIREFOX = {"User-Agent": "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0", "Accept": "*/*"}
MORE = """
const all = [];
for await (const row of stats.rows({metrics: ['views'], dimensions: ['page'], limit: 1})) all.push(row);
const refused = await stats.query({metrics: ['nonsense']}).catch((error) => error);
console.log(JSON.stringify({
  all,
  pages: (await stats.stats()).pages,
  sites: (await stats.sites()).map(({name}) => name),
  definitions: (await stats.get('/api/v1/stats/definitions')).metrics.length,
  refused: [refused.name, refused.status, refused.code],
}));
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("server")
    server = Server(folder, f"sqlite:///{folder / 'visits.db'}")
    server.start()
    yield server
    server.stop()


def key_of(server: Server) -> str:
    asked = {"name": "reader", "scopes": ["read"]}
    answer = server.session.post(f"{server.url}/api/v1/keys", json=asked, headers=server.admin, timeout=SECONDS)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["key"])


def views_of(server: Server) -> int:
    query = {"metrics": "views", "date_range": "7d", "site": "blog"}
    answer = server.session.get(f"{server.url}/api/v1/stats/query", params=query, timeout=SECONDS)
    return int(answer.json()["totals"]["metrics"]["views"]) if answer.status_code == 200 else 0


def test_the_example_of_the_documents_works(server: Server, tmp_path: Path) -> None:
    node = shutil.which("node")
    assert node, "Node.js is missing, tests need it: apt-get install nodejs"
    events = [{"url": f"https://blog.example/{page}", "site": "blog"} for page in "aab"]
    sent = server.session.post(f"{server.url}/api/v1/events", json=events, headers=FIREFOX, timeout=SECONDS)
    assert sent.json()["accepted"] == 3
    until(lambda: views_of(server) == 3)
    [example] = re.findall(r"```js\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)
    program = tmp_path / "example.mjs"
    code = example.replace("https://stats.example.com/client", CLIENT.as_uri())
    code = code.replace("https://stats.example.com", server.url).replace("vt_KEY", key_of(server))
    program.write_text(code + MORE, "utf-8")
    run = subprocess.run([node, str(program)], capture_output=True, text=True, timeout=SECONDS, check=False)
    assert run.returncode == 0, run.stderr
    *said, more = run.stdout.splitlines()
    assert said == ["/a 1", "/b 1", "1 1"]
    found = json.loads(more)
    assert [row["metrics"]["views"] for row in found["all"]] == [2, 1]
    assert (found["pages"], "blog" in found["sites"]) == ({"/a": 2, "/b": 1}, True)
    assert found["definitions"] > 5
    assert found["refused"] == ["VisitorStatsError", 400, "invalid_metrics"]
