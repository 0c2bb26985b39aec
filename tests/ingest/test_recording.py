"""Pieces of recordings and reports of heat: read within bounds, and made ready to store."""

import json
from typing import Any

import pytest

from tests.ingest.recordings import (
    AT,
    HARMLESS,
    Json,
    changed,
    element,
    event,
    increment,
    meta,
    rewritten,
    snapshot,
    text,
)
from visitor_tracker.ingest.recording import make_piece, read_heat, read_recording, unpack
from visitor_tracker.ingest.safe_markup import Rules
from visitor_tracker.ingest.scrub import EMAIL

SHOWN = Rules(mask=False)


def body(**more: object) -> bytes:
    sent: dict[str, Any] = {"site": "s", "session": "a" * 32, "sequence": 1, "url": "https://example.com/"}
    return json.dumps(sent | {"viewport": "1280x720", "events": [HARMLESS["scroll"]]} | more).encode()


def test_a_piece_is_what_was_sent() -> None:
    read = read_recording(body())
    assert (read.site, read.session, read.sequence, read.viewport) == ("s", "a" * 32, 1, "1280x720")
    piece = make_piece(read.events, Rules())
    assert piece is not None
    assert (json.loads(unpack(piece.body)), piece.events) == ([HARMLESS["scroll"]], 1)
    assert piece.size == len(unpack(piece.body))
    assert make_piece([None], Rules()) is None


def test_views_of_pages_are_masked_whatever_is_shown() -> None:
    piece = make_piece(
        [snapshot(), meta(), snapshot(element("p", {}, text("Anna"))), meta(width=500), snapshot()], SHOWN
    )
    assert piece is not None
    assert b"Anna" in unpack(piece.body)
    assert [(view.url, view.width) for view in piece.views] == [
        ("https://example.com/", 1280),
        ("https://example.com/", 500),
    ]
    assert json.loads(piece.views[0].event) == snapshot(element("p", {}, text("****")))


def test_events_of_another_day_are_left_out() -> None:
    piece = make_piece([HARMLESS["scroll"], event(1, {}, AT + 86_400_003), event(1, {}, AT + 86_400_000)], Rules())
    assert piece is not None
    assert piece.events == 2


@pytest.mark.parametrize(
    "sent",
    [b"", b"[]", b"{}", b"\xff", body(session=""), body(session="x" * 129), body(session=5), body(sequence=-1),
     body(sequence=1.5), body(sequence=1 << 60), body(events={}), body(events=[{}] * 5_001), body(site=None),
     body(events=[[{}] * 100_001]), body()[:-1], b"[" * 100_000, b'{"events":' + b"[" * 100_000],
)  # fmt: skip
def test_what_is_no_recording_is_refused(sent: bytes) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        read_recording(sent)


@pytest.mark.parametrize(
    "sent",
    [
        {"id": "1", "cells": {"click": [[100, 0, 1]]}}, {"id": "1", "cells": {"click": [[0, 5000, 1]]}},
        {"id": "1", "cells": {"click": [[0, 0, 0]]}}, {"id": "1", "cells": {"click": [[0, 0, 10_001]]}},
        {"id": "1", "cells": {"click": [[0, 0]]}}, {"id": "1", "cells": {"click": [[0.5, 0, 1]]}},
        {"id": "1", "cells": {"look": []}}, {"id": "1", "cells": []}, {"cells": {}},
        {"id": "1", "cells": {"click": [[0, 0, 1]] * 1_001, "move": [[0, 0, 1]] * 1_000}},
    ],
)  # fmt: skip
def test_what_is_no_heat_is_refused(sent: Json) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        read_heat(json.dumps(sent).encode())


HEAVY = [
    json.dumps([snapshot(*[element("p", {"class": "a b", "title": "*"}, text("***")) for _ in range(400)])]).encode(),
    json.dumps([increment(1, positions=[{"x": 1, "y": 1, "id": 5, "timeOffset": 0}] * 1_100)]).encode(),
    json.dumps([rewritten("url(" * 150_000), rewritten("\\" * 150_000), rewritten("@a" * 75_000)]).encode(),
    json.dumps([rewritten('url("data:image/png,' * 30_000), rewritten("4111 " * 120_000)]).encode(),
    json.dumps([changed({f"data-{number}": "a@b.example" for number in range(20_000)})]).encode(),
]


@pytest.mark.parametrize("events", HEAVY, ids=["page", "moves", "names", "data", "attributes"])
def test_what_is_made_to_take_long_ends(events: bytes) -> None:
    """Each takes some 10 ms; a search that goes back and forth would take hours."""
    piece = make_piece(json.loads(events), SHOWN)
    assert piece is not None
    assert piece.events == len(json.loads(events))


HARD = ["a@b.cc ", "4111 1111 1111 1111 ", "1", "%25", "a%40b%2ecc ", "@", "\\61", "1::2 "]


@pytest.mark.parametrize("part", HARD)
def test_where_the_search_would_take_seconds_there_are_stars(part: str) -> None:
    long = part * (5_000_000 // len(part))
    few = f"x {part * 3} ann@example.org"
    piece = make_piece(
        [snapshot(element("p", {"title": few}, text(few), text(long), text(few)))], Rules(mask=False, ip="2001:db8::5")
    )
    assert piece is not None
    kept = unpack(piece.body).decode()
    assert piece.size < 5_000
    assert kept.count("*") > 200
    assert "ann@example.org" not in kept
    assert EMAIL in kept  # the others are searched as ever


@pytest.mark.parametrize("crowd", ["[],", "{},", "[[],{}],"])
def test_more_than_can_be_read_is_not_read(crowd: str) -> None:
    sent = body(events=[]).replace(b'"events": []', b'"events": [%s1]' % (crowd * 100_001).encode())
    with pytest.raises(ValueError, match="more than 100000 nodes"):
        read_recording(sent)
