"""The list of most read pages, for frames of other web sites, and as JSON."""

import base64
import json
import re
from hashlib import sha256

import pytest

from tests.web.conftest import REMOTE, Site, header
from tests.web.counting_site import Visitor, settle
from tests.web.test_embeds import framed, made, publish

WIDGET = "/widget/most-read"
HOST = {"host": "stats.example.com"}


def test_only_what_is_public_or_shared_for_frames_is_listed(site: Site) -> None:
    plain = json.loads(made(site).body)["token"]
    shared = json.loads(made(site, embed_in=["https://blog.example"]).body)["token"]
    for query in ("", "?site=nowhere", f"?share={plain}", "?share=x"):
        for path in (WIDGET, f"{WIDGET}.json"):
            answer = site.ask(path + query, peer=REMOTE, headers=HOST)
            assert (answer.status, json.loads(answer.body)["error"]["hint"] != "") == (404, True), query
    assert framed(site, f"{WIDGET}?share={shared}") == (200, "'self' https://blog.example", "")
    publish(site)
    assert framed(site, WIDGET) == (200, "*", "")
    answer = site.ask(f"{WIDGET}.json", peer=REMOTE, headers=HOST | {"origin": "https://blog.example"})
    assert json.loads(answer.body) == {"site": "default", "period": "7d", "pages": []}
    assert header(answer, "access-control-allow-origin") == "*"
    assert header(answer, "cache-control") == "public, max-age=300"


def test_pages_are_listed_by_views_with_titles_that_cannot_break_out(site: Site) -> None:
    reader = Visitor(site)
    for number in range(3):
        reader.view("https://blog.example/a%20b?q=1", title="A <script>alert(1)</script> & more", age_ms=number * 1000)
    reader.view("https://blog.example/plain")
    settle(site)
    publish(site)
    answer = site.ask(f"{WIDGET}?period=today&word=%3Cb%3Etimes", peer=REMOTE, headers=HOST)
    page = answer.body.decode()
    assert "<script" not in page
    assert "<b>" not in page
    rows = re.findall(r'<li><a href="([^"]*)" target="_top" rel="noopener">(.*?)</a><span>(.*?)</span></li>', page)
    assert rows == [
        ("https://blog.example/a%20b", "A &lt;script&gt;alert(1)&lt;/script&gt; &amp; more", "3 &lt;b&gt;times"),
        ("https://blog.example/plain", "/plain", "1 &lt;b&gt;times"),
    ]
    reader.view("https://blog.example/plain")
    settle(site)
    publish(site)
    answer = site.ask(f"{WIDGET}.json?period=today&limit=1", peer=REMOTE, headers=HOST)
    assert [each["views"] for each in json.loads(answer.body)["pages"]] == [3]
    again = site.ask(f"{WIDGET}?period=today&word=%3Cb%3Etimes", peer=REMOTE, headers=HOST)
    assert again.body.decode() == page, "numbers are kept for a minute"


def test_its_style_is_the_one_that_its_policy_allows(site: Site) -> None:
    publish(site)
    answer = site.ask(f"{WIDGET}?title=&theme=dark", peer=REMOTE, headers=HOST)
    [style] = re.findall(rb"<style>(.*?)</style>", answer.body)
    allowed = base64.b64encode(sha256(style).digest()).decode()
    policy = header(answer, "content-security-policy")
    assert f"style-src 'sha256-{allowed}'" in policy
    assert "script-src" not in policy
    assert "default-src 'none'" in policy
    assert b"<h1>" not in answer.body
    assert b'data-theme="dark"' in answer.body
    assert header(answer, "set-cookie") == ""


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("period=week", "invalid_period"),
        ("limit=0", "invalid_limit"),
        ("limit=21", "invalid_limit"),
        ("theme=pink", "invalid_theme"),
        (f"title={'x' * 61}", "invalid_title"),
        ("callback=alert", "unknown_parameter"),
    ],
)
def test_what_it_cannot_show_is_refused_by_name(site: Site, query: str, code: str) -> None:
    publish(site)
    answer = site.ask(f"{WIDGET}?{query}", peer=REMOTE, headers=HOST)
    assert (answer.status, json.loads(answer.body)["error"]["code"]) == (400, code)
