"""An answer that comes later reaches its connection once, whoever is first."""

import threading

import pytest

from visitor_tracker.http.message import Deferred, Response, Stream

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


def test_a_stream_keeps_the_newest_piece_and_tells_once() -> None:
    closed: list[bool] = []
    told: list[Stream] = []
    stream = Stream((), b"", lambda: closed.append(True))
    stream.push(b"early")
    stream.attach(told.append, chunked=True)
    stream.push(b"newer")
    stream.push(b"not in its place", instead=False)
    assert (stream.take(), told) == ((b"newer", False), [stream])
    stream.push(b"alone", instead=False)
    stream.end()
    assert (stream.push(b"late"), stream.take(), told) == (False, (b"alone", True), [stream, stream])
    stream.close()
    stream.close()
    stream.end()
    assert (closed, told) == ([True], [stream, stream])
