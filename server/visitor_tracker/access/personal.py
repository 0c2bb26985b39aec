"""What looks personal in a text or in bytes: client addresses, user agents, e-mail addresses, card numbers.

Looks at bytes as they lie on disk, so that no format can hide anything; wrong alarms are the price, and rare.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from ipaddress import IPv6Address
from typing import Literal

Kind = Literal["client address", "user agent", "e-mail address", "card number"]
KINDS: frozenset[Kind] = frozenset({"client address", "user agent", "e-mail address", "card number"})

_DISTINCT_MOST = 10_000  # addresses of one place that are told apart
_SHORTEST_IPV6 = 8  # shorter ones come about by chance in a hash

_HOST = re.compile(rb"(?i)https?://(\[[0-9a-f:.]+\]|[a-z0-9._~%-]+)")
# In msgpack the byte before a text of 32 to 255 bytes is its length, which may look like a digit.
_BEFORE = rb"(?s:(?<![\d.])|(?<=\xd9.))"
_OCTET = rb"(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)"
_IPV4 = re.compile(rb"%b(?:%b\.){3}%b(?!\d|\.\d)" % (_BEFORE, _OCTET, _OCTET))
_IPV6 = re.compile(rb"(?<![0-9A-Fa-f:])[0-9A-Fa-f]{0,4}(?::[0-9A-Fa-f]{0,4}){3,7}(?![0-9A-Fa-f:])")
_AGENT = re.compile(rb"(?:Mozilla|Opera)/\d{1,2}\.\d{1,2} \(")
_MAIL = re.compile(rb"[A-Za-z0-9._%+-]{1,64}@(?:[A-Za-z0-9-]{1,63}\.){1,8}[A-Za-z]{2,24}(?![A-Za-z0-9])")
_CARD = re.compile(rb"%b(?:[456]\d{3}([ -]?)\d{4}\1\d{4}\1\d{4}|3[47]\d\d([ -]?)\d{6}\2\d{5})(?!\d|\.\d)" % _BEFORE)


class Tally:
    """Counts what looks personal, by place; addresses that are hosts of pages do not count. One thread."""

    def __init__(self, hosts: frozenset[bytes] = frozenset()) -> None:
        self._hosts = {host.strip(b"[]").lower() for host in hosts}
        self._addresses: defaultdict[str, Counter[bytes]] = defaultdict(Counter)
        self._others: Counter[tuple[str, Kind]] = Counter()

    def look(self, place: str, content: bytes, kinds: frozenset[Kind]) -> None:
        """Count what a piece of that place has of those kinds."""
        content = _HOST.sub(self._note_host, content)
        if "client address" in kinds:
            for address in _addresses(content):
                seen = self._addresses[place]
                seen[address if address in seen or len(seen) < _DISTINCT_MOST else b""] += 1
        if "user agent" in kinds and (agents := len(_AGENT.findall(content))):
            self._others[place, "user agent"] += agents
        if "e-mail address" in kinds and b"@" in content and (mails := len(_MAIL.findall(content))):
            self._others[place, "e-mail address"] += mails
        if "card number" in kinds:
            cards = sum(_is_card(found[0]) for found in _CARD.finditer(content))
            if cards:
                self._others[place, "card number"] += cards

    def found(self) -> Iterator[tuple[str, Kind, int]]:
        """Yield (place, kind, how often), by place."""
        numbers = Counter(self._others)
        for place, addresses in self._addresses.items():
            number = sum(times for address, times in addresses.items() if address not in self._hosts)
            if number:
                numbers[place, "client address"] = number
        for (place, kind), number in sorted(numbers.items()):
            yield place, kind, number

    def _note_host(self, found: re.Match[bytes]) -> bytes:
        """Remember a page's host, and leave the rest of its URL."""
        host = found[1].strip(b"[]").lower()
        if (host[-1:].isdigit() or b":" in host) and len(self._hosts) < _DISTINCT_MOST:
            self._hosts.add(host)
        return b"http://"


def _addresses(content: bytes) -> Iterator[bytes]:
    for found in _IPV4.finditer(content):
        yield found[0]
    for found in _IPV6.finditer(content):
        if len(found[0]) >= _SHORTEST_IPV6 and _is_ipv6(found[0].decode()):
            yield found[0].lower()


def _is_ipv6(text: str) -> bool:
    try:
        IPv6Address(text)
    except ValueError:
        return False
    return True


def _is_card(text: bytes) -> bool:
    """Say whether the last digit is right (Luhn, ISO/IEC 7812-1 annex B)."""
    digits = [byte - 48 for byte in reversed(text) if 48 <= byte <= 57]
    return sum(digits[::2]) % 10 == (-sum(sum(divmod(2 * digit, 10)) for digit in digits[1::2])) % 10
