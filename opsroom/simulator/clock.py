"""The time of the simulated world: a hand that is moved while the past is made, the wall clock afterwards."""

from __future__ import annotations

import time


class Clock:
    """Unix seconds. Starts at `at`; `move` sets it; after `release` it is the wall clock."""

    def __init__(self, at: float) -> None:
        self._at: float | None = at

    def __call__(self) -> float:
        return time.time() if self._at is None else self._at

    def move(self, to: float) -> None:
        """Set a clock that was not released; raises ValueError for one that was."""
        if self._at is None:
            raise ValueError("this clock follows the wall")
        self._at = to

    def release(self) -> None:
        """From now on the wall clock."""
        self._at = None
