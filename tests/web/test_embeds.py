"""Frames: which pages other web sites may show, of what, and all the others that they may not."""

import json

import msgspec
import pytest

from tests.web.conftest import REMOTE, Site, header
from visitor_tracker.http.message import Response
from visitor_tracker.sites import Site as SiteValue
from visitor_tracker.sites import Snapshot
from visitor_tracker.web.router import HTML

HOST = {"host": "stats.example.com"}
LINKS = "/api/v1/sites/default/shares"
_REPORT = "/api/v1/sites/{site}/reports/preview"
OWN_FRAMES = frozenset({"/replay/{session}", "/snapshot", _REPORT})  # which the dashboard shows


def made(site: Site, **asked: object) -> Response:
    return site.ask(LINKS, method="POST", body=msgspec.json.encode(asked), headers=site.admin)


def framed(site: Site, path: str) -> tuple[int, str, str]:
    """Return status, frame-ancestors and X-Frame-Options of a page."""
    answer = site.ask(path, peer=REMOTE, headers=HOST)
    policy = header(answer, "content-security-policy")
    ancestors = next(part for part in policy.split("; ") if part.startswith("frame-ancestors"))
    return answer.status, ancestors.removeprefix("frame-ancestors "), header(answer, "x-frame-options")


def publish(site: Site) -> None:
    now = site.app.snapshot.now
    sites: tuple[SiteValue, ...] = tuple(msgspec.structs.replace(each, public=True) for each in now.sites)
    site.app.snapshot.now = msgspec.structs.replace(now, sites=sites)
    assert isinstance(site.app.snapshot.now, Snapshot)


def test_a_link_is_shown_in_frames_of_the_origins_it_was_made_for(site: Site) -> None:
    link = json.loads(made(site, embed_in=["https://Blog.example", "https://*.example.com:8443"]).body)
    assert link["embed_url"] == f"http://localhost:8000/embed/{link['token']}"
    assert link["embed_in"] == ["https://blog.example", "https://*.example.com:8443"]
    allowed = "'self' https://blog.example https://*.example.com:8443"
    for path in ("", "/default", "/default/goals", "/default/goals/x"):
        assert framed(site, f"/embed/{link['token']}{path}") == (200, allowed, "")
    [listed] = json.loads(site.ask(LINKS, headers=site.admin).body)["shares"]
    assert listed["embed_in"] == link["embed_in"]
    answer = site.ask(f"/embed/{link['token']}", peer=REMOTE, headers=HOST)
    assert header(answer, "set-cookie") == ""
    assert header(answer, "referrer-policy") == "no-referrer", "the address is a secret"
    [noted] = site.app.store.execute("select detail from audit where action = 'share.added'")
    assert json.loads(noted[0])["embed_in"] == link["embed_in"]


def test_revoked_links_and_those_not_made_for_frames_open_in_none(site: Site) -> None:
    plain = json.loads(made(site).body)["token"]
    link = json.loads(made(site, embed_in=["*", "https://a.example"]).body)
    assert framed(site, f"/embed/{link['token']}") == (200, "*", "")
    assert site.ask(f"{LINKS}/{link['id']}", method="DELETE", headers=site.admin).status == 204
    for token in (plain, link["token"], "x" * 43, "..", "public"):
        assert framed(site, f"/embed/{token}") == (404, "'none'", "DENY"), token
    assert site.app.store.execute("select * from share_embeds") == []


def test_public_sites_are_for_everybodys_frames_and_others_for_nobodys(site: Site) -> None:
    for path in ("/embed/public/default", "/embed/public/nowhere"):
        assert framed(site, path) == (404, "'none'", "DENY")
    publish(site)
    assert framed(site, "/embed/public/default") == (200, "*", "")
    assert framed(site, "/embed/public/nowhere") == (404, "'none'", "DENY")


@pytest.mark.parametrize(
    "origins",
    [
        ["example.com"],
        ["https://example.com/page"],
        ["https://example.com; script-src *"],
        ["https://a.example https://b.example"],
        ["https://exam\nple.com"],
        ["https://*"],
        ["javascript:alert(1)"],
        ["'unsafe-inline'"],
        [""],
        [f"https://{number}.example" for number in range(21)],
    ],
)
def test_what_is_no_origin_is_refused_and_named(site: Site, origins: list[str]) -> None:
    answer = made(site, embed_in=origins)
    assert (answer.status, json.loads(answer.body)["error"]["code"]) == (400, "invalid_embed_in")


def test_a_password_and_frames_exclude_each_other(site: Site) -> None:
    answer = made(site, embed_in=["*"], password="correct horse")
    assert (answer.status, json.loads(answer.body)["error"]["code"]) == (400, "invalid_embed_in")


def test_no_other_page_is_shown_in_a_frame(site: Site) -> None:
    """Whatever answers HTML, to somebody who is logged in too, refuses to be framed."""
    publish(site)
    link = json.loads(made(site).body)["token"]
    seen = 0
    for route in site.app.router.routes:
        if route.method != "GET" or route.path.startswith(("/embed/", "/widget/")):
            continue
        path = route.path.replace("{token}", link).replace("{site}", "default").replace("{site_id}", "default")
        answer = site.ask(path, headers=site.admin | {"accept": "text/html"})
        if not header(answer, "content-type").startswith(HTML):
            continue
        seen += 1
        mine = route.path in OWN_FRAMES
        ancestors = "'self'" if mine else "'none'"
        assert f"frame-ancestors {ancestors}" in header(answer, "content-security-policy"), route.path
        assert header(answer, "x-frame-options") == ("SAMEORIGIN" if mine else "DENY"), route.path
    assert seen >= 10
