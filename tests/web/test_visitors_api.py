"""Visitors and their rights by REST: who answers to them finds, exports, notes and erases them."""

import msgspec
import pytest

from tests.everything import places_of
from tests.web.conftest import Build, Site
from tests.web.counting_site import Visitor, code_of, manage, read, settle
from visitor_tracker.config import IdentityConfig
from visitor_tracker.reports.export import Export

ALL = "/api/v1/sites/default/visitors"


@pytest.fixture
def counted(build: Build) -> Site:
    """A site that two people have visited, one of them twice."""
    site = build(identity=IdentityConfig(visitor="cookie", ip="full"))
    anna, ben = Visitor(site), Visitor(site)
    anna.view("https://example.com/a")
    anna.view("https://example.com/b", age_ms=7_200_000)
    ben.view("https://example.com/c", age_ms=60_000)
    settle(site)
    return site


def test_visitors_and_their_visits_are_listed(counted: Site) -> None:
    first, second = read(counted, ALL)["visitors"]
    assert (first["visits"], second["visits"]) == (2, 1)
    assert read(counted, f"{ALL}?limit=1")["visitors"] == [first]
    cursor = read(counted, f"{ALL}?limit=1")["cursor"]
    assert read(counted, f"{ALL}?limit=1&cursor={cursor}")["visitors"] == [second]
    assert read(counted, f"{ALL}/{first['id']}") == first
    visits = read(counted, f"{ALL}/{first['id']}/visits")["visits"]
    assert [visit["pages"] for visit in visits] == [["/a"], ["/b"]]
    assert visits[0]["stated_at"] == visits[0]["started_at"] == first["last_visit"]
    assert visits[0]["ip"] == "192.0.2.7"
    one = read(counted, f"{ALL}/{first['id']}/visits?limit=1")
    assert read(counted, f"{ALL}/{first['id']}/visits?limit=1&cursor={one['cursor']}")["visits"] == visits[1:]
    assert read(counted, f"/sessions/{visits[0]['id']}")["visitor"] == first["id"]


def test_a_visitor_can_be_noted_and_one_visit_erased(counted: Site) -> None:
    first, second = read(counted, ALL)["visitors"]
    noted = manage(counted, "PATCH", f"{ALL}/{first['id']}", {"note": "called on Monday"})
    assert noted == first | {"note": "called on Monday"}
    assert read(counted, ALL)["visitors"] == [noted, second]
    visits = read(counted, f"{ALL}/{first['id']}/visits")["visits"]
    manage(counted, "DELETE", f"/api/v1/sites/default/visits/{visits[1]['id']}", status=204)
    assert read(counted, f"{ALL}/{first['id']}/visits")["visits"] == visits[:1]
    assert read(counted, f"{ALL}/{first['id']}")["visits"] == 1
    manage(counted, "DELETE", f"/api/v1/sites/default/visits/{visits[1]['id']}", status=404)
    actions = [line["action"] for line in manage(counted, "GET", "/api/v1/audit")["lines"]]
    assert actions == ["visit.erased", "visitor.noted", "key.added"]


def test_a_visitor_is_exported_and_erased(counted: Site) -> None:
    first, second = read(counted, ALL)["visitors"]
    document = manage(counted, "GET", f"{ALL}/{first['id']}/export")
    assert msgspec.to_builtins(msgspec.convert(document, Export)) == document
    assert [event["url"] for event in document["events"]] == ["https://example.com/b", "https://example.com/a"]
    assert [record["ip"] for record in document["ip_records"]] == ["192.0.2.7"]
    manage(counted, "DELETE", f"{ALL}/{first['id']}", status=204)
    assert read(counted, ALL)["visitors"] == [second]
    manage(counted, "DELETE", f"{ALL}/{first['id']}", status=404)
    assert places_of(counted.app.store, [bytes.fromhex(first["id"])]) == set()
    views = counted.app.store.execute("select sum(views) from rollup_day where dimension = 0")
    assert int(views[0][0]) == 3


