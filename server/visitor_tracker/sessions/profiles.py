"""What visitors came from and with, as ids: what is new and must be written, and what each says to the reports."""

from collections.abc import Iterable, Mapping
from typing import Generic, TypeVar

import msgspec

from visitor_tracker.event import Source, decode_agent, decode_place
from visitor_tracker.measures import Dimension, body_id, text_id
from visitor_tracker.sessions.fact import Context, decode_context, encode_context

Pairs = tuple[tuple[int, int], ...]  # (dimension, id of a value)

TEXT_MOST = 512  # characters of a stored text
_REMEMBERED = 32_768  # of each kind and generation: half of what is kept
_RawContext = tuple[bytes, bytes, str, str]
_TOTAL: Pairs = ((int(Dimension.TOTAL), 0),)

_Key = TypeVar("_Key")
_Value = TypeVar("_Value")

encode_source = msgspec.msgpack.Encoder().encode
decode_source = msgspec.msgpack.Decoder(Source).decode


class Profiles:
    """The memory of one folder thread. What is `fresh` may not be in the database yet and has to be written with
    the facts that name it.

    Nothing is forgotten but in `stored`: what was learnt for a transaction stays for it.
    """

    def __init__(self, remembered: int = _REMEMBERED) -> None:
        """Remember at least the last so many of texts, sources and contexts each."""
        self._remembered = remembered
        self.fresh_texts: dict[int, str] = {}
        self.fresh_sources: dict[int, bytes] = {}
        self.fresh_contexts: dict[int, bytes] = {}
        self._texts: _Generations[str, int] = _Generations(remembered)
        self._sources: _Generations[Source, int] = _Generations(remembered)
        self._contexts: _Generations[Context, int] = _Generations(remembered)
        # What was encoded so, since `_source_pairs` and `_context_pairs` last forgot something: they know each of them.
        self._raw_sources: dict[bytes, int] = {}
        self._raw_contexts: dict[_RawContext, int] = {}
        self._source_pairs: _Generations[int, Pairs] = _Generations(remembered)
        self._context_pairs: _Generations[int, Pairs] = _Generations(remembered)
        self._pairs: _Generations[tuple[int, int], Pairs] = _Generations(remembered)

    def text(self, text: str) -> int:
        """Return the id of a text, of its first 512 characters; 0 for the empty one."""
        found = self._texts.young.get(text)
        if found is None:
            found = self._texts.get(text)
        if found is not None:
            return found
        kept = text[:TEXT_MOST]
        made = text_id(kept)
        if made:
            self.fresh_texts[made] = kept
        if len(text) <= TEXT_MOST:
            self._texts.put(text, made)
        return made

    def source(self, source: Source) -> int:
        found = self._sources.young.get(source)
        if found is not None and found in self._source_pairs.young:
            return found
        found = self._sources.get(source)
        if found is not None:
            if self._source_pairs.get(found) is None:
                self._source_pairs.put(found, _known_ids(_source_texts(source)))
            return found
        body = encode_source(source)
        made = body_id(body)
        self.fresh_sources[made] = body
        self._sources.put(source, made)
        self._source_pairs.put(made, self._ids(_source_texts(source)))
        return made

    def context(self, context: Context) -> int:
        found = self._contexts.young.get(context)
        if found is not None and found in self._context_pairs.young:
            return found
        found = self._contexts.get(context)
        if found is not None:
            if self._context_pairs.get(found) is None:
                self._context_pairs.put(found, _known_ids(_context_texts(context)))
            return found
        body = encode_context(context)
        made = body_id(body)
        self.fresh_contexts[made] = body
        self._contexts.put(context, made)
        self._context_pairs.put(made, self._ids(_context_texts(context)))
        return made

    def raw_source(self, raw: bytes) -> int:
        """Return what `source` says of an encoded one."""
        found = self._raw_sources.get(raw)
        if found is None:
            self._raw_sources[raw] = found = self.source(decode_source(raw))
        return found

    def raw_context(self, place: bytes, agent: bytes, language: str, screen: str) -> int:
        """Return what `context` says of one of which the parts are encoded."""
        raw = (place, agent, language, screen)
        found = self._raw_contexts.get(raw)
        if found is None:
            found = self.context(Context(decode_place(place), decode_agent(agent), language, screen))
            self._raw_contexts[raw] = found
        return found

    def stored(self) -> None:
        """Say that what was fresh is in the database now."""
        self.fresh_texts.clear()
        self.fresh_sources.clear()
        self.fresh_contexts.clear()
        for memory in (self._texts, self._sources, self._contexts):
            memory.age()
        self._pairs.age()
        if self._source_pairs.age() or len(self._raw_sources) >= self._remembered:
            self._raw_sources.clear()
        if self._context_pairs.age() or len(self._raw_contexts) >= self._remembered:
            self._raw_contexts.clear()

    def unknown(self, sources: Iterable[int], contexts: Iterable[int]) -> tuple[list[int], list[int]]:
        """Return those of which `pairs` does not know what they are, each once."""
        return (
            [number for number in dict.fromkeys(sources) if self._source_pairs.get(number) is None],
            [number for number in dict.fromkeys(contexts) if self._context_pairs.get(number) is None],
        )

    def learn(self, sources: Mapping[int, bytes], contexts: Mapping[int, bytes]) -> None:
        """Take in what the database has; its texts are there too, so nothing becomes fresh."""
        for number, body in sources.items():
            self._source_pairs.put(number, _known_ids(_source_texts(decode_source(body))))
        for number, body in contexts.items():
            self._context_pairs.put(number, _known_ids(_context_texts(decode_context(body))))

    def pairs(self, source: int, context: int) -> Pairs:
        """Return what a visit from there, with that, counts for; raises KeyError for ids that are unknown."""
        found = self._pairs.young.get((source, context)) or self._pairs.get((source, context))
        if found is None:
            found = _TOTAL + self._source_pairs[source] + self._context_pairs[context]
            self._pairs.put((source, context), found)
        return found

    def source_pairs(self, source: int) -> Pairs:
        """Return what a source says; raises KeyError for one that is unknown."""
        return self._source_pairs[source]

    def context_pairs(self, context: int) -> Pairs:
        """Return what a context says; raises KeyError for one that is unknown."""
        return self._context_pairs[context]

    def _ids(self, texts: Mapping[Dimension, str]) -> Pairs:
        return tuple((int(dimension), self.text(text)) for dimension, text in texts.items() if text)


