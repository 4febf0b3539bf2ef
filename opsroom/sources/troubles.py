"""What Prometheus did not answer, or not in full: the sentences about it, and when a query is asked again.

Each query rests after a failure, for longer each time, so that one which cannot work loads nobody. Rests are measured
with a clock that nobody can set. It must not know what is asked.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection

RETRY = 2.0
RETRY_MAX = 30.0
"""Seconds of rest after a failure, doubled each time: an overloaded Prometheus must not be asked for more and more."""


class Troubles:
    """By the name of the query."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._errors: dict[str, str] = {}
        self._partial: dict[str, str] = {}
        """Of those whose last answer was not whole."""
        self._rests: dict[str, tuple[float, float]] = {}
        """Of those that failed: (not before, seconds of the last rest)."""

    @property
    def said(self) -> str:
        """The first sentence, about what was not answered at all if there is any; empty while all is well."""
        return next(iter((*self._errors.values(), *self._partial.values())), "")

    @property
    def whole(self) -> bool:
        """Whether every answer was all there is."""
        return not self._partial

    def failed(self, name: str, sentence: str, longest: float = RETRY_MAX) -> None:
        """There was no answer; it rests for at most ``longest`` seconds."""
        self._errors[name] = sentence
        rest = min(longest, self._rests.get(name, (0.0, RETRY / 2))[1] * 2)
        self._rests[name] = (self._clock() + rest, rest)

    def worked(self, name: str) -> None:
        """There was an answer."""
        self._errors.pop(name, None)
        self._rests.pop(name, None)

    def found(self, name: str, partial: str) -> None:
        """How whole the answer was: a sentence about what may be missing, empty for nothing."""
        if partial:
            self._partial[name] = partial
        else:
            self._partial.pop(name, None)

    def partly(self, name: str) -> bool:
        """Whether its last answer was not whole."""
        return name in self._partial

    def resting(self, name: str) -> bool:
        """Whether it is not to be asked now."""
        return self._clock() < self._rests.get(name, (-math.inf, 0.0))[0]

    def wake(self, names: Collection[str]) -> None:
        """End the rests of ``names``."""
        for name in names:
            self._rests.pop(name, None)

    def keep(self, names: Collection[str]) -> None:
        """Forget all but ``names``: errors of queries that are asked no more would stand for ever."""
        self._errors = {name: error for name, error in self._errors.items() if name in names}
        self._partial = {name: error for name, error in self._partial.items() if name in names}
