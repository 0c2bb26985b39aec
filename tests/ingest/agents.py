"""User agents as they were sent, in tests/corpus/agents: a line each, with what is to be read from it."""

import csv
from pathlib import Path

_FOLDER = Path(__file__).parents[1] / "corpus" / "agents"


def _rows(name: str) -> list[list[str]]:
    with (_FOLDER / name).open(encoding="utf-8", newline="") as lines:
        return list(csv.reader(lines, delimiter="\t", quoting=csv.QUOTE_NONE))[1:]


BROWSERS = _rows("browsers.tsv")  # browser, version, os, os version, device, user agent
CRAWLERS = _rows("crawlers.tsv")  # name, user agent
TEXTS = [row[-1] for row in BROWSERS + CRAWLERS]
CHROME = BROWSERS[0][-1]  # 128, on Windows 10
