"""Texts, sources and contexts, each stored once, by the id that is made from it."""

from collections.abc import Collection, Mapping

from visitor_tracker.store.bulk import send_bodies
from visitor_tracker.store.session import Session, ask_rows

_ADD = """/* vocabulary.add */
insert into TABLE (id, COLUMN)
values [(?, ?)]
{keep_old_body}"""

_READ = """/* vocabulary.read */
select id, COLUMN
from TABLE
where id in ([?])"""


def _of(template: str, table: str, column: str) -> str:
    return template.replace("TABLE", table).replace("COLUMN", column)


ADD_TEXTS, READ_TEXTS = (_of(template, "strings", "value") for template in (_ADD, _READ))
ADD_SOURCES, READ_SOURCES = (_of(template, "sources", "body") for template in (_ADD, _READ))
ADD_CONTEXTS, READ_CONTEXTS = (_of(template, "contexts", "body") for template in (_ADD, _READ))


def add_texts(session: Session, texts: Mapping[int, str]) -> None:
    """Add texts by id; what is there already stays."""
    send_bodies(session, ADD_TEXTS, sorted(texts.items()))


def add_sources(session: Session, bodies: Mapping[int, bytes]) -> None:
    """Add encoded sources by id; what is there already stays."""
    send_bodies(session, ADD_SOURCES, sorted(bodies.items()))


def add_contexts(session: Session, bodies: Mapping[int, bytes]) -> None:
    """Add encoded contexts by id; what is there already stays."""
    send_bodies(session, ADD_CONTEXTS, sorted(bodies.items()))


def texts(session: Session, ids: Collection[int]) -> dict[int, str]:
    """Return the texts of those ids that have one; 0 is the empty text and has none."""
    return dict(ask_rows(session, READ_TEXTS, (), sorted(ids)))


def source_bodies(session: Session, ids: Collection[int]) -> dict[int, bytes]:
    """Return the encoded sources of those ids that have one."""
    return {source: bytes(body) for source, body in ask_rows(session, READ_SOURCES, (), sorted(ids))}


def context_bodies(session: Session, ids: Collection[int]) -> dict[int, bytes]:
    """Return the encoded contexts of those ids that have one."""
    return {context: bytes(body) for context, body in ask_rows(session, READ_CONTEXTS, (), sorted(ids))}
