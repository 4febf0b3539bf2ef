"""The time of the simulated world: a hand that is moved while the past is made, the wall clock afterwards.

Also how moments are written: RFC 3339 in UTC, in whole seconds on Kubernetes objects, finer elsewhere.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Literal


def stamp(seconds: float, digits: Literal["seconds", "milliseconds", "microseconds"] = "seconds") -> str:
    """Unix seconds as `2026-01-02T03:04:05Z`, what is finer than `digits` cut off."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec=digits).removesuffix("+00:00") + "Z"


def moment(text: str) -> float:
    """Unix seconds of an RFC 3339 time; raises ValueError when it is none."""
    return datetime.fromisoformat(text).timestamp()


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
