"""``python -m opsroom``: the same as the command ``opsroom``, without an installed script.

Child processes (worker, simulated world, act) are started this way, so that they are the very code that runs here.
"""

from __future__ import annotations

import sys

from opsroom.cli import main

if __name__ == "__main__":
    sys.exit(main())
