"""What the counter of pages is asked and answers, for the description of the API.

The counter writes its answers by hand, because they are the fast lane; a test holds them against these types.
"""

from typing import Annotated

import msgspec
from msgspec import UNSET, Meta, UnsetType

from visitor_tracker.store.base import PageOrder

PAGES, PAGES_MOST = 100, 1000
LABEL_MOST = 40  # characters

Url = Annotated[str, Meta(description="Address of the page, http or https, at most 2,048 bytes")]


class OfPage(msgspec.Struct, frozen=True):
    """A page that is asked about."""

    url: Url


class OfReferer(msgspec.Struct, frozen=True):
    """A page, by default the one that shows the image."""

    url: Annotated[str, Meta(description="Address of the page; without it that of `Referer`")] = ""


class OfPages(msgspec.Struct, frozen=True):
    """A page, or the list of all."""

    url: Annotated[str, Meta(description="Address of the page; without it all pages are listed, for readers only")] = ""
    limit: Annotated[int, Meta(ge=1, le=PAGES_MOST, description="How many pages the list has at most")] = PAGES
    order: Annotated[PageOrder, Meta(description="Of the list")] = "visits"
    cursor: Annotated[str, Meta(description="Of the answer before, to go on")] = ""


class OfToken(msgspec.Struct, frozen=True):
    """A token that is to be checked."""

    url: Url
    token: Annotated[str, Meta(description="`security_token` of the answer to a visit")] = ""


class Badge(msgspec.Struct, frozen=True):
    """A badge: of which page, and what it looks like."""

    url: Annotated[str, Meta(description="Address of the page; without it that of `Referer`")] = ""
    label: Annotated[str, Meta(max_length=LABEL_MOST, description="What stands before the number")] = "visits"
    color: Annotated[str, Meta(description="3 or 6 hex digits, or a name such as `green`")] = "2563eb"


class BadgeSays(msgspec.Struct, frozen=True):
    """A count in the form that badge services read."""

    schemaVersion: int
    label: str
    message: str
    color: str
    page_url: str
    visit_count: Annotated[int | None, Meta(description="null below `counter.badge_floor`")]


class SentVisit(msgspec.Struct):
    """A visit to count."""

    url: Url
    id: Annotated[
        str | None, Meta(description="32 hex digits or a UUID, chosen by the client: a visit sent twice counts once")
    ] = None


class PageRow(msgspec.Struct, frozen=True):
    """A page and its visits; the times are null for a page that was never visited."""

    page_url: str
    visit_count: int
    last_visited: str | None
    created_at: str | None


class PageList(msgspec.Struct, frozen=True):
    """Pages; `cursor` of null: there are no more."""

    pages: list[PageRow]
    cursor: str | None


class CountedVisit(msgspec.Struct, frozen=True):
    """A counted visit; all but the page is null where it is stored and its number not known yet, or not wanted."""

    page_url: str
    visit_count: int | None
    last_visited: str | None
    created_at: str | None
    security_token: Annotated[
        str | UnsetType | None, Meta(description="Proves that this server gave this page this number; see GET /verify")
    ] = UNSET
    duplicate: Annotated[bool | UnsetType, Meta(description="A visit with this id was counted before")] = UNSET
    pending: Annotated[bool | UnsetType, Meta(description="Stored; counted when the store is back")] = UNSET
    opted_out: Annotated[bool | UnsetType, Meta(description="Not counted: the browser asks not to be tracked")] = UNSET


class Verified(msgspec.Struct, frozen=True):
    """What a token proves."""

    valid: bool
    page_url: str
    visit_count: int | UnsetType = UNSET
    at: str | UnsetType = UNSET
