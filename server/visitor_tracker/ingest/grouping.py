"""Which errors are the same: the same words and the same frames, but for what each build and visitor has of its own.

A stack is `name (place:line:column) | …` as the tracker script sends it, or what a browser writes, on one line or
several. Takes any text, in time that grows with its length.
"""

import re
from collections.abc import Iterator
from functools import lru_cache
from hashlib import blake2b
from itertools import islice

_FRAMES = 5  # innermost ones that count: what lies below them is how the page came there
_DIGEST_BYTES = 6
_TEXT_MOST = 1_024  # characters that are looked at; the pipeline has cut both texts before
_MINIFIED = 2  # characters: such names are another build's tomorrow

_SPLIT = re.compile(r"(?:\s\|\s|\n\s*)(?:at\s)?|(?:^|\s)at\s")
_WITH_NAME = re.compile(r"(.*?) ?\(([^()]*)\)?")
_GECKO = re.compile(r"\s(?=[^\s@]*@)")
_PLACE_END = re.compile(r"(?::\d+){1,2}$")
_URL = re.compile(r"\b[a-z][a-z0-9+.-]{0,20}://[^\s\"'()<>]*", re.IGNORECASE)
_ORIGIN = re.compile(r"[a-z][a-z0-9+.-]*://[^/?#]*", re.IGNORECASE)
_QUOTED = re.compile(r"\"[^\"]*\"|“[^“”]*”|`[^`]*`")
_UUID = re.compile(r"\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b", re.IGNORECASE)
_HEX = re.compile(r"\b(?:0x)?(?=[0-9a-f]*[0-9])[0-9a-f]{6,}\b", re.IGNORECASE)
_NUMBER = re.compile(r"\d+(?:[.,]\d+)*")
_PREFIX = re.compile(r"(?:Uncaught )?(?:\(in promise\) )?")

# A part of a file's name that its bundler made from the content: app.3f2a1b.js, index-BX3k9a2_.js, 123.chunk.js.
_FILE_HASH = re.compile(
    r"(?<=[.\-_/])(?:(?=[0-9a-f]{0,63}[0-9])[0-9a-f]{6,64}|[0-9]+)(?=[.\-_/]|$)"
    r"|(?<=[.-])(?=[\w-]{0,7}[A-Z0-9])[\w-]{8}(?=\.)",
    re.ASCII,
)
_CALL = re.compile(r"^(?:async\*?|new|get|set) ?|\[as [^][]*\]")


@lru_cache(2048)  # one error comes from many visitors
def group_of(message: str, stack: str) -> str:
    """Return 12 hex digits, the same for errors that are one problem."""
    text = "\n".join((_words(message), *_frames(stack)))
    return blake2b(text.encode("utf-8", "replace"), digest_size=_DIGEST_BYTES).hexdigest()


def _words(message: str) -> str:
    """Return a message without what differs from one time to the next."""
    text = message[:_TEXT_MOST]
    text = text[_matched(_PREFIX, text) :]
    text = _URL.sub(lambda url: _place(url[0]), text)
    for pattern, stands_for in ((_QUOTED, '"…"'), (_UUID, "#"), (_HEX, "#"), (_NUMBER, "#")):
        text = pattern.sub(stands_for, text)
    return " ".join(text.split())


def _matched(pattern: re.Pattern[str], text: str) -> int:
    found = pattern.match(text)
    return found.end() if found else 0


def _frames(stack: str) -> list[str]:
    """Return the innermost frames as `name place`, without lines, columns, origin and build."""
    frames = (frame for piece in _pieces(stack[:_TEXT_MOST]) for frame in _of_piece(piece.strip()))
    return list(islice(frames, _FRAMES))


def _pieces(stack: str) -> Iterator[str]:
    """Yield what lies between separators, as far as it is wanted: splitting costs more than the rest."""
    start = 0
    for separator in _SPLIT.finditer(stack):
        yield stack[start : separator.start()]
        start = separator.end()
    yield stack[start:]


def _of_piece(piece: str) -> list[str]:
    """Return the frames of a piece: one, or several of a browser that writes name@place, once they are on one line."""
    found = []
    for part in _GECKO.split(piece) if "@" in piece else (piece,):
        named = _WITH_NAME.fullmatch(part)
        if named is not None:
            name, place = named[1], named[2]
        else:
            name, _, place = part.rpartition("@")
        if _PLACE_END.search(place) or named is not None:
            found.append(f"{_name(name)} {_place(_PLACE_END.sub('', place))}")
    return found


def _name(name: str) -> str:
    """Return a function's name; "?" where a minifier gave it."""
    plain = _CALL.sub("", name).rstrip("/<").strip()
    last = plain.rpartition(".")[2]
    return last if len(last) > _MINIFIED else "?"


def _place(url: str) -> str:
    """Return the path of a script without origin, query, and what a build put into it."""
    plain = re.split(r"[?#\s]", url, maxsplit=1)[0]
    return _FILE_HASH.sub("*", plain[_matched(_ORIGIN, plain) :])
