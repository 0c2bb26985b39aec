"""What brought a visitor to a page: the referrer, the marks in the page's URL, and the channel they come to."""

import re
from collections.abc import Iterator
from functools import lru_cache
from urllib.parse import unquote_plus, urlsplit

import msgspec

from visitor_tracker.event import Channel, Source
from visitor_tracker.http.url import normalise
from visitor_tracker.ingest.channels import CLICK_IDS, COUNTRY_DOMAINS, HOSTS, NAMES
from visitor_tracker.ingest.scrub import cut, scrub, scrub_url
from visitor_tracker.sites import Site

_CACHED = 8192  # pairs of referrer and page
_CACHED_MOST = 768  # characters of both; longer pairs are rare, and strangers could fill the memory with them
_VALUE_MOST = 128
_REFERRER_MOST = 512
_FIELDS_MOST = 100
_READ_MOST = 8192  # characters of a page's URL

_UTM = ("utm_source", "utm_medium", "utm_campaign", "utm_term", "utm_content")
_FIELDS = (
    {name: name for name in _UTM}
    | {f"{begin}_{end}": f"utm_{end}" for begin in ("mtm", "pk") for end in ("source", "medium", "campaign", "content")}
    | {"mtm_kwd": "utm_term", "mtm_keyword": "utm_term", "pk_kwd": "utm_term", "pk_keyword": "utm_term"}
    | {"ref": "ref", "source": "ref"}
)
_LOWERED = frozenset({"utm_source", "utm_medium", "ref"})

_PAID = re.compile(
    r"(?:^|[ _-])(?:cp[acmlv]|pp[cv]|ads?|display|banner|retargeting|remarketing|sponsored|interstitial|programmatic"
    r")(?:$|[ _-])|(?:^|[ _-])paid"
).search
_EMAIL = re.compile(r"e[ _-]?mail.*|mail|mailing|newsletters?").fullmatch
_NEWSLETTER = re.compile(r".*news[ _-]?letter.*|e[ _-]?mail|mailing.*").fullmatch
_SOCIAL = re.compile(r"social.*|sm").fullmatch
_REFERENCE = re.compile(r"[\w.~ -]{1,64}").fullmatch

_PACKAGE = re.compile(r"[a-z][a-z0-9_]*(?:\.[a-z0-9_]+)+").fullmatch
_COUNTRY_DOMAIN = re.compile(rf"((?:[^.]+\.)*)({'|'.join(COUNTRY_DOMAINS)})\.(?:com?\.)?[a-z]{{2}}").fullmatch
_FEDIVERSE = re.compile(r"(?:.*\.)?(?:mastodon|mstdn)[^.]*\..+").fullmatch
_WEBMAIL = re.compile(r"(?:webmail[^.]*|mail|owa|roundcube|zimbra|horde)\.[^.]+\..+").fullmatch
_BESIDE_NAME = re.compile(r"^(?:(?:www[0-9]?|m|l|lm|amp|mobile)\.)+(?=[^.]+\.)")

_APP = "android-app://"


class _Referrer(msgspec.Struct, frozen=True, gc=False):
    """The page before: its host, host and path without query, and what reports call it."""

    host: str = ""
    shown: str = ""
    channel: Channel = "direct"
    name: str = ""


_NONE = _Referrer()


class SourceReader:
    """Finds sources, and remembers them; from any thread."""

    def __init__(self) -> None:
        self._cached = lru_cache(_CACHED)(_find)

    def source(self, referrer: str, url: str, host: str, site: Site) -> Source:
        """Return what brought a visitor. `url` is the page's as sent, with all its marks; `host` that page's host.

        Referrer and URL may be any text of a stranger's: what is no web address, and no app's, is no referrer.
        """
        find = self._cached if len(referrer) + len(url) <= _CACHED_MOST else _find
        return find(referrer, url, host, site.claims)


def _find(referrer: str, url: str, host: str, own: tuple[frozenset[str], tuple[str, ...]]) -> Source:
    """Return the source; `own` are the hosts, and the ends of hosts, that the page's site claims."""
    marks = dict(_marks(url[:_READ_MOST]))
    before = read_referrer(referrer)
    is_same = before.host.removeprefix("www.") == host.removeprefix("www.")
    if not before.host or not (is_same or before.host in own[0] or before.host.endswith(own[1])):
        return _source(marks, before)
    # A page's own ?ref= names no source when the site links to it: it may be a branch, or a place in a menu.
    inner = _source({name: value for name, value in marks.items() if name != "ref"}, _NONE)
    return Source("internal") if inner.channel == "direct" else inner


