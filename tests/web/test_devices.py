"""User agents as people know their log-ins by."""

import pytest

from visitor_tracker.web.api.devices import device_name

_WINDOWS = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko)"
_IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko)"


@pytest.mark.parametrize(
    ("agent", "name"),
    [
        ("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0", "Firefox 140 (Linux)"),
        (f"{_WINDOWS} Chrome/126.0.0.0 Safari/537.36", "Chrome 126 (Windows)"),
        (f"{_WINDOWS} Chrome/126.0.0.0 Safari/537.36 Edg/126.0.0.0", "Edge 126 (Windows)"),
        (f"{_IPHONE} Version/17.5 Mobile/15E148 Safari/604.1", "Safari 17 (iPhone)"),
        ("Mozilla/5.0 (Linux; Android 14; K) Chrome/126.0.0.0 Mobile Safari/537.36", "Chrome 126 (Android)"),
        ("python-requests/2.32.3", "python-requests 2.32.3"),
        ("curl/8.5.0", "curl 8.5.0"),
        ("Mozilla/5.0 (X11; Linux x86_64)", "Linux"),
        ("", ""),
        ("<script>alert(1)</script>", ""),
        ("\x1b[31m", ""),
        ("Version/1 " * 100_000, "Version 1"),
    ],
)
def test_a_name_for_people(agent: str, name: str) -> None:
    assert device_name(agent) == name
