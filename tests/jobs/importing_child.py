"""Imports a log, and says so after each transaction: importing_child.py STORE_URL LOG."""

import sys

from tests.jobs.import_parts import take
from visitor_tracker.store import open_store
from visitor_tracker.store.inbox import Inbox


def said() -> bool:
    print("stored", flush=True)
    return False


if __name__ == "__main__":
    store = open_store(sys.argv[1])
    take([sys.argv[2]], Inbox(store.database), fold=said)
    store.close()
