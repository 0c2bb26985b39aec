"""What serving a collect endpoint leaves in the counters, and whose answer is whose."""

import json

from tests.web.conftest import Build, Site, header
from visitor_tracker.config import CorsConfig
from visitor_tracker.metrics import Cell

EVENT = {"url": "https://example.com/a"}


def send(site: Site, body: object, origin: str = "https://a.example") -> tuple[int, str, str]:
    """Return status, X-Tracker and the origin that may read the answer."""
    answer = site.ask(
        "/api/v1/events", method="POST", body=json.dumps(body).encode(), headers={"origin": origin, "user-agent": "x"}
    )
    return answer.status, header(answer, "X-Tracker"), header(answer, "Access-Control-Allow-Origin")


def test_every_hit_is_counted_once_as_what_became_of_it(site: Site) -> None:
    send(site, EVENT)
    send(site, [EVENT, {"url": "no URL"}, EVENT, {"scroll": "no number"}])
    send(site, [{"url": "no URL"}])
    cells = (Cell.ACCEPTED, Cell.JOURNALED, Cell.DROPPED_INVALID_URL, Cell.DROPPED_INVALID_EVENT)
    assert [site.counted(cell) for cell in cells] == [3, 3, 2, 1]


def test_what_the_journal_does_not_take_is_not_counted_as_accepted(site: Site) -> None:
    site.app.journal.close()
    assert send(site, EVENT)[:2] == (503, "dropped: unavailable")
    assert [site.counted(cell) for cell in (Cell.ACCEPTED, Cell.DROPPED_UNAVAILABLE)] == [0, 1]


def test_the_usual_answer_has_the_headers_of_its_own_origin(build: Build) -> None:
    origins = ["https://a.example", "https://b.example"]
    site = build(cors=CorsConfig(origins=tuple(origins)))
    answers = [send(site, EVENT, origin) for origin in origins * 2]
    assert answers == [(202, "accepted", origin) for origin in origins * 2]
