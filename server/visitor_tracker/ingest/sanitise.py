"""Recordings made harmless: what is kept of the events that a session recorder (rrweb 2) sends.

An event of a known type is built anew from its known fields, each of its own kind; all else is left out. What stays
runs nothing and fetches nothing when it is shown (`safe_markup`, `safe_css`), and tells nothing that events do not
tell either: no e-mail addresses, card numbers, secrets in URLs, no client address, nothing that somebody typed.

Events of one session come in several requests, so nothing is believed of a node that is not in the same tree.
"""

import re
from collections.abc import Callable, Sequence

import msgspec

from visitor_tracker.ingest.safe_css import safe_css
from visitor_tracker.ingest.safe_markup import Effort, Rules, attribute, hide, typed_text
from visitor_tracker.ingest.safe_nodes import is_document, loose_text, safe_node
from visitor_tracker.ingest.safe_values import (
    ID_LEAST,
    ID_MOST,
    Made,
    Sent,
    dicts,
    id_of,
    number,
    string,
    whole,
    with_id,
)
from visitor_tracker.ingest.scrub import cut, scrub_url

FULL_SNAPSHOT, INCREMENTAL, META = 2, 3, 4
_SIDE_MOST = 100_000  # pixels
_URL_MOST = 2_048
_RULES_DEEP = 10  # style rules inside style rules
_SOURCE_MOST = 15
_is_name = re.compile(r"[A-Za-z_][\w:.-]{0,127}").fullmatch
_is_property = re.compile(r"-{0,2}[A-Za-z][\w-]{0,127}").fullmatch


def sanitise(events: Sequence[object], rules: Rules) -> list[Made]:
    """Return the events that can be kept, without what must not be; takes anything, never raises."""
    rules = msgspec.structs.replace(rules, effort=Effort())
    found = (_event(event, rules) for event in events if isinstance(event, dict))
    return [event for event in found if event is not None]


def _event(sent: Sent, rules: Rules) -> Made | None:
    kind, data, moment = whole(sent.get("type"), 0, META), sent.get("data"), whole(sent.get("timestamp"), 0)
    if kind is None or moment is None or not isinstance(data, dict):
        return None
    made: Made | None = {}
    if kind == FULL_SNAPSHOT:
        made = _snapshot(data, rules)
    elif kind == INCREMENTAL:
        source = whole(data.get("source"), 0, _SOURCE_MOST)
        read = _SOURCES.get(source) if source is not None else None
        made = read(data, rules) if read else None
        made = None if made is None else {"source": source, **made}
    elif kind == META:
        made = _meta(data, rules)
    return None if made is None else {"type": kind, "data": made, "timestamp": moment}


def _snapshot(data: Sent, rules: Rules) -> Made | None:
    tree, offset = data.get("node"), data.get("initialOffset")
    node = safe_node(tree, rules) if isinstance(tree, dict) else None
    if node is None or not is_document(node):
        return None
    at = offset if isinstance(offset, dict) else {}
    return {"node": node, "initialOffset": {"top": number(at.get("top")) or 0, "left": number(at.get("left")) or 0}}


def _meta(data: Sent, rules: Rules) -> Made | None:
    href, width, height = data.get("href"), whole(data.get("width"), 0), whole(data.get("height"), 0)
    if not isinstance(href, str) or width is None or height is None:
        return None
    return {"href": _url(href, rules), "width": min(width, _SIDE_MOST), "height": min(height, _SIDE_MOST)}


def _url(url: str, rules: Rules) -> str:
    is_web = url[:8].lower().startswith(("http://", "https://"))
    return cut(scrub_url(url[: 2 * _URL_MOST], rules.ip, rules.user_agent), _URL_MOST) if is_web else ""


