"""What must not be kept: e-mail addresses, card numbers, the client's address and user agent, secrets in URLs.

Texts become one line: control characters and those that turn the direction of text are left out, white space
becomes single spaces. Everything here takes any text, takes time in proportion to its length, never raises, and
changes nothing when done twice. Scrub first, cut then: half an e-mail address is no longer known as one.
"""

import re
from collections.abc import Callable
from functools import lru_cache
from ipaddress import IPv6Address
from urllib.parse import quote, unquote

from visitor_tracker.event import Property
from visitor_tracker.ingest.cards import CARD_LEAST, CARD_MOST, cards, is_card

EMAIL = "[email]"
NUMBER = "[number]"
REMOVED = "[removed]"
REDACTED = "redacted"  # stands for all of them in a URL

_LOCAL_MOST = 64  # characters before the @ (RFC 5321, 4.5.3.1.1)
_AGENT_LEAST = 8  # a shorter user agent is a word like any other
_AGENT_BEGIN = 16  # characters of a user agent that was cut off, and is known nevertheless
_PARTS_MOST = 100  # of a path or query in which something was found; with more of them it is left out as a whole
_ENCODINGS_MOST = 5  # percent-encoded more often than that, a part of a URL is left out
_URL_CACHED_MOST = 1024

_DIGITS = b"0123456789"
_HIGH = bytes(range(0x80, 0x100))
_ORDINARY = bytes(byte for byte in range(0x20, 0x7F) if byte not in b"@%" + _DIGITS)

# Not the white space among the control characters: that becomes a space.
_INVISIBLE = re.compile(
    "[\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\xad\u061c\u200b\u200e\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069"
    "\ufeff\ufff9-\ufffb\ud800-\udfff]"
)
_NOT_IN_URL = re.compile(f"{_INVISIBLE.pattern[:-1]}\t-\r\x1c-\x1f\x85\u2028\u2029]")

_DOT = r"(?:\.|%(?:25)*+2[Ee])"
# From the @ on: walking back from it afterwards keeps the search linear, whatever stands before. More than one @ is
# taken as a whole, so that nothing left over makes an address with what stands for the first.
_AT = re.compile(r"@|%(?:25)*+40")
_DOMAIN = re.compile(rf"(?:(?:{_AT.pattern})[\w-]++(?:{_DOT}[\w-]++)+)++")
_TOP_LEVEL = re.compile(rf"{_DOT}(?:[^\W\d_]{{2}}|xn--)", re.IGNORECASE)
_LOCAL_BACKWARDS = re.compile(r"[^\s@(),:;<>\[\]\\/?&=#|{}]*+")

_NUMBER_RUN = re.compile(r"[0-9](?:[ +-]?[0-9]){12,}+")
_SEPARATOR = re.compile(r"([ +-])")

_LOWER = str.maketrans({letter: chr(letter + 32) for letter in range(ord("A"), ord("Z") + 1)})  # keeps the length

_ADDRESS_ESCAPE = re.compile("%(?:3|2[Ee5])").search  # of digits, colons, full stops, and of such escapes
_LETTER_ESCAPE = re.compile("%(?:[4-7]|25)").search
_ADDRESS = re.compile(r"[0-9A-Fa-f]{0,4}+:[0-9A-Fa-f:.]++")

_AUTHORITY = re.compile(r"((?:[A-Za-z][A-Za-z0-9+.-]*+:)?//)([^/]*+)")
_NESTED_FIELD = re.compile(r"([?&;#])([^=&;#?/\s]{1,64})=([^&;#\s]+)")
_PATH_SAFE = "!$()*+,;=:@"  # what stays as it is in a part that changes
_NAME_SAFE = "!$()*+,;:@/"
_VALUE_SAFE = _NAME_SAFE + "="

