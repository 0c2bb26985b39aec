"""Write what the code can say about itself: docs/settings.md, docs/cli.md and config.yaml (`make docs`)."""

import argparse
import textwrap
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path

from visitor_tracker.cli import parser
from visitor_tracker.cli.arguments import MORE
from visitor_tracker.config import Config, SettingRow, describe

TOP = Path(__file__).parents[1]

_YAML_WORDS = {"true", "false", "null"}  # no texts without quotes
_UNBROKEN = "\x1f"  # a space where no line may end

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
starts at the working directory. In `sqlite:///PATH` an absolute path makes a fourth slash:
`sqlite:////var/lib/visitor-tracker/visitors.db`.

A mistake stops the server before it listens (exit code 78), and the message names every mistake at once: where it is,
what is expected, what is there. `visitor-tracker check` looks without starting anything.

**live** marks what changes on SIGHUP without a restart. A reload that finds a mistake says so and keeps the settings
that are running.

An example with every setting is [config.yaml](../config.yaml).
"""

OWN_STORE = """
A site can have a database of its own, which the file names under the site's name; no variable and no option does. It
has the settings of [`store`](#store). What it does not name is as for all others, but for the URL: by default it is the
SQLite file `stores/NAME.db` in `server.data_dir`. See [sites](sites.md#a-database-of-its-own).

```yaml
sites:
  blog:
    store:
      url: sqlite:////srv/blog/visitors.db
```
"""

CLI_HEAD = """\
# Command line

<!-- Written by `make docs` from server/visitor_tracker/cli/; edit it there. -->

`visitor-tracker COMMAND [options]`; `visitor-tracker COMMAND --help` says the same as this page.

Settings come from `config.yaml` in the working directory or the file named with `--config`, then from
`VISITOR_TRACKER_…` variables, then from the options of the command; see [settings.md](settings.md). A password in
`--store` can be seen in the process list: prefer `VISITOR_TRACKER_STORE_URL`.

| exit code | meaning |
| --- | --- |
| 0 | done |
| 1 | failed |
| 2 | wrong usage |
| 69 | the store is away |
| 78 | wrong settings; for `check`: an error was found |
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
        parts.append(OWN_STORE if section == "sites" else "")
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


def cli_page() -> str:
    """Return docs/cli.md."""
    top = parser()
    commands = commands_of(top)
    overview = "".join(
        f"| [`{name}`](#{name.replace(' ', '-')}) | {_cell(str(command.description))} |\n" for name, command in commands
    )
    parts = [CLI_HEAD, f"\n| command | |\n| --- | --- |\n{overview}| `--version` | Print the version. |\n"]
    for name, command in commands:
        parts.append(f"\n## {name}\n\n{command.description}\n\n")
        parts.append(f"```\n{_usage(name, command)}\n```\n\n| | |\n| --- | --- |\n")
        parts += [f"| `{_spelled(action)}` | {_cell(str(action.help))} |\n" for action in options_of(command)]
        parts.append(f"\n```\n{_examples(command)}\n```\n")
    return "".join(parts)


def commands_of(top: argparse.ArgumentParser) -> list[tuple[str, argparse.ArgumentParser]]:
    """Return the commands in the order of the help; those of a group as "group command"."""
    groups = [action for action in top._actions if isinstance(action, argparse._SubParsersAction)]
    found = []
    for name, command in (pair for group in groups for pair in group.choices.items()):
        found += [(f"{name} {inner}", each) for inner, each in commands_of(command)] or [(name, command)]
    return found


def options_of(command: argparse.ArgumentParser) -> Iterator[argparse.Action]:
    """Yield a command's own arguments and options, without --help."""
    return (action for action in command._actions if not isinstance(action, argparse._HelpAction))


def _usage(name: str, command: argparse.ArgumentParser) -> str:
    words = [_in_usage(action) for action in options_of(command)]
    whole = " ".join(word.replace(" ", _UNBROKEN) for word in words)
    lines = textwrap.wrap(f"visitor-tracker {name} {whole}", 110, break_on_hyphens=False)
    return "\n    ".join(lines).replace(_UNBROKEN, " ")


def _in_usage(action: argparse.Action) -> str:
    word = _spelled(action) + (" …" if action.nargs in ("+", "*") else "")
    return f"[{word}]" if action.option_strings or action.nargs == "*" else word


def _examples(command: argparse.ArgumentParser) -> str:
    return "\n".join(line.strip() for line in str(command.epilog).removesuffix(MORE).splitlines()[1:]).strip()


def _spelled(action: argparse.Action) -> str:
    if action.choices is not None:
        value = "{" + ",".join(str(choice) for choice in action.choices) + "}"
    else:
        value = str(action.metavar or action.dest.upper())
    if not action.option_strings:
        return value
    return action.option_strings[0] if action.nargs == 0 else f"{action.option_strings[0]} {value}"


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
        plain = value and value.replace("_", "").isalpha() and value not in _YAML_WORDS
        return value if plain else f'"{value}"'
    return str(value)


if __name__ == "__main__":
    (TOP / "docs" / "settings.md").write_text(settings_page(), "utf-8")
    (TOP / "docs" / "cli.md").write_text(cli_page(), "utf-8")
    (TOP / "config.yaml").write_text(example(), "utf-8")
