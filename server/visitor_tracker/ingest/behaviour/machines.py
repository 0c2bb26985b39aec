"""What the machine says that a visitor used: contradictions, and networks in which nobody sits."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime

from visitor_tracker.days import DAY_MS
from visitor_tracker.event import Agent
from visitor_tracker.ingest.behaviour.days import VisitorDay

# Names of those who rent out machines, as networks are registered; not of those through whose networks people come
# to many sites at once (private relays, filters of companies).
_DATA_CENTRES = re.compile(
    r"\b(amazon|aws|google cloud|digital\s?ocean|hetzner|ovh|linode|microsoft azure|alibaba|aliyun|tencent|contabo"
    r"|vultr|choopa|constant company|scaleway|online sas|leaseweb|m247|oracle cloud|oracle-bmc|ionos cloud|netcup"
    r"|hostinger|host europe|godaddy|dreamhost|rackspace|kamatera|datacamp|colocrossing|psychz|quadranet|hostwinds"
    r"|upcloud|ucloud|huawei cloud|yandex cloud|selectel|data\s?cent(er|re)|hosting|colo(cation)?|dedicated servers?"
    r"|virtual servers?|vps)\b",
    re.IGNORECASE,
)
_SIZE = re.compile(r"([0-9]{1,5})x([0-9]{1,5})").fullmatch
_HEADLESS_SIZES = frozenset({"0x0", "1x1", "800x600"})  # of browsers that nobody gave a screen
_PHONE_MOST = 1600  # CSS pixels, the longer side; phones have up to some 1000

# Chrome 100, Edge 100 and Firefox 100 came within weeks of each other, and each version follows after four at most.
_HUNDRED_MS = int(datetime(2022, 4, 5, tzinfo=UTC).timestamp() * 1000)
_EVERY_MS = 28 * DAY_MS
_COUNTED = frozenset({"Chrome", "Edge", "Firefox"})
_OLD_SYSTEMS = frozenset({"7", "8", "8.1", "XP", "Vista"})  # of Windows: the last versions for these stay in use

_Found = tuple[str, float, str]


def machine_reasons(day: VisitorDay) -> Iterator[_Found]:
    """Yield what the machine says for a robot, as name, weight and text."""
    if named := _DATA_CENTRES.search(day.organisation):
        yield "data_centre", 1.8, f"comes from {day.organisation}, which rents out machines ({named[0].lower()})"
    yield from _of_version(day.agent, day.steps[-1].ts)
    yield from _of_screen(day)


def _of_version(agent: Agent, now_ms: int) -> Iterator[_Found]:
    if agent.browser not in _COUNTED or not agent.browser_version.isdecimal():
        return
    version, newest = int(agent.browser_version), 100 + (now_ms - _HUNDRED_MS) // _EVERY_MS
    behind = newest - version
    if behind > 39 and not (agent.os == "Windows" and agent.os_version in _OLD_SYSTEMS):
        years = behind * _EVERY_MS / DAY_MS / 365
        yield "browser_version", 0.7 if behind <= 65 else 1.2, f"{agent.browser} {version} is {years:.0f} years old"


def _of_screen(day: VisitorDay) -> Iterator[_Found]:
    if odd := sorted(day.screens & _HEADLESS_SIZES):
        yield "screen", 1.2, f"a screen of {odd[0]}, as browsers have that nobody looks at"
    sizes = [(int(size[1]), int(size[2])) for text in day.screens if (size := _SIZE(text))]
    if day.agent.device == "mobile" and any(max(size) > _PHONE_MOST for size in sizes):
        width, height = max(sizes)
        yield "screen", 1.2, f"a phone with a screen of {width}x{height}"
    shown = [(int(size[1]), int(size[2])) for text in day.viewports if (size := _SIZE(text))]
    if len(sizes) == 1 and any(wide > 1.5 * max(sizes[0]) for wide, _ in shown):
        yield "viewport", 0.7, f"a window wider than its screen, {sizes[0][0]}x{sizes[0][1]}"