_SECRET_NAMES = frozenset({
    "auth", "authorization", "credential", "credentials", "jsessionid", "jwt", "key", "otp", "pass", "passcode",
    "passphrase", "phpsessid", "pwd", "samlrequest", "samlresponse", "sessid", "session", "sid", "sig", "ticket",
})  # fmt: skip
_SECRET_ENDS = ("token", "password", "passwd", "secret", "signature", "apikey", "accesskey", "sessionid", "credential")
_SECRET_PROPERTIES = ("token", "password", "passwd", "pwd", "secret", "apikey", "accesskey", "jwt", "authorization")


def cut(text: str, most: int) -> str:
    """Return at most so many characters of a scrubbed text."""
    return text if len(text) <= most else text[:most].rstrip()


def clean(text: str) -> str:
    """Return the text as one line without invisible characters."""
    if not text.isprintable():
        text = _INVISIBLE.sub("", text)
    return " ".join(text.split())


def scrub(text: str, ip: str = "", user_agent: str = "") -> str:
    """Return the text as one line, without e-mail addresses, card numbers, and the client's address and user agent."""
    if not tells(text, ip, user_agent) and _is_ordinary(text):
        return text
    text = clean(text)
    private = _private_for(ip, user_agent) if tells(text, ip, user_agent) else _private
    text = private(text)
    return _decoded_if_private(text, private) if "%" in text else text


def scrub_url(url: str, ip: str = "", user_agent: str = "") -> str:
    """Return the URL without user name, e-mail addresses, card numbers, and values that their names call secret.

    With a client, without its address and user agent too. What is taken out of path, query and fragment becomes
    "redacted"; the host stays.
    """
    if tells(url, ip, user_agent):
        return _scrubbed_url(url, _private_for(ip, user_agent))
    return _cached_url(url) if len(url) <= _URL_CACHED_MOST else _scrubbed_url(url, _private)


def scrub_properties(properties: dict[str, Property], ip: str = "", user_agent: str = "") -> dict[str, Property]:
    """Return the properties with keys and values scrubbed, and without the values whose names call them secret."""
    return {
        scrub(key, ip, user_agent): _scrubbed_property(key, value, ip, user_agent) for key, value in properties.items()
    }


def names_secret(name: str) -> bool:
    """Say whether the value of a property with that name is not kept."""
    return _plain_name(name).endswith(_SECRET_PROPERTIES)


def tells(text: str, ip: str, user_agent: str) -> bool:
    """Say whether a text or URL may hold the client's address in any spelling, or its user agent; cheap."""
    if ip and (ip in text or (":" in ip and text.count(":") > 1)):
        return True
    if "%" in text:
        if ip and _ADDRESS_ESCAPE(text):
            return True
        if _LETTER_ESCAPE(text):
            text = unquote(text)
    begin, lower = _beginning(user_agent)
    return begin != "" and (begin in text or lower in text)


@lru_cache(maxsize=4096)
def _beginning(user_agent: str) -> tuple[str, str]:
    """Return a user agent's first word, as it is and in lower case; it is the same however a text is encoded."""
    begin = user_agent.partition(" ")[0].partition("/")[0] if len(user_agent) >= _AGENT_LEAST else ""
    return begin, begin.lower()


def _is_ordinary(text: str) -> bool:
    """Say whether scrubbing changes nothing, for most texts that need none."""
    try:
        odd = text.encode().translate(None, _ORDINARY)
    except UnicodeEncodeError:
        return False
    if odd and not odd.isdigit():
        if not text.isprintable():
            return False
        odd = odd.translate(None, _HIGH)
        if odd and not odd.isdigit():
            return False
    return len(odd) < CARD_LEAST and "  " not in text and text[:1] != " " and text[-1:] != " "


@lru_cache(maxsize=4096)
def _cached_url(url: str) -> str:
    return _scrubbed_url(url, _private)


def _private(text: str) -> str:
    if "@" in text or "%" in text:
        text = _without_emails(text)
    return _NUMBER_RUN.sub(_without_cards, text)


