"""The self-test by HTTP, and the filters of the audit log."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.web.conftest import REMOTE, Build, Site
from tests.web.counting_site import Visitor, manage, settle
from visitor_tracker.config import ServerConfig, TlsConfig
from visitor_tracker.http.message import Peer

PROXY = Peer("10.0.0.9")


def checks(site: Site, peer: Peer = REMOTE, **headers: str) -> dict[str, Any]:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    answer = site.ask("/api/v1/checks", peer=peer, headers=site.admin | {"host": "stats.example.com"} | named)
    assert answer.status == 200, answer.body
    found: dict[str, Any] = json.loads(answer.body)
    return found


def states(found: dict[str, Any]) -> dict[str, str]:
    """Return the worst state by name."""
    order = ("ok", "warn", "bad")
    worst: dict[str, str] = {}
    for check in found["checks"]:
        worst[check["name"]] = max(worst.get(check["name"], "ok"), check["state"], key=order.index)
        assert check["state"] == "ok" or check["change"], check
    return worst


def test_a_sound_server_says_so(build: Build, tmp_path: Path) -> None:
    site = build(server=ServerConfig(data_dir=str(tmp_path), public_url="https://stats.example.com"))
    found = checks(site)
    bad = {name: state for name, state in states(found).items() if state != "ok"}
    assert bad == {}
    assert {"store", "journal", "disk", "time_zones", "client", "versions", "public_url", "proxy"} <= states(
        found
    ).keys()
    assert found["state"] == "ok"
    assert found["request"] == {
        "peer": "192.0.2.7",
        "trusted": False,
        "forwarded": {},
        "client": "192.0.2.7",
        "host": "stats.example.com",
        "secure": True,
    }


def test_it_tells_by_which_proxies_a_request_came(build: Build) -> None:
    site = build(trusted_proxies=("10.0.0.0/8",))
    chain = "203.0.113.5, 10.0.0.2"
    found = checks(site, PROXY, x_forwarded_for=chain, x_forwarded_proto="https")
    assert found["request"] == {
        "peer": "10.0.0.9",
        "trusted": True,
        "forwarded": {"x-forwarded-for": chain, "x-forwarded-proto": "https"},
        "client": "203.0.113.5",
        "host": "stats.example.com",
        "secure": True,
    }
    assert states(found)["proxy"] == "ok"
    stranger = checks(site, REMOTE, x_forwarded_for=chain)
    assert stranger["request"]["client"] == "192.0.2.7"
    assert states(stranger)["proxy"] == "warn"
    assert states(stranger)["https"] == "bad"


def test_a_certificate_that_cannot_be_read_is_bad(build: Build, tmp_path: Path) -> None:
    (tmp_path / "cert.pem").write_text("no certificate")
    found = checks(build(tls=TlsConfig(certificate=str(tmp_path / "cert.pem"))))
    assert (states(found)["certificate"], found["state"]) == ("bad", "bad")


def test_sites_say_when_they_were_heard_of_last_and_how(site: Site) -> None:
    assert checks(site)["sites"] == [{"site": "default", "last_event_at": None, "events_hour": 0, "by_counter": None}]
    Visitor(site).view()
    site.ask("/update?url=https://example.com/", peer=REMOTE)
    settle(site)
    [seen] = checks(site)["sites"]
    assert (seen["events_hour"], seen["by_counter"]) == (2, 0.5)
    assert seen["last_event_at"] is not None


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", ["site.changed", "site.added", "key.added"]),
        ("?action=site.", ["site.changed", "site.added"]),
        ("?action=site.a", ["site.added"]),
        ("?action=site_", []),
        ("?name=operator&action=key", []),
        ("?name=command+line", ["key.added"]),
        ("?name=nobody", []),
        ("?since=2000-01-01&until=2999-12-31", ["site.changed", "site.added", "key.added"]),
        ("?since=2999-01-01", []),
        ("?until=2000-01-01", []),
        ("?site=shop", ["site.changed", "site.added"]),
        ("?site=shop&action=site.changed", ["site.changed"]),
    ],
)
def test_the_audit_log_is_filtered(site: Site, query: str, found: list[str]) -> None:
    manage(site, "POST", "/api/v1/sites", {"name": "shop"}, 201)
    manage(site, "PATCH", "/api/v1/sites/shop", {"url": "https://shop.example/"})
    settle(site)
    lines = manage(site, "GET", f"/api/v1/audit{query}")["lines"]
    assert sorted(line["action"] for line in lines) == sorted(found)


@pytest.mark.parametrize("query", ["since=yesterday", "until=2026-13-01", "action=%25", "who=me"])
def test_a_filter_that_cannot_be_is_refused(site: Site, query: str) -> None:
    assert manage(site, "GET", f"/api/v1/audit?{query}", status=400)["error"]["hint"]
