"""The WSGI middleware changes nothing of what it stands before."""

from collections.abc import Iterator
from typing import Any
from wsgiref.util import FileWrapper, setup_testing_defaults
from wsgiref.validate import validator

import pytest

from tests.middleware.conftest import settled
from tests.middleware.hosts import HostError
from tests.middleware.trackers import Remembering
from visitor_tracker.middleware import Counts, WSGIVisitorTrackingMiddleware

HTML = [("content-type", "text/html")]


def environ(**more: Any) -> dict[str, Any]:  # noqa: ANN401
    found: dict[str, Any] = {
        "SCRIPT_NAME": "",
        "PATH_INFO": "/a",
        "QUERY_STRING": "q=1",
        "REMOTE_ADDR": "203.0.113.7",
    } | more
    setup_testing_defaults(found)
    return found


def starting(status: str, headers: object, exc_info: object = None) -> object:
    return print


@pytest.mark.parametrize("answer", [[b"x"], FileWrapper(open(__file__, "rb")), iter([b"a", b"b"])])  # noqa: SIM115
def test_the_answer_is_the_program_s_own_object(answer: Any) -> None:  # noqa: ANN401
    def app(environ: Any, start_response: Any) -> Any:  # noqa: ANN401
        assert start_response("200 OK", HTML) is print
        return answer

    middleware = WSGIVisitorTrackingMiddleware(app, tracker=Remembering())
    assert middleware(environ(), starting) is answer
    assert settled(lambda: middleware.counts) == Counts(sent=1)
    if isinstance(answer, FileWrapper):
        answer.close()


def test_a_program_that_begins_late_counts() -> None:
    def app(environ: Any, start_response: Any) -> Iterator[bytes]:  # noqa: ANN401
        start_response("200 OK", HTML)
        yield b"x"

    middleware = WSGIVisitorTrackingMiddleware(app, tracker=Remembering())
    answer = middleware(environ(), starting)
    assert middleware.counts == Counts()
    assert list(answer) == [b"x"]
    assert settled(lambda: middleware.counts) == Counts(sent=1)


def test_it_keeps_to_the_standard() -> None:
    def app(environ: Any, start_response: Any) -> list[bytes]:  # noqa: ANN401
        start_response("200 OK", HTML)
        return [b"x"]

    middleware = WSGIVisitorTrackingMiddleware(validator(app), tracker=Remembering())
    answer = validator(middleware)(environ(), starting)  # type: ignore[arg-type]
    assert list(answer) == [b"x"]
    answer.close()  # type: ignore[attr-defined]


def test_the_page_is_the_whole_path_wherever_the_program_is_mounted() -> None:
    def app(environ: Any, start_response: Any) -> list[bytes]:  # noqa: ANN401
        environ["SCRIPT_NAME"], environ["PATH_INFO"] = "/shop/ü".encode().decode("latin-1"), ""
        start_response("200 OK", HTML)
        return []

    tracker = Remembering()
    middleware = WSGIVisitorTrackingMiddleware(app, tracker=tracker)
    asked = environ(SCRIPT_NAME="/shop", PATH_INFO="/ü".encode().decode("latin-1"), HTTP_HOST="example.com")
    middleware(asked, starting)
    settled(lambda: middleware.counts)
    assert tracker.urls == ["http://example.com/shop/%C3%BC?q=1"]


@pytest.mark.parametrize(("every", "sent"), [(True, 1), (False, 0)])
def test_what_the_program_raises_passes_unchanged(every: bool, sent: int) -> None:
    problem = HostError("mine")

    def app(environ: Any, start_response: Any) -> list[bytes]:  # noqa: ANN401
        raise problem

    middleware = WSGIVisitorTrackingMiddleware(app, track_all_paths=every, tracker=Remembering())
    with pytest.raises(HostError) as raised:
        middleware(environ(), starting)
    assert raised.value is problem
    assert settled(lambda: middleware.counts) == Counts(sent=sent)


def test_an_answer_that_is_replaced_by_an_error_counts_once() -> None:
    def app(environ: Any, start_response: Any) -> list[bytes]:  # noqa: ANN401
        start_response("200 OK", HTML)
        start_response("500 Oh", HTML, (HostError, HostError(), None))
        return []

    middleware = WSGIVisitorTrackingMiddleware(app, tracker=Remembering())
    middleware(environ(), starting)
    assert settled(lambda: middleware.counts) == Counts(sent=1)


@pytest.mark.parametrize("wrong", [{"PATH_INFO": 7, "SCRIPT_NAME": 7, "REQUEST_METHOD": None}, {"HTTP_REFERER": 7}])
def test_what_goes_wrong_in_the_middleware_does_not_reach_the_program(wrong: dict[str, Any]) -> None:
    def app(environ: Any, start_response: Any) -> list[bytes]:  # noqa: ANN401
        start_response("200 OK", HTML)
        return [b"x"]

    middleware = WSGIVisitorTrackingMiddleware(app, track_all_paths=False, tracker=Remembering())
    assert middleware(environ() | wrong, starting) == [b"x"]
    settled(lambda: middleware.counts)


def test_a_status_that_is_none_does_not_reach_the_program() -> None:
    def app(environ: Any, start_response: Any) -> list[bytes]:  # noqa: ANN401
        start_response("odd", HTML)
        return [b"x"]

    middleware = WSGIVisitorTrackingMiddleware(app, tracker=Remembering())
    assert middleware(environ(), starting) == [b"x"]
    assert middleware.counts == Counts(failed=1)
