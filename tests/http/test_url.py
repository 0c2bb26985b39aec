from hashlib import blake2b
from urllib.parse import urlencode

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from visitor_tracker.http.url import TRACKING_PARAMETERS, URL_MAX, normalise, page_hash, parse_query


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        # scheme, host, port
        ("http://example.com", "http://example.com/"),
        ("HTTPS://EXAMPLE.Com/A", "https://example.com/A"),
        ("  https://example.com/ ", "https://example.com/"),
        ("https://example.com.", "https://example.com/"),
        ("http://example.com:80/", "http://example.com/"),
        ("https://example.com:443/", "https://example.com/"),
        ("https://example.com:80/", "https://example.com:80/"),
        ("http://example.com:0080/", "http://example.com/"),
        ("http://example.com:/", "http://example.com/"),
        ("http://example.com:65535/", "http://example.com:65535/"),
        ("http://localhost:8000/x", "http://localhost:8000/x"),
        ("http://my_host.example/", "http://my_host.example/"),
        ("http://r3---sn-abc.example/", "http://r3---sn-abc.example/"),
        ("http://127.0.0.1/", "http://127.0.0.1/"),
        ("http://1.2.3.4.example/", "http://1.2.3.4.example/"),
        ("http://b\u00fccher.example/", "http://xn--bcher-kva.example/"),
        ("http://B\u00dcCHER.example/", "http://xn--bcher-kva.example/"),
        ("http://bu\u0308cher.example/", "http://xn--bcher-kva.example/"),
        ("http://XN--BCHER-KVA.example/", "http://xn--bcher-kva.example/"),
        ("http://fa\u00df.example/", "http://xn--fa-hia.example/"),
        ("http://ex\u3002example/", "http://ex.example/"),
        ("http://\uff45xample.com/", "http://example.com/"),
        ("http://\uff11\uff12\uff17.0.0.1/", "http://127.0.0.1/"),
        ("http://xn--i-7iq.example/", "http://xn--i-7iq.example/"),
        ("http://[::1]:80/", "http://[::1]/"),
        ("http://[2001:DB8:0:0:1:0:0:1]:8080/", "http://[2001:db8::1:0:0:1]:8080/"),
        ("http://[1:0:2:0:0:3:0:4]/", "http://[1:0:2::3:0:4]/"),
        ("http://[1:0:2:3:4:5:6:7]/", "http://[1:0:2:3:4:5:6:7]/"),
        ("http://[::ffff:1.2.3.4]/", "http://[::ffff:102:304]/"),
        ("http://[::]/", "http://[::]/"),
        # path
        ("http://a/b/../c", "http://a/c"),
        ("http://a/b/./c/.", "http://a/b/c/"),
        ("http://a/b/c/..", "http://a/b/"),
        ("http://a/../../b", "http://a/b"),
        ("http://a/%2E%2e/b/%2e", "http://a/b/"),
        ("http://a/..", "http://a/"),
        ("http://a/.b/..c/d.", "http://a/.b/..c/d."),
        ("http://a//b///c", "http://a//b///c"),
        ("http://a//b/..//c", "http://a///c"),
        ("http://a/%7eb%41%2d", "http://a/~bA-"),
        ("http://a/%2fb%3a", "http://a/%2Fb%3A"),
        ("http://a/caf\u00e9", "http://a/caf%C3%A9"),
        ("http://a/caf%c3%a9", "http://a/caf%C3%A9"),
        ("http://a/%ff", "http://a/%FF"),
        ("http://a/b c", "http://a/b%20c"),
        ("http://a/100%", "http://a/100%25"),
        ("http://a/%zz%4", "http://a/%25zz%254"),
        ("http://a/%25%34%31", "http://a/%2541"),
        ("http://a/\"<>^`{|}[]'", "http://a/%22%3C%3E%5E%60%7B%7C%7D%5B%5D%27"),
        ("http://a/!$&()*+,;=:@", "http://a/!$&()*+,;=:@"),
        ("http://a/\u202egpj", "http://a/%E2%80%AEgpj"),
        ("http://a/%00", "http://a/%00"),
        ("http://a/\U0001f600", "http://a/%F0%9F%98%80"),
        # query and fragment
        ("http://a?b=1", "http://a/?b=1"),
        ("http://a/?", "http://a/"),
        ("http://a/?#x", "http://a/"),
        ("http://a/#/b?c", "http://a/"),
        ("http://a#b", "http://a/"),
        ("http://a/?z=1&a=2&z=3", "http://a/?z=1&a=2&z=3"),
        ("http://a/?&&a=1&&b&", "http://a/?a=1&b"),
        ("http://a/?a=", "http://a/?a="),
        ("http://a/?a=b/../c?d", "http://a/?a=b/../c?d"),
        ("http://a/?a=\\", "http://a/?a=%5C"),
        ("http://a/?a='", "http://a/?a=%27"),
        ("http://a/?a=b c+d%2b", "http://a/?a=b%20c+d%2B"),
        ("http://a/?\u00fc=%C3%BC", "http://a/?%C3%BC=%C3%BC"),
        ("http://a/?utm_source=x&b=1&utm_anything", "http://a/?b=1"),
        ("http://a/?FBCLID=x", "http://a/"),
        ("http://a/?%75tm_source=x", "http://a/"),
        ("http://a/?q=gclid&gclid2=x&autm_x=1", "http://a/?q=gclid&gclid2=x&autm_x=1"),
        ("http://a/?gclid=a=b&c", "http://a/?c"),
    ],
)
def test_one_page_has_one_spelling(url: str, expected: str) -> None:
    assert normalise(url) == expected
    assert normalise(expected) == expected


