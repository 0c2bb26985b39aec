"""How a setting is declared."""

from dataclasses import field
from typing import Any, Literal

KIB = 1024
MIB = 1024 * KIB


def setting(  # noqa: PLR0913 - all but two by keyword
    default: Any,
    help: str,
    *,
    least: float | None = None,
    most: float | None = None,
    kind: Literal["plain", "path", "secret"] = "plain",
    live: bool = False,
) -> Any:
    """Declare a setting; `live` ones change on SIGHUP, the others need a restart.

    A relative `path` starts at the folder of the file that names it; a `secret` is in no message.
    """
    meta = {"default": default, "help": help, "least": least, "most": most, "kind": kind, "live": live}
    return field(default=default, metadata=meta, repr=kind != "secret")
