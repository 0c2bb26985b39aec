"""What the provider's keys and answers come to over time, with a clock that the test turns."""

from collections.abc import Iterator

import pytest

from tests.web.sign_on.providers import CLIENT, EC, OTHER_RSA, RSA, FakeProvider, fake_provider, public_jwk
from visitor_tracker.access.oidc import Identity, Provider, is_safe
from visitor_tracker.config import Config, ServerConfig
from visitor_tracker.config.contradictions import contradictions
from visitor_tracker.config.sections import AuthConfig
from visitor_tracker.errors import HttpError

BACK = "http://localhost/back"
NONCE, VERIFIER = "n" * 32, "v" * 64


class Clock:
    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def fake() -> Iterator[FakeProvider]:
    with fake_provider() as running:
        yield running


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def provider(fake: FakeProvider, clock: Clock) -> Provider:
    return Provider(AuthConfig(oidc_issuer=fake.issuer + "/", oidc_client_id=CLIENT), clock)


def identity(provider: Provider, fake: FakeProvider) -> Identity:
    fake.log_in(provider.address(BACK, "state", NONCE, VERIFIER))
    return provider.identity("the-code", BACK, NONCE, VERIFIER)


def refusal(provider: Provider, fake: FakeProvider) -> str:
    with pytest.raises(HttpError) as caught:
        identity(provider, fake)
    return caught.value.code


def test_document_and_keys_are_asked_for_once_an_hour(provider: Provider, fake: FakeProvider, clock: Clock) -> None:
    for _ in range(3):
        assert identity(provider, fake) == Identity(fake.issuer, "1234", "ada@example.com", "ada")
    assert [fake.requests.count(path) for path in ("/.well-known/openid-configuration", "/jwks")] == [1, 1]
    clock.seconds += 3601
    identity(provider, fake)
    assert [fake.requests.count(path) for path in ("/.well-known/openid-configuration", "/jwks")] == [2, 2]


def test_a_new_key_is_learnt_but_not_asked_for_all_the_time(
    provider: Provider, fake: FakeProvider, clock: Clock
) -> None:
    identity(provider, fake)
    fake.make_token = lambda nonce: fake.token(nonce, key=OTHER_RSA, key_id="new")
    assert [refusal(provider, fake) for _ in range(3)] == ["sign_on_refused"] * 3
    assert fake.requests.count("/jwks") == 1
    fake.keys.append(public_jwk("RS256", OTHER_RSA, "new"))
    clock.seconds += 31
    assert identity(provider, fake).subject == "1234"
    assert fake.requests.count("/jwks") == 2


def test_without_a_key_id_only_one_key_can_be_meant(provider: Provider, fake: FakeProvider, clock: Clock) -> None:
    fake.make_token = lambda nonce: fake.token(nonce, key=RSA, key_id="")
    assert refusal(provider, fake) == "sign_on_refused"
    fake.keys[:] = [public_jwk("RS256", RSA, "rsa"), {**public_jwk("RS256", OTHER_RSA, "x"), "use": "enc"}]
    clock.seconds += 31
    assert identity(provider, fake).subject == "1234"


def test_a_key_signs_with_its_own_algorithm_only(provider: Provider, fake: FakeProvider) -> None:
    fake.keys[:] = [public_jwk("ES256", EC, "rsa")]
    assert refusal(provider, fake) == "sign_on_refused"


def test_a_provider_that_was_away_is_asked_again_after_a_while(
    provider: Provider, fake: FakeProvider, clock: Clock
) -> None:
    fake.raw["/.well-known/openid-configuration"] = (500, b"")
    assert [refusal(provider, fake) for _ in range(3)] == ["sign_on_unreachable"] * 3
    assert len(fake.requests) == 1
    del fake.raw["/.well-known/openid-configuration"]
    clock.seconds += 31
    assert identity(provider, fake).subject == "1234"


def test_where_nobody_listens_is_told(clock: Clock) -> None:
    provider = Provider(AuthConfig(oidc_issuer="http://127.0.0.1:1", oidc_client_id=CLIENT), clock)
    with pytest.raises(HttpError) as caught:
        provider.address(BACK, "s", "n", "v")
    assert caught.value.code == "sign_on_unreachable"


@pytest.mark.parametrize(
    ("url", "issuer", "safe"),
    [
        ("https://id.example/x", "https://id.example", True),
        ("https://other.example/x", "https://id.example", True),
        ("http://id.example/x", "https://id.example", False),
        ("http://127.0.0.1:1/x", "https://id.example", False),
        ("http://127.0.0.1:1/x", "http://localhost:1", True),
        ("http://[::1]/x", "http://127.0.0.1", True),
        ("http://127.0.0.1@evil.example/", "http://127.0.0.1", False),
        ("ftp://127.0.0.1/", "http://127.0.0.1", False),
        ("https:///x", "https://id.example", False),
        ("http://[", "http://127.0.0.1", False),
    ],
)
def test_only_encrypted_addresses_are_asked(url: str, issuer: str, safe: bool) -> None:
    assert is_safe(url, of=issuer) is safe


GOOD = {"oidc_issuer": "https://id.example/realms/team", "oidc_client_id": "vt"}


@pytest.mark.parametrize(
    ("auth", "server", "said"),
    [
        (GOOD, {}, ""),
        ({**GOOD, "oidc_issuer": "http://127.0.0.1:9400"}, {}, ""),
        ({"oidc_issuer": "https://id.example"}, {}, "oidc_client_id"),
        ({"oidc_client_id": "vt"}, {}, "without oidc_issuer"),
        ({"oidc_client_secret": "vt"}, {}, "without oidc_issuer"),
        ({**GOOD, "oidc_issuer": "http://id.example"}, {}, "https"),
        ({**GOOD, "oidc_issuer": "https://id.example/?a"}, {}, "https"),
        ({**GOOD, "oidc_issuer": "https://["}, {}, "https"),
        (GOOD, {"host": "0.0.0.0"}, "server.public_url"),
        (GOOD, {"host": "0.0.0.0", "public_url": "https://stats.example.com"}, ""),
        ({"remote_user": "Remote-User"}, {}, "trusted_proxies"),
        ({"remote_user": "Remote-User"}, {"socket": "/run/vt.sock"}, ""),
        ({"remote_user": "Remote User"}, {"socket": "/run/vt.sock"}, "name of a header"),
    ],
)
def test_settings_that_contradict_each_other_are_told(auth: dict[str, str], server: dict[str, str], said: str) -> None:
    config = Config(auth=AuthConfig(**auth), server=ServerConfig(**server))  # type: ignore[arg-type]
    found = contradictions(config)
    assert [said in line for line in found] == ([True] if said else [])
