"""The secrets of channels are for this server only."""

import pytest

from visitor_tracker.access.alert_channels import Channels, is_readable, shown_place
from visitor_tracker.access.sealing import SealBroken, Sealer
from visitor_tracker.outgoing.channels import Channel
from visitor_tracker.store import migrate, open_store
from visitor_tracker.store.insight import NameTaken, TooMany
from visitor_tracker.store.sql import SqlStore

SLACK = Channel("chat", "slack", url="https://hooks.slack.com/services/T0/B0/secret", at=1)


@pytest.fixture
def store(store_url: str) -> SqlStore:
    made = open_store(store_url)
    migrate(made)
    return made


def test_what_was_stored_is_read_back_by_the_server_and_by_nobody_else(store: SqlStore) -> None:
    mine = Channels(store.database, b"a" * 32)
    made = mine.add(1, SLACK)
    assert mine.all(1) == [made]
    assert mine.find(1, made.id) == made
    assert mine.find(2, made.id) is None
    [other] = Channels(store.database, b"b" * 32).all(1)
    assert (other.name, other.url, is_readable(other), shown_place(other)) == ("chat", "", False, "")
    store.execute("update alert_channels set site_id = 2")
    [moved] = mine.all(2)
    assert not is_readable(moved), "what is sealed for one site is of no use for another"
    store.close()


def test_names_are_taken_once_and_there_is_an_end(store: SqlStore) -> None:
    channels = Channels(store.database, b"a" * 32)
    channels.add(1, SLACK)
    with pytest.raises(NameTaken):
        channels.add(1, SLACK)
    channels.add(2, SLACK)
    for number in range(49):
        channels.add(1, Channel(f"c{number}", "slack", url=SLACK.url, at=1))
    with pytest.raises(TooMany):
        channels.add(1, Channel("one more", "slack", url=SLACK.url, at=1))
    store.close()


def test_a_seal_is_for_one_use_and_one_place() -> None:
    sealer = Sealer(b"secret", b"letters")
    sealed = sealer.seal(b"value", b"here")
    assert sealer.open(sealed, b"here") == b"value"
    assert sealer.seal(b"value", b"here") != sealed
    changed = bytes([sealed[0] ^ 1, *sealed[1:]])
    for broken, place in ((sealed, b"there"), (sealed[:-1], b"here"), (b"", b"here"), (changed, b"here")):
        with pytest.raises(SealBroken):
            sealer.open(broken, place)
    with pytest.raises(SealBroken):
        Sealer(b"secret", b"parcels").open(sealed, b"here")
    with pytest.raises(SealBroken):
        Sealer(b"another", b"letters").open(sealed, b"here")
