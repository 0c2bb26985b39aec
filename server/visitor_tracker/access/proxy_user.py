"""Who has logged in at a trusted proxy, which names them in a header; see auth.remote_user.

The header counts from an address of `trusted_proxies` and over the unix socket; from everybody else it is ignored. The
proxy must take it out of what its clients send.
"""

from collections.abc import Callable

from visitor_tracker.access.accounts import Account, AccountError, Accounts
from visitor_tracker.access.audit import OPERATOR, Audit
from visitor_tracker.access.keyed import key_for, keyed
from visitor_tracker.access.who import Who
from visitor_tracker.errors import HttpError
from visitor_tracker.http.message import Peer, Request


class ProxyUsers:
    """Any thread. `is_trusted` says whether a peer is a trusted proxy."""

    def __init__(  # noqa: PLR0913
        self,
        accounts: Accounts,
        audit: Audit,
        secret: bytes,
        *,
        header: str,
        create: bool,
        is_trusted: Callable[[Peer], bool],
    ) -> None:
        """`secret` is the server's; `create`: make an account for a name that has none."""
        self._accounts = accounts
        self._audit = audit
        self._key = key_for(secret, b"proxy-csrf")
        self._header = header.lower()
        self._create = create
        self._is_trusted = is_trusted

    def identify(self, request: Request) -> Who | None:
        """Return whom the proxy names; raises HttpError 403 for somebody who may not come in, and what stores do."""
        name = request.headers.get(self._header, "").strip() if self._header else ""
        if not name or not self._is_trusted(request.peer):
            return None
        account = self._accounts.by_name(name) or (self._made(name) if self._create else None)
        if account is None:
            raise HttpError(
                403, "unknown_user", "you have no account here", "ask an admin for one, or set auth.create_users"
            )
        if account.disabled:
            raise HttpError(403, "disabled_user", "your account is disabled", "ask an admin")
        return self._accounts.who(account, csrf=keyed(self._key, account.id), is_ambient=True)

    def _made(self, name: str) -> Account | None:
        """Return a new account of that name; one that another request makes at the same time is as good."""
        try:
            account = self._accounts.create(name)
        except AccountError as error:
            if error.code == "name_taken":
                return self._accounts.by_name(name)
            raise HttpError(403, error.code, f"the proxy's name for you: {error.message}", error.hint) from error
        self._audit.note(OPERATOR, "user.added", target=account.username, detail={"by": "proxy"})
        return account
