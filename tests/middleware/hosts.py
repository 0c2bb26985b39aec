"""Programs with the middleware in them, as their users write and run them."""

import socketserver
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer

import uvicorn
from django.conf import settings
from django.core.asgi import get_asgi_application
from django.core.wsgi import get_wsgi_application
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import path
from fastapi import FastAPI
from fastapi.responses import HTMLResponse
from flask import Flask, abort
from starlette.types import Lifespan

from tests.running import until
from visitor_tracker.middleware import VisitorTrackingMiddleware, WSGIVisitorTrackingMiddleware

PAGE = "<!doctype html><title>A page</title>"
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"


class HostError(Exception):
    """What goes wrong in a program, and is nobody else's business."""


def fastapi(lifespan: Lifespan[FastAPI] | None = None, **options: Any) -> FastAPI:  # noqa: ANN401
    app = FastAPI(lifespan=lifespan)
    app.get("/", response_class=HTMLResponse)(_fastapi_page)
    app.get("/prices", response_class=HTMLResponse)(_fastapi_page)
    app.get("/health")(_fastapi_items)
    app.get("/api/items")(_fastapi_items)
    app.post("/api/items")(_fastapi_items)
    app.get("/missing")(_fastapi_missing)
    app.get("/broken")(_fastapi_broken)
    app.add_middleware(VisitorTrackingMiddleware, **options)
    return app


async def _fastapi_page() -> str:
    return PAGE


async def _fastapi_items() -> dict[str, int]:
    return {"items": 1}


async def _fastapi_missing() -> HTMLResponse:
    return HTMLResponse(PAGE, 404)


async def _fastapi_broken() -> None:
    raise HostError


def flask(**options: Any) -> Flask:  # noqa: ANN401
    app = Flask(__name__)

    @app.get("/")
    @app.get("/prices")
    def page() -> str:
        return PAGE

    @app.get("/health")
    @app.get("/api/items")
    def items() -> dict[str, int]:
        return {"items": 1}

    @app.post("/api/items")
    def add() -> dict[str, int]:
        return {"items": 2}

    @app.get("/missing")
    def missing() -> str:
        abort(404)

    @app.get("/broken")
    def broken() -> str:
        raise HostError

    app.wsgi_app = WSGIVisitorTrackingMiddleware(app.wsgi_app, **options)  # type: ignore[method-assign]
    return app


def _page(request: HttpRequest) -> HttpResponse:
    return HttpResponse(PAGE)


def _items(request: HttpRequest) -> HttpResponse:
    return JsonResponse({"items": 1 if request.method == "GET" else 2})


def _missing(request: HttpRequest) -> HttpResponse:
    return HttpResponse(PAGE, status=404)


def _broken(request: HttpRequest) -> HttpResponse:
    raise HostError


urlpatterns = [
    path("", _page),
    path("prices", _page),
    path("health", _items),
    path("api/items", _items),
    path("missing", _missing),
    path("broken", _broken),
]


def _set_up_django() -> None:
    if not settings.configured:
        settings.configure(
            ALLOWED_HOSTS=["*"],
            ROOT_URLCONF=__name__,
            SECRET_KEY="-",
            LOGGING_CONFIG=None,
        )


def django_wsgi(**options: Any) -> WSGIVisitorTrackingMiddleware:  # noqa: ANN401
    _set_up_django()
    return WSGIVisitorTrackingMiddleware(get_wsgi_application(), **options)


def django_asgi(**options: Any) -> VisitorTrackingMiddleware:  # noqa: ANN401
    _set_up_django()
    return VisitorTrackingMiddleware(get_asgi_application(), **options)


@contextmanager
def serving(app: Any) -> Iterator[str]:  # noqa: ANN401
    """Serve a program of either kind on a free port; its URL."""
    is_wsgi = isinstance(app, Flask | WSGIVisitorTrackingMiddleware)
    with _serving_wsgi(app) if is_wsgi else _serving_asgi(app) as url:
        yield url


@contextmanager
def _serving_asgi(app: Any) -> Iterator[str]:  # noqa: ANN401
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="critical", loop="asyncio", ws="none"))
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        until(lambda: server.started)
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()


class _Threaded(socketserver.ThreadingMixIn, WSGIServer):
    daemon_threads = True


class _Quiet(WSGIRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        """Print nothing."""


@contextmanager
def _serving_wsgi(app: Callable[..., Any]) -> Iterator[str]:
    server = _Threaded(("127.0.0.1", 0), _Quiet)
    server.set_app(app)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


HOSTS: dict[str, Callable[..., Any]] = {
    "fastapi": fastapi,
    "flask": flask,
    "django-wsgi": django_wsgi,
    "django-asgi": django_asgi,
}