@pytest.mark.parametrize("name", TRACKING_PARAMETERS)
def test_tracking_parameters_are_left_out(name: str) -> None:
    spelled = name.replace("*", "source")
    assert normalise(f"https://example.com/?a=1&{spelled}=x&b=2") == "https://example.com/?a=1&b=2"


@pytest.mark.parametrize(
    ("drop", "expected"),
    [
        ((), "http://a/?session=1&Sess2=2&s=3&%C3%BC=4"),
        (("session",), "http://a/?Sess2=2&s=3&%C3%BC=4"),
        (("SESS*",), "http://a/?s=3&%C3%BC=4"),
        (("s", "\u00fc"), "http://a/?session=1&Sess2=2"),
        (frozenset(("s*", "\u00fc")), "http://a/"),
        (["*"], "http://a/"),
    ],
)
def test_more_parameters_can_be_left_out(drop: tuple[str, ...], expected: str) -> None:
    assert normalise("http://a/?session=1&Sess2=2&s=3&\u00fc=4", drop) == expected


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("", "must begin with http"),
        ("example.com", "must begin with http"),
        ("//example.com/", "must begin with http"),
        ("http:/example.com", "must begin with http"),
        ("http:example.com", "must begin with http"),
        ("ftp://example.com/", "must begin with http"),
        ("javascript:alert(1)", "must begin with http"),
        ("javascript://example.com/%0aalert(1)", "must begin with http"),
        ("data:text/html,x", "must begin with http"),
        ("file:///etc/passwd", "must begin with http"),
        ("http://user@example.com/", "user name"),
        ("http://user:password@example.com/", "user name"),
        ("http://@example.com/", "user name"),
        ("http://good.example\\@evil.example/", "backslash"),
        ("http:\\\\example.com\\", "must begin with http"),
        ("http://example.com\\a", "backslash"),
        ("http://example.com/a\\b", "backslash"),
        ("http://example.com/a\nb", "control"),
        ("http://example.com/\0", "control"),
        ("http://exa\tmple.com/", "control"),
        ("http://example.com/?a=\x7f", "control"),
        ("http://example.com/\x85", "control"),
        ("http://example.com/#\u2028", "control"),
        ("http://example.com/\ud800", "Unicode"),
        ("http://", "host"),
        ("http:///path", "host"),
        ("http://?a", "host"),
        ("http://.", "host"),
        ("http://a..b/", "host"),
        ("http://.a/", "host"),
        ("http://a../", "host"),
        ("http://-a.example/", "host"),
        ("http://a-.example/", "host"),
        ("http://a b/", "host"),
        ("http://a%41/", "host"),
        ("http://a<b/", "host"),
        ("http://a,b/", "host"),
        ("http://" + "a" * 64 + ".example/", "host"),
        ("http://" + "a." * 127 + "example/", "host"),
        ("http://" + "\u00fc" * 300 + "/", "host"),
        ("http://xn--a/", "host"),
        ("http://xn--/", "host"),
        ("http://xn--abc-.example/", "host"),
        ("http://a\u202eb.example/", "host"),
        ("http://\u00fc\uff20b.example/", "host"),
        ("http://\u00fc\uff0fb.example/", "host"),
        ("http://\u200d.example/", "host"),
        ("http://1/", "IPv4"),
        ("http://1.2.3/", "IPv4"),
        ("http://1.2.3.256/", "IPv4"),
        ("http://1.2.3.04/", "IPv4"),
        ("http://0x7f.0.0.1/", "IPv4"),
        ("http://127.0.0.0x1/", "IPv4"),
        ("http://2130706433/", "IPv4"),
        ("http://example.1/", "IPv4"),
        ("http://1.2.3.4.5/", "IPv4"),
        ("http://[::1/", "host or port"),
        ("http://::1/", "host or port"),
        ("http://[::g]/", "IPv6"),
        ("http://[fe80::1%25eth0]/", "IPv6"),
        ("http://[fe80::1%eth0]/", "IPv6"),
        ("http://[]/", "IPv6"),
        ("http://[1.2.3.4]/", "IPv6"),
        ("http://[::1]a/", "host or port"),
        ("http://a:b/", "host or port"),
        ("http://a:-1/", "host or port"),
        ("http://a:\u0661/", "host or port"),
        ("http://a:80:80/", "host or port"),
        ("http://a:000080/", "host or port"),
        ("http://a:0/", "port"),
        ("http://a:65536/", "port"),
        ("http://a/" + "b" * URL_MAX, "longer"),
        ("http://a/" + "\u00fc" * 1020, "longer"),
        ("http://a/" + "\u00fc" * 400, "longer"),
    ],
)
def test_what_is_no_page_is_refused_with_the_reason(url: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        normalise(url)


def test_the_longest_url_is_taken() -> None:
    url = "http://a/" + "b" * (URL_MAX - 9)
    assert normalise(url) == url


URLS = st.builds(
    "{}://{}{}{}".format,
    st.sampled_from(["http", "HTTPS"]),
    st.one_of(
        st.sampled_from(["a", "A.b.", "b\u00fccher.de", "xn--bcher-kva.de", "[::FFFF:1.2.3.4]", "1.2.3.4:80", "a:443"]),
        st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=12),
        st.text(st.characters(categories=["L", "Nd", "Mn"], include_characters=".-"), max_size=8),
        st.text(st.sampled_from("xn-abc0189"), max_size=8).map("xn--{}".format),
    ),
    st.sampled_from(["", "/", "?"]),
    st.one_of(st.text(max_size=40), st.text(st.sampled_from("/.%2eE5c#?&=+ a\u00fc'\\"), max_size=60)),
)


