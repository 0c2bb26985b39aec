"""What the keeper says of accounts: that is what closes a server to its own machine."""

from pathlib import Path

import pytest

from visitor_tracker.access.accounts import Accounts
from visitor_tracker.access.keeper import Keeper
from visitor_tracker.access.snapshot import FILE, read_snapshot
from visitor_tracker.config import Config, ServerConfig
from visitor_tracker.errors import StoreError
from visitor_tracker.metrics import Metrics
from visitor_tracker.store import open_store

NOON = 1_795_348_800_000  # 2026-11-22T12:00:00Z


def test_a_server_is_closed_until_the_store_says_that_nobody_has_an_account(tmp_path: Path) -> None:
    store = open_store("sqlite:///:memory:")
    keeper = Keeper(store, Config(server=ServerConfig(data_dir=str(tmp_path))), Metrics().counters())
    store.execute("alter table users rename to hidden")
    with pytest.raises(StoreError):
        keeper.step(NOON)
    half = read_snapshot(tmp_path / FILE)
    assert half is not None
    assert half.keys
    assert half.has_accounts
    store.execute("alter table hidden rename to users")
    for has_accounts in (False, True):
        keeper.step(NOON)
        found = read_snapshot(tmp_path / FILE)
        assert found is not None
        assert found.has_accounts == has_accounts
        if not has_accounts:
            Accounts(store).create("ada", is_admin=True)
