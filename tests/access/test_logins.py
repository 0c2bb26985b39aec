"""Log-ins: cookies, access tokens, refresh tokens; what is good, for how long, and what is forged."""

import base64
import json
from collections.abc import Callable

import jwt
import pytest

from visitor_tracker.access.access_tokens import AUDIENCE, ISSUER, AccessTokens, looks_like_jwt
from visitor_tracker.access.accounts import Account, Accounts
from visitor_tracker.access.leftovers import purge_logins
from visitor_tracker.access.logins import COOKIE, Logins, Tokens
from visitor_tracker.config.sections import AuthConfig
from visitor_tracker.errors import HttpError
from visitor_tracker.http.message import Peer, Request
from visitor_tracker.store import open_store
from visitor_tracker.store.sql import SqlStore

AT = 1_790_000_000_000
MINUTE, DAY = 60_000, 86_400_000
SECRET = b"s" * 32


class Clock:
    """Epoch ms, as the test says."""

    def __init__(self) -> None:
        self.now = AT

    def __call__(self) -> int:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def store() -> SqlStore:
    return open_store("sqlite:///:memory:")


@pytest.fixture
def ada(store: SqlStore, clock: Clock) -> Account:
    return Accounts(store, clock).create("ada", password_hash="hash", is_admin=True)


@pytest.fixture
def logins(store: SqlStore, clock: Clock) -> Logins:
    return Logins(store, SECRET, AuthConfig(access_minutes=15, login_days=30), clock)


def request(cookie: str = "", agent: str = "Firefox") -> Request:
    headers = {"user-agent": agent} | ({"cookie": cookie} if cookie else {})
    return Request("POST", "/api/v1/login", "", headers, b"", True, Peer("192.0.2.7"))


def started(logins: Logins, account: Account, cookie: str = "") -> str:
    """Return the Cookie header of a new browser log-in."""
    [(_, header)] = logins.start(account, request(cookie), secure=False).headers
    return header.partition(";")[0]


def refused(work: Callable[[], object]) -> tuple[int, str]:
    with pytest.raises(HttpError) as error:
        work()
    return error.value.status, error.value.code


WRONG = (401, "invalid_token")


def test_a_browser_is_known_by_its_cookie(logins: Logins, ada: Account) -> None:
    made = logins.start(ada, request(), secure=True)
    [(name, header)] = made.headers
    assert name == "Set-Cookie"
    text, _, attributes = header.partition("; ")
    assert attributes == "Max-Age=34560000; Path=/; HttpOnly; SameSite=Lax; Secure"
    assert text.startswith("__Host-vt_session=")
    who = logins.who_by_cookie(f"a=b; {text}; c=d", secure=True)
    assert who is not None
    assert (who.kind, who.id, who.login, who.csrf, who.is_ambient) == ("user", ada.id, made.login, made.csrf, True)
    assert len(made.csrf) == 32


def test_over_https_only_a_cookie_that_this_host_has_set_counts(logins: Logins, ada: Account) -> None:
    plain = started(logins, ada)
    assert plain.startswith("vt_session=")
    assert logins.who_by_cookie(plain, secure=False) is not None
    assert logins.who_by_cookie(plain, secure=True) is None
    logins.end_by_cookie(plain, secure=True)
    assert logins.who_by_cookie(f"__Host-{plain}", secure=False) is not None, "a proxy may not say that it is https"


def test_the_store_has_nothing_to_log_in_with(logins: Logins, ada: Account, store: SqlStore) -> None:
    cookie = started(logins, ada).partition("=")[2]
    tokens = logins.start_tokens(ada, request())
    secrets = [base64.urlsafe_b64decode(cookie)[16:], base64.urlsafe_b64decode(tokens.refresh_token[4:])[16:]]
    rows = repr(store.execute("select * from logins"))
    for secret in secrets:
        assert repr(secret)[2:-1] not in rows
        assert secret.hex() not in rows


@pytest.mark.parametrize("change", ["first", "last", "short", "long", "padding", "utf-8", "empty", "name"])
def test_a_forged_cookie_is_nobodys(logins: Logins, ada: Account, change: str) -> None:
    cookie = started(logins, ada)
    name, _, text = cookie.partition("=")
    flipped = {"A": "B"}
    forged = {
        "first": flipped.get(text[0], "A") + text[1:],
        "last": text[:-1] + flipped.get(text[-1], "A"),
        "short": text[:-4],
        "long": text + "AAAA",
        "padding": text[:-2] + "==",
        "utf-8": "é" + text[1:],
        "empty": "",
        "name": text,
    }[change]
    header = f"x{name}={forged}" if change == "name" else f"{name}={forged}"
    assert logins.who_by_cookie(header, secure=False) is None
    # Another path may have set one of that name.
    assert logins.who_by_cookie(f"{header}; {cookie}", secure=False) is not None


