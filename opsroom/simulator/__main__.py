"""`python -m opsroom.simulator`: the same as `opsroom sim`."""

from __future__ import annotations

import sys

from opsroom.simulator.main import main

sys.exit(main(sys.argv[1:]))
