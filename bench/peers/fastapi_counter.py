"""The counter as a small FastAPI application has it: pydantic, one SQLAlchemy session and one commit per visit.

DATABASE names the SQLite file. JOURNAL=wal sets WAL with synchronous=FULL; without it SQLite's own defaults
hold (rollback journal, synchronous=FULL). Both are durable at every commit.
"""

import hashlib
import os
import secrets
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Annotated
from urllib.parse import urlsplit

from fastapi import Depends, FastAPI, HTTPException, Request, Response
from fastapi.middleware.cors import CORSMiddleware
from pydantic import BaseModel
from sqlalchemy import DateTime, Integer, String, create_engine, event, text
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, sessionmaker

SECRET = secrets.token_hex(32)
UPSERT = text(
    "insert into visitors (page_url, visit_count, last_visited, created_at) values (:url, 1, :now, :now)"
    " on conflict (page_url) do update set visit_count = visit_count + 1, last_visited = excluded.last_visited"
)

engine = create_engine(f"sqlite:///{os.environ['DATABASE']}", connect_args={"check_same_thread": False, "timeout": 30})
if os.environ.get("JOURNAL") == "wal":

    @event.listens_for(engine, "connect")
    def _durable_wal(connection: object, _record: object) -> None:
        connection.execute("pragma journal_mode=wal")  # type: ignore[attr-defined]
        connection.execute("pragma synchronous=full")  # type: ignore[attr-defined]


make_session = sessionmaker(bind=engine)


class Base(DeclarativeBase):
    pass


class Page(Base):
    __tablename__ = "visitors"
    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    page_url: Mapped[str] = mapped_column(String(255), unique=True)
    visit_count: Mapped[int] = mapped_column(Integer)
    last_visited: Mapped[datetime] = mapped_column(DateTime)
    created_at: Mapped[datetime] = mapped_column(DateTime)


class Visit(BaseModel):
    page_url: str
    visit_count: int
    last_visited: datetime
    created_at: datetime
    security_token: str


Base.metadata.create_all(engine)
app = FastAPI()
app.add_middleware(CORSMiddleware, allow_origins=["*"], allow_methods=["*"], allow_headers=["*"])


def session() -> Iterator[Session]:
    with make_session() as opened:
        yield opened


@app.get("/update")
def update(url: str, request: Request, response: Response, db: Annotated[Session, Depends(session)]) -> Visit:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.netloc or request.method != "GET":
        raise HTTPException(400, "Invalid URL")
    now = datetime.now(UTC).replace(tzinfo=None)
    db.execute(UPSERT, {"url": url, "now": now.isoformat(" ")})
    page = db.query(Page).filter(Page.page_url == url).one()  # inside the transaction: the exact new count
    answer = Visit(
        page_url=page.page_url,
        visit_count=page.visit_count,
        last_visited=page.last_visited,
        created_at=page.created_at,
        security_token=hashlib.sha256(f"{url}{SECRET}{now}".encode()).hexdigest(),
    )
    db.commit()
    response.headers["Cache-Control"] = "no-store"
    return answer
