"""Keys are made by accounts, and lend what these may do: never more than they may at this moment."""

from typing import Literal

import msgspec

from visitor_tracker.access.accounts import Accounts
from visitor_tracker.access.audit import OPERATOR
from visitor_tracker.access.who import Who
from visitor_tracker.store.api_keys import ApiKeyTable
from visitor_tracker.store.sql import SqlStore


class Makers:
    """Any thread."""

    def __init__(self, store: SqlStore) -> None:
        self._accounts = Accounts(store)
        self._api_keys = ApiKeyTable(store.database)

    def who(self, user_id: str) -> Who | None:
        """Return what the maker of a key may do now; None: the account is gone or disabled.

        What was made on the server's own machine (`user_id` "") may do everything. Raises what stores do.
        """
        if not user_id:
            return OPERATOR
        account = self._accounts.find(user_id)
        if account is None or account.disabled:
            return None
        return self._accounts.who(account)

    def id_of(self, who: Who) -> str | None:
        """Return whose a key is that somebody makes now: an account's id, "" for the machine; None: may make none.

        Those who come with a key make none, so that it ends when it is revoked; but an admin's key may set up a server.
        """
        if who.kind == "user":
            return who.id
        if who.kind == "local" and who.is_admin:
            return ""
        if who.kind == "key" and who.is_admin:
            key = self._api_keys.by_id(who.id)
            return None if key is None else key.user_id
        return None


def lent(maker: Who, who: Who, site_id: int, scope: Literal["read", "admin"]) -> Who:
    """Return `who` with what a maker lends them: for one site, or for all (0) that the maker has."""
    if site_id:
        role = maker.role(site_id)
        roles = {} if role is None else {site_id: "viewer" if scope == "read" else role}
        return msgspec.structs.replace(who, roles=roles)
    if scope == "admin":
        return msgspec.structs.replace(who, is_admin=maker.is_admin, roles=maker.roles, everywhere=maker.everywhere)
    everywhere = "viewer" if maker.is_admin or maker.everywhere else None
    return msgspec.structs.replace(who, roles=dict.fromkeys(maker.roles, "viewer"), everywhere=everywhere)
