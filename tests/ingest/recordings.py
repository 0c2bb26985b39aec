"""Recordings as a session recorder sends them: harmless ones, and ones that somebody forged."""

from collections.abc import Mapping, Sequence
from typing import Any

Json = dict[str, Any]
AT = 1_774_000_800_000  # 2026-03-20T10:00:00Z
PAGE = "https://example.com/"


def text(content: str, node_id: int = 50) -> Json:
    return {"type": 3, "textContent": content, "id": node_id}


def element(
    tag: str, attributes: Mapping[str, object] | None = None, *children: Json, node_id: int = 40, **more: object
) -> Json:
    return {
        "type": 2,
        "tagName": tag,
        "attributes": dict(attributes or {}),
        "childNodes": list(children),
        **more,
        "id": node_id,
    }


def document(*children: Json) -> Json:
    body = element("body", {}, *children, node_id=5)
    html = element("html", {"lang": "en"}, element("head", {}, node_id=4), body, node_id=3)
    doctype = {"type": 1, "name": "html", "publicId": "", "systemId": "", "id": 2}
    return {"type": 0, "childNodes": [doctype, html], "id": 1}


def event(kind: int, data: object, at: int = AT) -> Json:
    return {"type": kind, "data": data, "timestamp": at}


def meta(href: str = PAGE, at: int = AT, width: int = 1280) -> Json:
    return event(4, {"href": href, "width": width, "height": 720}, at)


def snapshot(*children: Json, at: int = AT + 1) -> Json:
    return event(2, {"node": document(*children), "initialOffset": {"left": 0, "top": 0}}, at)


def increment(source: int, at: int = AT + 2, **data: object) -> Json:
    return event(3, {"source": source, **data}, at)


def mutation(
    texts: Sequence[Json] = (), attributes: Sequence[Json] = (), removes: Sequence[Json] = (), adds: Sequence[Json] = ()
) -> Json:
    return increment(0, texts=list(texts), attributes=list(attributes), removes=list(removes), adds=list(adds))


def added(node: Json, parent: int = 5) -> Json:
    return mutation(adds=[{"parentId": parent, "nextId": None, "node": node}])


def changed(attributes: Mapping[str, object], node_id: int = 40) -> Json:
    return mutation(attributes=[{"id": node_id, "attributes": dict(attributes)}])


def rewritten(value: str, node_id: int = 50) -> Json:
    return mutation(texts=[{"id": node_id, "value": value}])


PICTURE = "data:image/png;base64,iVBORw0KGgo="

# What a recorder sends of a page whose text is masked: comes out as it went in.
HARMLESS: dict[str, Json] = {
    "loaded": event(1, {}),
    "meta": meta(),
    "page": snapshot(
        element("h1", {"class": "title big", "id": "top"}, text("***** ***")),
        element("a", {"href": "https://example.com/a?b=c#d", "class": "link"}, text("****")),
        element("img", {"src": PICTURE, "alt": "***", "width": "100"}),
        element("style", {"_cssText": ".a { color: red } @media (min-width: 9px) { .b { background: url(#x) } }"}),
        element("style", {}, text('.icon::before{content:"\\f101"}.sm\\:flex{display:flex}')),
        element("link", {"rel": "stylesheet", "_cssText": f"a{{background:url({PICTURE})}}"}),
        element(
            "div", {"data-theme": "dark", "data-v-7ba5bd90": "", "style": "color: red; width: 5px", "hidden": True}
        ),
        element("input", {"type": "checkbox", "checked": True, "value": "on"}),
        element("input", {"type": "text", "value": "*****"}),
        element("iframe", {"width": "300", "height": "200"}),
        element("canvas", {"rr_dataURL": PICTURE, "rr_width": "300px", "rr_height": "20.5px"}),
        element(
            "my-card", {"rr_scrollTop": 40}, text("***", 51) | {"isShadow": True}, isShadowHost=True, isCustom=True
        ),
        element(
            "svg",
            {"viewBox": "0 0 16 16", "xmlns": "http://www.w3.org/2000/svg"},
            element("path", {"d": "M10 10L4000056655665556 5z", "fill": "url(#g)", "stroke-width": "2"}, isSVG=True),
            element("use", {"xlink:href": "#icon"}, isSVG=True),
            isSVG=True,
        ),
        {"type": 5, "textContent": "", "id": 60},
    ),
    "mutation": mutation(
        [{"id": 50, "value": "** **"}, {"id": 51, "value": None}, {"id": 52, "value": ".a{color:red}"}],
        [
            {
                "id": 40,
                "attributes": {
                    "class": "open",
                    "hidden": None,
                    "style": {"width": "5px", "color": ["red", "important"], "--x": False},
                },
            }
        ],
        [{"parentId": 5, "id": 41}, {"parentId": 5, "id": 42, "isShadow": True}],
        [
            {"parentId": 5, "nextId": None, "node": element("p", {}, node_id=70)},
            {"parentId": 70, "nextId": 71, "previousId": None, "node": text("**", 72)},
        ],
    ),
    "moves": increment(1, positions=[{"x": 1, "y": 2.5, "id": 5, "timeOffset": -100}]),
    "click": increment(2, id=40, type=2, x=10, y=20, pointerType=0),
    "scroll": increment(3, id=1, x=0, y=400),
    "resize": increment(4, width=800, height=600),
    "input": increment(5, text="****", isChecked=False, userTriggered=True, id=40),
    "touch": increment(6, positions=[{"x": 1, "y": 2, "id": 5, "timeOffset": 0}]),
    "media": increment(7, id=40, type=0, currentTime=1.5, muted=True),
    "rules": increment(
        8, id=40, removes=[{"index": 0}], adds=[{"rule": ".a{color:red}", "index": [1, 0]}, {"rule": "b{}"}]
    ),
    "sheet": increment(8, styleId=3, replaceSync=".a{color:red}"),
    "declaration": increment(13, id=40, index=[2], set={"property": "color", "value": "red", "priority": "important"}),
    "removed declaration": increment(13, styleId=1, index=[0], remove={"property": "--gap"}),
    "selection": increment(14, ranges=[{"start": 50, "startOffset": 0, "end": 50, "endOffset": 3}]),
    "adopted": increment(15, id=5, styleIds=[1], styles=[{"styleId": 1, "rules": [{"rule": "a{}", "index": 0}]}]),
}