def normal_or_none(url: str) -> str | None:
    """Return the normal form, None for a refusal; a UnicodeError is a ValueError too, and no refusal."""
    try:
        return normalise(url)
    except ValueError as error:
        if type(error) is not ValueError:
            raise
        return None


@settings(max_examples=500, deadline=None)
@given(URLS)
def test_normalising_again_changes_nothing(url: str) -> None:
    once = normal_or_none(url)
    if once is None:
        return
    assert normalise(once) == once
    assert once.isascii()
    assert once.isprintable()
    assert len(once) <= URL_MAX
    assert not set(once) & set(" \"'<>\\^`{|}#")


@settings(deadline=None)
@given(st.text())
def test_any_text_is_normalised_or_refused(text: str) -> None:
    for url in (text, f"http://{text}", f"http://a/{text}"):
        assert normal_or_none(url) != ""


def test_pages_are_told_apart_by_a_128_bit_hash() -> None:
    assert page_hash("http://a/") == blake2b(b"http://a/", digest_size=16).digest()
    assert page_hash("http://a/") != page_hash("http://a/b")


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", {}),
        ("&&", {}),
        ("a=1&b=2", {"a": "1", "b": "2"}),
        ("a=1&a=2", {"a": "1"}),
        ("a&b=", {"a": "", "b": ""}),
        ("=x", {"": "x"}),
        ("a=b=c", {"a": "b=c"}),
        ("url=https%3A%2F%2Fa.example%2F%3Fb%3D1%26c", {"url": "https://a.example/?b=1&c"}),
        ("url=https%3a%2f%2fa", {"url": "https://a"}),
        ("a+b=c+d%2B%20", {"a b": "c d+ "}),
        ("%C3%BC=%F0%9F%98%80", {"\u00fc": "\U0001f600"}),
        ("a=100%&b=%zz&c=%4", {"a": "100%", "b": "%zz", "c": "%4"}),
        ("a=%2541", {"a": "%41"}),
        ("a=%00", {"a": "\0"}),
        ("a;b=1", {"a;b": "1"}),
        ("&".join(f"f{n}={n}" for n in range(100)), {f"f{n}": str(n) for n in range(100)}),
    ],
)
def test_queries_are_decoded(query: str, expected: dict[str, str]) -> None:
    assert parse_query(query) == expected


@pytest.mark.parametrize("query", ["a=%FF", "%C3=x", "a=%ED%A0%80", "a=%C0%AF", "ok=1&b=%80"])
def test_a_query_that_is_not_utf_8_is_refused(query: str) -> None:
    with pytest.raises(ValueError, match="not UTF-8"):
        parse_query(query)


def test_a_query_of_too_many_fields_is_refused() -> None:
    with pytest.raises(ValueError, match="more than 100 fields"):
        parse_query("a&" * 100)


@given(st.dictionaries(st.text(min_size=1, max_size=6), st.text(max_size=10), max_size=5))
def test_what_a_browser_encodes_is_read_back(fields: dict[str, str]) -> None:
    assert parse_query(urlencode(fields)) == fields
