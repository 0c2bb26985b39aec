"""The rules of the source tree that a program can check: layers, sizes, where SQL may be, what is never used."""

import ast
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from visitor_tracker.config import describe
from visitor_tracker.metrics import Cell

TOP = Path(__file__).parents[1]
PACKAGE = TOP / "server" / "visitor_tracker"
MOST_LINES_FILE, MOST_LINES_FUNCTION = 400, 50
SOURCES = sorted(path for folder in ("server", "tests", "bench", "tools") for path in (TOP / folder).rglob("*.py"))
SERVER = [path for path in SOURCES if PACKAGE in path.parents]
SCRIPTS = sorted(
    path for path in (TOP / "client").rglob("*.js") if not {"node_modules", "dist"} & set(path.relative_to(TOP).parts)
)

LAZY = {
    "server/visitor_tracker/__init__.py",  # VisitorTrackingServer, when it is asked for
    "server/visitor_tracker/store/open.py",  # the MySQL driver, when the store is MySQL
    "server/visitor_tracker/embedding/tracker.py",  # the server, where a child process cannot run it
}

# A statement, not a sentence: prose says "select a page" without naming a table after "from".
SQL = re.compile(
    r"\b(select\s[^.;]*\sfrom\s+\w+|insert\s+(ignore\s+)?into\s|delete\s+from\s|update\s+\w+\s+set\s"
    r"|(create|drop|alter)\s+(table|index)\s|^\s*pragma\s)",
    re.IGNORECASE,
)


def name_of(path: Path) -> str:
    return str(path.relative_to(TOP))


def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text("utf-8"), str(path))


def nodes(path: Path) -> Iterator[ast.AST]:
    return ast.walk(tree_of(path))


def at(path: Path, node: ast.expr | ast.stmt) -> str:
    return f"{name_of(path)}:{node.lineno}"


def test_imports_point_down() -> None:
    command = [str(Path(sys.executable).with_name("lint-imports")), "--no-cache", "--config", str(TOP / "setup.cfg")]
    path = os.pathsep.join([str(TOP / "server"), *filter(None, [os.environ.get("PYTHONPATH")])])
    run = subprocess.run(command, capture_output=True, text=True, check=False, env=os.environ | {"PYTHONPATH": path})
    assert run.returncode == 0, run.stdout + run.stderr


@pytest.mark.parametrize(("one", "other"), [("net", "web"), ("web", "net"), ("net", "jobs"), ("web", "jobs")])
def test_halves_do_not_know_each_other(one: str, other: str) -> None:
    found = [
        at(path, node)
        for path in SERVER
        if PACKAGE / one in path.parents
        for node in nodes(path)
        if isinstance(node, ast.Import | ast.ImportFrom)
        and re.search(rf"visitor_tracker\.{other}\b|visitor_tracker.*\b{other}\b", ast.unparse(node))
    ]
    assert found == []


def test_imports_are_at_the_top_of_a_file() -> None:
    """An import inside a function can hide a cycle; those named in LAZY save time and are in the layers' graph."""
    found = [
        at(path, inner)
        for path in SERVER
        if name_of(path) not in LAZY
        for node in nodes(path)
        if isinstance(node, ast.FunctionDef)
        for inner in ast.walk(node)
        if isinstance(inner, ast.ImportFrom) and (inner.module or "").startswith("visitor_tracker")
    ]
    assert found == []


def test_files_are_short() -> None:
    lengths = {name_of(path): path.read_text("utf-8").count("\n") for path in [*SOURCES, *SCRIPTS]}
    assert {name: lines for name, lines in lengths.items() if lines > MOST_LINES_FILE} == {}


def test_functions_are_short() -> None:
    long = [
        f"{at(path, node)} {node.name}: {node.end_lineno - node.lineno + 1} lines"
        for path in SOURCES
        for node in nodes(path)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and node.end_lineno is not None
        and node.end_lineno - node.lineno + 1 > MOST_LINES_FUNCTION
    ]
    assert long == []


def test_sql_is_written_in_the_store_only() -> None:
    found = [
        f"{at(path, node)}: {node.value[:60]!r}"
        for path in SERVER
        if PACKAGE / "store" not in path.parents
        for node in nodes(path)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and SQL.search(node.value)
    ]
    assert found == []


def test_no_sql_is_built_from_values() -> None:
    found = [
        f"{at(path, node)}: {ast.unparse(node)}"
        for path in SERVER
        for node in nodes(path)
        if isinstance(node, ast.expr) and not is_safe_sql(node)
    ]
    assert found == []


@pytest.mark.parametrize(
    ("code", "safe"),
    [
        ("f'select x from page where id = {value}'", False),
        ("f'select x from {table}'", False),
        ("'delete from page where id = %s' % value", False),
        ("'insert into page values ({})'.format(value)", False),
        ("'select x from page order by ' + order", False),
        ("f'pragma cache_size = {value}'", False),
        ("f'pragma cache_size = -{CACHE_KIB}'", True),
        ("f'pragma fullfsync = {int(full)}'", True),
        ('f\'pragma synchronous = {"full" if full else "normal"}\'', True),
        ("'select x from page where id = ?'", True),
        ("f'please select a page, {name}'", True),
        ("'%d pages' % number", True),
    ],
)
def test_the_check_for_built_sql_sees_what_it_should(code: str, safe: bool) -> None:
    assert all(is_safe_sql(node) for node in ast.walk(ast.parse(code)) if isinstance(node, ast.expr)) is safe


