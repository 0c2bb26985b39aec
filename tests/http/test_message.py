"""An answer that comes later reaches its connection once, whoever is first."""

import threading

import pytest

from visitor_tracker.http.message import Deferred, Response

ANSWER = Response(200, b"stored")


@pytest.mark.parametrize("given", [ANSWER, None])
def test_an_answer_is_delivered_before_and_after_somebody_waits_for_it(given: Response | None) -> None:
    early, late = Deferred(), Deferred()
    got: list[Response | None] = []
    early.complete(given)
    early.attach(got.append)
    late.attach(got.append)
    late.complete(given)
    assert got == [given, given]


def test_only_the_first_answer_counts() -> None:
    deferred = Deferred()
    got: list[Response | None] = []
    deferred.complete(ANSWER)
    deferred.abandon()
    deferred.attach(got.append)
    deferred.complete(Response(500))
    assert got == [ANSWER]


def test_an_answer_from_another_thread_is_delivered_once() -> None:
    rounds = [Deferred() for _ in range(2_000)]
    got: list[Response | None] = []
    start = threading.Barrier(2)

    def complete_all() -> None:
        start.wait()
        for deferred in rounds:
            deferred.complete(ANSWER)

    thread = threading.Thread(target=complete_all)
    thread.start()
    start.wait()
    for deferred in rounds:
        deferred.attach(got.append)
    thread.join()
    assert got == [ANSWER] * len(rounds)
