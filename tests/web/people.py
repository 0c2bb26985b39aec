"""People at the routes: a browser and a program that log in, and what the App needs to know of accounts."""

from collections.abc import Mapping
from typing import Any

import msgspec
import pyotp

from tests.web.conftest import REMOTE, Site, header_of
from visitor_tracker.access.invitations import Invitations
from visitor_tracker.http.message import Peer, Response

PASSWORD = "a horse, a battery"
ADA = {"username": "ada", "password": PASSWORD}

Json = Any


class Browser:
    """Keeps cookies, and sends the token of its log-in with changes."""

    def __init__(self, site: Site, peer: Peer = REMOTE) -> None:
        self.site = site
        self.peer = peer
        self.cookies: dict[str, str] = {}
        self.csrf = ""

    def ask(self, method: str, path: str, body: object = None, headers: Mapping[str, str] | None = None) -> Response:
        sent = {"cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items())} if self.cookies else {}
        if self.csrf:
            sent["x-csrf-token"] = self.csrf
        data = b"" if body is None else msgspec.json.encode(body)
        response = self.site.ask(path, method=method, body=data, peer=self.peer, headers=sent | dict(headers or {}))
        for name, value in response.headers:
            if name == "Set-Cookie":
                cookie, _, text = value.partition(";")[0].partition("=")
                self.cookies[cookie] = text
        return response

    def log_in(self, username: str, password: str = PASSWORD, **more: object) -> Response:
        response = self.ask("POST", "/api/v1/login", {"username": username, "password": password, **more})
        if response.status == 200:
            self.csrf = said(response).get("csrf", "")
        return response

    def get(self, path: str) -> Response:
        return self.ask("GET", path)


class Program:
    """Sends an access token."""

    def __init__(self, site: Site, tokens: Json, peer: Peer = REMOTE) -> None:
        self.site = site
        self.tokens = tokens
        self.peer = peer

    def ask(self, method: str, path: str, body: object = None) -> Response:
        data = b"" if body is None else msgspec.json.encode(body)
        sent = {"authorization": f"Bearer {self.tokens['access_token']}"}
        return self.site.ask(path, method=method, body=data, peer=self.peer, headers=sent)


def said(response: Response) -> Json:
    return msgspec.json.decode(response.body) if response.body else None


def code_of(response: Response) -> tuple[int, str]:
    return response.status, said(response)["error"]["code"] if response.status >= 400 else ""


def post(site: Site, path: str, body: object, **more: object) -> Response:
    return site.ask(path, method="POST", body=msgspec.json.encode(body), **more)  # type: ignore[arg-type]


def cookies_of(response: Response) -> dict[str, str]:
    """Return attributes of the cookies that an answer sets, by name."""
    found = [value.partition("=") for name, value in response.headers if name == "Set-Cookie"]
    return {name: text.partition("; ")[2] for name, _, text in found}


def set_up(site: Site, username: str = "ada") -> Browser:
    """Make the first account with a link, and return the browser that is logged in."""
    browser = Browser(site)
    asked = {"username": username, "password": PASSWORD, "token": Invitations(site.app.store).for_set_up()}
    made = site.ask("/api/v1/setup", method="POST", body=msgspec.json.encode(asked))
    assert made.status == 201, made.body
    knows_accounts(site)
    assert browser.log_in(username).status == 200
    return browser


def knows_accounts(site: Site) -> None:
    """Do what the keeper does within a second."""
    site.app.snapshot.now = msgspec.structs.replace(site.app.snapshot.now, has_accounts=True)


def add(admin: Browser, username: str, **more: object) -> Browser:
    """Make a user and return their browser, logged in."""
    made = admin.ask("POST", "/api/v1/users", {"username": username, "password": PASSWORD, **more})
    assert made.status == 201, made.body
    browser = Browser(admin.site)
    assert browser.log_in(username).status == 200
    return browser


def program(browser: Browser, username: str) -> Program:
    """Log a program in."""
    made = Browser(browser.site).log_in(username, tokens=True)
    assert made.status == 200, made.body
    assert header_of(made.headers, "Set-Cookie") == ""
    return Program(browser.site, said(made))


def with_second_factor(browser: Browser) -> tuple[str, list[str]]:
    """Turn a second factor on; return its secret and the recovery codes."""
    secret = said(browser.ask("POST", "/api/v1/me/totp", {"password": PASSWORD}))["secret"]
    confirmed = browser.ask("POST", "/api/v1/me/totp/confirm", {"code": pyotp.TOTP(secret).now()})
    assert confirmed.status == 200, confirmed.body
    return secret, said(confirmed)["recovery_codes"]
