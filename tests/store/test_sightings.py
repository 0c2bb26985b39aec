"""What was heard of a site lately; links for frames, and choices of the audit log: in each kind of store."""

import pytest

from tests.reports.traffic import event, fold
from tests.store.samples import NOW
from visitor_tracker.event import ROBOT
from visitor_tracker.measures import text_id
from visitor_tracker.sites import Site
from visitor_tracker.store.audit import AuditRow, AuditTable, Chosen
from visitor_tracker.store.shares import ShareLink, ShareTable
from visitor_tracker.store.sightings import Sighting, Sightings
from visitor_tracker.store.sql import SqlStore

SITE, OTHER = Site(7, "shop"), Site(8, "blog")


def test_a_site_is_seen_by_its_own_events_of_the_time(store: SqlStore) -> None:
    found = Sightings(store.database)
    assert found.of_site(SITE.id, 0, NOW) == Sighting(0, 0, 0)
    views = [event(SITE, NOW - age, "anna", f"/{age}", title=f"Age {age}") for age in (10, 20, 5_000)]
    fold(store, SITE, [*views, event(SITE, NOW - 5, "anna", "/10", title="Newer"), event(SITE, NOW - 4, "anna", "/10")])
    fold(store, OTHER, [event(OTHER, NOW - 1, "ben", "/10", title="Elsewhere")])
    assert found.of_site(SITE.id, NOW - 1_000, NOW) == Sighting(NOW - 4, 4, 0)
    titles = found.titles(SITE.id, {text_id("/10"), text_id("/5000"), text_id("/gone")}, ROBOT)
    assert titles == {text_id("/10"): "Newer", text_id("/5000"): "Age 5000"}


def test_a_link_for_frames_is_found_and_revoked_whole(store: SqlStore) -> None:
    links = ShareTable(store.database)
    note = AuditRow(b"n" * 16, NOW, "local:", "command line", "share.added", SITE.id, "", "{}")
    framed = ShareLink(b"a" * 32, "a1", SITE.id, "press", origins="https://a.example https://*.b.example")
    plain = ShareLink(b"b" * 32, "b2", SITE.id, "friends", created_at=1)
    links.add(framed, note)
    links.add(plain, note._replace(id=b"m" * 16))
    assert links.all() == links.of_site(SITE.id) == [framed, plain]
    assert [links.find(link.digest) for link in (framed, plain)] == [framed, plain]
    assert links.revoke(SITE.id, "a1", note._replace(id=b"o" * 16))
    assert store.execute("select digest from share_embeds") == []
    assert links.all() == [plain]


@pytest.mark.parametrize(
    ("chosen", "ids"),
    [
        (Chosen(), [3, 2, 1]),
        (Chosen(name="ada"), [3, 1]),
        (Chosen(name="Ada"), []),
        (Chosen(action="user."), [2, 1]),
        (Chosen(action="user.added"), [1]),
        (Chosen(action="%"), []),
        (Chosen(action="user_"), []),
        (Chosen(since=2_000), [3, 2]),
        (Chosen(until=3_000), [2, 1]),
        (Chosen(since=2_000, until=3_000, name="ben"), [2]),
    ],
)
def test_lines_of_the_audit_log_are_chosen(store: SqlStore, chosen: Chosen, ids: list[int]) -> None:
    table = AuditTable(store.database)
    for number, name, action, site in (
        (1, "ada", "user.added", 7),
        (2, "ben", "user.changed", 8),
        (3, "ada", "key.added", 7),
    ):
        at = number * 1_000
        line = at.to_bytes(6, "big") + bytes(10)
        table.add(AuditRow(line, at, f"user:{name}", name, action, site, "", "{}"))
    assert [row.at // 1_000 for row in table.latest(9, chosen)] == ids
    ours = [number for number in ids if number != 2]
    assert [row.at // 1_000 for row in table.latest(9, chosen, site_ids=[7])] == ours
