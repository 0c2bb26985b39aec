"""What is kept of a client's address."""

from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

from visitor_tracker.sites import TRUNCATED_BITS, IpPolicy


def address_of(text: str) -> str:
    """Return the address in a text that may have brackets, a port or a zone; "" when there is none."""
    text = text.strip()
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    address = _read(text)
    return "" if address is None else str(address)


def kept(ip: str, policy: IpPolicy) -> str:
    """Return the address as a policy keeps it: whole, its network (203.0.113.0, 2001:db8::), or nothing."""
    if policy == "full":
        return ip
    return truncated(ip) if policy == "truncated" else ""


def truncated(ip: str) -> str:
    """Return the address with its last 8 bits of 32, or 80 of 128, as zeros; "" for what is no address."""
    address = _read(ip)
    if address is None:
        return ""
    return str(ip_network((address, TRUNCATED_BITS[address.version]), strict=False).network_address)


def _read(text: str) -> IPv4Address | IPv6Address | None:
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address
