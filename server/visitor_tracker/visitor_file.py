"""The visitor-tracking middleware of old with its functions and its file: visitors.json and nothing else.

    app.add_middleware(VisitorTrackingMiddleware)
    get_visitor_stats()

For programs that are to go on as they were. `visitor_tracker.middleware` sends to a server, or keeps a store inside
the program, from which there are reports. Places come from the .mmdb file of `geo.database`; an online service is
asked only where `geo.online` names one.
"""

import os
import time
from functools import cache
from pathlib import Path
from typing import Unpack

from visitor_tracker.config import load
from visitor_tracker.ingest.geo import GeoReader
from visitor_tracker.ingest.zones import LOCAL, country_name
from visitor_tracker.middleware import asgi
from visitor_tracker.middleware.address import get_client_ip
from visitor_tracker.middleware.file_tracker import FileTracker
from visitor_tracker.middleware.recorder import SERVER_VARIABLE, Options
from visitor_tracker.middleware.visitors_json import (
    FILE,
    Record,
    Records,
    Request,
    VisitorFile,
    add_request,
    folder_of,
    newest_first,
    stats_of,
)

__all__ = [
    "VisitorTrackingMiddleware",
    "get_all_visitors",
    "get_client_ip",
    "get_ip_geolocation",
    "get_visitor_stats",
    "load_visitor_data",
    "save_visitor_data",
    "track_visitor",
]

_UNKNOWN = "Unknown"


class VisitorTrackingMiddleware(asgi.VisitorTrackingMiddleware):
    """Counts the requests of an ASGI program in visitors.json, unless it is told of a server or a tracker."""

    def __init__(self, app: asgi.AsgiApp, track_all_paths: bool = True, **options: Unpack[Options]) -> None:
        if not (options.get("tracker") or options.get("server") or os.environ.get(SERVER_VARIABLE)):
            options["tracker"] = FileTracker(visitor_file, get_ip_geolocation)
        super().__init__(app, track_all_paths, **options)


def get_ip_geolocation(ip: str) -> dict[str, str]:
    """Return {country, country_code, region, city, org, isp} of an address; what is not known is "Unknown", "XX".

    Never waits for the network: what an online service says is there when the address comes again.
    """
    geo = _geo()
    geo.refresh()
    place = geo.place(ip, "", "")
    if place.country == LOCAL:
        local = {"country": "Local", "country_code": LOCAL, "region": "Local Network", "city": "Local"}
        return local | {"org": "Local Network", "isp": "Local"}
    organisation = place.organisation or _UNKNOWN
    return {
        "country": country_name(place.country),
        "country_code": place.country,
        "region": place.region or _UNKNOWN,
        "city": place.city or _UNKNOWN,
        "org": organisation,
        "isp": organisation,
    }


def load_visitor_data() -> Records:
    """Return the records by address; raises FileError for a file that cannot be read."""
    return visitor_file().load()


def save_visitor_data(data: Records) -> None:
    """Replace the records, at once and whole; raises FileError."""
    visitor_file().save(data)


def track_visitor(ip: str, path: str, method: str = "GET", user_agent: str | None = None) -> None:
    """Count a request; when this returns the file has it. Raises FileError."""
    with visitor_file().changing() as records:
        add_request(records, Request(ip, path, method, user_agent or "", time.time()), get_ip_geolocation)


def get_all_visitors() -> list[Record]:
    """Return the record of each visitor, the one seen last first."""
    return newest_first(load_visitor_data())


def get_visitor_stats() -> Record:
    """Return {total_visitors, total_visits, countries, top_ips}."""
    return stats_of(load_visitor_data())


def visitor_file() -> VisitorFile:
    """Return the file: in VISITOR_DATA_DIR, or where it has been, else in ./data."""
    return _file_in(folder_of())


@cache
def _file_in(folder: Path) -> VisitorFile:
    return VisitorFile(folder / FILE)


@cache
def _geo() -> GeoReader:
    """Return what knows places, by the settings of the environment."""
    return GeoReader(load(None, os.environ).geo)
