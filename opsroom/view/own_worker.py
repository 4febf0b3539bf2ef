"""What a screen says of its own worker that ended: a dead worker must never look like one that acts."""

from __future__ import annotations

import signal


def ended(code: int, last_words: str, again: float | None) -> str:
    """How it ended and what happens next. ``code``: exit code, negative for a signal; ``again`` in seconds.

    None: it is not started again, for it would end the same way.
    """
    how = _signal(-code) if code < 0 else f"with code {code}"
    words = last_words.removeprefix("opsroom: ")
    if again is None:
        return f"the worker cannot run: {words or how}"
    said = f" ({words})" if words and code else ""
    return f"the worker ended {how}{said}, it is started again in {again:.0f} s"


def not_started(error: str, again: float) -> str:
    """The process could not even be made."""
    return f"the worker cannot be started ({error}), tried again in {again:.0f} s"


def starting() -> str:
    """A new one is on its way."""
    return "a new worker is starting"


def _signal(number: int) -> str:
    try:
        return f"by {signal.Signals(number).name}"
    except ValueError:
        return f"by signal {number}"
