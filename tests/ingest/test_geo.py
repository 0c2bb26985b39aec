"""Where a client is said to be: by its address, a trusted proxy's word, the files, the browser's time zone."""

import logging
import os
from pathlib import Path
from typing import Any
from zoneinfo import available_timezones

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mmdb_writer import MMDBWriter
from netaddr import IPSet

from visitor_tracker.config.sections import GeoConfig
from visitor_tracker.event import Place
from visitor_tracker.ingest.geo import LOCAL_PLACE, GeoReader, read_place
from visitor_tracker.ingest.zones import country_code, country_name, zone_countries

Record = dict[str, Any]

BERLIN: Record = {
    "country": {"iso_code": "DE", "names": {"en": "Germany", "de": "Deutschland"}},
    "subdivisions": [{"iso_code": "BE", "names": {"de": "Land Berlin", "en": "State of Berlin"}}],
    "city": {"names": {"de": "Berlin", "en": "Berlin"}},
}
UNKNOWN = Place("XX")


def write(path: Path, records: dict[str, Record], kind: str = "Test-City") -> str:
    """Put a new file in the place of the old one, as careful programs do."""
    writer = MMDBWriter(ip_version=6, ipv4_compatible=True, database_type=kind, languages=["en"])
    for network, record in records.items():
        writer.insert_network(IPSet([network]), record)
    new = path.with_suffix(".new")
    writer.to_db_file(str(new))
    new.rename(path)
    return str(path)


@pytest.fixture
def city(tmp_path: Path) -> Path:
    path = tmp_path / "city.mmdb"
    write(path, {"198.51.100.0/24": BERLIN, "2001:db8::/32": {"country": {"iso_code": "FR"}}})
    return path


@pytest.mark.parametrize(
    ("ip", "header", "timezone", "place"),
    [
        ("127.0.0.1", "", "", LOCAL_PLACE),
        ("::1", "", "", LOCAL_PLACE),
        ("10.1.2.3", "DE", "Europe/Berlin", LOCAL_PLACE),
        ("172.31.0.1", "", "", LOCAL_PLACE),
        ("192.168.1.1", "", "", LOCAL_PLACE),
        ("169.254.0.1", "", "", LOCAL_PLACE),
        ("fd12::1", "", "", LOCAL_PLACE),
        ("fe80::1%eth0", "", "", LOCAL_PLACE),
        ("::ffff:10.0.0.1", "", "", LOCAL_PLACE),
        ("172.32.0.1", "", "", UNKNOWN),
        ("198.51.100.7", "de", "", Place("DE")),
        ("198.51.100.7", "XX", "Asia/Calcutta", Place("IN")),
        ("198.51.100.7", "T1", "Atlantic/Reykjavik", Place("XX", organisation="Tor")),
        ("198.51.100.7", "ZZ", "", UNKNOWN),
        ("198.51.100.7", "<b>", "Etc/UTC", UNKNOWN),
        ("", "", "Europe/Kiev", Place("UA")),
        ("", "NL", "Europe/Kiev", Place("NL")),
        ("no address", "", "../../etc/passwd", UNKNOWN),
    ],
)
def test_without_files_proxy_and_time_zone_say_the_country(ip: str, header: str, timezone: str, place: Place) -> None:
    reader = GeoReader(GeoConfig())
    assert [reader.place(ip, header, timezone) for _ in range(2)] == [place, place]


