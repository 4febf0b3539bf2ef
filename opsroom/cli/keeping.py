"""The own worker is kept alive while a screen is open.

A worker keeps nothing that it cannot learn again, so one that died is started anew: after one second, two, four, at
most thirty. One that ends at once because of its configuration is not, for it would end the same way. Where another
screen of the same user was faster, its worker is used and looked after. A thread, because it only waits; what it has to
say is read by the screen when the feed is lost.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Protocol

from opsroom.errors import ConfigError
from opsroom.view import own_worker

FIRST_WAIT, LONGEST_WAIT = 1.0, 30.0
"""Seconds before a worker that died is started again."""

YOUNG_SECONDS = 20.0
"""A worker that ends before this old never ran; one that was older begins anew with the first wait."""

LOOK_SECONDS = 2.0
"""Between two looks at a worker that somebody else has started."""


class Child(Protocol):
    """What is needed of a process."""

    def wait(self) -> int:
        """Its exit code, when it has ended."""


class Keeper:
    """Looks after one worker."""

    def __init__(
        self,
        start: Callable[[], Child],
        answers: Callable[[], bool],
        last_words: Callable[[], str],
        *,
        clock: Callable[[], float] = time.monotonic,
        pause: Callable[[float], bool] | None = None,
    ) -> None:
        """``start`` makes a worker (or raises OSError), ``answers`` tells whether anybody serves its feed.

        ``pause`` waits so many seconds and tells whether to end.
        """
        self.said = ""
        """Why there is no worker at the moment, as a sentence; empty while there is one."""
        self.child: Child | None = None
        """The worker that this process has started, if it has."""
        self._start = start
        self._answers = answers
        self._last_words = last_words
        self._clock = clock
        self._ending = threading.Event()
        self._pause = pause or self._ending.wait
        self._wait = FIRST_WAIT

    def begin(self) -> None:
        """Look after ``child``, or after whoever answers, in the background until ``stop``."""
        threading.Thread(target=self.keep, name="keeper", daemon=True).start()

    def stop(self) -> None:
        """The screen ends; the worker follows by itself some time after its last viewer."""
        self._ending.set()

    def keep(self) -> None:
        """Until ``stop``, or until a worker that can never run has said so."""
        while not self._ending.is_set():
            if self.child is not None:
                if self._ended(self.child):
                    return
                self.child = None
            elif self._answers():
                self.said = ""
                if self._pause(LOOK_SECONDS):
                    return
            else:
                self.child = self._started()

    def _started(self) -> Child | None:
        try:
            child = self._start()
        except OSError as error:
            why = error.strerror or type(error).__name__
            self._later(lambda wait: own_worker.not_started(why, wait))
            return None
        if self.said:
            self.said = own_worker.starting()
        return child

    def _ended(self, child: Child) -> bool:
        """Wait for the end of ``child`` and a while longer; True when nothing more is to be done."""
        began = self._clock()
        code = child.wait()
        if self._ending.is_set():
            return True
        young = self._clock() - began < YOUNG_SECONDS
        if self._answers():
            # Another screen's worker was faster; ours gave way to its lock.
            return False
        if young and code == ConfigError.exit_code:
            self.said = own_worker.ended(code, self._last_words(), None)
            return True
        if not young:
            self._wait = FIRST_WAIT
        return self._later(lambda wait: own_worker.ended(code, self._last_words() if young else "", wait))

    def _later(self, sentence: Callable[[float], str]) -> bool:
        wait, self._wait = self._wait, min(LONGEST_WAIT, self._wait * 2)
        self.said = sentence(wait)
        return self._pause(wait)
