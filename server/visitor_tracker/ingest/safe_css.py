"""Style sheets of recordings: nothing in them may be fetched or run when they are shown again.

Names of functions and rules that fetch are replaced wherever they stand, also in comments and strings: so it does not
matter how a browser would cut the text into tokens. What is left of such a rule is not valid and ignored (CSS Syntax
3, 9). Images and fonts that are part of the text (`data:`) and references into the page (`#id`) stay.
"""

import re

SPLIT = "/* rr_split */"  # where the recorder cuts a style sheet into the text nodes of its element

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
_begins_function = re.compile(r"[-\w\\]*+\(").match
_ends_in_rule = re.compile(r"@[-\w\\]*+\Z").search
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
    if SPLIT not in safe:
        return safe
    whole = safe.replace(SPLIT, "")  # as the player puts it together
    joined = safe_css(whole)
    return safe if joined == whole else joined


def safe_loose_text(text: str) -> str:
    """Return a text of which nobody knows in which element it is put: it may become a part of a style sheet.

    What it says with the text before or after it cannot be known either, so it is kept apart from them.
    """
    text = safe_css(text)
    if _begins_function(text):
        text = _APART + text
    return text + _APART if _ends_in_rule(text) else text


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