def test_somebody_is_found_by_address_and_erased_after_a_look(counted: Site) -> None:
    found = manage(counted, "POST", f"{ALL}/find", {"ip": "192.0.2.7"})
    assert (len(found["visitors"]), found["addresses"]) == (2, ["192.0.2.7"])
    exported = manage(counted, "POST", f"{ALL}/export", {"ip": "192.0.2.7"})
    assert len(exported["events"]) == 3
    look = manage(counted, "POST", f"{ALL}/erase", {"ip": "192.0.2.7", "dry_run": True})
    assert (look["dry_run"], look["visitors"], look["visits"], look["events"], look["ip_records"]) == (True, 2, 3, 3, 1)
    assert len(read(counted, ALL)["visitors"]) == 2
    assert manage(counted, "POST", f"{ALL}/erase", {"ip": "192.0.2.7"}) == look | {"dry_run": False}
    assert read(counted, ALL) == {"visitors": [], "cursor": None}
    assert counted.app.store.execute("select count(*) from ip_records") == [(0,)]


@pytest.mark.parametrize(
    ("method", "target", "body", "refused"),
    [
        ("GET", f"{ALL}?limit=0", None, (400, "invalid_query")),
        ("GET", f"{ALL}?limit=1000", None, (400, "invalid_query")),
        ("GET", f"{ALL}?order=visits", None, (400, "invalid_query")),
        ("GET", f"{ALL}?cursor=x", None, (400, "invalid_cursor")),
        ("GET", f"{ALL}/x", None, (404, "unknown_visitor")),
        ("GET", f"{ALL}/{'0' * 32}/visits", None, (404, "unknown_visitor")),
        ("GET", f"{ALL}/{'0' * 32}/visits?cursor=x", None, (400, "invalid_query")),
        ("GET", "/api/v1/sites/nobody/visitors", None, (404, "unknown_site")),
        ("PATCH", f"{ALL}/{'0' * 32}", {"note": "x"}, (404, "unknown_visitor")),
        ("PATCH", f"{ALL}/{'0' * 32}", {"note": "x" * 1001}, (400, "invalid_body")),
        ("DELETE", "/api/v1/sites/default/visits/x", None, (404, "unknown_visit")),
        ("POST", f"{ALL}/find", {}, (400, "invalid_subject")),
        ("POST", f"{ALL}/find", {"ip": "192.0.2.7", "visitor": "0" * 32}, (400, "invalid_subject")),
        ("POST", f"{ALL}/find", {"visitor": "0" * 32, "user_agent": "x"}, (400, "invalid_subject")),
        ("POST", f"{ALL}/find", {"ip": "' or 1=1 --"}, (400, "invalid_ip")),
        ("POST", f"{ALL}/find", {"cookie": "A" * 43}, (400, "invalid_cookie")),
        ("POST", f"{ALL}/find", {"visitor": "zz"}, (400, "invalid_visitor")),
        ("POST", f"{ALL}/erase", {"ip": "192.0.2.7", "dry-run": True}, (400, "invalid_body")),
        ("GET", "/api/v1/audit?limit=0", None, (400, "invalid_query")),
        ("GET", "/api/v1/audit?before=x", None, (400, "invalid_query")),
        ("GET", "/api/v1/audit?site=nobody", None, (404, "unknown_site")),
        ("POST", f"{ALL}/{'0' * 32}/visits", {}, (405, "method_not_allowed")),
    ],
)
def test_what_cannot_be_is_named(
    counted: Site, method: str, target: str, body: object, refused: tuple[int, str]
) -> None:
    sent = b"" if body is None else msgspec.json.encode(body)
    assert code_of(counted.ask(target, method=method, body=sent, headers=counted.admin)) == refused
    assert len(read(counted, ALL)["visitors"]) == 2


def test_the_audit_log_is_read_in_slices(site: Site) -> None:
    for name in ("a", "b", "c"):
        manage(site, "POST", "/api/v1/sites", {"name": name}, 201)
    settle(site)
    whole = manage(site, "GET", "/api/v1/audit")["lines"]
    assert [line["target"] for line in whole] == ["c", "b", "a", "operator"]
    one = manage(site, "GET", "/api/v1/audit?limit=1")["lines"]
    assert [*one, *manage(site, "GET", f"/api/v1/audit?before={one[0]['id']}")["lines"]] == whole
    assert [line["site"] for line in manage(site, "GET", "/api/v1/audit?site=b")["lines"]] == ["b"]
