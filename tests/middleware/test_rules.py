"""Which requests count."""

import pytest

from visitor_tracker.errors import ConfigError
from visitor_tracker.middleware.rules import Rules

HTML = "text/html; charset=utf-8"


@pytest.mark.parametrize(
    ("method", "status", "content_type", "accept", "is_page"),
    [
        ("GET", 200, HTML, "*/*", True),
        ("GET", 203, "Application/XHTML+XML", "", True),
        ("GET", 304, "", "text/html,*/*;q=0.8", True),
        ("GET", 304, "", "image/avif,*/*", False),
        ("GET", 200, "text/html5", "", False),
        ("GET", 200, "application/json", "text/html", False),
        ("GET", 200, "", "text/html", False),
        ("GET", 302, HTML, "text/html", False),
        ("GET", 404, HTML, "text/html", False),
        ("GET", 500, HTML, "text/html", False),
        ("HEAD", 200, HTML, "text/html", False),
        ("POST", 200, HTML, "text/html", False),
    ],
)
def test_pages(method: str, status: int, content_type: str, accept: str, is_page: bool) -> None:
    pages, every = Rules(every_request=False, exclude=()), Rules(every_request=True, exclude=())
    assert (pages.may_count(method, "/") and pages.counts(status, content_type, accept)) is is_page
    assert every.may_count(method, "/")
    assert every.counts(status, content_type, accept)


@pytest.mark.parametrize(
    ("exclude", "path", "counts"),
    [
        ("/health", "/health", False),
        ("/health", "/health/live", False),
        ("/health", "/healthy", True),
        ("/health", "/a/health", True),
        ("/static/", "/static/app.css", False),
        ("/static/", "/static", True),
        ("*.json", "/deep/er/items.json", False),
        ("*.json", "/items.json/1", True),
        ("/admin/*/edit", "/admin/users/1/edit", False),
        ("/admin/*/edit", "/admin/users/1", True),
        ("/v[12]", "/v1", False),
        ("/v[12]", "/v3", True),
        ("/a.b", "/aXb", True),
        ("/Case", "/case", True),
    ],
)
@pytest.mark.parametrize("every_request", [True, False])
def test_excluded_paths(exclude: str, path: str, counts: bool, every_request: bool) -> None:
    rules = Rules(every_request=every_request, exclude=["/never", exclude])
    assert rules.may_count("GET", path) is counts
    assert not rules.may_count("GET", "/never")


def test_one_text_is_no_list() -> None:
    with pytest.raises(ConfigError, match="exclude must be a list"):
        Rules(every_request=True, exclude="/health")
