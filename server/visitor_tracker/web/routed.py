"""A request on its way to a handler: the parts of its path that stand for something, and who asks."""

from collections.abc import Mapping

import msgspec

from visitor_tracker.access.who import NOBODY, Access, Who
from visitor_tracker.http.message import Request
from visitor_tracker.sites import Site, Snapshot

_NONE: Mapping[str, str] = {}


class RoutedRequest(Request, frozen=True, gc=False):
    """What handlers of routes that are not public get, and those of routes with parts in braces."""

    who: Who = NOBODY
    access: Access = "own"
    arguments: Mapping[str, str] = _NONE  # decoded, by the name in braces


def routed(request: Request, who: Who, access: Access, arguments: Mapping[str, str]) -> RoutedRequest:
    """Return the request with what the router found out about it."""
    return RoutedRequest(**msgspec.structs.asdict(request), who=who, access=access, arguments=arguments)


def who_of(request: Request) -> Who:
    """Return who asks; NOBODY where no router has looked."""
    return request.who if isinstance(request, RoutedRequest) else NOBODY


def argument_named(request: Request, name: str) -> str:
    """Return what stands in the path for a part in braces; raises KeyError for a name that its route does not have."""
    return request.arguments[name] if isinstance(request, RoutedRequest) else _NONE[name]


def visible(snapshot: Snapshot, request: Request) -> Snapshot:
    """Return the snapshot with those sites only that this request may ask about.

    Handlers look sites up in it: one that is hidden is as unknown as one that does not exist.
    """
    if not isinstance(request, RoutedRequest):
        return snapshot
    who, access = request.who, request.access
    kept = tuple(site for site in snapshot.sites if who.may(access, site))
    return snapshot if len(kept) == len(snapshot.sites) else msgspec.structs.replace(snapshot, sites=kept)


def may(request: Request, access: Access, site: Site) -> bool:
    """Say whether who asks has that access to a site."""
    return who_of(request).may(access, site)


def sees_all(request: Request) -> bool:
    """Say whether who asks may read every site, also one that is not known yet."""
    return not isinstance(request, RoutedRequest) or request.who.is_admin or request.who.everywhere is not None