def _source(marks: dict[str, str], before: _Referrer) -> Source:
    reference = marks.get("ref", "")
    if len(reference) > 1 and "utm_source" not in marks and (_known_word(reference) or before is _NONE):
        marks = {**marks, "utm_source": reference}
    utm = {name: marks.get(name, "") for name in _UTM}
    click_id = marks.get("click_id", "")
    channel, name = _judged(list(utm.values()), click_id, before)
    return Source(channel, cut(name, _VALUE_MOST), before.shown, **utm, click_id=click_id)


def _judged(utm: list[str], click_id: str, before: _Referrer) -> tuple[Channel, str]:
    """Return channel and name; what the link says of itself comes before the page it was on."""
    source, medium = utm[:2]
    known = _known_word(source)
    network = CLICK_IDS.get(click_id)
    name = known[1] if known else source or (network[1] if network else "") or before.name
    said = _said(source, medium, network)
    if said is not None:
        return said, name or medium
    if known:
        return known
    if any(utm):
        return "campaign", source or utm[2] or next(filter(None, utm))
    if before is _NONE and network:
        return network
    return before.channel, before.name


def _said(source: str, medium: str, network: tuple[Channel, str] | None) -> Channel | None:
    """Return the channel that a link's medium or an ad network's parameter names."""
    if (network and network[0] == "paid") or _PAID(medium):
        return "paid"
    if _EMAIL(medium) or _NEWSLETTER(source):
        return "email"
    return "social" if _SOCIAL(medium) else None


def _marks(url: str) -> Iterator[tuple[str, str]]:
    """Yield what marks the link in the page's URL; of what is there twice the first comes last and so counts.

    The value of a click id says who clicked: it goes no further than here.
    """
    query = url.partition("#")[0].partition("?")[2]
    fields = query.split("&", _FIELDS_MOST)[:_FIELDS_MOST] if query else []
    click_ids: list[str] = []
    for field in reversed(fields):
        name, _, value = field.partition("=")
        name = name.lower().removeprefix("amp;")  # of an & that was written as &amp; twice
        if value and name in CLICK_IDS:
            click_ids.append(name)
        elif value and (mark := _FIELDS.get(name)):
            text = cut(scrub(unquote_plus(value)), _VALUE_MOST)
            if text and (mark != "ref" or _REFERENCE(text)):
                yield mark, text.lower() if mark in _LOWERED else text
    if click_ids:
        yield "click_id", next((name for name in reversed(click_ids) if CLICK_IDS[name][0] == "paid"), click_ids[-1])


def read_referrer(text: str) -> _Referrer:
    """Read a referrer: user, query and fragment are left out; nothing is left of what is no web address."""
    if not text:
        return _NONE
    text = text.strip(" ").partition("#")[0].partition("?")[0]
    scheme, mark, rest = text.partition("//")
    scheme = scheme.lower()
    if scheme + mark == _APP:
        return _app(rest.partition("/")[0].lower())
    if not mark or scheme not in ("http:", "https:", ""):
        return _bare(text)
    return _web(f"{scheme or 'https:'}//{rest}")


def _bare(text: str) -> _Referrer:
    """Read a host without a scheme, as some programs send it; other words could be anything."""
    host = text.partition("/")[0].lower()
    return _web(f"https://{text}") if host.startswith("www.") or known_host(host) else _NONE


def _app(package: str) -> _Referrer:
    if not _PACKAGE(package) or len(package) > _VALUE_MOST:
        return _NONE
    channel, name = HOSTS.get(package, ("referral", package))
    return _Referrer("", package, channel, name)


def _web(url: str) -> _Referrer:
    try:
        clean = normalise(scrub_url(url)[:_REFERRER_MOST])
    except ValueError:
        return _NONE
    host = urlsplit(clean).hostname or ""
    name = _BESIDE_NAME.sub("", host, count=1)
    channel, name = known_host(host) or ("referral", name)
    return _Referrer(host, clean.partition("//")[2].removesuffix("/"), channel, name)


def known_host(host: str) -> tuple[Channel, str] | None:
    """Return channel and name of a host that many links come from, or None."""
    if local := _COUNTRY_DOMAIN(host):
        host = f"{local[1]}{local[2]}.com"
    if host not in HOSTS and _WEBMAIL(host):
        return "email", host
    end = host
    while end:
        if found := HOSTS.get(end):
            return found
        end = end.partition(".")[2]
    if _FEDIVERSE(host):
        return "social", "Mastodon"
    return ("social", host) if host.endswith(".social") else None


def _known_word(word: str) -> tuple[Channel, str] | None:
    """Return what utm_source means: a host, or the name of something known."""
    if not word:
        return None
    found = NAMES.get(word.replace(" ", "").replace("-", "").replace("_", ""))
    if found is None and "." in word:
        found = known_host(word.partition("//")[2].partition("/")[0] if "//" in word else word.partition("/")[0])
    return found
