#!/usr/bin/env python3
"""Show the visitors that were tracked, as the script of this name did for the visitor-tracking middleware of old.

    python view_visitors.py [--stats] [--json] [--ip IP]

Run it with the Python that Visitor Tracker is installed for. `--help` says where it looks.
"""

import sys

try:
    from visitor_tracker.cli.view_visitors import main
except ImportError:
    sys.exit(f"{sys.executable} has no Visitor Tracker: run this with the Python that it is installed for")

if __name__ == "__main__":
    sys.exit(main())
