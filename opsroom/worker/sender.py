"""Notices through Apprise, in a thread of their own: nothing that a chat server does can delay the worker.

Apprise is an extra and is imported with the first notice. Its addresses hold secrets: they are revealed to it alone, it
logs nothing, and what goes wrong is said in numbers, never in its own words.
"""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from opsroom.config.secrets import Secret

SECONDS = 20.0
"""For one address, with everything it tries again."""

WAITING = 20
"""Notices that may wait for a slow server; an older one says nothing that a newer one does not."""

NOT_INSTALLED = "Apprise is not installed: pip install 'opsroom[apprise]'"


@dataclass(frozen=True, slots=True)
class Notice:
    """What is sent."""

    title: str
    body: str


Send = Callable[[Notice], int]
"""Sends to every address; how many did not take it. Raises what it likes."""


class Sender:
    """Sends one notice after the other."""

    def __init__(self, addresses: int, send: Send, clock: Callable[[], float] = time.monotonic) -> None:
        self._addresses = addresses
        self._send = send
        self._clock = clock
        self._waiting: queue.Queue[Notice] = queue.Queue(WAITING)
        self._thread: threading.Thread | None = None
        self._began: float | None = None
        self._error = ""

    def put(self, notice: Notice) -> None:
        """Send it soon; returns at once, whatever the servers do."""
        try:
            self._waiting.put_nowait(notice)
        except queue.Full:
            self._error = f"{WAITING} notices wait for a server that does not take them"
            return
        if self._thread is None:
            # A daemon: a server that hangs must not keep the worker from ending.
            self._thread = threading.Thread(target=self._run, name="notices", daemon=True)
            self._thread.start()

    @property
    def error(self) -> str:
        """What went wrong with the last notice, without any address; empty while all is well."""
        began = self._began
        if began is not None and self._clock() - began > 2 * SECONDS:
            return "a notice is stuck: a server of its addresses does not answer"
        return self._error

    def _run(self) -> None:
        while True:
            notice = self._waiting.get()
            self._began = self._clock()
            try:
                failed = self._send(notice)
                self._error = f"{failed} of {self._addresses} addresses did not take a notice" if failed else ""
            except ImportError:
                self._error = NOT_INSTALLED
            except Exception as error:  # a plugin's fault; its words may hold the address
                self._error = f"a notice could not be sent ({type(error).__name__})"
            self._began = None


def by_apprise(addresses: Sequence[Secret]) -> Send:
    """Sends through Apprise to ``addresses``."""

    def send(notice: Notice) -> int:
        # Its log lines name addresses, those it cannot read even whole.
        logging.getLogger("apprise").disabled = True
        import apprise

        failed = 0
        for address in addresses:
            failed += not _sent(apprise, address, notice)
        return failed

    return send


def _sent(apprise: Any, address: Secret, notice: Notice) -> bool:
    asset = apprise.AppriseAsset(app_id="opsroom", app_desc="opsroom", service_timeout=SECONDS, allow_templates=False)
    one = apprise.Apprise(asset=asset)
    if not one.add(address.reveal()):
        return False
    return bool(one.notify(body=notice.body, title=notice.title, body_format=apprise.NotifyFormat.TEXT))
