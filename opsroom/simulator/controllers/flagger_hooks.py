"""The simulated Flagger's webhooks: payloads as Flagger sends them, replies read by its rules, calls that block nobody.

Source: fluxcd/flagger pkg/controller/webhook.go (callWebhook): a reply up to 202 is a yes, everything above (204!) is a
no, a time-out or a refused connection too; the body of a 4xx is the error's text. It knows no phases.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

from opsroom.simulator.controllers.objects import Obj, name_of, namespace_of, status_of
from opsroom.simulator.controllers.template_hash import steps_hash

LAST_YES = 202
TIMEOUT = 10.0
_EVENT_TIMEOUT = 5.0
_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}


@dataclass(frozen=True, slots=True)
class Reply:
    """What came of a call; `text` says why not."""

    yes: bool
    text: str = ""


@dataclass(frozen=True, slots=True)
class Ask:
    """One call that a tick waits for."""

    url: str
    payload: Obj
    timeout: float = TIMEOUT


class Caller(Protocol):
    """Who makes the calls."""

    def call(self, ask: Ask, answered: Callable[[Reply], None]) -> None:
        """Call, and tell the reply at some later time."""
        ...

    def tell(self, ask: Ask) -> None:
        """Call, whatever comes of it."""
        ...


def hooks(canary: Obj, *types: str) -> list[Obj]:
    """The hooks of these types, in the order of the spec; "" is one of type rollout."""
    found = analysis(canary).get("webhooks") or ()
    return [hook for hook in found if hook.get("type", "") in types]


def analysis(canary: Obj) -> Obj:
    """`spec.analysis`, or what it was called before."""
    return dict(canary["spec"].get("analysis") or canary["spec"].get("canaryAnalysis") or {})


def checksum(canary: Obj) -> str:
    """Ten safe letters over tracked configs and the last applied spec, like the real one's."""
    status = status_of(canary)
    return steps_hash([status.get("trackedConfigs"), status.get("lastAppliedSpec", "")])


def ask_of(canary: Obj, hook: Obj, phase: str) -> Ask:
    """The call of one hook."""
    payload: Obj = {
        "name": name_of(canary),
        "namespace": namespace_of(canary),
        "phase": phase,
        "checksum": checksum(canary),
    }
    if hook.get("metadata"):
        payload["metadata"] = dict(hook["metadata"])
    text = str(hook.get("timeout") or "")
    return Ask(str(hook.get("url", "")), payload, seconds(text, TIMEOUT) if len(text) >= 2 else TIMEOUT)


def event_of(canary: Obj, hook: Obj, message: str, kind: str, now: float) -> Ask:
    """The call of an event hook; the user's metadata cannot override the three of the event."""
    event = {"eventMessage": message, "eventType": kind, "timestamp": str(int(now * 1000))}
    asked = ask_of(canary, hook, str(status_of(canary).get("phase", "")))
    payload = {**asked.payload, "metadata": {**dict(hook.get("metadata") or {}), **event}}
    return Ask(asked.url, payload, _EVENT_TIMEOUT)


def seconds(text: str, otherwise: float) -> float:
    """A Go duration such as 1m30s; `otherwise` for what is none."""
    parts = re.findall(r"(\d+(?:\.\d+)?)(ms|s|m|h)", text)
    if not parts or "".join(number + unit for number, unit in parts) != text:
        return otherwise
    return sum(float(number) * _UNITS[unit] for number, unit in parts)


@dataclass
class HttpCaller:
    """Calls over HTTP in tasks of the running event loop."""

    tasks: set[asyncio.Task[None]] = field(default_factory=set)
    client: Any = None

    def call(self, ask: Ask, answered: Callable[[Reply], None]) -> None:
        async def run() -> None:
            answered(await self._post(ask))

        self._start(run())

    def tell(self, ask: Ask) -> None:
        async def run() -> None:
            await self._post(ask)

        self._start(run())

    async def close(self) -> None:
        """Let go of every call."""
        for task in list(self.tasks):
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)
        if self.client is not None:
            await self.client.aclose()

    def _start(self, coroutine: Any) -> None:
        task = asyncio.ensure_future(coroutine)
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    async def _post(self, ask: Ask) -> Reply:
        import httpx

        if self.client is None:
            # Like Go's client it follows redirects; a proxy of the machine's is no part of the simulated cluster.
            self.client = httpx.AsyncClient(follow_redirects=True, trust_env=False)
        began = time.monotonic()
        with contextlib.suppress(httpx.HTTPError, httpx.InvalidURL, UnicodeError):
            reply = await self.client.post(ask.url, json=ask.payload, timeout=ask.timeout)
            if reply.status_code <= LAST_YES:
                return Reply(yes=True)
            if reply.status_code >= 500 or reply.status_code == 429:
                return Reply(yes=False, text=f"POST {ask.url} giving up after 1 attempt(s)")
            return Reply(yes=False, text=reply.text[:200])
        if time.monotonic() - began >= ask.timeout:
            return Reply(yes=False, text=f'Post "{ask.url}": context deadline exceeded')
        return Reply(yes=False, text=f'Post "{ask.url}": connection refused')
