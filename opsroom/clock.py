"""The clock that waiting, countdowns and ages are measured with.

A monotonic clock of Linux stands still while the machine sleeps, and so would everything that is measured with it: a
laptop that wakes up would go on counting down on a picture of an hour ago. It must not know what is measured.
"""

from __future__ import annotations

import time

_CLOCK: int = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
"""Where it does not exist (macOS), CLOCK_MONOTONIC goes on by itself."""


def awake_or_not() -> float:
    """Seconds that never go back and go on while the machine sleeps."""
    return time.clock_gettime(_CLOCK)
