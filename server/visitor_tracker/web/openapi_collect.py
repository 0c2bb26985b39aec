"""What the description of the API says of routes beyond what these say of themselves.

Mostly of those that speak as other trackers do: they read whatever clients send, so that no type validates it.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Annotated

import msgspec
from msgspec import Meta

from visitor_tracker.web.counted import CountedVisit
from visitor_tracker.web.dialects.own import Sent
from visitor_tracker.web.sent import Receipt

OTHERS = "Other trackers"
_JSON, _TEXT, _GIF, _HTML = ("application/json",), ("text/plain",), ("image/gif",), ("text/html",)


@dataclass(frozen=True, slots=True)
class Told:
    """An answer: what it means, its media types, its type if it is JSON of one."""

    about: str
    media: tuple[str, ...] = _JSON
    kind: object = None


@dataclass(frozen=True, slots=True)
class Note:
    """What is said of one route besides. `answers` are by status; a route with a type for its answer keeps that."""

    about: str = ""
    tag: str = ""
    query: type[msgspec.Struct] | None = None
    body: object = None
    content: Mapping[str, object] = field(default_factory=dict)  # of a body without a type
    answers: Mapping[int, Told] = field(default_factory=dict)

    def types(self) -> Iterator[object]:
        """Yield the types that are described."""
        if self.body is not None:
            yield self.body
        for told in self.answers.values():
            if told.kind is not None:
                yield told.kind


class OfImage(msgspec.Struct, frozen=True):
    """One event in an address."""

    e: Annotated[str, Meta(description="The event as JSON")]


class OfGoatCounter(msgspec.Struct, frozen=True):
    """A page as GoatCounter's script tells it."""

    p: Annotated[str, Meta(description="Path of the page, or name of the event")]
    t: Annotated[str, Meta(description="Title")] = ""
    r: Annotated[str, Meta(description="Referrer")] = ""
    e: Annotated[str, Meta(description="true: an event")] = ""
    s: Annotated[str, Meta(description="Screen: width,height,scale")] = ""
    q: Annotated[str, Meta(description="Query of the page, for its campaign")] = ""


class OfMatomo(msgspec.Struct, frozen=True):
    """A request of Matomo's tracker; many more parameters of theirs are read."""

    idsite: Annotated[str, Meta(description="Name or alias of the site")] = ""
    rec: Annotated[str, Meta(description="1")] = ""
    url: Annotated[str, Meta(description="Address of the page")] = ""
    action_name: Annotated[str, Meta(description="Title of the page")] = ""
    urlref: Annotated[str, Meta(description="Referrer")] = ""
    send_image: Annotated[str, Meta(description="0: answer 204 without an image")] = ""


def _object(about: str, example: object, media: str = "application/json") -> Mapping[str, object]:
    return {media: {"schema": {"type": "object", "description": about}, "example": example}}


_EVENTS = Note(
    "An event, or an array of up to 1,000; of a batch the good part is kept. Any Content-Type is taken, so that "
    "browsers need no preflight.",
    "Events",
    body=Sent | list[Sent],
    answers={202: Told("What became of each", kind=Receipt)},
)
_ANALYTICS = {200: Told("What became of the events")}
_IMAGE = {200: Told("An invisible image, whatever became of it", _GIF)}
_GOATCOUNTER = Note("As GoatCounter's script and pixel count a page.", OTHERS, query=OfGoatCounter, answers=_IMAGE)
_GOATCOUNTER_POST = Note(
    "As GoatCounter's script counts a page; fields may be in the query, a form or a JSON object.",
    OTHERS,
    content=_object("The fields of the query", {"p": "/page", "t": "Title"}),
    answers=_IMAGE,
)
_MATOMO = {
    200: Told("An invisible image; for a bulk request {status, tracked, invalid}", _GIF + _JSON),
    204: Told("Nothing, where send_image=0", ()),
}
_MATOMO_POST = Note(
    'Matomo\'s tracking HTTP API: one request as a form, or many as `{requests: ["?idsite=…"]}`.',
    OTHERS,
    content=_object("One or many requests", {"requests": ["?idsite=1&rec=1&url=https://example.com/"]}),
    answers=_MATOMO,
)
_NUMBERS = Note(
    "What a query may ask is in docs/query.md. `Accept` or `format` choose CSV or NDJSON.",
    answers={200: Told("Rows and totals", ("application/json", "text/csv", "application/x-ndjson"))},
)
_PENDING = {202: Told("Stored; counted as soon as the store is back", kind=CountedVisit)}
_INVALID_URL = {400: Told("No acceptable `url`: the plain text `Invalid URL`", _TEXT + _JSON)}
_NO_REPORT = Told("The link belongs to no report that is still sent", _HTML + _JSON)