def test_many_cookies_are_not_all_tried(logins: Logins, ada: Account) -> None:
    cookie = started(logins, ada)
    wrong = f"{COOKIE}={'A' * 64}; "
    assert logins.who_by_cookie(wrong * 3 + cookie, secure=False) is not None
    assert logins.who_by_cookie(wrong * 4 + cookie, secure=False) is None


def test_a_new_login_ends_the_old_one_of_that_browser(logins: Logins, ada: Account) -> None:
    first = started(logins, ada)
    second = started(logins, ada, first)
    assert logins.who_by_cookie(first, secure=False) is None
    assert logins.who_by_cookie(second, secure=False) is not None


def test_an_idle_login_ends_and_a_used_one_goes_on(logins: Logins, ada: Account, clock: Clock, store: SqlStore) -> None:
    used, idle = started(logins, ada), started(logins, ada)
    for _ in range(4):
        clock.now += 10 * DAY
        assert logins.who_by_cookie(used, secure=False) is not None
    assert logins.who_by_cookie(idle, secure=False) is None
    assert len(logins.of_user(ada)) == 1
    clock.now += 30 * DAY + 1
    assert logins.who_by_cookie(used, secure=False) is None
    assert purge_logins(store, 30) >= 0


def test_a_use_is_noted_now_and_then(logins: Logins, ada: Account, clock: Clock) -> None:
    cookie = started(logins, ada)
    clock.now += 4 * MINUTE
    logins.who_by_cookie(cookie, secure=False)
    assert logins.of_user(ada)[0].used_at == AT
    clock.now += 2 * MINUTE
    logins.who_by_cookie(cookie, secure=False)
    assert logins.of_user(ada)[0].used_at == AT + 6 * MINUTE


def test_no_login_for_who_is_disabled(logins: Logins, ada: Account, store: SqlStore) -> None:
    accounts = Accounts(store)
    bob = accounts.create("bob")
    cookie, tokens = started(logins, bob), logins.start_tokens(bob, request())
    accounts.change(bob, disabled=True)
    assert refused(lambda: logins.start(bob, request(), secure=False)) == (401, "login_failed")
    accounts.change(bob, disabled=False)
    assert logins.who_by_cookie(cookie, secure=False) is None, "it has ended for good"
    assert refused(lambda: logins.who_by_token(tokens.access_token)) == WRONG


def test_tokens_are_good_for_a_program(logins: Logins, ada: Account, clock: Clock) -> None:
    tokens = logins.start_tokens(ada, request())
    assert (tokens.expires_in, tokens.refresh_token[:4]) == (900, "vtr_")
    who = logins.who_by_token(tokens.access_token)
    assert (who.id, who.login, who.csrf, who.is_ambient) == (ada.id, tokens.login, "", False)
    clock.now += 15 * MINUTE
    assert refused(lambda: logins.who_by_token(tokens.access_token)) == WRONG
    _, newer = logins.refresh(tokens.refresh_token)
    assert logins.who_by_token(newer.access_token).login == tokens.login


def test_an_old_refresh_token_ends_the_login(logins: Logins, ada: Account) -> None:
    first = logins.start_tokens(ada, request())
    _, second = logins.refresh(first.refresh_token)
    _, third = logins.refresh(second.refresh_token)
    assert refused(lambda: logins.refresh(first.refresh_token)) == WRONG
    assert refused(lambda: logins.refresh(third.refresh_token)) == WRONG
    assert refused(lambda: logins.who_by_token(third.access_token)) == WRONG


def test_a_made_up_refresh_token_ends_nothing(logins: Logins, ada: Account) -> None:
    tokens = logins.start_tokens(ada, request())
    raw = base64.urlsafe_b64decode(tokens.refresh_token[4:])
    for forged in (raw[:16] + bytes(32), raw[:-1] + bytes([raw[-1] ^ 1]), bytes(48), b""):
        text = "vtr_" + base64.urlsafe_b64encode(forged).decode()
        assert refused(lambda text=text: logins.refresh(text)) == WRONG  # type: ignore[misc]
    for text in ("", "vtr_", "x" * 5000, tokens.access_token, tokens.refresh_token[4:], "vtr_" + "é" * 64):
        assert refused(lambda text=text: logins.refresh(text)) == WRONG  # type: ignore[misc]
    other = Logins(open_store("sqlite:///:memory:"), b"another secret", AuthConfig())
    assert refused(lambda: other.refresh(tokens.refresh_token)) == WRONG
    logins.refresh(tokens.refresh_token)


def test_a_cookie_is_no_refresh_token_and_the_other_way_round(logins: Logins, ada: Account) -> None:
    cookie = started(logins, ada).partition("=")[2]
    assert refused(lambda: logins.refresh(f"vtr_{cookie}")) == WRONG
    tokens = logins.start_tokens(ada, request())
    assert logins.who_by_cookie(f"{COOKIE}={tokens.refresh_token[4:]}", secure=False) is None


