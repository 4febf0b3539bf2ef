"""opsroom: the control room for progressive delivery, in a terminal.

The package root knows its version and nothing else: importing it must cost nothing, because the board's
first paint waits for it.
"""

from __future__ import annotations

__version__ = "0.1.0"
