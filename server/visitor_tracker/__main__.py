"""python -m visitor_tracker"""

import sys

from visitor_tracker.cli import main

sys.exit(main())
