"""Write what the code can say about itself: docs/settings.md and the example config.yaml (`make docs`)."""

import textwrap
from itertools import groupby
from pathlib import Path

from visitor_tracker.config import Config, SettingRow, describe

TOP = Path(__file__).parents[1]

SETTINGS_HEAD = """\
# Settings

<!-- Written by `make docs` from server/visitor_tracker/config/; edit it there. -->

A setting is looked for in four places; the later one wins:

1. the default in the tables below,
2. the file given with `--config` (YAML, or TOML when its name ends in `.toml`),
3. an environment variable: `VISITOR_TRACKER_` + the section + `_` + the name in capitals,
   e.g. `VISITOR_TRACKER_RATE_LIMIT_ENABLED=false`; lists are written with commas,
4. an option on the command line (see [cli.md](cli.md)).

`VISITOR_DATA_DIR` is a second name of `VISITOR_TRACKER_SERVER_DATA_DIR`.

A relative path in a file starts at the folder of that file; in a variable or an option, and as a default, it
starts at the working directory.

A mistake stops the server before it listens (exit code 78), and the message names every mistake at once: where it is,
what is expected, what is there. `visitor-tracker check` looks without starting anything.

**live** marks what changes on SIGHUP without a restart. A reload that finds a mistake says so and keeps the settings
that are running.

An example with every setting is [config.yaml](../config.yaml).
"""

EXAMPLE_HEAD = """\
# Visitor Tracker: every setting with its default. Remove the # of a line to change it.
# Use it with  visitor-tracker serve --config config.yaml ; docs/settings.md explains the order of precedence.
"""


def settings_page() -> str:
    """Return docs/settings.md."""
    parts = [SETTINGS_HEAD]
    for section, rows in groupby(describe(), key=lambda row: row.name.rpartition(".")[0]):
        parts.append(f"\n## {section or 'At the top level'}\n\n{_section_help(section)}")
        parts.append("| setting | default | what it is |\n| --- | --- | --- |\n")
        parts += [_table_row(row) for row in rows]
    return "".join(parts)


def example() -> str:
    """Return config.yaml."""
    parts = [EXAMPLE_HEAD]
    for section, rows in groupby(describe(), key=lambda row: row.name.rpartition(".")[0]):
        indent = "  " if section else ""
        parts.append(f"\n{section}:\n" if section else "\n")
        for row in rows:
            note = row.help + ("; changes on SIGHUP" if row.live else "")
            parts += [f"{indent}# {line}\n" for line in textwrap.wrap(note, 110)]
            parts.append(f"{indent}#{row.name.rpartition('.')[2]}: {_yaml(row.default)}\n")
    return "".join(parts)


def _section_help(section: str) -> str:
    if not section:
        return ""
    kind = type(getattr(Config(), section))
    return f"{kind.__doc__}\n\n"


def _table_row(row: SettingRow) -> str:
    live = " **live**" if row.live else ""
    help = row.help[0].upper() + row.help[1:]
    return f"| `{row.name}` | `{_yaml(row.default)}` | {_cell(help)}. {_cell(row.type.capitalize())}.{live} |\n"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("<", "&lt;").replace("*", "\\*")


def _yaml(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple):
        return "[" + ", ".join(_yaml(item) for item in value) + "]"
    if isinstance(value, str):
        plain = value and value.replace("_", "").isalpha()
        return value if plain else f'"{value}"'
    return str(value)


if __name__ == "__main__":
    (TOP / "docs" / "settings.md").write_text(settings_page(), "utf-8")
    (TOP / "config.yaml").write_text(example(), "utf-8")
