"""The client: a method for each thing that programs do with the server."""

from collections.abc import Iterable, Iterator, Sequence
from types import TracebackType
from typing import Any, Literal, TypeVar
from urllib.parse import quote
from uuid import uuid4

import msgspec
import requests

from visitor_tracker.client_api import answers as told
from visitor_tracker.client_api.signing import SigningKey
from visitor_tracker.client_api.transport import Transport, Value

_QUERY = "/api/v1/stats/query"
_SITES = "/api/v1/sites"
_FILES = {"csv": "text/csv", "ndjson": "application/x-ndjson"}

T = TypeVar("T")
FileFormat = Literal["csv", "ndjson"]
Filters = str | Sequence[Any] | dict[str, Any]
Range = str | Sequence[str]


class Client:
    """One server. Give one proof: a `key`, the `token` of a log-in, a `signing_key`, or the token of a share link.

    Where a method has `site`, it is a name or alias; without it that of the client. Methods raise ApiError.
    Requests that change nothing are sent again, at most `retries` times, where the server is busy or does not answer;
    so are events and visits, which have ids. Not for several threads at once.
    """

    def __init__(  # noqa: PLR0913
        self,
        url: str,
        *,
        key: str = "",
        token: str = "",
        signing_key: SigningKey | None = None,
        share_token: str = "",
        site: str = "default",
        timeout: float = 10.0,
        retries: int = 2,
        session: requests.Session | None = None,
    ) -> None:
        """`timeout` is in seconds. A `session` that is given stays open."""
        if sum(map(bool, (key, token, signing_key, share_token))) > 1:
            raise ValueError("give one proof: key, token, signing_key or share_token")
        self.site_name = site
        self._transport = Transport(
            url,
            token=key or token,
            signing_key=signing_key,
            share_token=share_token,
            timeout=timeout,
            retries=retries,
            session=session,
        )

    @classmethod
    def log_in(
        cls,
        url: str,
        username: str,
        password: str,
        *,
        code: str = "",
        **settings: Any,  # noqa: ANN401
    ) -> "Client":
        """Return a client that is logged in, and stays so; `code` is that of the second factor, where there is one."""
        made = cls(url, **settings)
        transport = made._transport
        asked = {"username": username, "password": password, "code": code, "tokens": True}
        tokens = transport.ask(told.LoggedIn, "POST", "/api/v1/login", body=asked)

        def renew() -> str:
            nonlocal tokens
            body = {"refresh_token": tokens.refresh_token}
            tokens = transport.ask(told.LoggedIn, "POST", "/api/v1/refresh", body=body)
            return tokens.access_token

        transport.use(tokens.access_token)
        transport.renew = renew
        return made

    def __enter__(self) -> "Client":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the connections."""
        self._transport.close()

    def request(self, method: str, path: str, *, params: dict[str, Value] | None = None, json: object = None) -> Any:  # noqa: ANN401
        """Ask for anything else; return the JSON of the answer. GET /openapi.json says what there is."""
        return self._transport.ask(object, method, path, params=params, body=json)

    # Numbers.

    def query(  # noqa: PLR0913
        self,
        metrics: Sequence[str],
        *,
        dimensions: Sequence[str] = (),
        filters: Filters | None = None,
        date_range: Range = "30d",
        site: str = "",
        limit: int = 0,
        cursor: str = "",
        **more: Any,  # noqa: ANN401
    ) -> told.Answer:
        """Ask for metrics by dimensions; `more` are interval, timezone, compare, order_by, segment, goal."""
        asked = {
            "site": site or self.site_name,
            "metrics": list(metrics),
            "dimensions": list(dimensions),
            "filters": filters,
            "date_range": date_range,
            "limit": limit,
            "cursor": cursor,
            **more,
        }
        body = {name: value for name, value in asked.items() if value not in (None, "", 0)}
        return self._transport.ask(told.Answer, "POST", _QUERY, body=body, safe=True)

    def rows(self, metrics: Sequence[str], **query: Any) -> Iterator[told.Row]:  # noqa: ANN401
        """Yield every row of a query, however many there are; takes what `query` takes."""
        cursor: str | None = ""
        while cursor is not None:
            found = self.query(metrics, **{**query, "cursor": cursor})
            yield from found.rows
            cursor = found.cursor

    def export(  # noqa: PLR0913
        self,
        metrics: Sequence[str],
        *,
        dimensions: Sequence[str] = (),
        format: FileFormat = "csv",
        filters: str = "",
        date_range: str = "30d",
        site: str = "",
        **more: Value,
    ) -> Iterator[bytes]:
        """Yield a query's rows as a file, piece by piece."""
        params: dict[str, Value] = {
            "site": site or self.site_name,
            "metrics": ",".join(metrics),
            "dimensions": ",".join(dimensions),
            "filters": filters,
            "date_range": date_range,
            **more,
        }
        return self._transport.pieces(_QUERY, {name: each for name, each in params.items() if each}, _FILES[format])

    def stats(self, *, site: str = "") -> told.Stats:
        """Return everything of all time, in a few maps."""
        return self._transport.ask(told.Stats, "GET", "/stats", params={"site": site or self.site_name})

    def live(self, *, site: str = "", feed: int = 20) -> told.Live:
        """Return who is on a site now."""
        params: dict[str, Value] = {"site": site or self.site_name, "feed": feed}
        return self._transport.ask(told.Live, "GET", "/api/v1/live", params=params)

    def visitors(self, *, site: str = "", limit: int = 1000) -> tuple[told.Visitor, ...]:
        """Return visitors one by one, the newest first."""
        params: dict[str, Value] = {"site": site or self.site_name, "limit": limit}
        return self._list(list[told.Visitor], "/v1/monitoring/visitors", "visitors", params)

    def session(self, session_id: str, *, site: str = "") -> dict[str, Any]:
        """Return one session with its events, by the id that its page gave or `feed` of `live` tells."""
        params: dict[str, Value] = {"site": site or self.site_name}
        return self._transport.ask(dict[str, Any], "GET", f"/sessions/{quote(session_id, safe='')}", params=params)

    # Sending.

    def track(self, url: str, type: str = "pageview", *, site: str = "", **fields: Any) -> told.Receipt:  # noqa: ANN401
        """Store one event: `client.track("https://example.com/", "custom", name="signup", properties={…})`."""
        return self.track_many([told.Event(url, type, site=site or self._named_site(), **fields)])

    def track_many(self, events: Iterable[told.Event]) -> told.Receipt:
        """Store up to 1,000 events, each once however often they are sent."""
        return self._transport.ask(told.Receipt, "POST", "/api/v1/events", body=list(events), safe=True)

    def count_visit(self, url: str, *, id: str = "") -> told.CountedVisit:
        """Count a visit of a page, and return its new count."""
        body = {"url": url, "id": id or uuid4().hex}
        return self._transport.ask(told.CountedVisit, "POST", "/api/v1/visits", body=body, safe=True)

    def page_count(self, url: str) -> told.PageCount:
        """Return a page's count."""
        return self._transport.ask(told.PageCount, "GET", "/api/v1/visits", params={"url": url})

    # Sites, and who may what.

    def me(self) -> told.Me:
        """Return who the server takes this client for."""
        return self._transport.ask(told.Me, "GET", "/api/v1/me")

    def sites(self) -> tuple[told.Site, ...]:
        """Return the sites that this client may see."""
        return self._list(list[told.Site], _SITES, "sites")

    def site(self, name: str = "") -> told.Site:
        """Return a site."""
        return self._transport.ask(told.Site, "GET", self._of_site(name))

    def create_site(self, name: str, **fields: Any) -> told.Site:  # noqa: ANN401
        """Make a site: hostnames=["blog.example"], timezone="Europe/Berlin", public=True, …

        All processes of the server know it, and what is changed of it, within about a second.
        """
        return self._transport.ask(told.Site, "POST", _SITES, body={"name": name, **fields})

    def change_site(self, name: str, **fields: Any) -> told.Site:  # noqa: ANN401
        """Change what is named of a site."""
        return self._transport.ask(told.Site, "PATCH", self._of_site(name), body=fields)

    def delete_site(self, name: str, *, erase: bool = False) -> None:
        """Take a site away; its numbers stay, unless they are erased."""
        self._transport.ask(object, "DELETE", self._of_site(name), params={"erase": erase} if erase else None)

    def members(self, site: str = "") -> tuple[told.Member, ...]:
        """Return who has a role on a site."""
        return self._list(list[told.Member], f"{self._of_site(site)}/members", "members")

    def set_member(self, username: str, role: told.Role, *, site: str = "") -> told.Member:
        """Give somebody a role on a site."""
        path = f"{self._of_site(site)}/members/{quote(username, safe='')}"
        return self._transport.ask(told.Member, "PUT", path, body={"role": role})

    def remove_member(self, username: str, *, site: str = "") -> None:
        """Take somebody's role on a site away."""
        self._delete(f"{self._of_site(site)}/members", username)

    def goals(self, site: str = "") -> tuple[told.Goal, ...]:
        """Return the goals of a site."""
        return self._list(list[told.Goal], f"{self._of_site(site)}/goals", "goals")

    def create_goal(self, name: str, kind: str, *, site: str = "", **fields: Any) -> told.Goal:  # noqa: ANN401
        """Make a goal: `client.create_goal("Sign-up", "event", event="signup")`."""
        body = {"name": name, "kind": kind, **fields}
        return self._transport.ask(told.Goal, "POST", f"{self._of_site(site)}/goals", body=body)

    def delete_goal(self, goal_id: str, *, site: str = "") -> None:
        """Take a goal away."""
        self._delete(f"{self._of_site(site)}/goals", goal_id)

    def users(self) -> tuple[told.User, ...]:
        """Return all users; for admins."""
        return self._list(list[told.User], "/api/v1/users", "users")

    def create_user(self, username: str, **fields: Any) -> told.NewUser:  # noqa: ANN401
        """Make a user: email="…", roles={"blog": "viewer"}, is_admin=False, password="…" or an invitation."""
        return self._transport.ask(told.NewUser, "POST", "/api/v1/users", body={"username": username, **fields})

    def change_user(self, user: str, **fields: Any) -> told.User:  # noqa: ANN401
        """Change what is named of a user, who goes by username or id."""
        path = f"/api/v1/users/{quote(user, safe='')}"
        return self._transport.ask(told.User, "PATCH", path, body=fields)

    def delete_user(self, user: str) -> None:
        """Take a user away, with their log-ins and keys."""
        self._delete("/api/v1/users", user)

    def keys(self) -> tuple[told.Key, ...]:
        """Return the API keys that this client may see."""
        return self._list(list[told.Key], "/api/v1/keys", "keys")

    def create_key(
        self, name: str, scopes: Sequence[told.Scope], *, site: str | None = None, expires_in: str | None = None
    ) -> told.NewKey:
        """Make a key; without a site it is for all that its maker has. `expires_in` is such as "90d"."""
        asked = {"name": name, "scopes": list(scopes), "site": site, "expires_in": expires_in}
        body = {name: value for name, value in asked.items() if value is not None}
        return self._transport.ask(told.NewKey, "POST", "/api/v1/keys", body=body)

    def revoke_key(self, key_id: str) -> None:
        """Let a key open nothing any more."""
        self._delete("/api/v1/keys", key_id)

    def _list(self, kind: type[list[T]], path: str, name: str, params: dict[str, Value] | None = None) -> tuple[T, ...]:
        found = self._transport.ask(dict[str, msgspec.Raw], "GET", path, params=params)
        return tuple(msgspec.json.decode(found[name], type=kind))

    def _delete(self, path: str, name: str) -> None:
        self._transport.ask(object, "DELETE", f"{path}/{quote(name, safe='')}")

    def _of_site(self, name: str) -> str:
        return f"{_SITES}/{quote(name or self.site_name, safe='')}"

    def _named_site(self) -> str:
        """Return the site for events: that of the page's host, where this client names none."""
        return "" if self.site_name == "default" else self.site_name
