"""The least an ASGI application can do: a constant JSON answer of a visit's size, nothing parsed, nothing stored."""

import json
from typing import Any

BODY = json.dumps(
    {
        "page_url": "https://example.com/blog/post-17",
        "visit_count": 123456,
        "last_visited": "2030-01-01T00:00:00.000Z",
        "created_at": "2030-01-01T00:00:00.000Z",
        "security_token": "0" * 64,
    }
).encode()
START = {
    "type": "http.response.start",
    "status": 200,
    "headers": [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(BODY)).encode()),
        (b"access-control-allow-origin", b"*"),
        (b"cache-control", b"no-store"),
    ],
}
REST = {"type": "http.response.body", "body": BODY}


async def app(scope: dict[str, Any], receive: Any, send: Any) -> None:  # noqa: ANN401
    assert scope["type"] == "http"
    await send(START)
    await send(REST)