@pytest.mark.parametrize(
    ("ip", "header", "timezone", "place"),
    [
        ("198.51.100.7", "", "Asia/Tokyo", Place("DE", "State of Berlin", "Berlin", "Example Net")),
        ("::ffff:198.51.100.7", "", "", Place("DE", "State of Berlin", "Berlin", "Example Net")),
        ("198.51.100.7", "DE", "", Place("DE", "State of Berlin", "Berlin", "Example Net")),
        ("198.51.100.7", "AT", "", Place("AT", organisation="Example Net")),
        ("2001:db8::7", "", "", Place("FR")),
        ("203.0.113.7", "", "", Place("XX", organisation="Other Net")),
        ("203.0.113.7", "", "Asia/Tokyo", Place("JP", organisation="Other Net")),
        ("192.0.2.1", "", "Asia/Tokyo", Place("JP")),
        ("192.168.0.1", "", "", LOCAL_PLACE),
    ],
)
def test_files_know_more(city: Path, ip: str, header: str, timezone: str, place: Place) -> None:
    networks: dict[str, Record] = {
        "198.51.100.0/24": {"autonomous_system_number": 64496, "autonomous_system_organization": "Example Net"},
        "203.0.113.0/24": {"autonomous_system_organization": "Other\n Net\u202e "},
    }
    asn = write(city.with_name("asn.mmdb"), networks, "Test-ASN")
    assert GeoReader(GeoConfig(str(city), asn)).place(ip, header, timezone) == place


@pytest.mark.parametrize(
    ("record", "place"),
    [
        (BERLIN, Place("DE", "State of Berlin", "Berlin")),
        ({"registered_country": {"iso_code": "US"}}, Place("US")),
        ({"country": "US", "country_name": "United States", "as_name": "Example"}, Place("US", "", "", "Example")),
        ({"country": "United States", "country_code": "US"}, Place("US")),
        (
            {"country": "us", "region": "Texas", "city": "Dallas", "org": "AS64496 Example Inc"},
            Place("US", "Texas", "Dallas", "Example Inc"),
        ),
        ({"country_code": "NL", "state1": "Utrecht", "city": "Zeist"}, Place("NL", "Utrecht", "Zeist")),
        ({"country": {"iso_code": "XK"}, "traits": {"isp": "Example"}}, Place("XK", "", "", "Example")),
        ({"country": {"iso_code": 7}, "city": [1], "subdivisions": [[]], "traits": 1}, UNKNOWN),
        ({"country": {"iso_code": "DE"}, "city": {"names": {"en": "x" * 300}}}, Place("DE", "", "x" * 128)),
        ({"country": {"iso_code": "EU"}, "subdivisions": []}, UNKNOWN),
        (None, UNKNOWN),
        ("DE", UNKNOWN),
        ([BERLIN], UNKNOWN),
    ],
)
def test_every_kind_of_record_is_read(record: object, place: Place) -> None:
    assert read_place(record) == place


def test_a_new_file_is_read_when_it_comes(city: Path) -> None:
    reader = GeoReader(GeoConfig(str(city)))
    assert reader.place("198.51.100.7", "", "").country == "DE"
    write(city, {"198.51.100.0/24": {"country": {"iso_code": "CH"}}})
    assert reader.place("198.51.100.7", "", "").country == "DE"
    reader.refresh()
    assert reader.place("198.51.100.7", "", "").country == "CH"