def test_a_login_is_ended(logins: Logins, ada: Account) -> None:
    cookie, tokens = started(logins, ada), logins.start_tokens(ada, request(agent="x" * 1000))
    assert [(each.kind, len(each.agent)) for each in logins.of_user(ada)] in (
        [("browser", 7), ("tokens", 256)],
        [("tokens", 256), ("browser", 7)],
    )
    assert logins.end(tokens.login, ada)
    assert not logins.end(tokens.login, ada)
    assert not logins.end("no id", ada)
    assert refused(lambda: logins.refresh(tokens.refresh_token)) == WRONG
    logins.end_by_cookie(cookie, secure=False)
    assert logins.who_by_cookie(cookie, secure=False) is None
    again = logins.start_tokens(ada, request())
    logins.end_by_refresh("nonsense")
    logins.end_by_refresh(again.refresh_token)
    assert logins.of_user(ada) == []


def claims(tokens: Tokens, account: Account, **changes: object) -> dict[str, object]:
    known: dict[str, object] = {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "sub": account.id,
        "sid": tokens.login,
        "iat": AT // 1000,
        "exp": AT // 1000 + 900,
        "typ": "access",
    }
    return {name: value for name, value in (known | changes).items() if value is not None}


def own_key(logins: Logins) -> bytes:
    return logins._tokens._key


def test_a_token_signed_with_the_right_key_is_good(logins: Logins, ada: Account) -> None:
    """What the forged ones below differ from."""
    tokens = logins.start_tokens(ada, request())
    text = jwt.encode(claims(tokens, ada), own_key(logins), "HS256")
    assert logins.who_by_token(text).id == ada.id


FORGED: dict[str, dict[str, object]] = {
    "expired": {"exp": AT // 1000},
    "never expires": {"exp": None},
    "expires in words": {"exp": "tomorrow"},
    "expires in fractions": {"exp": 1e18},
    "other audience": {"aud": "another server"},
    "no audience": {"aud": None},
    "other issuer": {"iss": "another"},
    "no issuer": {"iss": None},
    "refresh": {"typ": "refresh"},
    "no type": {"typ": None},
    "no user": {"sub": None},
    "other user": {"sub": "00" * 16},
    "user of another kind": {"sub": "' or 1=1 --"},
    "no login": {"sid": None},
    "other login": {"sid": "00" * 16},
    "login of another kind": {"sid": 7},
    "upper case login": {"sid": "AB" * 16},
}


@pytest.mark.parametrize("name", FORGED)
def test_claims_must_be_right(logins: Logins, ada: Account, name: str) -> None:
    tokens = logins.start_tokens(ada, request())
    text = jwt.encode(claims(tokens, ada, **FORGED[name]), own_key(logins), "HS256")
    assert looks_like_jwt(text)
    assert refused(lambda: logins.who_by_token(text)) == WRONG


def encoded(part: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=")


def test_signatures_must_be_right(logins: Logins, ada: Account) -> None:
    tokens = logins.start_tokens(ada, request())
    good = claims(tokens, ada)
    head, body, signature = tokens.access_token.split(".")
    forged = [
        jwt.encode(good, b"k" * 32, "HS256"),
        jwt.encode(good, own_key(logins) * 2, "HS512"),
        jwt.encode(good, "", "none"),
        jwt.encode(good, SECRET, "HS256"),
        f"{encoded({'alg': 'none', 'typ': 'JWT'})}.{body}.",
        f"{encoded({'alg': 'None', 'typ': 'JWT'})}.{body}.{signature}",
        f"{encoded({'alg': 'RS256', 'typ': 'JWT'})}.{body}.{signature}",
        f"{encoded({'alg': 'HS256', 'crit': ['x'], 'x': 1})}.{body}.{signature}",
        f"{head}.{body}.",
        f"{head}.{encoded(good | {'sub': '00' * 16})}.{signature}",
        f"{head}.{body}.{signature[:-2]}",
        f"{head}..{signature}",
        f"{head}.{encoded([])}.{signature}",
        "eyJ..",
        "eyJ" + "A" * 100_000 + "..",
    ]
    for text in forged:
        assert looks_like_jwt(text), text
        assert refused(lambda text=text: logins.who_by_token(text)) == WRONG, text  # type: ignore[misc]


@pytest.mark.parametrize("text", ["", "vt_abc", "vtr_x", "eyJ", "eyJ.x", "eyJ.a.b.c", "a.b.c", "eyJ.a.b c", "eyJ.ä.b"])
def test_what_does_not_look_like_a_token_is_left_to_others(text: str) -> None:
    assert not looks_like_jwt(text)


def test_tokens_of_another_secret_are_forged(logins: Logins, ada: Account) -> None:
    tokens = logins.start_tokens(ada, request())
    assert AccessTokens(b"other", 15).read(tokens.access_token, AT) is None
    assert AccessTokens(SECRET, 15).read(tokens.access_token, AT) is not None
