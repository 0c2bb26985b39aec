"""PNG files (RFC 2083) of bars: the chart of a mail, where readers show no SVG."""

import struct
import zlib
from collections.abc import Sequence

WIDTH, HEIGHT = 1104, 240  # twice what is shown, for sharp screens
BAR, LINE = (79, 124, 255, 255), (139, 148, 166, 255)  # colours that stand out on white and on black

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_NOTHING, _BAR, _LINE = 0, 1, 2  # places in the palette
_PALETTE = (*(0, 0, 0), *BAR[:3], *LINE[:3])
_OPACITY = (0, 255, 255)
_GAP = 0.25  # of a bar's room
_AXIS = 2  # pixels


def bars(values: Sequence[float], width: int = WIDTH, height: int = HEIGHT) -> bytes:
    """Return a chart of these values on a transparent ground, the highest as high as the picture."""
    tops = _tops(values, height)
    edges = [(round(place * width / len(values)), round((place + 1 - _GAP) * width / len(values))) for place in
             range(len(values))]  # fmt: skip
    rows = []
    before: tuple[int, bytes] | None = None
    for y in range(height):
        if y >= height - _AXIS:
            row = bytes((_LINE,)) * width
        else:
            drawn = sum(top <= y for top in tops)
            row = before[1] if before is not None and before[0] == drawn else _row(tops, edges, y, width)
            before = (drawn, row)
        rows.append(b"\0" + row)
    header = struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0)
    return b"".join(
        (
            _SIGNATURE,
            _chunk(b"IHDR", header),
            _chunk(b"PLTE", bytes(_PALETTE)),
            _chunk(b"tRNS", bytes(_OPACITY)),
            _chunk(b"IDAT", zlib.compress(b"".join(rows), 9)),
            _chunk(b"IEND", b""),
        )
    )


def _tops(values: Sequence[float], height: int) -> list[int]:
    """Return the first row of each bar; whatever is more than nothing is seen."""
    highest = max(values, default=0) or 1
    room = height - _AXIS
    return [room - (max(3, round(room * value / highest)) if value > 0 else 0) for value in values]


def _row(tops: Sequence[int], edges: Sequence[tuple[int, int]], y: int, width: int) -> bytes:
    row = bytearray(width)
    for top, (left, right) in zip(tops, edges, strict=True):
        if top <= y:
            row[left:right] = bytes((_BAR,)) * (right - left)
    return bytes(row)


def _chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
