"""What somebody types in leads nowhere into this server's own network, whatever name servers and receivers say."""

import pytest

from tests.outgoing.receiver import Receiver, receiver
from visitor_tracker.outgoing.places import Guard, PlaceRefused, read_place
from visitor_tracker.outgoing.posting import Poster

PRIVATE = (
    *("127.0.0.1", "127.8.8.8", "0.0.0.0", "10.0.0.1", "172.16.5.5", "192.168.1.1", "169.254.169.254", "100.64.0.1"),
    *("192.0.0.8", "198.18.0.1", "224.0.0.1", "240.0.0.1", "255.255.255.255", "192.0.2.1"),
    *("::", "::1", "fe80::1", "fe80::1%eth0", "fc00::1", "fd00:ec2::254", "ff02::1", "2001:db8::1"),
    *("::ffff:127.0.0.1", "::ffff:169.254.169.254", "::ffff:10.1.2.3", "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe"),
    *("2002:7f00:1::", "2002:c0a8:101::1", "::127.0.0.1", "2001:0:7f00:1::", "64:ff9b:1::1"),
)
PUBLIC = ("93.184.216.34", "2606:4700::1111", "::ffff:93.184.216.34", "64:ff9b::5db8:d822")


def addresses(url: str, *found: str, allowed: tuple[str, ...] = ()) -> list[str]:
    return list(Guard(allowed, lambda host, port: found).addresses(read_place(url)))


@pytest.mark.parametrize("address", PRIVATE)
def test_a_name_that_leads_inside_is_refused(address: str) -> None:
    for found in ((address,), ("93.184.216.34", address)):
        with pytest.raises(PlaceRefused, match=r"no public address.*alerts\.allow_private"):
            addresses("https://hook.example/x", *found)


@pytest.mark.parametrize("address", [each for each in PRIVATE if "%" not in each])
def test_so_is_the_address_itself(address: str) -> None:
    host = f"[{address}]" if ":" in address else address
    with pytest.raises(PlaceRefused, match="no public address"):
        Guard().addresses(read_place(f"http://{host}/"))


@pytest.mark.parametrize("address", PUBLIC)
def test_what_is_public_is_taken(address: str) -> None:
    assert addresses("https://hook.example:8443/x", address) == [address]


@pytest.mark.parametrize("host", ["2130706433", "0x7f000001", "017700000001", "127.1", "localhost", "LOCALHOST."])
def test_other_ways_to_write_this_machine_are_seen_by_what_they_mean(host: str) -> None:
    with pytest.raises(PlaceRefused):
        Guard().addresses(read_place(f"http://{host}:8000/"))


@pytest.mark.parametrize(
    ("allowed", "is_taken"),
    [
        (("ntfy.lan",), True),
        (("NTFY.lan",), True),
        (("10.0.0.0/8",), True),
        (("10.1.2.3",), True),
        (("*",), True),
        (("10.1.2.4", "other.lan", "fd00::/8"), False),
    ],
)
def test_an_admin_can_allow_places_inside(allowed: tuple[str, ...], *, is_taken: bool) -> None:
    if is_taken:
        assert addresses("http://ntfy.lan/topic", "10.1.2.3", allowed=allowed) == ["10.1.2.3"]
    else:
        with pytest.raises(PlaceRefused):
            addresses("http://ntfy.lan/topic", "10.1.2.3", allowed=allowed)


@pytest.mark.parametrize(
    "url",
    [
        *("", "hook.example", "ftp://hook.example/", "file:///etc/passwd", "gopher://h.example/", "https://", "//h/"),
        *("https://user:word@hook.example/", "https://user@hook.example/", "https://hook.example/#x"),
        *("https://hook.example/a b", "https://hook.example/\r\nX: y", "https://hook.example/\x00", "https://a\\@b/"),
        *("https://hook.example:99999/", "https://hook.example/ä", "https://[::1/", "https://ho_st!/", "https://a<b>/"),
        "https://hook.example/" + "x" * 2_000,
    ],
)
def test_what_is_no_address_is_refused(url: str) -> None:
    with pytest.raises(PlaceRefused):
        read_place(url)


@pytest.mark.parametrize("port", [22, 25, 110, 143, 445, 993])
def test_ports_of_other_services_are_refused(port: int) -> None:
    with pytest.raises(PlaceRefused, match=f"nothing is sent to port {port}"):
        addresses(f"http://hook.example:{port}/", "93.184.216.34")
    assert addresses(f"http://hook.example:{port}/", "93.184.216.34", allowed=("hook.example",))


def test_addresses_are_read_as_dns_has_them() -> None:
    place = read_place("https://Bücher.Example.:8443/a?b=c")
    assert (place.host, place.port, place.path) == ("xn--bcher-kva.example", 8443, "/a?b=c")
    assert place.origin == "https://xn--bcher-kva.example:8443"
    assert read_place("http://[2606:4700::1111]/").origin == "http://[2606:4700::1111]"


def test_a_name_that_changes_its_mind_is_asked_once() -> None:
    """DNS rebinding: the second answer would lead inside."""
    with receiver() as inside:
        asked: list[str] = []

        def resolve(host: str, port: int) -> list[str]:
            asked.append(host)
            return ["127.0.0.1"] if len(asked) == 1 else ["10.0.0.1"]

        poster = Poster(Guard(("127.0.0.1",), resolve))
        assert poster.post(f"http://rebinding.example:{inside.port}/x", b"{}", {}).is_taken
        assert asked == ["rebinding.example"]
        assert inside.got[0].headers["host"] == f"rebinding.example:{inside.port}"


def test_a_redirect_is_not_followed() -> None:
    with receiver() as other, receiver() as hook:
        hook.answers = [(307, b"", {"Location": f"{other.url}/inside"})]
        answer = poster(hook).post(f"{hook.url}/hook", b"{}", {})
        assert (answer.status, answer.is_taken) == (307, False)
    assert other.got == []


def poster(_: Receiver, seconds: float = 10.0) -> Poster:
    return Poster(Guard(("127.0.0.1",)), seconds)