def _mutation(data: Sent, rules: Rules) -> Made:
    made: Made = {
        "texts": [
            {"id": node_id, "value": None if each.get("value") is None else loose_text(string(each["value"]), rules)}
            for each, node_id in with_id(data.get("texts"))
        ],
        "attributes": [
            {"id": node_id, "attributes": _changed(each.get("attributes"), rules)}
            for each, node_id in with_id(data.get("attributes"))
        ],
        "removes": [
            {"parentId": parent, "id": node_id, **({"isShadow": True} if each.get("isShadow") is True else {})}
            for each, node_id in with_id(data.get("removes"))
            if (parent := whole(each.get("parentId"), ID_LEAST, ID_MOST)) is not None
        ],
        "adds": [add for each in dicts(data.get("adds")) if (add := _added(each, rules)) is not None],
    }
    if data.get("isAttachIframe") is True:
        made["isAttachIframe"] = True
    return made


def _added(sent: Sent, rules: Rules) -> Made | None:
    parent, tree = whole(sent.get("parentId"), ID_LEAST, ID_MOST), sent.get("node")
    node = safe_node(tree, rules) if isinstance(tree, dict) else None
    if parent is None or node is None:
        return None
    made: Made = {"parentId": parent, "nextId": whole(sent.get("nextId"), ID_LEAST, ID_MOST)}
    if "previousId" in sent:
        made["previousId"] = whole(sent["previousId"], ID_LEAST, ID_MOST)
    return {**made, "node": node}


def _changed(sent: object, rules: Rules) -> dict[str, object]:
    """Return the attributes that a node gets, whatever element it is; None takes one away."""
    made: dict[str, object] = {}
    for name, value in sent.items() if isinstance(sent, dict) else ():
        if not isinstance(name, str) or not _is_name(name):
            continue
        if value is None:
            made[name] = None
        elif name == "style" and isinstance(value, dict):
            made[name] = _declarations(value, rules)
        elif (found := attribute("", name, value, rules)) is not None:
            made[name] = found
    return made


def _declarations(sent: Sent, rules: Rules) -> dict[str, object]:
    """Return declarations by property: a value, a value with its priority, or False to take it away."""
    made: dict[str, object] = {}
    for name, value in sent.items():
        if not isinstance(name, str) or not _is_property(name):
            continue
        if value is False:
            made[name] = False
        elif isinstance(value, str):
            made[name] = safe_css(hide(value, rules))
        elif isinstance(value, list) and len(value) == 2 and isinstance(value[0], str):
            made[name] = [safe_css(hide(value[0], rules)), _priority(value[1])]
    return made


def _moves(data: Sent, rules: Rules) -> Made | None:
    positions: list[Made] = []
    for each in dicts(data.get("positions")):
        x, y, node_id = number(each.get("x")), number(each.get("y")), id_of(each)
        before = number(each.get("timeOffset"))
        if x is not None and y is not None and node_id is not None and before is not None:
            positions.append({"x": x, "y": y, "id": node_id, "timeOffset": before})
    return {"positions": positions} if positions else None


def _interaction(data: Sent, rules: Rules) -> Made | None:
    return _numbers(data, {"type": 10}, ("x", "y"), {"pointerType": 2})


def _scroll(data: Sent, rules: Rules) -> Made | None:
    x, y, node_id = number(data.get("x")), number(data.get("y")), id_of(data)
    return None if x is None or y is None or node_id is None else {"id": node_id, "x": x, "y": y}


def _resize(data: Sent, rules: Rules) -> Made | None:
    width, height = whole(data.get("width"), 0, _SIDE_MOST), whole(data.get("height"), 0, _SIDE_MOST)
    return None if width is None or height is None else {"width": width, "height": height}


def _input(data: Sent, rules: Rules) -> Made | None:
    """Return that somebody typed or chose; what, nobody learns."""
    text, node_id = data.get("text"), id_of(data)
    if not isinstance(text, str) or node_id is None:
        return None
    made = {"text": typed_text(text), "isChecked": data.get("isChecked") is True}
    if "userTriggered" in data:
        made["userTriggered"] = data["userTriggered"] is True
    return {**made, "id": node_id}


def _media(data: Sent, rules: Rules) -> Made | None:
    made = _numbers(data, {"type": 4}, ("currentTime", "volume", "playbackRate"), {})
    if made is not None:
        made |= {name: data[name] for name in ("muted", "loop") if isinstance(data.get(name), bool)}
    return made


