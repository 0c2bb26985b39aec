"""Somebody who logs in at a provider."""

from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.web.conftest import Build, Site
from tests.web.sign_on.providers import CLIENT, FakeProvider, fake_provider
from visitor_tracker.access.accounts import Account, Accounts
from visitor_tracker.config.sections import AuthConfig
from visitor_tracker.http.message import Response

BASE = "http://localhost:8000"


@pytest.fixture
def provider() -> Iterator[FakeProvider]:
    with fake_provider() as running:
        yield running


def location(response: Response) -> str:
    assert response.status == 303, response.body
    return dict(response.headers)["Location"]


def cookies(response: Response) -> dict[str, str]:
    """Return the cookies that an answer sets, "" for those that it takes away."""
    given = [value.partition(";")[0].partition("=") for name, value in response.headers if name == "Set-Cookie"]
    return {name: value for name, _, value in given}


@dataclass
class Browser:
    """Somebody who logs in at this server by the provider."""

    site: Site
    provider: FakeProvider

    def __post_init__(self) -> None:
        self.jar: dict[str, str] = {}

    def get(self, target: str) -> Response:
        header = {"cookie": "; ".join(f"{name}={value}" for name, value in self.jar.items())} if self.jar else {}
        answer = self.site.ask(target, headers={"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate"} | header)
        for name, value in cookies(answer).items():
            self.jar[name] = value
            if not value:
                del self.jar[name]
        return answer

    def leave(self, target: str = "/login/oidc") -> str:
        return location(self.get(target))

    def log_in(self, target: str = "/login/oidc") -> Response:
        back = self.provider.log_in(self.leave(target))
        assert back.startswith(f"{BASE}/login/oidc/callback?")
        return self.get(back.removeprefix(BASE))

    def trouble(self, response: Response) -> str:
        """Return the code with which the log-in page was opened; nobody is logged in, and nothing is on its way."""
        assert self.jar == {}
        place = urlsplit(location(response))
        assert place.path == "/login"
        return parse_qs(place.query)["error"][0]


def settings(provider: FakeProvider, **more: object) -> AuthConfig:
    return AuthConfig(oidc_issuer=provider.issuer, oidc_client_id=CLIENT, **more)  # type: ignore[arg-type]


@pytest.fixture
def site(build: Build, provider: FakeProvider) -> Site:
    return build(auth=settings(provider))


@pytest.fixture
def ada(site: Site) -> Account:
    return Accounts(site.app.store).create("ada.l", email="Ada@Example.com", is_admin=True)


@pytest.fixture
def browser(site: Site, provider: FakeProvider) -> Browser:
    return Browser(site, provider)


def me(browser: Browser) -> str:
    rows = browser.site.app.store.execute("select name from audit where action = 'login.started' order by id")
    return str(rows[-1][0])
