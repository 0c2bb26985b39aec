"""Countries: their names, and which of them a time zone lies in, from the tables that the tzdata package ships."""

from functools import cache
from importlib.resources import files

UNKNOWN = "XX"
LOCAL = "LOCAL"

# What readers expect where the table writes for people who choose a time zone. XK is in .mmdb files, in no ISO table.
_NAMES = {
    UNKNOWN: "Unknown",
    LOCAL: "Local",
    "AS": "American Samoa",
    "BL": "Saint Barthélemy",
    "BQ": "Caribbean Netherlands",
    "CD": "DR Congo",
    "CF": "Central African Republic",
    "CG": "Congo",
    "CZ": "Czechia",
    "GB": "United Kingdom",
    "KN": "Saint Kitts & Nevis",
    "KP": "North Korea",
    "KR": "South Korea",
    "LC": "Saint Lucia",
    "MF": "Saint Martin",
    "MM": "Myanmar",
    "PM": "Saint Pierre & Miquelon",
    "SH": "Saint Helena",
    "ST": "São Tomé & Príncipe",
    "SX": "Sint Maarten",
    "SZ": "Eswatini",
    "TC": "Turks & Caicos Islands",
    "TF": "French Southern Territories",
    "TL": "Timor-Leste",
    "UM": "US Outlying Islands",
    "VC": "Saint Vincent & the Grenadines",
    "VG": "British Virgin Islands",
    "VI": "US Virgin Islands",
    "WS": "Samoa",
    "XK": "Kosovo",
}

# Old names whose clocks agree with those of another country, to which tzdata therefore links them.
_ELSEWHERE = {
    "Africa/Asmera": "ER",
    "Africa/Timbuktu": "ML",
    "America/Coral_Harbour": "CA",
    "America/Virgin": "VI",
    "Antarctica/South_Pole": "AQ",
    "Atlantic/Jan_Mayen": "SJ",
    "Iceland": "IS",
    "Pacific/Johnston": "UM",
    "Pacific/Ponape": "FM",
    "Pacific/Truk": "FM",
    "Pacific/Yap": "FM",
}
_NOWHERE = frozenset({"CET", "EET", "EST", "HST", "MET", "MST", "WET"})  # kinds of time, not places


@cache
def country_names() -> dict[str, str]:
    """Return English names by code: ISO 3166-1 alpha-2, "XK", "XX" for unknown, "LOCAL" for local networks."""
    return {code: name for code, name, *_ in _rows("iso3166.tab")} | _NAMES


def country_name(code: str) -> str:
    """Return what reports show for a country's code; a code nobody knows is shown as it is."""
    return country_names().get(code, code)


def country_code(text: str) -> str:
    """Return the code as it is stored, or "XX" if no country has it."""
    code = text.upper() if len(text) == 2 else UNKNOWN
    return code if code in country_names() else UNKNOWN


@cache
def zone_countries() -> dict[str, str]:
    """Return the country's code by time zone, old names of zones included; zones of no country are left out."""
    found = {zone: code for code, _, zone, *_ in _rows("zone.tab")}
    links = {link: target for kind, target, link in _lines("tzdata.zi") if kind == "L"}
    for link in links.keys() - found.keys() - _NOWHERE:
        target = links[link]
        while target not in found and target in links:
            target = links[target]
        if target in found:
            found[link] = found[target]
    return found | _ELSEWHERE


def _rows(name: str) -> list[list[str]]:
    """Read a table of tab-separated columns."""
    return [line.split("\t") for line in _text(name).splitlines() if line and not line.startswith("#")]


def _lines(name: str) -> list[list[str]]:
    """Read the lines of three words."""
    return [words for line in _text(name).splitlines() if len(words := line.split()) == 3]


def _text(name: str) -> str:
    return files("tzdata").joinpath("zoneinfo", name).read_text("utf-8")
