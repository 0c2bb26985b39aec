"""Elements and attributes of recordings: what may be shown again, and what of it is kept.

Known names with known kinds of values stay, everything else is left out. Nothing that stays can run, and nothing
can fetch: images are kept where they are part of the recording (`data:`), links where they are those of <a>.
"""

import re
from collections.abc import Callable

import msgspec

from visitor_tracker.ingest.safe_css import safe_css, safe_loose_text
from visitor_tracker.ingest.scrub import clean, cut, scrub, scrub_url, tells

Attribute = str | int | float | bool


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


HIDDEN = "noscript"  # players show nothing of it; takes the place of an element, for later events name it by its id
NUMBER_MOST = 1e9

_UNKNOWN = "span"  # an element of no known name: what is in it is shown
_NAME_MOST, _TEXT_MOST, _URL_MOST = 4_096, 512, 2_048  # characters

# What runs, fetches, or changes how all the others are read.
_HIDDEN = _words(
    "script noscript object embed applet base meta template portal frame frameset fencedframe param animate "
    "animatemotion animatetransform animatecolor set discard handler listener feimage mpath"
)
_TAGS = _words(
    "html head body title style link a abbr acronym address area article aside audio b bdi bdo big blockquote br "
    "button canvas caption center cite code col colgroup data datalist dd del details dfn dialog dir div dl dt em "
    "fieldset figcaption figure font footer form h1 h2 h3 h4 h5 h6 header hgroup hr i iframe img input ins kbd "
    "label legend li main map mark marquee menu meter nav nobr ol optgroup option output p picture pre progress q "
    "rb rp rt rtc ruby s samp search section select slot small source span strike strong sub summary sup table "
    "tbody td textarea tfoot th thead time tr track tt u ul var video wbr svg g defs symbol use path rect circle "
    "ellipse line polyline polygon text tspan textpath image lineargradient radialgradient stop clippath mask "
    "pattern filter marker view switch desc metadata foreignobject feblend fecolormatrix fecomponenttransfer "
    "fecomposite feconvolvematrix fediffuselighting fedisplacementmap fedistantlight fedropshadow feflood fefunca "
    "fefuncb fefuncg fefuncr fegaussianblur femerge femergenode femorphology feoffset fepointlight "
    "fespecularlighting fespotlight fetile feturbulence"
)
_is_custom = re.compile(r"[a-z][a-z0-9._]*+-[a-z0-9._-]*+").fullmatch

# Names: nothing but white space separates them, and style sheets select by them.
_NAMES = _words("class id for name slot part exportparts role lang dir headers popovertarget")
# What a page says to its reader.
_TEXTS = _words(
    "title alt placeholder label abbr summary datetime aria-label aria-description aria-roledescription"
    " aria-valuetext aria-placeholder"
)
# Keywords, numbers, colours, and in SVG shapes and references to what the page itself has.
_PLAIN = _words(
    "align bgcolor border cellpadding cellspacing checked clear color cols colspan compact controls disabled face "
    "frame frameborder height hidden high hspace inert kind loop low marginheight marginwidth max maxlength media "
    "min minlength multiple muted nowrap open optimum popover readonly required reversed rows rowspan rules scope "
    "scrolling shape size span start step translate valign vspace width wrap cx cy dx dy fx fy fr r rx ry x x1 x2 "
    "xmlns y y1 y2 pathlength viewbox preserveaspectratio gradientunits gradienttransform patternunits "
    "patterncontentunits patterntransform spreadmethod offset clippathunits maskunits maskcontentunits "
    "filterunits primitiveunits markerwidth markerheight markerunits refx refy orient rotate lengthadjust "
    "textlength startoffset method spacing version basefrequency numoctaves seed stitchtiles result in in2 mode "
    "operator k1 k2 k3 k4 tablevalues slope intercept amplitude exponent stddeviation edgemode kernelmatrix order "
    "bias divisor radius scale xchannelselector ychannelselector azimuth elevation surfacescale diffuseconstant "
    "specularconstant specularexponent limitingconeangle pointsatx pointsaty pointsatz z fill stroke opacity "
    "visibility display overflow cursor clip mask filter direction"
)
_SHAPES = _words("coords d points transform values")
# With a hyphen; their values may refer to what the page has: url(#id).
_DRAWN = _words(
    "clip-path marker-start marker-mid marker-end stroke-dasharray font-family flood-color stop-color lighting-color"
)
_is_shape = re.compile(r"[\w\s.,;()+-]*+").fullmatch
_is_rest = re.compile(r"[a-z_][a-z0-9._]*+-[a-z0-9._:-]*+", re.IGNORECASE).fullmatch  # data-x, stroke-width, ng-x
_is_token = re.compile(r"[\w .%#+-]{0,100}").fullmatch
_is_fragment = re.compile(r"#[\w.:-]{1,256}").fullmatch
_is_web = re.compile(r"https?://", re.IGNORECASE).match
_is_pixels = re.compile(r"[0-9]{1,6}(?:\.[0-9]{1,20})?px").fullmatch
_is_picture = re.compile(
    r"data:image/(?:png|jpe?g|gif|webp|avif|bmp|x-icon|vnd\.microsoft\.icon);base64,[A-Za-z0-9+/=\s]*+", re.IGNORECASE
).fullmatch
_is_svg = re.compile(r"data:image/svg\+xml[;,][^\\\"<>]*+", re.IGNORECASE).fullmatch
_is_style_sheet = re.compile(r"[^{}]*+\{[^{}:;]*+[:;{}]").match
_NOT_SPACE = re.compile(r"\S")
_is_hard = re.compile(r"[@%\\]|[0-9](?:[ +-]?[0-9]){12}").search
_number_runs = re.compile(r"[0-9](?:[ +-]?[0-9]){12,}+").findall
_HARD = 8
_EFFORT_MOST = 600_000  # microseconds, roughly, of one piece: more than any page that nobody made for it
_STARS_MOST = 256  # of what was typed: how long it was is nobody's concern

