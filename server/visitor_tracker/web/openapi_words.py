"""What the description of the API says beside its routes: subjects, proofs, refusals, parts of paths."""

from visitor_tracker.access.who import Access

Json = dict[str, object]

SAFE = ("GET", "HEAD")

ABOUT = """\
Everything this server counts, read and changed over HTTP.

* **Errors** have one shape: `{"error": {"code", "message", "hint"}}`; the hint says what to change.
* **Times** are ISO 8601 in UTC. **Sites** go by name or alias.
* **Requests without proof** reach what is public. Until the first account exists, clients on the server's own machine \
(loopback address, no proxy) read everything and change nothing; for all else send a proof, see *Authorize*.
* **A browser's session** also needs `X-CSRF-Token` with every change; `GET /api/v1/me` tells it.
* Every GET route answers HEAD, too. Any request may be refused with 408, 413, 414, 431 or 503 where it is too slow, \
too large, or the server too busy; 503 and 429 carry `Retry-After`.
* A parameter that nobody reads is refused with 400, but for the routes of earlier trackers.
"""

PAGES, OTHER, EARLIER = "Pages", "More", "Earlier trackers"

TAGS: dict[str, str] = {  # in the order in which pages show them
    "Query": "Numbers of a site: any metrics, dimensions and filters.",
    "Reports": "Ready reports: web vitals, errors, losses, heatmaps.",
    "Goals": "Goals, funnels, retention, journeys; segments and annotations.",
    "Alerts": "Messages to people and programs when something happens.",
    "Visitors": "Visitors one by one: who is here now, sessions, recordings; find, export and erase a visitor.",
    "Sites": "Sites, their settings and members.",
    "Accounts": "Log-in, one's own account, users.",
    "Keys": "API keys, signing keys, share links, single sign-on.",
    "Events": "Sending events, recordings and heat.",
    "Counter": "The counter of pages.",
    EARLIER: "Numbers and visitors as clients of earlier trackers ask for them.",
    "Other trackers": "What the scripts and programs of other trackers send, in their own words.",
    PAGES: "Pages for people, and the files of the browser client.",
    "Server": "The server itself.",
    OTHER: "What else there is.",
}

_WORDS: dict[str, tuple[str, ...]] = {  # words of paths of our own API
    "Query": ("query", "queries", "stats", "export", "explore"),
    "Reports": (
        "vitals",
        "errors",
        "clicks",
        "quality",
        "heatmap",
        "snapshot",
        "forecast",
        "summary",
        "anomalies",
        "trends",
        "bots",
        "robots",
        "reports",
    ),
    "Goals": (
        *("goals", "funnels", "funnel", "retention", "cohorts", "journeys", "attribution"),
        *("segments", "annotations"),
    ),
    "Visitors": ("live", "sessions", "replays", "replay", "visitors", "visitor", "erasures", "profiles", "my-data"),
    "Sites": ("sites", "site", "members"),
    "Accounts": (
        *("login", "logout", "logins", "me", "users", "user", "setup"),
        *("password", "token", "totp", "refresh", "invitation"),
    ),
    "Keys": ("keys", "signing-keys", "signing", "shares", "share", "share-links", "oidc", "sso"),
    "Events": ("events", "heat"),
    "Counter": ("visits",),
    "Server": ("audit", "checks", "server", "settings", "jobs", "health"),
    "Alerts": ("alerts", "channels"),
}
TAG_OF = {word: tag for tag, words in _WORDS.items() for word in words}

_PLAIN: dict[str, tuple[str, ...]] = {  # first words of other paths
    "Counter": ("update", "count", "pixel.gif", "badge.svg", "badge.json", "verify", "widget"),
    PAGES: ("client", "demo", "script.js", "what-we-send", "docs", "redoc", "login", "setup"),
    "Keys": ("oidc", "sso", "share", "embed"),
    "Visitors": ("privacy",),
    "Reports": ("unsubscribe",),
    "Server": ("healthz", "readyz", "health", "metrics", "openapi.json"),
}
PLAIN_TAG_OF = {word: tag for tag, words in _PLAIN.items() for word in words}

FOR: dict[Access, str] = {
    "public": "For everybody, also for pages of other origins.",
    "own": "For everybody.",
    "read": "For who reads the site: its members, keys and signatures, people with its share link; for everybody where "
    "the site is public.",
    "visitors": "For who has a role on the site; not by a share link.",
    "manage": "For owners of the site, and admins.",
    "known": "For whoever is logged in or has a key.",
    "operate": "For who reads every site.",
    "admin": "For admins.",
}

