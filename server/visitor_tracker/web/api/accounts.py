"""Log-in, one's own account, users and members of sites."""

from visitor_tracker.web.api.account_pages import AccountPages
from visitor_tracker.web.api.entrance import CookieScheme, TokenScheme
from visitor_tracker.web.api.login import LoginRoutes
from visitor_tracker.web.api.members import MemberRoutes
from visitor_tracker.web.api.old_accounts import OldAccountRoutes
from visitor_tracker.web.api.own_account import OwnAccountRoutes
from visitor_tracker.web.api.people import people_of
from visitor_tracker.web.api.second_factor import SecondFactorRoutes
from visitor_tracker.web.api.set_up import SetUpRoutes
from visitor_tracker.web.api.users import UserRoutes
from visitor_tracker.web.guards import Scheme
from visitor_tracker.web.parts import Parts
from visitor_tracker.web.router import Route


def routes(parts: Parts) -> list[Route]:
    """Return the routes of this file and of those that belong to it."""
    people = people_of(parts)
    return [
        *AccountPages(parts.files, parts.assets).routes(),
        *LoginRoutes(parts, people).routes(),
        *SetUpRoutes(parts, people).routes(),
        *OwnAccountRoutes(parts, people).routes(),
        *SecondFactorRoutes(parts, people).routes(),
        *UserRoutes(parts, people).routes(),
        *MemberRoutes(parts, people).routes(),
        *OldAccountRoutes(parts, people).routes(),
    ]


def schemes(parts: Parts) -> list[Scheme]:
    """Return the ways to prove who asks that this file has, in the order in which they are tried."""
    people = people_of(parts)
    return [TokenScheme(people), CookieScheme(parts, people)]
