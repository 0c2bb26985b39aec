"""Which channel, name and referrer a visit gets, and what of a stranger's texts is kept."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from visitor_tracker.event import Channel, Source
from visitor_tracker.ingest.channels import CLICK_IDS, HOSTS, NAMES
from visitor_tracker.ingest.referrer import SourceReader
from visitor_tracker.sites import Site

PAGE = "https://example.com/page"
ANY = Site(1, "default")
OWN = Site(2, "own", ("example.com", "*.example.org"))


def source(referrer: str = "", query: str = "", site: Site = ANY) -> Source:
    return SourceReader().source(referrer, PAGE + query, "example.com", site)


@pytest.mark.parametrize(
    ("referrer", "channel", "name", "kept"),
    [
        ("", "direct", "", ""),
        ("https://www.google.com/", "search", "Google", "www.google.com"),
        ("https://www.google.com.au/search?q=who", "search", "Google", "www.google.com.au/search"),
        ("https://news.google.de/x", "search", "Google News", "news.google.de/x"),
        ("https://docs.google.com/d", "referral", "docs.google.com", "docs.google.com/d"),
        ("https://google.evil.com/", "referral", "google.evil.com", "google.evil.com"),
        ("https://evil-google.com/", "referral", "evil-google.com", "evil-google.com"),
        ("https://fr.search.yahoo.com/", "search", "Yahoo", "fr.search.yahoo.com"),
        ("https://search.brave.com/", "search", "Brave", "search.brave.com"),
        ("http://m.facebook.com/", "social", "Facebook", "m.facebook.com"),
        ("https://t.co/Ab1", "social", "X", "t.co/Ab1"),
        ("https://netflix.com/", "referral", "netflix.com", "netflix.com"),
        ("https://www.pinterest.co.uk/", "social", "Pinterest", "www.pinterest.co.uk"),
        ("https://mstdn.jp/@a", "social", "Mastodon", "mstdn.jp/@a"),
        ("https://some.social/@a", "social", "some.social", "some.social/@a"),
        ("https://news.ycombinator.com/item?id=1", "social", "Hacker News", "news.ycombinator.com/item"),
        ("https://mail.google.com/mail/u/0/", "email", "Gmail", "mail.google.com/mail/u/0"),
        ("https://webmail.isp.example/", "email", "webmail.isp.example", "webmail.isp.example"),
        ("https://chatgpt.com/", "ai", "ChatGPT", "chatgpt.com"),
        ("https://www.perplexity.ai/search/x", "ai", "Perplexity", "www.perplexity.ai/search/x"),
        ("https://gemini.google.com/app", "ai", "Gemini", "gemini.google.com/app"),
        ("https://copilot.microsoft.com/", "ai", "Copilot", "copilot.microsoft.com"),
        ("https://x.y.doubleclick.net/ad", "paid", "Google Ads", "x.y.doubleclick.net/ad"),
        ("android-app://com.google.android.googlequicksearchbox/https/google.com", "search", "Google",
         "com.google.android.googlequicksearchbox"),
        ("android-app://org.Example.Reader", "referral", "org.example.reader", "org.example.reader"),
        ("https://amp.blog.example/a/#b", "referral", "blog.example", "amp.blog.example/a"),
        ("https://www.m.co/", "referral", "m.co", "www.m.co"),
        ("HTTPS://ME:PW@Blog.Example:8443/A?token=1#x", "referral", "blog.example", "blog.example:8443/A"),
        ("https://blog.example/by/me%40mail.example/", "referral", "blog.example", "blog.example/by/redacted"),
        ("https://bücher.example/ü", "referral", "xn--bcher-kva.example", "xn--bcher-kva.example/%C3%BC"),
        ("http://[::1]:8000/x", "referral", "::1", "[::1]:8000/x"),
        ("//blog.example/x", "referral", "blog.example", "blog.example/x"),
        ("google.com", "search", "Google", "google.com"),
        ("index.html", "direct", "", ""),
        ("javascript:alert(1)", "direct", "", ""),
        ("javascript://google.com/%0aalert(1)", "direct", "", ""),
        ("data:text/html,<script>", "direct", "", ""),
        ("file:///home/me/notes.html", "direct", "", ""),
        ("android-app://../../etc", "direct", "", ""),
        ("https://blog.example/\r\nX: y\u202e", "referral", "blog.example", "blog.example/X:%20y"),
        ("https://", "direct", "", ""),
        ("null", "direct", "", ""),
    ],
)  # fmt: skip
def test_a_referrer_says_where_a_visit_comes_from(referrer: str, channel: Channel, name: str, kept: str) -> None:
    assert source(referrer) == Source(channel, name, kept)


@pytest.mark.parametrize(
    ("query", "channel", "name", "rest"),
    [
        ("?utm_source=Google&utm_medium=CPC&utm_campaign=Sale", "paid", "Google",
         {"utm_source": "google", "utm_medium": "cpc", "utm_campaign": "Sale"}),
        ("?utm_source=ig&utm_medium=paid_social", "paid", "Instagram",
         {"utm_source": "ig", "utm_medium": "paid_social"}),
        ("?utm_medium=display-ad", "paid", "display-ad", {"utm_medium": "display-ad"}),
        ("?utm_source=acme&utm_medium=E-Mail", "email", "acme", {"utm_source": "acme", "utm_medium": "e-mail"}),
        ("?utm_source=Weekly_Newsletter", "email", "weekly_newsletter", {"utm_source": "weekly_newsletter"}),
        ("?utm_source=hn&utm_medium=social", "social", "Hacker News", {"utm_source": "hn", "utm_medium": "social"}),
        ("?utm_source=chatgpt.com", "ai", "ChatGPT", {"utm_source": "chatgpt.com"}),
        ("?utm_source=https://www.bing.com/x", "search", "Bing", {"utm_source": "https://www.bing.com/x"}),
        ("?utm_campaign=Spring", "campaign", "Spring", {"utm_campaign": "Spring"}),
        ("?utm_source=poster&utm_campaign=Spring", "campaign", "poster",
         {"utm_source": "poster", "utm_campaign": "Spring"}),
        ("?mtm_source=poster&pk_kwd=Word", "campaign", "poster", {"utm_source": "poster", "utm_term": "Word"}),
        ("?ref=ProductHunt", "social", "Product Hunt", {"utm_source": "producthunt"}),
        ("?source=poster", "campaign", "poster", {"utm_source": "poster"}),
        ("?ref=me%40mail.example", "direct", "", {}),
        ("?gclid=SECRET", "paid", "Google", {"click_id": "gclid"}),
        ("?a=1&fbclid=SECRET&gclid=SECRET", "paid", "Google", {"click_id": "gclid"}),
        ("?ScCid=SECRET", "paid", "Snapchat", {"click_id": "sccid"}),
        ("?fbclid=SECRET", "social", "Facebook", {"click_id": "fbclid"}),
        ("?mc_eid=SECRET", "email", "Mailchimp", {"click_id": "mc_eid"}),
        ("?utm_source=one&amp;utm_medium=x&utm_source=two", "campaign", "one",
         {"utm_source": "one", "utm_medium": "x"}),
        ("?utm_campaign=a%0D%0Ab%E2%80%AEc+d%FF", "campaign", "a bc d\ufffd", {"utm_campaign": "a bc d\ufffd"}),
        ("?utm_content=me%40mail.example&utm_term=4111+1111+1111+1111", "campaign", "[number]",
         {"utm_content": "[email]", "utm_term": "[number]"}),
        (f"?utm_campaign={'x' * 200}", "campaign", "x" * 128, {"utm_campaign": "x" * 128}),
        ("?utm_source=&utm_medium=&gclid=", "direct", "", {}),
        ("#utm_source=poster", "direct", "", {}),
        ("?" + "a=1&" * 100 + "utm_source=poster", "direct", "", {}),
    ],
)  # fmt: skip
def test_marks_in_the_page_s_url_say_more(query: str, channel: Channel, name: str, rest: dict[str, str]) -> None:
    assert source("", query) == Source(channel, name, **rest)


def test_a_click_id_of_the_network_that_the_referrer_names_changes_nothing() -> None:
    assert source("https://l.facebook.com/", "?fbclid=1") == Source(
        "social", "Facebook", "l.facebook.com", click_id="fbclid"
    )
    assert source("https://blog.example/", "?fbclid=1").channel == "referral"
    assert source("https://www.google.com/", "?gclid=1").channel == "paid"


@pytest.mark.parametrize(
    ("referrer", "query", "site", "expected"),
    [
        ("https://example.com/before", "", ANY, Source("internal")),
        ("https://www.example.com/before", "?ref=main", ANY, Source("internal")),
        ("https://shop.example.org/", "", OWN, Source("internal")),
        ("https://shop.example.org/", "", ANY, Source("referral", "shop.example.org", "shop.example.org")),
        ("https://example.com/", "?utm_source=poster", OWN, Source("campaign", "poster", utm_source="poster")),
        ("https://example.net/", "?ref=main", OWN, Source("referral", "example.net", "example.net")),
    ],
)
def test_a_site_is_no_source_of_its_own_visits(referrer: str, query: str, site: Site, expected: Source) -> None:
    assert source(referrer, query, site) == expected


def test_what_is_remembered_for_one_site_is_not_taken_for_another() -> None:
    reader = SourceReader()
    found = [reader.source("https://a.example.org/", PAGE, "example.com", site).channel for site in (ANY, OWN, ANY)]
    assert found == ["referral", "internal", "referral"]


def test_hosts_and_names_are_spelled_as_they_are_looked_up() -> None:
    assert [host for host in HOSTS if host != host.lower() or "." not in host] == []
    assert [name for name in (*NAMES, *CLICK_IDS) if name != name.lower() or " " in name] == []


@given(st.text(), st.text())
@settings(deadline=None)
def test_any_text_has_a_source(referrer: str, query: str) -> None:
    for begin in ("", "https://", "android-app://", "https://blog.example/"):
        found = source(begin + referrer, f"?utm_source={query}&ref={query}")
        assert "\n" not in found.referrer
        assert len(found.referrer) <= 2048
        assert max(map(len, (found.name, found.utm_source, found.utm_medium))) <= 300


def test_a_hundred_kilobytes_have_a_source() -> None:
    for piece in ("a", "a.", "@", "%40", "/", "&", "utm_source=a&", "paid-", "www.", "mastodon."):
        hostile = piece * (100_000 // len(piece))
        assert source(f"https://{hostile}", f"?utm_medium={hostile}").click_id == ""
