"""Event collection as a small FastAPI application has it: pydantic, one SQLAlchemy session and one commit per event.

It understands what ours does (visitor hash, browser and system, country from the time zone, campaign, source host),
with caches where a good programmer would have them. DATABASE names the SQLite file, with SQLite's own defaults.
"""

import hashlib
import os
import secrets
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any
from urllib.parse import parse_qs, urlsplit

from fastapi import FastAPI, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.middleware.cors import CORSMiddleware
from is_bot import Bots
from pydantic import BaseModel, Field
from sqlalchemy import JSON, BigInteger, Boolean, LargeBinary, String, create_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, sessionmaker
from ua_parser import parse

KEY = secrets.token_bytes(32)
COUNTRIES = {"Europe/Berlin": "DE", "America/New_York": "US", "Asia/Tokyo": "JP", "Europe/Paris": "FR"}
bots = Bots()
engine = create_engine(f"sqlite:///{os.environ['DATABASE']}", connect_args={"check_same_thread": False, "timeout": 30})
make_session = sessionmaker(bind=engine)


class Base(DeclarativeBase):
    pass


class Stored(Base):
    __tablename__ = "events"
    id: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    kind: Mapped[str] = mapped_column(String(16))
    ts: Mapped[int] = mapped_column(BigInteger)
    visitor: Mapped[bytes] = mapped_column(LargeBinary)
    url: Mapped[str] = mapped_column(String(2048))
    title: Mapped[str] = mapped_column(String(512))
    referrer: Mapped[str] = mapped_column(String(512))
    campaign: Mapped[dict[str, Any]] = mapped_column(JSON)
    country: Mapped[str] = mapped_column(String(2))
    browser: Mapped[str] = mapped_column(String(64))
    os: Mapped[str] = mapped_column(String(64))
    language: Mapped[str] = mapped_column(String(16))
    screen: Mapped[str] = mapped_column(String(16))
    is_bot: Mapped[bool] = mapped_column(Boolean)


class Event(BaseModel):
    type: str = "pageview"
    id: str = Field(min_length=32, max_length=36)
    url: str
    referrer: str = ""
    title: str = ""
    language: str = ""
    timezone: str = ""
    screen: str = ""
    viewport: str = ""


Base.metadata.create_all(engine)
app = FastAPI()
app.add_middleware(CORSMiddleware, allow_origins=["*"], allow_methods=["*"], allow_headers=["*"])


@lru_cache(16_384)
def agent(text: str) -> tuple[str, str, bool]:
    found = parse(text)
    browser = found.user_agent.family if found.user_agent else ""
    return browser, found.os.family if found.os else "", bots.is_bot(text)


@app.post("/api/v1/events", status_code=202)
async def collect(request: Request) -> dict[str, Any]:
    event = Event.model_validate_json(await request.body())  # as text/plain, which browsers send without a preflight
    return await run_in_threadpool(store, event, request)


def store(event: Event, request: Request) -> dict[str, Any]:
    text = request.headers.get("user-agent", "")
    address = request.headers.get("x-forwarded-for", "").split(",")[-1]
    browser, system, is_bot = agent(text)
    page, referrer = urlsplit(event.url), urlsplit(event.referrer)
    fields = parse_qs(page.query)
    with make_session() as db:
        db.add(
            Stored(
                id=bytes.fromhex(event.id),
                kind=event.type,
                ts=int(datetime.now(UTC).timestamp() * 1000),
                visitor=hashlib.blake2b(f"{address} {text}".encode(), digest_size=16, key=KEY).digest(),
                url=event.url.partition("?")[0],
                title=event.title,
                referrer=(referrer.hostname or "") + referrer.path,
                campaign={name: values[0] for name, values in fields.items() if name.startswith("utm_")},
                country=COUNTRIES.get(event.timezone, "XX"),
                browser=browser,
                os=system,
                language=event.language,
                screen=event.screen,
                is_bot=is_bot,
            )
        )
        db.commit()
    return {"accepted": 1, "dropped": []}
