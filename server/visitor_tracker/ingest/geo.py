"""Where a client is, without asking anybody: local networks, a trusted proxy's word, .mmdb files, the time zone.

The online services of `lookup` come between the files and the time zone, and only where the settings say so.
"""

import logging
import os
import re
import struct
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from itertools import chain, islice
from stat import S_ISREG

import maxminddb
import msgspec

from visitor_tracker.config.sections import GeoConfig
from visitor_tracker.event import Place
from visitor_tracker.ingest.lookup import OnlineLookup
from visitor_tracker.ingest.scrub import clean, cut
from visitor_tracker.ingest.zones import LOCAL, UNKNOWN, country_code, zone_countries
from visitor_tracker.store.base import Finding

log = logging.getLogger(__name__)

LOCAL_PLACE = Place(LOCAL, "Local Network", "Local", "Local")
NOWHERE = Place()
TOR = Place(organisation="Tor")  # Tor Browser's time zone is the same for everybody, so nothing more is known

_CACHED = 16_384  # addresses
_NAME_MOST = 128
_OLD_DAYS = 180
_SAMPLES = 128  # twice so many records are looked at before a file is used, in about 20 ms
_SPREAD = 2_654_435_769  # 2^32 divided by the golden ratio: its multiples lie evenly among all addresses
_LOCAL_NETWORKS = tuple(
    ip_network(network)
    for network in (
        "127.0.0.0/8", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16", "::1/128", "fc00::/7",
        "fe80::/10",
    )
)  # fmt: skip
_LOCAL_BEGINNINGS = (  # of IPv4 addresses: without files that is all that is asked
    "127.", "10.", "192.168.", "169.254.", *(f"172.{number}." for number in range(16, 32))
)  # fmt: skip
_AS_NUMBER = re.compile(r"AS[0-9]+ +")
_UNREADABLE = (RuntimeError, ValueError, LookupError, TypeError, ArithmeticError, MemoryError, struct.error)

_Address = IPv4Address | IPv6Address
_Stamp = tuple[int, int, int]  # inode, time of change in ns, size


class GeoReader:
    """Places of addresses; `place` from any thread, `refresh` and `close` from one."""

    def __init__(self, config: GeoConfig, *, online: OnlineLookup | None = None) -> None:
        """Open the files; one that is missing or broken is a warning, and tried again when it changes."""
        self._online = OnlineLookup(config.online) if online is None and config.online != "off" else online
        self._zones = {zone: Place(code) for zone, code in zone_countries().items()}
        self._use(_opened(config.database, None), _opened(config.asn_database, None))

    def place(self, ip: str, header_country: str, timezone: str) -> Place:
        """Return where the client is. `header_country` is from a trusted proxy; each may be empty or anything."""
        if self._knows_nothing and not header_country:  # no need to remember what is found as quickly
            return LOCAL_PLACE if _is_local(ip) else self._zones.get(timezone, NOWHERE)
        found = self._find(ip, header_country if len(header_country) == 2 else "")
        if found.country != UNKNOWN or found is TOR:
            return found
        if self._online is not None and (told := self._online.ask(ip)) is not None and told.country != UNKNOWN:
            return told
        by_zone = self._zones.get(timezone, NOWHERE)
        return _with_organisation(by_zone, found.organisation) if found.organisation else by_zone

    def refresh(self) -> None:
        """Open files again that have changed, and keep the look-ups going; about a second apart, in every process.

        Costs a system call for each file; a file that has changed takes some 20 ms.
        """
        places, networks = self._places, self._networks
        if places.has_changed() or networks.has_changed():
            self._use(_opened(places.path, places), _opened(networks.path, networks))
        if self._online is not None:
            self._online.start()

    def close(self) -> None:
        """End the look-ups."""
        if self._online is not None:
            self._online.close()

    def check(self) -> list[Finding]:
        """Say what the files are, for the operator."""
        files = (("geo.database", self._places), ("geo.asn_database", self._networks))
        return [_finding(setting, file) for setting, file in files if file.path]

    def _use(self, places: "_File", networks: "_File") -> None:
        """Go on with these files, and with nothing that was read from others."""
        self._places = places
        self._networks = networks
        self._knows_nothing = places.reader is None and networks.reader is None and self._online is None
        self._find = lru_cache(_CACHED)(lambda ip, header: _found(ip, header, places, networks))


@dataclass(frozen=True, slots=True)
class _File:
    """A file of the settings as it was when it was opened; without a reader, `problem` says why."""

    path: str
    stamp: _Stamp | None = None
    reader: maxminddb.Reader | None = None
    problem: str = ""

    def has_changed(self) -> bool:
        return self.path != "" and _stamp(self.path) != self.stamp

    def record(self, address: _Address) -> object:
        """Return what the file says of an address, None for nothing.

        The file is mapped into memory, and what somebody cuts away there kills who reads it: a file that is being
        written over is left alone until it is opened again.
        """
        if self.reader is None or is_written_over(_stamp(self.path), self.stamp):
            return None
        try:
            return self.reader.get(address)
        except _UNREADABLE:
            return None  # a damaged place in the file, or an IPv6 address in a file without them


def is_written_over(now: _Stamp | None, then: _Stamp | None) -> bool:
    """Say whether a file has changed and is the same file; a new one in its place leaves the old one whole."""
    return now is not None and then is not None and now != then and now[0] == then[0]