PLACES: dict[str, str] = {
    "site": "Name or alias of the site",
    "id": "Its id",
    "session": "Id of the session: as the page gave it, or as GET /api/v1/replays and /api/v1/live tell it",
    "ip": "Address of the visitor, or the 16 hex digits that stand for it",
    "file": "Name of the file",
    "user": "Username or id",
    "key": "Id of the key",
    "alert": "Id of the alert",
    "channel": "Id of the channel",
    "report": "Id of the report by mail",
}

ERROR = {
    "title": "Error",
    "description": "Why a request was refused, and what to change.",
    "type": "object",
    "required": ["error"],
    "properties": {
        "error": {
            "type": "object",
            "required": ["code", "message", "hint"],
            "properties": {
                "code": {"type": "string", "description": "For programs: stays the same"},
                "message": {"type": "string", "description": "What is wrong"},
                "hint": {"type": "string", "description": "What to change; may be empty"},
            },
        }
    },
}

_RETRY: Json = {"Retry-After": {"description": "Seconds to wait", "schema": {"type": "integer", "minimum": 0}}}

# By status: the name under components/responses, what it means, its headers.
REFUSALS: dict[int, tuple[str, str, Json]] = {
    400: ("BadRequest", "A parameter, or the body, cannot be that: `code` names it.", {}),
    401: (
        "Unauthorized",
        "No proof, or a wrong one.",
        {"WWW-Authenticate": {"description": "`Bearer`", "schema": {"type": "string"}}},
    ),
    403: ("Forbidden", "Known, but without the right; or a change that another web site asks for.", {}),
    404: ("NotFound", "There is none, or none that the caller may see.", {}),
    409: ("Conflict", "It contradicts what is there.", {}),
    413: ("TooLarge", "The body is too large.", {}),
    414: ("TooLong", "The address is longer than `http.max_target`.", {}),
    415: ("UnknownEncoding", "The body is packed in a way that is not understood.", {}),
    429: ("TooMany", "Too many requests from this address.", _RETRY),
    503: ("Unavailable", "The store is away, or too much waits: try again.", _RETRY),
}

PROOFS: Json = {
    "bearer": {
        "type": "http",
        "scheme": "bearer",
        "description": "An API key (`vt_…`), or the token of a log-in (JWT); before the first account the token that "
        "`visitor-tracker token` prints.",
    },
    "apiKey": {"type": "apiKey", "in": "header", "name": "X-API-Key", "description": "An API key."},
    "session": {
        "type": "apiKey",
        "in": "cookie",
        "name": "vt_session",
        "description": "The cookie of a log-in; over https it is called `__Host-vt_session`.",
    },
    "csrf": {
        "type": "apiKey",
        "in": "header",
        "name": "X-CSRF-Token",
        "description": "Beside the cookie, with every change: `csrf` of `GET /api/v1/me`.",
    },
    "timestamp": {
        "type": "apiKey",
        "in": "header",
        "name": "X-Timestamp",
        "description": "Of a signed request: Unix seconds, at most 300 from the server's.",
    },
    "signature": {
        "type": "apiKey",
        "in": "header",
        "name": "X-Signature",
        "description": "Of a signed request: 64 bytes of Ed25519 in hex, over `site_id:timestamp`, which opens reads; "
        "with `X-Signature-Version: 2`, `X-Key-Id` and `X-Nonce` over the request itself.",
    },
    "keyId": {"type": "apiKey", "in": "header", "name": "X-Key-Id", "description": "Id of the registered key."},
    "nonce": {
        "type": "apiKey",
        "in": "header",
        "name": "X-Nonce",
        "description": "16 to 32 random bytes in hex or base64url, used once.",
    },
    "share": {
        "type": "apiKey",
        "in": "header",
        "name": "X-Share-Token",
        "description": "The token of a share link; browsers that opened the link send a cookie.",
    },
}


def security(access: Access, method: str) -> list[dict[str, list[str]]]:
    """Return the sets of proofs that are enough for a route; empty where none is needed."""
    if access in ("public", "own"):
        return []
    changes = method not in SAFE
    session: dict[str, list[str]] = {"session": [], "csrf": []} if changes else {"session": []}
    proofs: list[dict[str, list[str]]] = [{"bearer": []}, {"apiKey": []}, session]
    if not changes:
        proofs.append({"timestamp": [], "signature": []})
    proofs.append({"timestamp": [], "signature": [], "keyId": [], "nonce": []})
    return [*proofs, {"share": []}] if access == "read" else proofs
