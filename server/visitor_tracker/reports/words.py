"""What reports show for ids and times."""

from collections.abc import Iterable
from datetime import UTC, datetime

from visitor_tracker.event import Agent, Place, Source
from visitor_tracker.sessions.fact import Context, decode_context
from visitor_tracker.sessions.profiles import decode_source
from visitor_tracker.store import vocabulary
from visitor_tracker.store.session import Session

_NO_CONTEXT = Context(Place(), Agent())
_NO_SOURCE = Source()


class Words:
    """Texts, contexts and sources by their ids; each is read from the database once."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._texts: dict[int, str] = {0: ""}
        self._contexts: dict[int, Context] = {0: _NO_CONTEXT}
        self._sources: dict[int, Source] = {0: _NO_SOURCE}

    def learn(self, *, texts: Iterable[int] = (), contexts: Iterable[int] = (), sources: Iterable[int] = ()) -> None:
        """Read those that are not known yet; one that the database does not have is empty."""
        if missing := sorted(set(texts) - self._texts.keys()):
            self._texts |= vocabulary.texts(self._session, missing)
        if missing := sorted(set(contexts) - self._contexts.keys()):
            found = vocabulary.context_bodies(self._session, missing)
            self._contexts |= {each: decode_context(body) for each, body in found.items()}
        if missing := sorted(set(sources) - self._sources.keys()):
            found = vocabulary.source_bodies(self._session, missing)
            self._sources |= {each: decode_source(body) for each, body in found.items()}

    def text(self, text_id: int) -> str:
        return self._texts.get(text_id, "")

    def context(self, context_id: int) -> Context:
        return self._contexts.get(context_id, _NO_CONTEXT)

    def source(self, source_id: int) -> Source:
        return self._sources.get(source_id, _NO_SOURCE)


def iso(ts: int) -> str:
    """Return an epoch time in ms as ISO 8601, UTC."""
    seconds, rest = divmod(ts, 1000)
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{rest:03d}Z"


def iso_seconds(ts: int) -> str:
    """Return it without fractions and with an offset, as the visitors API of old has it."""
    return datetime.fromtimestamp(ts // 1000, UTC).isoformat()


def agent_name(agent: Agent) -> str:
    """Return a user agent as people read it, such as "Firefox 128 (Windows)"; "" where nothing is known."""
    name = f"{agent.browser} {agent.browser_version}".strip()
    return f"{name} ({agent.os})" if name and agent.os else name or agent.os
