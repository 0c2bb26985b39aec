"""The answers that the server gives before, or instead of, the application."""

from visitor_tracker.errors import HttpError
from visitor_tracker.http.message import error_response

INTERNAL_ERROR = error_response(HttpError(500, "internal", "the server failed on this request", "its log says why"))
OVERLOADED = error_response(
    HttpError(503, "overloaded", "too many requests are waiting", "try again in a moment", retry_after=1)
)
OUT_OF_BUDGET = HttpError(
    503, "overloaded", "too many request bodies are being received", "try again in a moment", retry_after=1
)
TOO_SLOW = HttpError(408, "timeout", "the request did not arrive in time", "send it in one piece and faster")
