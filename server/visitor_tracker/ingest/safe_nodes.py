"""Nodes of recorded pages, with all that is in them."""

from visitor_tracker.ingest.safe_css import safe_css, safe_loose_text
from visitor_tracker.ingest.safe_markup import (
    HIDDEN,
    Rules,
    attributes,
    hide,
    is_style_sheet,
    shown_text,
    tag_of,
    typed_text,
)
from visitor_tracker.ingest.safe_values import ID_LEAST, ID_MOST, Made, Sent, string, whole

DEPTH_MOST = 200  # of elements; browsers and msgspec end at some 500, Python's stack before that
_DOCUMENT, _DOCTYPE, _ELEMENT, _TEXT, _CDATA, _COMMENT = range(6)


def safe_node(sent: Sent, rules: Rules, depth: int = 0, parent: str = "") -> Made | None:
    """Return a node with all that is in it; `parent` is the tag of the element that it is in, "" for none."""
    kind, node_id = whole(sent.get("type"), 0, _COMMENT), whole(sent.get("id"), ID_LEAST, ID_MOST)
    if kind is None or node_id is None:
        return None
    if kind == _ELEMENT:
        made = _element(sent, rules, depth)
    elif kind == _TEXT:
        made = {"type": _TEXT, "textContent": _text_in(parent, string(sent.get("textContent")), rules)}
    elif kind == _DOCUMENT:
        made = _document(sent, rules, depth)
    elif kind == _DOCTYPE:
        made = {"type": _DOCTYPE, "name": "html", "publicId": _public_id(sent), "systemId": ""}
    else:  # a page shows nothing of a comment
        made = {"type": _COMMENT, "textContent": ""}
    made |= {flag: True for flag in ("isShadow", "isShadowHost") if sent.get(flag) is True}
    root = whole(sent.get("rootId"), ID_LEAST, ID_MOST)
    return made | {"id": node_id} if root is None else made | {"rootId": root, "id": node_id}


def is_document(node: Made) -> bool:
    return bool(node["type"] == _DOCUMENT)


def _document(sent: Sent, rules: Rules, depth: int) -> Made:
    mode = sent.get("compatMode")
    made: Made = {"type": _DOCUMENT, "childNodes": _children(sent, rules, depth, "")}
    return made | {"compatMode": mode} if mode in ("BackCompat", "CSS1Compat") else made


def _element(sent: Sent, rules: Rules, depth: int) -> Made:
    name = tag_of(string(sent.get("tagName"))[:64], rules)
    tag = name.lower()
    told = sent.get("attributes")
    if tag == HIDDEN:
        return {"type": _ELEMENT, "tagName": HIDDEN, "attributes": {}, "childNodes": []}
    made: Made = {
        "type": _ELEMENT,
        "tagName": name,
        "attributes": attributes(tag, told, rules) if isinstance(told, dict) else {},
        # What is in a link becomes a style sheet.
        "childNodes": [] if tag == "link" else _children(sent, rules, depth, tag),
    }
    if tag == "style":
        _join_style(made["childNodes"])
    flags = ("isSVG", "needBlock", "isCustom") if "-" in tag else ("isSVG", "needBlock")
    return made | {flag: True for flag in flags if sent.get(flag) is True}


def _children(sent: Sent, rules: Rules, depth: int, tag: str) -> list[Made]:
    nodes = sent.get("childNodes")
    if not isinstance(nodes, list) or depth >= DEPTH_MOST:
        return []
    made: list[Made] = []
    for each in nodes:  # a comprehension would take another frame of the stack
        node = safe_node(each, rules, depth + 1, tag) if isinstance(each, dict) else None
        if node is not None and node["type"] != _DOCUMENT:  # one of a frame comes by itself
            made.append(node)
    return made


def _join_style(nodes: list[Made]) -> None:
    """Put the style sheet into the first of its texts where it is not the same in pieces and as a whole."""
    texts = [node for node in nodes if node["type"] == _TEXT]
    whole = "".join(node["textContent"] for node in texts)
    if len(texts) > 1 and safe_css(whole) != whole:
        for node in texts:
            node["textContent"] = ""
        texts[0]["textContent"] = safe_loose_text(whole)


def _text_in(parent: str, text: str, rules: Rules) -> str:
    if parent == "style":
        return safe_loose_text(hide(text, rules))
    if parent == "textarea":
        return typed_text(text)
    return shown_text(text, rules) if parent else loose_text(text, rules)


def loose_text(text: str, rules: Rules) -> str:
    """Return a text whose element is not known; what looks like a style sheet is not masked."""
    is_masked = rules.mask and not is_style_sheet(text)
    return shown_text(text, rules) if is_masked else safe_loose_text(hide(text, rules))


def _public_id(sent: Sent) -> str:
    """Return what makes browsers show a page by the rules of the past."""
    public = string(sent.get("publicId"))
    return public if public.startswith("-//W3C//DTD") and len(public) < 64 and hide(public, Rules()) == public else ""