def _numbers(data: Sent, needed: dict[str, int], numbers: Sequence[str], codes: dict[str, int]) -> Made | None:
    """Return an event of a node that has nothing but numbers: codes up to so much, the others of any size."""
    node_id = id_of(data)
    found: dict[str, int | float | None] = {name: whole(data.get(name), 0, most) for name, most in needed.items()}
    if node_id is None or None in found.values():
        return None
    found |= {name: whole(data.get(name), 0, most) for name, most in codes.items()}
    found |= {name: number(data.get(name)) for name in numbers}
    return {"id": node_id, **{name: value for name, value in found.items() if value is not None}}


def _style_rules(data: Sent, rules: Rules) -> Made | None:
    made = _sheet(data)
    if made is None:
        return None
    if isinstance(data.get("removes"), list):
        places = (_place(each.get("index")) for each in dicts(data["removes"]))
        made["removes"] = [{"index": place} for place in places if place is not None]
    if isinstance(data.get("adds"), list):
        made["adds"] = _added_rules(data["adds"], rules)
    for name in ("replace", "replaceSync"):
        sheet = data.get(name)
        if isinstance(sheet, str):
            made[name] = safe_css(hide(sheet, rules))
    return made


def _added_rules(sent: object, rules: Rules) -> list[Made]:
    made: list[Made] = []
    for each in dicts(sent):
        if isinstance(rule := each.get("rule"), str):
            place = _place(each.get("index"))
            at = {} if place is None else {"index": place}
            made.append({"rule": safe_css(hide(rule, rules)), **at})
    return made


def _style_declaration(data: Sent, rules: Rules) -> Made | None:
    made, place = _sheet(data), _place(data.get("index"))
    if made is None or not isinstance(place, list):
        return None
    made["index"] = place
    new, gone = data.get("set"), data.get("remove")
    if isinstance(new, dict) and _is_property(string(new.get("property"))):
        value = new.get("value")
        made["set"] = {
            "property": new["property"],
            "value": safe_css(hide(value, rules)) if isinstance(value, str) else None,
            "priority": _priority(new.get("priority")),
        }
    if isinstance(gone, dict) and _is_property(string(gone.get("property"))):
        made["remove"] = {"property": gone["property"]}
    return made


def _adopted(data: Sent, rules: Rules) -> Made | None:
    node_id, ids = id_of(data), data.get("styleIds")
    if node_id is None or not isinstance(ids, list):
        return None
    made: Made = {"id": node_id, "styleIds": [each for each in ids if whole(each, 0, ID_MOST) is not None]}
    if isinstance(data.get("styles"), list):
        made["styles"] = [
            {"styleId": style, "rules": _added_rules(each.get("rules"), rules)}
            for each in dicts(data["styles"])
            if (style := whole(each.get("styleId"), 0, ID_MOST)) is not None
        ]
    return made


def _selection(data: Sent, rules: Rules) -> Made:
    names = ("start", "startOffset", "end", "endOffset")
    ranges: list[Made] = []
    for each in dicts(data.get("ranges")):
        found = {name: whole(each.get(name), ID_LEAST, ID_MOST) for name in names}
        if None not in found.values():
            ranges.append(found)
    return {"ranges": ranges}


def _sheet(data: Sent) -> Made | None:
    """Return which style sheet it is about: that of a node, or one that a program made."""
    found = {name: whole(data.get(name), 0, ID_MOST) for name in ("id", "styleId")}
    made = {name: number for name, number in found.items() if number is not None}
    return made or None


def _place(index: object) -> int | list[int] | None:
    """Return a rule's place in a style sheet, or the way to it through others."""
    if isinstance(index, list):
        found = [place for each in index[:_RULES_DEEP] if (place := whole(each, 0, ID_MOST)) is not None]
        return found if len(found) == len(index) else None
    return whole(index, 0, ID_MOST)


def _priority(value: object) -> str:
    return "important" if value == "important" else ""


_SOURCES: dict[int, Callable[[Sent, Rules], Made | None]] = {
    0: _mutation,
    1: _moves,  # of the mouse
    2: _interaction,
    3: _scroll,
    4: _resize,
    5: _input,
    6: _moves,  # of a finger
    7: _media,
    8: _style_rules,
    12: _moves,  # dragging
    13: _style_declaration,
    14: _selection,
    15: _adopted,
}