def _decoded_if_private(text: str, private: Callable[[str], str]) -> str:
    """Return a text decoded and scrubbed where percent-encoding hides something, else as it is."""
    level = text
    is_private = False
    for _ in range(_ENCODINGS_MOST):
        decoded = clean(unquote(level))
        hidden = private(decoded)
        is_private = is_private or hidden != decoded
        if hidden == level or "%" not in hidden:
            return hidden if is_private else text
        level = hidden
    return REMOVED


def _private_for(ip: str, user_agent: str) -> Callable[[str], str]:
    """Return what scrubs for one client."""
    return lambda text: _private(_without_client(text, ip, user_agent))


def _without_client(text: str, ip: str, user_agent: str) -> str:
    agent = clean(user_agent).translate(_LOWER)
    if len(agent) >= _AGENT_LEAST and agent not in REMOVED:
        text = _without_agent(text, agent)
        if " " in agent:
            text = _without_agent(text, agent.replace(" ", "+"))  # as forms send it
    if ":" in ip:
        text = _without_spellings(text, ip)
    return text.replace(ip, REMOVED) if ip else text


def _without_agent(text: str, agent: str) -> str:
    """Leave out a user agent in lower case, also where its end is cut off."""
    lower = text.translate(_LOWER)
    begin = agent[:_AGENT_BEGIN]
    pieces: list[str] = []
    done = 0
    while (at := lower.find(begin, done)) >= 0:
        pieces += (text[done:at], REMOVED)
        done = at + _alike(agent, lower[at : at + len(agent)])
    return "".join((*pieces, text[done:])) if pieces else text


def _alike(text: str, other: str) -> int:
    """Return how many characters both begin with."""
    return next((at for at, pair in enumerate(zip(text, other, strict=False)) if pair[0] != pair[1]), len(other))


def _without_spellings(text: str, ip: str) -> str:
    """Leave out an IPv6 address however it is spelled: upper case, leading zeros, other groups left out."""
    try:
        own = IPv6Address(ip)
    except ValueError:
        return text

    def replaced(match: re.Match[str]) -> str:
        spelled = match[0] if match[0].endswith("::") else match[0].rstrip(".:")
        try:
            same = IPv6Address(spelled) == own
        except ValueError:
            return match[0]
        return REMOVED + match[0][len(spelled) :] if same else match[0]

    return _ADDRESS.sub(replaced, text)


def _without_emails(text: str) -> str:
    pieces: list[str] = []
    done = 0
    for match in _DOMAIN.finditer(text):
        if not _TOP_LEVEL.search(match[0]):
            continue
        before = text[max(done, match.start() - _LOCAL_MOST) : match.start()]
        local = _LOCAL_BACKWARDS.match(before[::-1])
        signs = [sign.end() for sign in _AT.finditer(match[0])]
        if local is not None and local[0]:
            pieces += (text[done : match.start() - local.end()], EMAIL)
            done = match.end()
        elif len(signs) > 1:  # such as @name.x@example.com
            pieces += (text[done : match.start() + signs[0]], EMAIL)
            done = match.end()
    return "".join((*pieces, text[done:]))


def _without_cards(run: re.Match[str]) -> str:
    """Leave out the card numbers in a run of digits; they begin and end where a group of digits does."""
    pieces = _SEPARATOR.split(run[0])  # groups, and between them their separators
    kept: list[str] = []
    done = 0
    for first, end in cards(pieces[::2]):
        kept += (*pieces[done : 2 * first], NUMBER)
        done = 2 * end - 1
    return "".join((*kept, *pieces[done:])) if kept else run[0]


def _scrubbed_property(key: str, value: Property, ip: str, user_agent: str) -> Property:
    if isinstance(value, bool):
        return value
    if names_secret(key):
        return REMOVED
    if isinstance(value, str):
        return scrub(value, ip, user_agent)
    whole = abs(value) < 10**CARD_MOST and value == int(value)
    return NUMBER if whole and is_card(str(int(value))) else value


def _plain_name(name: str) -> str:
    return name.lower().replace("-", "").replace("_", "")


@lru_cache(4096)
def _is_secret(name: str) -> bool:
    plain = _plain_name(name)
    return plain in _SECRET_NAMES or plain.endswith(_SECRET_ENDS)


