"""Whose request it is."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import RequestFactory
from flask import Flask, request
from starlette.requests import Request

from tests.middleware import hosts
from visitor_tracker.errors import ConfigError
from visitor_tracker.middleware import get_client_ip
from visitor_tracker.middleware.address import TrustedProxies

PROXY, VISITOR = "10.0.0.1", "203.0.113.7"
FORWARDED, REAL = "x-forwarded-for", "x-real-ip"


@pytest.mark.parametrize(
    ("trusted", "peer", "headers", "client"),
    [
        ([], VISITOR, {}, VISITOR),
        ([], PROXY, {FORWARDED: VISITOR, REAL: VISITOR}, PROXY),
        (["10.0.0.0/8"], PROXY, {FORWARDED: VISITOR}, VISITOR),
        (["10.0.0.0/8"], PROXY, {REAL: VISITOR}, VISITOR),
        (["10.0.0.0/8"], PROXY, {FORWARDED: VISITOR, REAL: "192.0.2.9"}, VISITOR),
        (["10.0.0.0/8"], PROXY, {}, PROXY),
        (["10.0.0.0/8"], VISITOR, {FORWARDED: "192.0.2.9"}, VISITOR),
        (["10.0.0.0/8"], PROXY, {FORWARDED: f"192.0.2.9, {VISITOR}, 10.2.3.4"}, VISITOR),
        (["10.0.0.0/8"], PROXY, {FORWARDED: f"192.0.2.9, junk, {VISITOR}, 10.2.3.4"}, VISITOR),
        (["10.0.0.0/8"], PROXY, {FORWARDED: "junk, 10.2.3.4"}, "10.2.3.4"),
        (["10.0.0.0/8"], PROXY, {FORWARDED: "junk"}, PROXY),
        (["10.0.0.0/8"], PROXY, {REAL: "junk"}, PROXY),
        (["10.0.0.0/8"], PROXY, {FORWARDED: "203.0.113.7:4711"}, VISITOR),
        (["10.0.0.0/8"], PROXY, {FORWARDED: "[2001:db8::7]:4711"}, "2001:db8::7"),
        (["10.0.0.0/8"], f"::ffff:{PROXY}", {FORWARDED: VISITOR}, VISITOR),
        (["10.0.0.1"], "10.0.0.2", {FORWARDED: VISITOR}, "10.0.0.2"),
        (["2001:db8::/32"], "2001:db8::1%eth0", {FORWARDED: VISITOR}, VISITOR),
        ([], "", {FORWARDED: VISITOR}, ""),
        (["unix"], "", {FORWARDED: VISITOR}, VISITOR),
        (["unix"], PROXY, {FORWARDED: VISITOR}, PROXY),
        ([], "testclient", {}, ""),
    ],
)
def test_the_client_is_the_peer_or_what_a_trusted_one_says(
    trusted: list[str], peer: str, headers: dict[str, str], client: str
) -> None:
    assert TrustedProxies(trusted).client(peer, headers) == client


@pytest.mark.parametrize("given", ["10.0.0.0/8", ["10.0.0.0/33"], ["proxy.example"]])
def test_what_is_no_network_is_an_error(given: Any) -> None:  # noqa: ANN401
    with pytest.raises(ConfigError, match="trusted_proxies"):
        TrustedProxies(given)


def scope(peer: str, forwarded: str) -> dict[str, Any]:
    first, last = forwarded.split(", ")
    fields = [(b"x-forwarded-for", first.encode()), (b"accept", b"*/*"), (b"X-Forwarded-For", last.encode())]
    return {"type": "http", "client": (peer, 4711), "headers": fields}


def environ(peer: str, forwarded: str) -> dict[str, Any]:
    return {"REMOTE_ADDR": peer, "HTTP_X_FORWARDED_FOR": forwarded, "wsgi.version": (1, 0)}


def django(peer: str, forwarded: str) -> object:
    hosts.django_wsgi(tracker=Nowhere())
    return RequestFactory().get("/", REMOTE_ADDR=peer, HTTP_X_FORWARDED_FOR=forwarded)


class Nowhere:
    def send(self, events: bytes) -> Any:  # noqa: ANN401
        raise AssertionError("nothing is sent here")


@pytest.mark.parametrize("make", [scope, environ, django, lambda *told: Request(scope(*told))])
def test_requests_of_each_framework(make: Callable[[str, str], object]) -> None:
    given = make(PROXY, f"192.0.2.9, {VISITOR}")
    assert get_client_ip(given) == PROXY
    assert get_client_ip(given, ["10.0.0.0/8"]) == VISITOR


def test_a_request_of_flask() -> None:
    with Flask("a").test_request_context("/", environ_overrides=environ(PROXY, VISITOR)):
        assert (get_client_ip(request), get_client_ip(request, ["10.0.0.1"])) == (PROXY, VISITOR)


def test_what_is_no_request_is_an_error() -> None:
    with pytest.raises(TypeError, match="is no request"):
        get_client_ip("203.0.113.7")
