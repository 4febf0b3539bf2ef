"""opsroom: the control room for progressive delivery, in a terminal.

The package root knows its version and nothing else: importing it must cost nothing, because the board's first paint
waits for it. The one public function, ``analyze_canary_metrics``, is imported when it is asked for.
"""

from __future__ import annotations

TYPE_CHECKING = False
"""As ``typing.TYPE_CHECKING``, without the milliseconds that importing ``typing`` costs before the first paint."""

if TYPE_CHECKING:
    from opsroom.analysis.public import analyze_canary_metrics as analyze_canary_metrics

__version__ = "0.1.0"


def __getattr__(name: str) -> object:
    if name == "analyze_canary_metrics":
        from opsroom.analysis.public import analyze_canary_metrics

        return analyze_canary_metrics
    raise AttributeError(f"module 'opsroom' has no attribute {name!r}")
