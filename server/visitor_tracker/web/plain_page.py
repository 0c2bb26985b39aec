"""Small pages of the server's own: a title, some paragraphs, no script."""

from html import escape

from visitor_tracker.http.message import Headers, Response
from visitor_tracker.web.assets import AssetRoutes

CONTENT_POLICY = "; ".join(
    (
        "default-src 'none'",
        "style-src 'self'",
        "img-src 'self'",
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    )
)
HEADERS: Headers = (
    ("Content-Type", "text/html; charset=utf-8"),
    ("Content-Security-Policy", CONTENT_POLICY),
    ("X-Content-Type-Options", "nosniff"),
    ("X-Frame-Options", "DENY"),
    ("Referrer-Policy", "no-referrer"),  # addresses of such pages may be secret
    ("Cache-Control", "no-store"),
)


def plain_page(  # noqa: PLR0913 - the rest by keyword
    assets: AssetRoutes,
    title: str,
    content: str,
    *,
    status: int = 200,
    headers: Headers = (),
    like_login: bool = False,
) -> Response:
    """Return a page; `content` is HTML, `title` is text. With `like_login` it looks as the log-in page does."""
    style, icon = assets.immutable_path("account.css" if like_login else "demo.css"), assets.immutable_path("icon.svg")
    links = f'<link rel="stylesheet" href="{style}">' if style else ""
    links += f'<link rel="icon" href="{icon}" type="image/svg+xml">' if icon else ""
    card = f'<section class="card"><h1>{escape(title)}</h1>{content}</section></main></body></html>'
    if like_login:
        body = f'<body class="account"><main><p class="brand">Visitor Tracker</p>{card}'
    else:
        body = f'<body><header class="bar"><strong>Visitor Tracker</strong></header><main class="home">{card}'
    page = (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        '<meta name="robots" content="noindex"><meta name="viewport" content="width=device-width, initial-scale=1">'
        f"{links}</head>{body}"
    )
    return Response(status, page.encode(), (*HEADERS, *headers))