_LABELS = frozenset({"button", "submit", "reset"})  # inputs whose value is a label
_CHOICES = frozenset({"checkbox", "radio"})
_INPUTS = _LABELS | _CHOICES | _words(
    "text password search email tel url number date month week time datetime-local color range file hidden"
)  # fmt: skip
_VALUED = frozenset({"li", "progress", "meter"})


class Effort:
    """How long the search for what is private may still take in one piece of a recording; belongs to one thread.

    It is counted, not measured: what is kept of a recording must not depend on how busy the machine is.
    """

    __slots__ = ("_left",)

    def __init__(self) -> None:
        self._left = _EFFORT_MOST

    def takes(self, text: str, ip: str) -> bool:
        """Say whether a text may be searched, also for that address, and take what that costs."""
        colons = text.count(":") if ":" in ip else 0  # an IPv6 address may be spelled in many ways
        if colons < 2 and _is_hard(text) is None:
            return True
        numbers = sum(map(len, _number_runs(text)))
        needed = _HARD + numbers + 2 * text.count("%") + 3 * (text.count("\\") + colons) + 6 * text.count("@")
        if needed > self._left:
            return False
        self._left -= needed
        return True


class Rules(msgspec.Struct, frozen=True, gc=False):
    """What nothing of may be kept, the client's address and user agent, and whether text is masked."""

    mask: bool = True
    ip: str = ""
    user_agent: str = ""
    effort: Effort = msgspec.field(default_factory=Effort)


def tag_of(name: str, rules: Rules) -> str:
    """Return the name under which an element is kept."""
    lower = name.lower()
    if lower in _TAGS:
        return name
    if lower in _HIDDEN:
        return HIDDEN
    return name if _is_custom(lower) and hide(lower, rules) == lower else _UNKNOWN


def hide(text: str, rules: Rules) -> str:
    """Return the text without e-mail addresses, card numbers and the client's own address; else as it is.

    Stars come back where that would take too long.
    """
    if not rules.effort.takes(text, rules.ip):
        return typed_text(text)
    found = scrub(text, rules.ip, rules.user_agent)
    return text if found == text or found == clean(text) else found


def shown_text(text: str, rules: Rules) -> str:
    """Return a text that a page shows: masked, or without what is private."""
    return _NOT_SPACE.sub("*", text) if rules.mask else hide(text, rules)


def typed_text(text: str) -> str:
    """Return as many stars as were typed, white space as it was."""
    return _NOT_SPACE.sub("*", text[:_STARS_MOST])


def is_style_sheet(text: str) -> bool:
    """Say whether a text begins as style sheets do."""
    return _is_style_sheet(text[:_NAME_MOST]) is not None


def attribute(tag: str, name: str, value: object, rules: Rules) -> Attribute | None:
    """Return what is kept of an attribute; None: it is left out. `tag` is "" for an element that is not known."""
    lower = name.lower()
    if not isinstance(value, str):
        return _number(lower, value)
    read = _READ.get(lower)
    return _rest(tag, lower, value, rules) if read is None else read(tag, lower, value, rules)


def attributes(tag: str, sent: dict[object, object], rules: Rules) -> dict[str, Attribute]:
    """Return what is kept of a known element's attributes."""
    kept: dict[str, Attribute] = {}
    kind = _input_kind(sent) if tag == "input" else ""
    for name, value in sent.items():
        if isinstance(name, str) and len(name) <= _TEXT_MOST:
            found = _value(tag, kind, value, rules) if name == "value" else attribute(tag, name, value, rules)
            if found is not None:
                kept[name] = found
    return kept


