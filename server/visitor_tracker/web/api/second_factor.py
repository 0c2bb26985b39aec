"""One's own second factor: begin, confirm, take off."""

import io
from typing import Annotated

import msgspec

from visitor_tracker.access.accounts import Account
from visitor_tracker.access.throttle import Taken
from visitor_tracker.errors import HttpError
from visitor_tracker.http.message import Answer, Request
from visitor_tracker.web.api.own_account import prove_password
from visitor_tracker.web.api.people import BODY_MOST, Code, NoQuery, Password, People, answer_with, nothing, own_account
from visitor_tracker.web.asked import body_as
from visitor_tracker.web.parts import Parts
from visitor_tracker.web.routed import who_of
from visitor_tracker.web.router import Route

_PATH = "/api/v1/me/totp"


class Begun(msgspec.Struct, frozen=True):
    """What an app needs to make codes; `qr` is an SVG image of `uri`."""

    secret: str
    uri: str
    qr: str


class BeginAsked(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The password; an account that has none, because its owner logs in elsewhere, needs none."""

    password: Password = ""


class CodeAsked(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A code of the app."""

    code: Annotated[Code, msgspec.Meta(min_length=1)]


class Confirmed(msgspec.Struct, frozen=True):
    """Codes for who has lost the app; each works once, and they are shown this once."""

    recovery_codes: list[str]


class RemovalAsked(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The password; a code where the account has none."""

    password: Password = ""
    code: Code = ""


class SecondFactorRoutes:
    """`/api/v1/me/totp`."""

    def __init__(self, parts: Parts, people: People) -> None:
        self._parts = parts
        self._people = people

    def routes(self) -> list[Route]:
        return [
            Route(
                "POST",
                _PATH,
                self._begin,
                "begin a second factor; a first code turns it on",
                "known",
                body_most=BODY_MOST,
                query=NoQuery,
                body=BeginAsked,
                answer=Begun,
                status=201,
            ),
            Route(
                "POST",
                f"{_PATH}/confirm",
                self._confirm,
                "turn the second factor on, and get recovery codes",
                "known",
                body_most=BODY_MOST,
                query=NoQuery,
                body=CodeAsked,
                answer=Confirmed,
            ),
            Route(
                "DELETE",
                _PATH,
                self._remove,
                "take the second factor off",
                "known",
                body_most=BODY_MOST,
                query=NoQuery,
                body=RemovalAsked,
                status=204,
            ),
        ]

    def _begin(self, request: Request) -> Answer:
        account = own_account(who_of(request), self._people)
        asked = body_as(request, BeginAsked)
        if account.has_password:
            prove_password(self._parts, self._people, request, account, asked.password)
        begun = self._people.second_factor.begin(account)
        return answer_with(Begun(begun.secret, begun.uri, qr_code(begun.uri)), status=201)

    def _confirm(self, request: Request) -> Answer:
        who = who_of(request)
        account = own_account(who, self._people)
        asked = body_as(request, CodeAsked)
        taken = self._take(request, account)
        codes = self._people.second_factor.confirm(account, asked.code)
        self._people.throttle.reset(taken)
        self._parts.audit.note(who, "user.second_factor_on", target=account.username)
        return answer_with(Confirmed(codes))

    def _remove(self, request: Request) -> Answer:
        who = who_of(request)
        account = own_account(who, self._people)
        asked = body_as(request, RemovalAsked)
        if account.has_password:
            prove_password(self._parts, self._people, request, account, asked.password)
        else:
            taken = self._take(request, account)
            if account.second_factor and not self._people.second_factor.is_right(account, asked.code):
                raise HttpError(403, "wrong_code", "the code is wrong, or was used before", "wait for the next one")
            self._people.throttle.reset(taken)
        if self._people.second_factor.remove(account):
            self._parts.audit.note(who, "user.second_factor_off", target=account.username)
        return nothing()

    def _take(self, request: Request, account: Account) -> Taken:
        address = self._parts.guards.trusted.client_address(request)
        return self._people.throttle.take(address, account.key)


def qr_code(text: str) -> str:
    """Return an SVG image of a text, black on white: cameras want that in the dark too."""
    import segno  # only few requests need it

    image = io.BytesIO()
    segno.make(text, error="m", micro=False).save(
        image, kind="svg", xmldecl=False, scale=4, border=4, dark="#000", light="#fff", title="QR code"
    )
    return image.getvalue().decode()