NOTES: Mapping[str, Note] = {
    "POST /api/v1/events": _EVENTS,
    "POST /e": _EVENTS,
    "GET /e": Note("", "Events", query=OfImage, answers={200: Told("An invisible image: the event is stored", _GIF)}),
    "GET /update": Note("HEAD and prefetches count nothing.", answers={**_PENDING, **_INVALID_URL}),
    "POST /api/v1/visits": Note("Any Content-Type is taken, so that browsers need no preflight.", answers=_PENDING),
    "GET /count": Note(
        "With `p` instead of `url` a page is counted as GoatCounter's pixel does.", answers=_INVALID_URL
    ),
    "GET /badge.svg": Note(answers={304: Told("The client has it", ())}),
    "GET /badge.json": Note(answers={304: Told("The client has it", ())}),
    "GET /privacy": Note(answers={200: Told("What holds, as a page or, with `format=json`, as JSON", _HTML + _JSON)}),
    "GET /widget/most-read": Note(
        answers={404: Told("No such site is public, or the link opens nothing", _HTML + _JSON)}
    ),
    "GET /widget/most-read.json": Note(answers={404: Told("No such site is public, or the link opens nothing")}),
    "POST /share/{token}": Note(answers={404: Told("The link opens nothing", _HTML + _JSON)}),
    "GET /unsubscribe": Note(answers={404: _NO_REPORT}),
    "POST /unsubscribe": Note(answers={404: _NO_REPORT}),
    "GET /api/v1/sites/{site}/reports/preview": Note(
        answers={200: Told("The report, as a page or, with `format=text`, as plain text", _HTML + _TEXT)}
    ),
    "GET /stats": Note(
        "Everything of all time, and what the question comes to where there is one: any of the parameters but the "
        "site. Without one, parameters that nobody reads are let pass.",
        "Query",
    ),
    "GET /api/v1/stats/query": _NUMBERS,
    "POST /api/v1/stats/query": _NUMBERS,
    "POST /track": Note(
        "A pageview as the privacy-focused visitor tracker takes it; no body at all is one of `/`.",
        OTHERS,
        content=_object("path and site_id", {"path": "/pricing", "site_id": "default"}),
        answers={200: Told("{status, country, unique, unique_today, page, ua_info, referrer}")},
    ),
    "POST /click": Note(
        "A click on a link as the privacy-focused visitor tracker takes it.",
        OTHERS,
        content=_object("url and site_id", {"url": "https://example.com/", "site_id": "default"}),
        answers={200: Told("{status, url}")},
    ),
    "POST /collect": Note(
        "An event of the website-analytics script: pageview, identify or custom.",
        OTHERS,
        content=_object("An event", {"type": "pageview", "websiteId": "blog", "href": "https://blog.example/"}),
        answers=_ANALYTICS,
    ),
    "POST /api/events": Note(
        "Clicks and a recording of the website-analytics script.",
        OTHERS,
        content=_object("metadata, analytics, replay", {"metadata": {"url": "https://blog.example/"}, "analytics": []}),
        answers=_ANALYTICS,
    ),
    "POST /api/analytics": Note(
        "A batch of the website-analytics script.",
        OTHERS,
        content=_object(
            "events, meta, site_id",
            {"events": [{"type": "pageview", "url": "https://blog.example/"}], "site_id": "blog"},
        ),
        answers=_ANALYTICS,
    ),
    "POST /api/event": Note(
        "An event as Plausible's trackers send it.",
        OTHERS,
        content=_object("An event", {"n": "pageview", "u": "https://example.com/", "d": "example.com"}),
        answers={202: Told("`ok`; X-Plausible-Dropped says where nothing was kept", _TEXT)},
    ),
    "POST /api/send": Note(
        "An event as Umami's tracker sends it.",
        OTHERS,
        content=_object(
            "An envelope",
            {"type": "event", "payload": {"website": "blog", "hostname": "blog.example", "url": "/"}},
        ),
        answers={200: Told("{cache, sessionId, visitId}; {beep: boop} for robots and where nothing was kept")},
    ),
    "POST /api/batch": Note(
        "An array of Umami's envelopes.",
        OTHERS,
        content={
            "application/json": {"schema": {"type": "array", "items": {"type": "object"}, "description": "Envelopes"}}
        },
        answers={200: Told("{size, processed, errors, details, cache}")},
    ),
    "GET /gc/count": _GOATCOUNTER,
    "POST /gc/count": _GOATCOUNTER_POST,
    "POST /count": _GOATCOUNTER_POST,
    "POST /api/v0/count": Note(
        "Up to 1,000 pages as GoatCounter's API takes them.",
        OTHERS,
        content=_object("hits", {"hits": [{"path": "/", "ip": "192.0.2.1", "user_agent": "…"}]}),
        answers={202: Told("{}"), 400: Told("{errors: {index: why}}: these are to be sent again when they are right")},
    ),
    "GET /matomo.php": Note("Matomo's tracking HTTP API.", OTHERS, query=OfMatomo, answers=_MATOMO),
    "GET /piwik.php": Note("Matomo's tracking HTTP API.", OTHERS, query=OfMatomo, answers=_MATOMO),
    "POST /matomo.php": _MATOMO_POST,
    "POST /piwik.php": _MATOMO_POST,
    "POST /api": Note(
        "The four mutations that Ackee's tracker sends; its GraphQL is recognised, not run.",
        OTHERS,
        content=_object("query and variables", {"query": "mutation createRecord($domainId: ID!, …", "variables": {}}),
        answers={200: Told("{data: {createRecord: {success, payload: {id}}}} and the like")},
    ),
}
