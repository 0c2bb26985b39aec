"""Style sheets of recordings: nothing in them may be fetched or run when they are shown again.

Names of functions and rules that fetch are replaced wherever they stand, also in comments and strings: so it does not
matter how a browser would cut the text into tokens. What is left of such a rule is not valid and ignored (CSS Syntax
3, 9). Images and fonts that are part of the text (`data:`) and references into the page (`#id`) stay.
"""

import re

_SPLIT_NAME = "rr_split"
SPLIT = f"/* {_SPLIT_NAME} */"  # where the recorder cuts a style sheet into the text nodes of its element

_DATA = (
    r"data:(?:image/(?:png|jpe?g|gif|webp|avif|bmp|x-icon|vnd\.microsoft\.icon|svg\+xml)"
    r"|(?:application/(?:x-)?font-|font/)[\w.-]{1,32}|application/vnd\.ms-fontobject)[;,]"
)
_OWN = rf"""(?:"(?:{_DATA}|\#)[^"\\\n\r\f]*+"|'(?:{_DATA}|\#)[^'\\\n\r\f]*+'|(?:{_DATA}|\#)[^"'()\\\s]*+)"""
_NAMES = (
    r"@import|url\(|image-set\(|(?<![\w-])(?:image|src)\(|expression\(|progid:|-moz-binding|(?<![\w-])behavior(?=\s*+:)"
    r"|-o-link|(?:java|vb)script:"
)
_FETCHING = re.compile(rf"(?P<own>url\(\s*+{_OWN}\s*+\))|{_NAMES}", re.IGNORECASE)
_fetches = re.compile(_NAMES, re.IGNORECASE).search
_ESCAPE = re.compile(r"\\(?:([0-9A-Fa-f]{1,6})(?:\r\n|[ \t\r\n\f])?|([^\r\n\f]))")
# A name with its escapes (CSS Syntax 3, 4.3.7), the last of which may go on in the text behind it; and at the begin of
# a text what may belong to the escape that the text before it ends in.
_NAME = r"(?:[-\w]|\\(?:[0-9A-Fa-f]{1,6}(?:\r\n|[ \t\r\n\f])?|[^@\r\n\f])?)*+"
_begins_function = re.compile(rf"[0-9A-Fa-f]{{0,6}}+(?:\r\n|[ \t\r\n\f])?+{_NAME}\(").match
_ends_in_rule = re.compile(rf"@{_NAME}\Z").search
_APART = "\n "  # two of them, because the first may belong to an escape

# In one of these is every name that fetches: for most style sheets that is all there is to look for.
_HINTS = ("import", "url(", "image", "src(", "expression", "progid", "binding", "behavior", "-o-link", "script")

_BLOCKED = "blocked"


def safe_css(css: str) -> str:
    """Return the style sheet, rule, declaration or value without what makes a browser fetch or run something."""
    if "\\" in css:
        plain = _without_escapes(css)
        if plain != css and _fetches(plain):
            css = plain
    lower = css.lower()
    safe = _FETCHING.sub(_blocked, css) if any(hint in lower for hint in _HINTS) else css
    return safe if SPLIT not in safe else _safe_pieces(safe)


def safe_loose_text(text: str) -> str:
    """Return a text that is a part of a style sheet, or may become one: nobody knows where it is put.

    What it says with the text before or after it cannot be known either, so it is kept apart from them; later events
    may put others there, or take them away.
    """
    text = safe_css(text)
    if _begins_function(text):
        text = _APART + text
    return text + _APART if _ends_in_rule(text) else text


def _safe_pieces(css: str) -> str:
    """Return a style sheet whose pieces the player makes texts of; all together they must be safe as well."""
    pieces = [safe_loose_text(piece) for piece in css.split(SPLIT)]
    whole = "".join(pieces)
    if SPLIT in whole:  # no recorder cuts inside of a cut; so deep as that goes, so often would all of it be read
        return safe_css(css.replace(_SPLIT_NAME, _BLOCKED))
    joined = safe_css(whole)
    return SPLIT.join(pieces) if joined == whole else joined


def _blocked(found: re.Match[str]) -> str:
    own = found["own"]
    if own is None:
        name = found[0]
        return f"@{_BLOCKED}" if name[0] == "@" else _BLOCKED + name[-1] if name[-1] in "(:" else _BLOCKED
    return f"{_BLOCKED}()" if _fetches(own, 4) else own  # behind its own "url("


def _without_escapes(css: str) -> str:
    """Return the text with escapes of letters and hyphens replaced by what they mean; it means the same."""
    return _ESCAPE.sub(_plain, css)


def _plain(escape: re.Match[str]) -> str:
    number, character = escape.groups()
    if number is None:
        return character if character.isascii() and (character.isalpha() or character == "-") else escape[0]
    code = int(number, 16)
    meant = chr(code) if code < 0x80 else ""
    return meant if meant.isalpha() or meant == "-" else f"\\{number} "