def _stamp(path: str) -> _Stamp | None:
    try:
        status = os.stat(path)
    except (OSError, ValueError):
        return None
    return status.st_ino, status.st_mtime_ns, status.st_size


def _opened(path: str, before: _File | None) -> _File:
    """Open a file, or go on with what was open `before` if it is whole; say so once."""
    if not path or (before is not None and not before.has_changed()):
        return before or _File(path)
    stamp = _stamp(path)
    file = _File(path, stamp, *_read(path))
    if file.reader is not None:
        if before is not None:
            log.info("%s is read again", path)
        return file
    if before is not None and before.reader is not None and not is_written_over(stamp, before.stamp):
        file = replace(file, reader=before.reader, problem=f"{file.problem}; going on with what it was")
    if before is None or before.problem != file.problem:
        log.warning("%s: %s", path, file.problem)
    return file


def _read(path: str) -> tuple[maxminddb.Reader | None, str]:
    try:
        if not S_ISREG(os.stat(path).st_mode):  # opening a pipe would wait for its writer
            return None, "it is no file"
        with maxminddb.open_database(path, maxminddb.MODE_MMAP) as slow:
            if not _is_sound(slow):
                return None, "it is damaged"
        return maxminddb.open_database(path), ""
    except OSError as error:
        return None, f"it cannot be read: {error.strerror or error}"
    except _UNREADABLE:
        return None, "it is no .mmdb file, or it is damaged"


def _is_sound(reader: maxminddb.Reader) -> bool:
    """Read a part of the records, all of a small file, with the reader written in Python.

    The one in C, 50 times as fast, ends the process when a name in a record is no text.
    """
    first = (record for _, record in islice(reader, _SAMPLES))
    spread = (reader.get(IPv4Address(number * _SPREAD % (1 << 32))) for number in range(_SAMPLES))
    return all(map(_has_names, chain(first, spread)))


def _has_names(value: object) -> bool:
    if isinstance(value, dict):
        return all(isinstance(key, str) and _has_names(inner) for key, inner in value.items())
    return all(map(_has_names, value)) if isinstance(value, list) else True


def _finding(setting: str, file: _File) -> Finding:
    if file.reader is None or file.problem:
        return Finding("warning", f"{setting} {file.path}: {file.problem}", f"correct {setting}, or leave it empty")
    about = file.reader.metadata()
    made = datetime.fromtimestamp(max(0, min(about.build_epoch, 1 << 34)), UTC)
    text = f"{setting}: {clean(about.database_type)} of {made:%Y-%m-%d}"
    if (datetime.now(UTC) - made).days > _OLD_DAYS:
        return Finding("warning", f"{text} is old", "networks move: replace it with a newer edition")
    return Finding("ok", text)


def _found(ip: str, header: str, places: _File, networks: _File) -> Place:
    address = _address(ip)
    if address is not None and is_local(address):
        return LOCAL_PLACE
    if header.upper() == "T1":  # what Cloudflare calls Tor
        return TOR
    place = NOWHERE if address is None else read_place(places.record(address))
    country = country_code(header)
    if country not in (UNKNOWN, place.country):
        place = Place(country, organisation=place.organisation)
    organisation = "" if address is None else read_place(networks.record(address)).organisation
    return _with_organisation(place, organisation) if organisation else place


def _with_organisation(place: Place, organisation: str) -> Place:
    return msgspec.structs.replace(place, organisation=organisation)


def is_local(address: _Address) -> bool:
    """Say whether an address is of this machine or of a local network."""
    return any(address in network for network in _LOCAL_NETWORKS)


def _is_local(ip: str) -> bool:
    """Say the same of an address as text, for IPv4 without reading it."""
    if ":" not in ip:
        return ip.startswith(_LOCAL_BEGINNINGS)
    address = _address(ip)
    return address is not None and is_local(address)


def _address(text: str) -> _Address | None:
    try:
        address = ip_address(text)
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


def read_place(record: object) -> Place:
    """Read a record of GeoLite2, DB-IP (both nested, names by language) or of a flat file such as those of IPinfo."""
    if not isinstance(record, dict):
        return NOWHERE
    codes = (
        _inner(record, "country", "iso_code"),
        record.get("country_code"),
        record.get("country"),
        _inner(record, "registered_country", "iso_code"),
    )
    country = next((code for text in codes if (code := country_code(_text(text))) != UNKNOWN), UNKNOWN)
    regions = record.get("subdivisions")
    region = regions[0] if isinstance(regions, list) and regions else None
    traits = record.get("traits")
    return Place(
        country,
        _name(region, *(record.get(key) for key in ("region", "region_name", "state1", "state"))),
        _name(record.get("city"), record.get("city_name")),
        _organisation(record) or _organisation(traits if isinstance(traits, dict) else {}),
    )


def _organisation(record: dict[object, object]) -> str:
    keys = ("autonomous_system_organization", "organization", "org", "isp", "as_name")
    name = _name(*[record[key] for key in keys if key in record])
    return _AS_NUMBER.sub("", name, count=1) if name else ""


def _name(*values: object) -> str:
    """Return the first name there is, in English if it has several; "" for none."""
    for value in values:
        if value is not None and (text := _text(value) or _text(_inner(value, "names", "en"))):
            return cut(clean(text), _NAME_MOST)
    return ""


def _inner(value: object, *keys: str) -> object:
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return value


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
