"""What a person says of a visitor: human or robot, whatever rules and signals say."""

from typing import Literal

from visitor_tracker.access.audit import Audit
from visitor_tracker.access.who import Who
from visitor_tracker.days import bounds
from visitor_tracker.errors import TrackerError
from visitor_tracker.sites import Site
from visitor_tracker.store import verdicts
from visitor_tracker.store.apart import is_apart, main_of, of_site
from visitor_tracker.store.audit import add as add_audit_row
from visitor_tracker.store.session import Session
from visitor_tracker.store.sql import SqlStore
from visitor_tracker.store.verdicts import NOT_OVERRULED, Found

Word = Literal["human", "robot", "rules"]  # rules: what was said is taken back
_CODES: dict[Word, int] = {"human": verdicts.HUMAN, "robot": verdicts.ROBOT, "rules": NOT_OVERRULED}
_BY_MOST = 64  # characters


class NoSuchVisitor(TrackerError):
    """No event of that visitor is there, of that day."""


class Overruling:
    """Any thread."""

    def __init__(self, store: SqlStore, audit: Audit) -> None:
        self._store = store
        self._audit = audit

    def say(  # noqa: PLR0913 - who says what of whom
        self, site: Site, day: int, visitor: bytes, word: Word, *, who: Who, now_ms: int, is_daily: bool
    ) -> Found:
        """Store a person's word and have the day made again; `is_daily`: no other day knows the visitor.

        Raises NoSuchVisitor.
        """
        span = bounds(site.timezone, day)
        detail = {"day": day, "verdict": word}
        line = self._audit.row(who, "visitor.judged", site_id=site.id, detail=detail)

        apart = is_apart(self._store.database, site.id)

        def work(session: Session) -> Found:
            known = verdicts.of_visitors(session, site.id, day, [visitor])
            events, views = verdicts.has_visitor(session, site.id, span, visitor)
            if not events:
                raise NoSuchVisitor("no event of this visitor is there, of that day")
            row = known[0] if known else _unknown(day, visitor, events, views, now_ms)
            row = row._replace(overruled=_CODES[word], overruled_by=who.name[:_BY_MOST], overruled_at=now_ms)
            verdicts.put(session, site.id, row)
            verdicts.judge_again(session, site.id, day, and_later=not is_daily)
            if not apart:
                add_audit_row(session, line)
            return row

        said = of_site(self._store.database, site.id).write(work)
        if apart:
            main_of(self._store.database).write(lambda session: add_audit_row(session, line))
        return said


def _unknown(day: int, visitor: bytes, events: int, views: int, now_ms: int) -> Found:
    """Return the row of a visitor against whom nothing speaks."""
    return Found(day, visitor, verdicts.HUMAN, 0, views, events, now_ms, NOT_OVERRULED, "", 0, b"[]")