class _Generations(Generic[_Key, _Value]):
    """Two dictionaries: the older one goes when the younger is full, and what was asked for since is in the younger.

    Most of what is asked for is in `young`, where a look needs no call of ours.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self.young: dict[_Key, _Value] = {}
        self._old: dict[_Key, _Value] = {}

    def get(self, key: _Key) -> _Value | None:
        found = self.young.get(key)
        if found is None and (found := self._old.get(key)) is not None:
            self.young[key] = found
        return found

    def __getitem__(self, key: _Key) -> _Value:
        found = self.get(key)
        if found is None:
            raise KeyError(key)
        return found

    def put(self, key: _Key, value: _Value) -> None:
        self.young[key] = value

    def age(self) -> bool:
        """Make the younger one the older where it is full; say whether that was so."""
        if len(self.young) < self._most:
            return False
        self.young, self._old = {}, self.young
        return True


def _known_ids(texts: Mapping[Dimension, str]) -> Pairs:
    return tuple((int(dimension), text_id(text[:TEXT_MOST])) for dimension, text in texts.items() if text)


def _source_texts(source: Source) -> dict[Dimension, str]:
    # A visit that seems to begin inside the site began before, longer ago than a pause may be: nothing brought it.
    inside = source.channel == "internal"
    return {
        Dimension.SOURCE: "" if inside else source.name,
        Dimension.REFERRER: "" if inside else source.referrer,
        Dimension.CHANNEL: "direct" if inside else source.channel,
        Dimension.UTM_SOURCE: source.utm_source,
        Dimension.UTM_MEDIUM: source.utm_medium,
        Dimension.UTM_CAMPAIGN: source.utm_campaign,
        Dimension.UTM_TERM: source.utm_term,
        Dimension.UTM_CONTENT: source.utm_content,
        Dimension.CLICK_ID: source.click_id,
    }


def _context_texts(context: Context) -> dict[Dimension, str]:
    place, agent = context.place, context.agent
    return {
        Dimension.COUNTRY: place.country,
        Dimension.REGION: f"{place.country}/{place.region}" if place.region else "",
        Dimension.CITY: f"{place.country}/{place.region}/{place.city}" if place.city else "",
        Dimension.ORGANISATION: place.organisation,
        Dimension.BROWSER: agent.browser,
        Dimension.BROWSER_VERSION: f"{agent.browser} {agent.browser_version}" if agent.browser_version else "",
        Dimension.OS: agent.os,
        Dimension.OS_VERSION: f"{agent.os} {agent.os_version}" if agent.os_version else "",
        Dimension.DEVICE: agent.device,
        Dimension.LANGUAGE: context.language,
        Dimension.SCREEN: context.screen,
    }
