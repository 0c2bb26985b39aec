"""A client of the server's HTTP API, for programs in Python:

with Client("https://stats.example.com", key="vt_…") as client:
    for row in client.query(["visitors"], dimensions=["page"], date_range="7d").rows:
        print(row.dimensions["page"], row.metrics["visitors"])
"""

from visitor_tracker.client_api.answers import (
    Answer,
    CountedVisit,
    Event,
    Goal,
    Key,
    Live,
    Me,
    Member,
    NewKey,
    NewUser,
    PageCount,
    Receipt,
    Row,
    Site,
    Stats,
    Totals,
    User,
    Visitor,
)
from visitor_tracker.client_api.client import Client
from visitor_tracker.client_api.signing import SigningKey
from visitor_tracker.client_api.transport import ApiError

__all__ = [
    "Answer",
    "ApiError",
    "Client",
    "CountedVisit",
    "Event",
    "Goal",
    "Key",
    "Live",
    "Me",
    "Member",
    "NewKey",
    "NewUser",
    "PageCount",
    "Receipt",
    "Row",
    "SigningKey",
    "Site",
    "Stats",
    "Totals",
    "User",
    "Visitor",
]
