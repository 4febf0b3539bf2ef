"""``python -m tests.faults.skewed ARGUMENTS``: opsroom under a wall clock that a test moves, and an eager judge.

The file named by ``TRIAL_CLOCK`` holds seconds to add to ``time.time``; monotonic clocks go on, as they do when NTP or
a person sets the time. With ``TRIAL_JUDGE=eager`` the real judge still says when nothing is known, but whatever it
would go on watching is called healthy or harmful by the rollout's uid: a minute then holds a hundred deeds.
"""

from __future__ import annotations

import os
import sys
import time
import zlib
from pathlib import Path

_real, _monotonic = time.time, time.monotonic
_path = Path(os.environ.get("TRIAL_CLOCK", "/nonexistent"))
_seen = [-1.0, 0.0]

HARMFUL = 3
"""One in so many rollouts."""


def _moved() -> float:
    now = _monotonic()
    if now - _seen[0] > 0.2:
        _seen[0] = now
        try:
            _seen[1] = float(_path.read_text())
        except (OSError, ValueError):
            _seen[1] = 0.0
    return _real() + _seen[1]


def _hurry() -> None:
    """Make the judge eager."""
    import msgspec

    from opsroom.analysis import judge
    from opsroom.analysis.window import Window
    from opsroom.domain.verdict import Verdict, VerdictState

    def eager(verdict: Verdict) -> Verdict:
        if verdict.state is not VerdictState.UNDECIDED or verdict.steps < 3:
            return verdict
        harmful = zlib.crc32(str(verdict.uid).encode()) % HARMFUL == 0
        state = VerdictState.HARM if harmful else VerdictState.HEALTHY
        return msgspec.structs.replace(verdict, state=state, score=0.95 if harmful else 0.05)

    class Eager(judge.Judge):
        def verdicts(self, window: Window, now: float) -> list[Verdict]:
            return [eager(verdict) for verdict in super().verdicts(window, now)]

    judge.Judge = Eager  # type: ignore[misc]


if __name__ == "__main__":
    time.time = _moved
    if os.environ.get("TRIAL_JUDGE") == "eager":
        _hurry()
    from opsroom.cli import main

    sys.exit(main(sys.argv[1:]))
