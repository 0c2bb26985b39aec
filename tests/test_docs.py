"""The documents say what the program does."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest
import write_docs

from visitor_tracker.app import App, Shared, first_snapshot
from visitor_tracker.cli import main, parser
from visitor_tracker.config import Config, describe, load
from visitor_tracker.metrics import GAUGES, Cell
from visitor_tracker.serve import migrate_store
from visitor_tracker.web.router import Route

TOP = Path(__file__).parents[1]
PAGES = sorted([*TOP.glob("*.md"), *(TOP / "docs").rglob("*.md")])
WITHOUT_CODE = re.compile(r"```.*?```", re.DOTALL)
IDS = [str(page.relative_to(TOP)) for page in PAGES]


def text_of(name: str) -> str:
    return (TOP / name).read_text("utf-8")


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("docs/settings.md", write_docs.settings_page()),
        ("docs/cli.md", write_docs.cli_page()),
        ("config.yaml", write_docs.example()),
    ],
)
def test_what_the_code_can_say_is_written_by_it(name: str, content: str) -> None:
    assert text_of(name) == content, "run `make docs`"


def test_the_example_file_changes_nothing() -> None:
    assert load(TOP / "config.yaml", {}) == Config()


def test_every_line_of_the_example_file_can_be_used(tmp_path: Path) -> None:
    used = tmp_path / "config.yaml"
    used.write_text(re.sub(r"^( *)#(\w+:)", r"\1\2", text_of("config.yaml"), flags=re.MULTILINE), "utf-8")
    config = load(used, {}, {"server.data_dir": "data"})
    assert config == load(None, {}, {"server.data_dir": "data"})
    assert len(re.findall(r"^ *\w+: .", used.read_text("utf-8"), re.MULTILINE)) == len(describe())


def test_every_setting_is_documented_with_its_variable_rule() -> None:
    page = text_of("docs/settings.md")
    assert [row.name for row in describe() if f"`{row.name}`" not in page] == []


def routes(folder: Path) -> tuple[Route, ...]:
    config = load(None, {}, {"server.data_dir": str(folder), "server.workers": 0})
    migrate_store(config)
    app = App(config, Shared(config, 1, first_snapshot(config)))
    try:
        return app.router.routes
    finally:
        app.close()


def test_every_route_is_documented_and_every_documented_route_exists(tmp_path: Path) -> None:
    served = {f"{route.method} {route.path}" for route in routes(tmp_path)}
    table = text_of("docs/http-api.md").partition("## Counting")[0]
    documented = set(re.findall(r"`((?:GET|POST|PUT|PATCH|DELETE) /[^`? ]*)`", table))
    assert documented - served == set()
    assert {route for route in served - documented if not route.startswith("GET /client/")} == set()


def test_every_metric_in_the_documents_exists() -> None:
    names = {cell.name.lower() + ("" if cell in GAUGES else "_total") for cell in Cell}
    table = text_of("docs/operations.md").partition("| watch |")[2].partition("\n\n")[0]
    documented = {name for row in table.splitlines()[2:] for name in re.findall(r"`(\w+)`", row.split("|")[1])}
    assert documented != set()
    assert documented - names == set()


def links(page: Path) -> Iterator[tuple[str, str]]:
    """Yield (file, anchor) of every link to something of ours; the file is empty for the page itself."""
    text = WITHOUT_CODE.sub("", page.read_text("utf-8"))
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if not re.match(r"https?:", target):
            file, _, anchor = target.partition("#")
            yield file, anchor


def anchors(page: Path) -> set[str]:
    text = WITHOUT_CODE.sub("", page.read_text("utf-8"))
    named = set(re.findall(r'<a id="([\w-]+)">', text))
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return named | {re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=IDS)
def test_links_lead_somewhere(page: Path) -> None:
    broken = []
    for file, anchor in links(page):
        target = (page.parent / file).resolve() if file else page
        if not target.exists() or (anchor and anchor not in anchors(target)):
            broken.append(f"{file}#{anchor}")
    assert broken == []


@pytest.mark.parametrize("page", PAGES, ids=IDS)
def test_commands_of_the_makefile_exist(page: Path) -> None:
    targets = set(re.findall(r"^([\w-]+):", text_of("Makefile"), re.MULTILINE))
    used = set(re.findall(r"(?:^|`)make ([a-z][\w-]*)", page.read_text("utf-8"), re.MULTILINE))
    assert used - targets == set()


@pytest.mark.parametrize("page", PAGES, ids=IDS)
def test_settings_in_the_documents_exist(page: Path) -> None:
    names = {row.name for row in describe()}
    sections = "|".join(sorted({name.partition(".")[0] for name in names if "." in name}))
    used = set(re.findall(rf"`((?:{sections})\.[a-z_]+)(?=[`:])", page.read_text("utf-8")))
    assert {name for name in used - names if not name.endswith((".py", ".md", ".yaml", ".js", ".service"))} == set()


@pytest.mark.parametrize("page", PAGES, ids=IDS)
def test_variables_in_the_documents_exist(page: Path) -> None:
    variables = {row.variable for row in describe()}
    used = set(re.findall(r"VISITOR_TRACKER_[A-Z][A-Z_]+", page.read_text("utf-8")))
    assert used - variables == set()


@pytest.mark.parametrize("page", PAGES, ids=IDS)
def test_commands_and_options_in_the_documents_exist(page: Path) -> None:
    commands = dict(write_docs.commands_of(parser()))
    names = "|".join(commands)
    for name, line in re.findall(rf"visitor-tracker ({names})\b([^\n`]*)", page.read_text("utf-8")):
        known = {option for action in write_docs.options_of(commands[name]) for option in action.option_strings}
        assert set(re.findall(r"(?<!\S)--[a-z-]+", line)) - known - {"--help"} == set(), line


def test_the_commands_of_the_documents_work_one_after_the_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    text = "".join(map(text_of, ("README.md", "docs/sites.md", "docs/migrate-from-other-trackers.md")))
    lines = re.findall(r"visitor-tracker ((?:site|key) [^`)\n]*)", text)
    given = [shlex.split(line, comments=True) for line in lines if not re.search(r"NAME|ID|…", line)]
    assert len(given) > 15
    assert [words for words in given if main(words)] == [], capsys.readouterr().err
