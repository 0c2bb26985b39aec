"""Makes keys for periods 0, 1, … in a process of its own and prints each as hexadecimal digits.

keys_child.py URL PERIODS
"""

import os
import sys

from visitor_tracker.store import open_store
from visitor_tracker.store.keys import KeyTable


def main(url: str, periods: int) -> None:
    store = open_store(url)
    keys = KeyTable(store.database)
    for period in range(periods):
        print(keys.make(str(period), os.urandom(32), period).hex(), flush=True)
    store.close()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