def _input_kind(sent: dict[object, object]) -> str:
    """Return what kind of input it is; one that ever was a password stays one."""
    if "data-rr-is-password" in sent:
        return "password"
    kind = sent.get("type")
    return kind.lower() if isinstance(kind, str) and kind.lower() in _INPUTS else "text"


def _value(tag: str, kind: str, value: object, rules: Rules) -> Attribute | None:
    """Return the attribute `value`: masked wherever somebody may have typed or chosen it."""
    if not isinstance(value, str):
        return _number("value", value) if tag in _VALUED else None
    if kind == "password":
        return ""
    if kind in _LABELS or tag == "button":
        return shown_text(value[:_TEXT_MOST], rules)
    if kind in _CHOICES or tag in _VALUED or tag in ("option", "data"):
        return hide(value, rules) if _is_token(value) else ""
    return typed_text(value)


def _number(lower: str, value: object) -> Attribute | None:
    if not isinstance(value, int | float) or not -NUMBER_MOST <= value <= NUMBER_MOST:
        return None
    return value if lower in _NUMBERED or (_is_rest(lower) and not lower.startswith("on")) else None


def _name(tag: str, lower: str, value: str, rules: Rules) -> str:
    return cut(hide(value[: 2 * _NAME_MOST], rules), _NAME_MOST)


def _text(tag: str, lower: str, value: str, rules: Rules) -> str:
    return shown_text(value[:_TEXT_MOST], rules)


def _style(tag: str, lower: str, value: str, rules: Rules) -> str | None:
    if lower != "_csstext":
        return safe_css(hide(value, rules))
    return safe_loose_text(hide(value, rules)) if tag in ("", "style", "link") else None


def _plain(tag: str, lower: str, value: str, rules: Rules) -> str:
    value = hide(value, rules)
    return safe_css(value) if "(" in value or "\\" in value else value


def _shape(tag: str, lower: str, value: str, rules: Rules) -> str | None:
    """Return a long row of numbers, some of which may look like a card's."""
    return value if _is_shape(value) and not tells(value, rules.ip, rules.user_agent) else None


def _type(tag: str, lower: str, value: str, rules: Rules) -> str | None:
    if tag in ("", "input"):
        return value if value.lower() in _INPUTS else None
    return hide(value, rules) if _is_token(value) else None


def _link(tag: str, lower: str, value: str, rules: Rules) -> str | None:
    if tag in ("a", "area"):
        return cut(scrub_url(value[: 2 * _URL_MOST], rules.ip, rules.user_agent), _URL_MOST) if _is_web(value) else "#"
    if tag == "image" and (_is_picture(value) or _is_drawing(value, rules)):
        return value
    return hide(value, rules) if tag != "link" and _is_fragment(value) else None


def _source(tag: str, lower: str, value: str, rules: Rules) -> str | None:
    if tag in ("", "img", "input") and _is_picture(value):
        return value
    return value if tag == "img" and _is_drawing(value, rules) else None


def _of_recorder(tag: str, lower: str, value: str, rules: Rules) -> str | None:
    return value if _RECORDER[lower](value) else None


def _relation(tag: str, lower: str, value: str, rules: Rules) -> str | None:
    return "stylesheet" if tag == "link" and value.lower() == "stylesheet" else None


def _typed(tag: str, lower: str, value: str, rules: Rules) -> str:
    return typed_text(value)


def _rest(tag: str, lower: str, value: str, rules: Rules) -> str | None:
    """Return an attribute of another name with a hyphen in it: style sheets may select by it."""
    if lower.startswith("on") or not _is_rest(lower) or hide(lower, rules) != lower:
        return None
    if _is_token(value):
        return hide(value, rules)
    return _plain(tag, lower, value, rules) if lower in _DRAWN else ""


def _is_drawing(value: str, rules: Rules) -> bool:
    """Say whether an SVG image is all there, with nothing private in it; as an image it neither runs nor fetches."""
    return _is_svg(value) is not None and hide(value, rules) == value


_RECORDER = {
    "rr_dataurl": _is_picture,
    "rr_width": _is_pixels,
    "rr_height": _is_pixels,
    "rr_open_mode": re.compile("(?:non-)?modal").fullmatch,
}
_NUMBERED = _PLAIN | _SHAPES | _NAMES | {"rr_scrollleft", "rr_scrolltop", "value"}
_Read = Callable[[str, str, str, Rules], str | None]
_READ: dict[str, _Read] = {
    **dict.fromkeys(_NAMES, _name),
    **dict.fromkeys(_TEXTS, _text),
    **dict.fromkeys(_PLAIN, _plain),
    **dict.fromkeys(_SHAPES, _shape),
    **dict.fromkeys(("style", "_csstext"), _style),
    **dict.fromkeys(("href", "xlink:href"), _link),
    **dict.fromkeys(_RECORDER, _of_recorder),
    "type": _type,
    "src": _source,
    "rel": _relation,
    "value": _typed,
}