def is_safe_sql(node: ast.expr) -> bool:
    """Say whether an expression puts no value but numbers, constants and choices of constants into SQL."""
    match node:
        case ast.JoinedStr(values=parts):
            literal = "".join(str(part.value) if isinstance(part, ast.Constant) else "x" for part in parts)
            values = [part.value for part in parts if isinstance(part, ast.FormattedValue)]
        case ast.BinOp(left=ast.Constant(value=str(literal)), op=ast.Mod() | ast.Add(), right=value):
            values = [value]
            literal += " x"
        case ast.Call(func=ast.Attribute(value=ast.Constant(value=str(literal)), attr="format")):
            return not SQL.search(literal)
        case _:
            return True
    return not SQL.search(literal) or all(_is_harmless(value) for value in values)


def _is_harmless(node: ast.expr) -> bool:
    match node:
        case ast.Constant():
            return True
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name.isupper()
        case ast.Call(func=ast.Name(id="int")):
            return True
        case ast.IfExp(body=body, orelse=other):
            return _is_harmless(body) and _is_harmless(other)
        case _:
            return False


def test_every_counter_counts_and_every_setting_has_a_user() -> None:
    server = {path: path.read_text("utf-8") for path in SERVER if path.parent.name != "config"}
    read = {node.attr for path in server for node in ast.walk(tree_of(path)) if isinstance(node, ast.Attribute)}
    written = set(
        re.findall(r"Cell\.([A-Z0-9_]+)", "".join(t for path, t in server.items() if path.name != "metrics.py"))
    )
    assert {cell.name for cell in Cell} - written == set()
    assert {row.name for row in describe() if row.name.rpartition(".")[2] not in read} == set()


FORBIDDEN_CALLS = {
    "eval",
    "exec",
    "compile",
    "__import__",
    "os.system",
    "os.popen",
    "yaml.unsafe_load",
    "yaml.full_load",
}
FORBIDDEN_MODULES = {"pickle", "marshal", "shelve", "dill", "cPickle", "telnetlib", "pdb", "code"}
SAFE_LOADERS = {"StrictLoader"}


def test_nothing_runs_data_as_code() -> None:
    found = [
        f"{at(path, node)}: {ast.unparse(node)[:80]}"
        for path in SERVER
        for node in nodes(path)
        if isinstance(node, ast.stmt | ast.expr) and runs_data(node)
    ]
    assert found == []


@pytest.mark.parametrize(
    "code",
    [
        "eval(text)",
        "import pickle",
        "from marshal import loads",
        "yaml.load(text)",
        "yaml.load(text, Loader=yaml.Loader)",
        "subprocess.run(line, shell=True)",
    ],
)
def test_the_check_for_data_as_code_sees_what_it_should(code: str) -> None:
    assert any(runs_data(node) for node in ast.walk(ast.parse(code)) if isinstance(node, ast.stmt | ast.expr))


def runs_data(node: ast.stmt | ast.expr) -> bool:
    match node:
        case ast.Import(names=names):
            return any(alias.name.partition(".")[0] in FORBIDDEN_MODULES for alias in names)
        case ast.ImportFrom(module=str(module)):
            return module.partition(".")[0] in FORBIDDEN_MODULES
        case ast.Call(func=func, keywords=keywords):
            given = {keyword.arg: ast.unparse(keyword.value) for keyword in keywords}
            called = ast.unparse(func)
            unsafe_yaml = called == "yaml.load" and given.get("Loader") not in SAFE_LOADERS
            return called in FORBIDDEN_CALLS or unsafe_yaml or given.get("shell") == "True"
        case _:
            return False


def test_no_file_names_a_build_machine_or_a_package_registry() -> None:
    separator = "/"
    hosts = ["registry.npm" + "js.org", "py" + "pi.org", "pythonhosted" + ".org", "crates" + ".io"]
    places = [separator + "work" + separator, "root" + separator + ".pyenv", separator + "opt/wheels"]
    found = [
        f"{name_of(path)}: {text}"
        for path in text_files()
        for text in [*hosts, *places]
        if text in path.read_text("utf-8", "replace")
    ]
    assert found == []


def test_the_npm_lock_file_pins_every_package_and_names_no_address() -> None:
    packages = json.loads((TOP / "client" / "package-lock.json").read_text("utf-8"))["packages"]
    own = {package["resolved"] for package in packages.values() if package.get("link")}
    assert [name for name in own if not (TOP / "client" / name / "package.json").is_file()] == []
    installed = {
        name: package for name, package in packages.items() if name not in {"", *own} and not package.get("link")
    }
    assert [name for name, package in installed.items() if not package.get("integrity")] == []
    assert [name for name, package in installed.items() if "resolved" in package] == []


@pytest.mark.parametrize("name", ["runtime", "develop"])
def test_a_lock_file_pins_every_package_by_hash(name: str) -> None:
    text = (TOP / "requirements" / f"{name}.lock").read_text("utf-8")
    entries = re.findall(r"^(\S+)==(\S+) \\\n((?: {4}--hash=sha256:[0-9a-f]{64}(?: \\)?\n)+)", text, re.MULTILINE)
    named = re.findall(r"^[a-z][^\s#]*", text, re.MULTILINE)
    assert len(entries) == len(named) > 0


def text_files() -> Iterator[Path]:
    """Yield every file of the repository that could hold text."""
    skipped = {".git", "node_modules", "dist", "build", "data", "results", "__pycache__"}
    for folder, folders, files in os.walk(TOP):
        folders[:] = [
            name
            for name in folders
            if name not in skipped
            and not name.startswith((".venv", ".m", ".r", ".p", ".h", ".i"))
            and ".egg" not in name
        ]
        yield from (
            Path(folder, name) for name in files if not name.endswith((".png", ".pyc", ".gz", ".bin", ".raw", ".db"))
        )