def _scrubbed_url(url: str, private: Callable[[str], str]) -> str:
    if not url.isprintable():
        url = _NOT_IN_URL.sub("", url)
    url = url.strip()
    once = _scrubbed_parts(url, private)
    return once if once == url else _scrubbed_parts(once, private)  # a mark may end up as the scheme before a //


def _scrubbed_parts(url: str, private: Callable[[str], str]) -> str:
    rest, hash_mark, fragment = url.partition("#")
    rest, query_mark, query = rest.partition("?")
    authority = _AUTHORITY.match(rest)
    beginning = "" if authority is None else authority[1] + _host(authority[2])
    path = rest if authority is None else rest[authority.end() :]

    def scrubbed_path(text: str) -> str:
        if _is_untouched(text, private):
            return text
        if text.count("/") > _PARTS_MOST:
            return "/" + REDACTED
        if private is not _private:  # a user agent has slashes
            text = _part(text, private, _PATH_SAFE + "/")
        return "/".join([_part(segment, private, _PATH_SAFE) for segment in text.split("/")])

    def scrubbed_fields(text: str) -> str:
        fields = text.split("&")
        is_oauth = {"code", "state"} <= {field.partition("=")[0] for field in fields}
        if _is_untouched(text, private):
            return "&".join([_field(field, None, is_oauth) for field in fields])
        return REDACTED if len(fields) > _PARTS_MOST else "&".join([_field(each, private, is_oauth) for each in fields])

    fragment = scrubbed_fields(fragment) if "=" in fragment else scrubbed_path(fragment)
    return f"{beginning}{scrubbed_path(path)}{query_mark}{scrubbed_fields(query)}{hash_mark}{fragment}"


def _host(authority: str) -> str:
    """Leave out the user; a host has no escapes."""
    host = authority.rpartition("@")[2]
    return REDACTED if "%" in host else host


def _field(field: str, private: Callable[[str], str] | None, is_oauth: bool) -> str:
    """Scrub a field of a query; without `private` all but its value if its name calls that secret."""
    name, equals, value = field.partition("=")
    is_secret = value and (_is_secret(unquote(name)) or (is_oauth and name in ("code", "state")))
    if private is None:
        return f"{name}={REDACTED}" if is_secret else field
    name = _part(name, private, _NAME_SAFE)
    return f"{name}={REDACTED}" if is_secret else f"{name}{equals}{_part(value, private, _VALUE_SAFE)}"


def _is_untouched(text: str, private: Callable[[str], str]) -> bool:
    """Say whether nothing in the text is private, in no layer of percent-encoding; much quicker than its parts."""
    for _ in range(_ENCODINGS_MOST):
        decoded = unquote(text)
        if private(decoded) != decoded or any(_is_secret(field[2]) for field in _NESTED_FIELD.finditer(decoded)):
            return False
        if decoded == text or "%" not in decoded:
            return True
        text = decoded
    return False


def _part(text: str, private: Callable[[str], str], safe: str) -> str:
    """Scrub a segment, name or value through all its layers of percent-encoding; unchanged if there is nothing."""
    if not text:
        return text
    level = text
    changed: str | None = None
    for _ in range(_ENCODINGS_MOST):
        decoded = unquote(level)
        hidden = _NESTED_FIELD.sub(_without_secret, private(decoded))
        changed = hidden if hidden != decoded else changed
        if hidden == level or "%" not in hidden:
            break
        level = hidden
    else:
        return REDACTED
    if changed is None:
        return text
    return quote(_marked(private(_marked(changed))), safe, errors="replace")  # a mark may end up before an @


def _without_secret(field: re.Match[str]) -> str:
    return f"{field[1]}{field[2]}={REDACTED}" if _is_secret(field[2]) else field[0]


def _marked(text: str) -> str:
    """Say it as a URL may."""
    return text.replace(EMAIL, REDACTED).replace(NUMBER, REDACTED).replace(REMOVED, REDACTED)
