"""What is kept of a client's address."""

from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

from visitor_tracker.sites import IpPolicy

_KEPT_BITS = {4: 24, 6: 48}


def kept(ip: str, policy: IpPolicy) -> str:
    """Return the address as a policy keeps it: whole, its network (203.0.113.0, 2001:db8::), or nothing."""
    if policy == "full":
        return ip
    return truncated(ip) if policy == "truncated" else ""


def truncated(ip: str) -> str:
    """Return the address with its last 8 bits of 32, or 80 of 128, as zeros; "" for what is no address."""
    try:
        address: IPv4Address | IPv6Address = ip_address(ip.partition("%")[0])
    except ValueError:
        return ""
    if isinstance(address, IPv6Address) and address.ipv4_mapped:
        address = address.ipv4_mapped
    return str(ip_network((address, _KEPT_BITS[address.version]), strict=False).network_address)
