"""Requests with a proof, again where that can do no harm, and refusals as one exception."""

import random
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.cookiejar import DefaultCookiePolicy
from typing import TypeVar

import msgspec
import requests

from visitor_tracker.client_api.signing import SigningKey
from visitor_tracker.errors import TrackerError

Value = str | int | float | bool | None
T = TypeVar("T")

_AGAIN = frozenset({429, 502, 503, 504})  # where the same request may succeed a moment later
_FIRST_PAUSE, _LONGEST_PAUSE = 0.25, 10.0  # seconds between attempts
_SAFE = frozenset({"GET", "HEAD"})
_CHUNK = 64 * 1024
_JSON = "application/json"
_UNAUTHORIZED = 401


class ApiError(TrackerError):
    """The server refused, or did not answer: `code` is for programs, `hint` says what to change.

    `status` is 0 where no answer came: `code` is then `no_answer`, or `timeout`. Whether a change was made is then
    not known.
    """

    def __init__(self, status: int, code: str, message: str, hint: str = "") -> None:
        super().__init__(f"{message} ({hint})" if hint else message)
        self.status = status
        self.code = code
        self.message = message
        self.hint = hint


class _Told(msgspec.Struct):
    code: str
    message: str
    hint: str = ""


class _Refusal(msgspec.Struct):
    error: _Told


class Transport:
    """One server, one proof, one pool of connections. Not for several threads at once."""

    def __init__(  # noqa: PLR0913
        self,
        url: str,
        *,
        token: str = "",
        signing_key: SigningKey | None = None,
        share_token: str = "",
        timeout: float = 10.0,
        retries: int = 2,
        session: requests.Session | None = None,
    ) -> None:
        """`timeout` is seconds to connect, and between two pieces of an answer; `retries` beside the first attempt."""
        if not url.startswith(("http://", "https://")):
            raise ValueError(f"the server's URL must begin with https:// or http://, not {url[:40]!r}")
        self.url = url.rstrip("/")
        self.signing_key = signing_key
        self._timeout = timeout
        self._retries = retries
        self._session = session or _session()
        self._own_session = session is None
        self._headers = {"Accept": _JSON}
        self.renew: Callable[[], str] | None = None  # returns the next token, where one has ended
        if token:
            self.use(token)
        if share_token:
            self._headers["X-Share-Token"] = share_token

    def use(self, token: str) -> None:
        """Send this token, or key, from now on."""
        self._headers["Authorization"] = f"Bearer {token}"

    def close(self) -> None:
        """Let go of the connections, unless the session was given."""
        if self._own_session:
            self._session.close()

    def ask(  # noqa: PLR0913
        self,
        kind: type[T],
        method: str,
        path: str,
        *,
        params: Mapping[str, Value] | None = None,
        body: object = None,
        safe: bool = False,
    ) -> T:
        """Return the answer as that type; `safe`: it may be sent twice, as GET may. Raises ApiError."""
        with self._answered(method, path, params, body, safe=safe) as answer:
            content = answer.content
        try:
            return msgspec.json.decode(content or b"null", type=kind)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise ApiError(
                answer.status_code, "unreadable", f"the answer is not what was expected: {error}", "is the URL right?"
            ) from error

    def pieces(self, path: str, params: Mapping[str, Value], accept: str) -> Iterator[bytes]:
        """Yield the body of a GET as it comes; raises ApiError."""
        with self._answered("GET", path, params, None, accept=accept) as answer:
            try:
                yield from answer.iter_content(_CHUNK)
            except requests.RequestException as error:
                raise _unanswered(error) from error

    @contextmanager
    def _answered(  # noqa: PLR0913
        self,
        method: str,
        path: str,
        params: Mapping[str, Value] | None,
        body: object,
        *,
        safe: bool = False,
        accept: str = _JSON,
    ) -> Iterator[requests.Response]:
        """Give the answer, its body unread; raises ApiError for everything but success."""
        again = method in _SAFE or safe
        sent = None if body is None else msgspec.json.encode(body)
        for attempt in range(self._retries + 1):
            last = not again or attempt == self._retries
            try:
                answer = self._attempt(method, path, params or {}, sent, accept)
            except requests.RequestException as error:
                if last:
                    raise _unanswered(error) from error
                time.sleep(_pause(attempt, ""))
                continue
            with answer:
                if last or answer.status_code not in _AGAIN:
                    _check(answer)
                    yield answer
                    return
                pause = _pause(attempt, answer.headers.get("Retry-After", ""))
            time.sleep(pause)

    def _attempt(
        self, method: str, path: str, params: Mapping[str, Value], body: bytes | None, accept: str
    ) -> requests.Response:
        """Send a request, with the next token where this one has ended."""
        answer = self._send(method, path, params, body, accept)
        if answer.status_code != _UNAUTHORIZED or self.renew is None:
            return answer
        answer.close()
        renew, self.renew = self.renew, None  # whose own request must not end here again
        try:
            self.use(renew())
        finally:
            self.renew = renew
        return self._send(method, path, params, body, accept)

    def _send(
        self, method: str, path: str, params: Mapping[str, Value], body: bytes | None, accept: str
    ) -> requests.Response:
        headers = {**self._headers, "Accept": accept}
        if body is not None:
            headers["Content-Type"] = _JSON
        query = {name: _text(value) for name, value in params.items() if value is not None}
        request = requests.Request(method, self.url + path, params=query, data=body, headers=headers)
        prepared = self._session.prepare_request(request)
        if self.signing_key is not None:
            site = query.get("site_id") or query.get("site") or "default"
            prepared.headers.update(self.signing_key.headers(method, prepared.path_url, body or b"", site=site))
        settings = self._session.merge_environment_settings(prepared.url or "", {}, True, None, None)
        return self._session.send(prepared, timeout=self._timeout, allow_redirects=False, **settings)


def _session() -> requests.Session:
    """Return connections that keep no cookies: a log-in's would be a second proof."""
    session = requests.Session()
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    return session


def _text(value: Value) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _pause(attempt: int, told: str) -> float:
    """Return the seconds to wait: what the server says, else twice as long each time, with jitter."""
    if told.isascii() and told.isdigit():
        return min(float(told[:4]), _LONGEST_PAUSE)
    return min(_FIRST_PAUSE * (1 << attempt), _LONGEST_PAUSE) * random.uniform(0.5, 1.0)


def _unanswered(error: requests.RequestException) -> ApiError:
    if isinstance(error, requests.Timeout):
        return ApiError(0, "timeout", "the server did not answer in time", "try again, or give a longer timeout")
    return ApiError(0, "no_answer", f"the server cannot be reached: {error}", "is the URL right, and is it running?")


def _check(answer: requests.Response) -> None:
    """Raise ApiError where an answer is none of success."""
    status = answer.status_code
    if answer.is_redirect:
        raise ApiError(status, "moved", "the server is elsewhere", f"use {answer.headers.get('Location', '')[:200]}")
    if status < 400:
        return
    try:
        told = msgspec.json.decode(answer.content, type=_Refusal).error
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise ApiError(status, "refused", f"status {status}: {answer.text[:200]}") from None
    raise ApiError(status, told.code, told.message, told.hint)