def test_a_missing_file_is_one_warning_and_read_when_it_comes(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "city.mmdb"
    reader = GeoReader(GeoConfig(str(path)))
    for _ in range(3):
        reader.refresh()
    assert [record.getMessage() for record in caplog.records] == [
        f"{path}: it cannot be read: No such file or directory"
    ]
    assert reader.place("198.51.100.7", "", "Asia/Tokyo") == Place("JP")
    write(path, {"198.51.100.0/24": BERLIN})
    reader.refresh()
    assert reader.place("198.51.100.7", "", "Asia/Tokyo").city == "Berlin"


def test_what_was_read_stays_while_a_broken_file_or_none_takes_its_place(
    city: Path, caplog: pytest.LogCaptureFixture
) -> None:
    reader = GeoReader(GeoConfig(str(city)))
    city.unlink()
    for _ in range(2):
        reader.refresh()
        assert reader.place("198.51.100.7", "", "").city == "Berlin"
    city.write_bytes(b"no database")
    for _ in range(2):
        reader.refresh()
        assert reader.place("198.51.100.8", "", "").city == "Berlin"
    assert [record.levelno for record in caplog.records] == [logging.WARNING, logging.WARNING]
    assert [finding.level for finding in reader.check()] == ["warning"]


def test_a_file_that_is_being_written_over_is_not_touched(city: Path) -> None:
    """It is mapped into memory: to look where the file has just been cut off would end the process."""
    whole = city.read_bytes()
    reader = GeoReader(GeoConfig(str(city)))
    with city.open("r+b") as file:
        file.truncate(0)
        assert reader.place("198.51.100.7", "", "Asia/Tokyo") == Place("JP")
        reader.refresh()
        assert reader.place("198.51.100.7", "", "Asia/Tokyo") == Place("JP")
        file.write(whole)
    reader.refresh()
    assert reader.place("198.51.100.7", "", "Asia/Tokyo").city == "Berlin"


@pytest.mark.parametrize("kind", ["folder", "pipe", "empty", "text", "nul"])
def test_what_is_no_database_is_said_to_be_none(tmp_path: Path, kind: str) -> None:
    path = tmp_path / ("x\0y" if kind == "nul" else "x.mmdb")
    if kind == "folder":
        path.mkdir()
    elif kind == "pipe":
        os.mkfifo(path)
    elif kind in ("empty", "text"):
        path.write_text("" if kind == "empty" else "text" * 9)
    reader = GeoReader(GeoConfig(str(path)))
    assert reader.place("198.51.100.7", "", "") == UNKNOWN
    assert [(finding.level, "geo.database" in finding.hint) for finding in reader.check()] == [("warning", True)]


def test_damage_anywhere_in_a_file_ends_in_a_place_or_none(city: Path) -> None:
    whole = city.read_bytes()
    for at in range(0, len(whole), 11):
        broken = city.with_name(f"{at}.mmdb")
        broken.write_bytes(whole[:at] + bytes([whole[at] ^ 0xFF]) + whole[at + 1 :])
        assert isinstance(GeoReader(GeoConfig(str(broken))).place("198.51.100.7", "", ""), Place)


def test_check_says_what_a_file_is(city: Path) -> None:
    assert GeoReader(GeoConfig()).check() == []
    (finding,) = GeoReader(GeoConfig(str(city))).check()
    assert (finding.level, finding.message.partition(" of ")[0]) == ("ok", "geo.database: Test-City")


@pytest.mark.parametrize(
    ("zone", "code"),
    [
        ("Europe/Amsterdam", "NL"),
        ("Asia/Calcutta", "IN"),
        ("Asia/Saigon", "VN"),
        ("America/Buenos_Aires", "AR"),
        ("America/Indianapolis", "US"),
        ("US/Pacific", "US"),
        ("GB", "GB"),
        ("Iceland", "IS"),
        ("Africa/Asmera", "ER"),
        ("Pacific/Truk", "FM"),
        ("Antarctica/McMurdo", "AQ"),
    ],
)
def test_a_time_zone_lies_in_a_country(zone: str, code: str) -> None:
    assert zone_countries()[zone] == code


def test_zones_without_a_country_are_few_and_no_places() -> None:
    """CET and its like are kinds of time."""
    without = available_timezones() - zone_countries().keys()
    assert {zone for zone in without if "/" in zone and not zone.startswith("Etc/")} == set()
    assert len(zone_countries()) > 540
    assert {code for code in zone_countries().values() if country_name(code) == code} == set()


@pytest.mark.parametrize(
    ("code", "name"),
    [
        ("DE", "Germany"),
        ("GB", "United Kingdom"),
        ("XK", "Kosovo"),
        ("XX", "Unknown"),
        ("LOCAL", "Local"),
        ("??", "??"),
    ],
)
def test_countries_have_english_names(code: str, name: str) -> None:
    assert country_name(code) == name


@given(st.text(), st.text(max_size=3), st.text())
@settings(deadline=None)
def test_any_text_has_a_place(ip: str, header: str, timezone: str) -> None:
    place = READER.place(ip, header, timezone)
    assert place.country == "LOCAL" or place.country == country_code(place.country)


READER = GeoReader(GeoConfig())
