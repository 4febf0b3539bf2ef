"""The simulated Flagger: a ticker for each Canary, which runs one tick after another and never two at once.

Ticks come at the Canary's own interval, but not more often than `floor` (10 s in the real one; a world that deploys
every few seconds sets it lower). A tick that waits for a webhook is put aside; the control loop goes on meanwhile.
What a tick does is in `flagger_tick`. Source: fluxcd/flagger pkg/controller/job.go, scheduler.go (scheduleCanaries).
"""

from __future__ import annotations

from dataclasses import dataclass

from opsroom.simulator.controllers.changes import Change, Note, Wake, key_of
from opsroom.simulator.controllers.flagger_gates import Stage
from opsroom.simulator.controllers.flagger_hooks import (
    Ask,
    Caller,
    HttpCaller,
    Reply,
    analysis,
    event_of,
    hooks,
    seconds,
)
from opsroom.simulator.controllers.flagger_sight import COMPONENT, Mesh
from opsroom.simulator.controllers.flagger_tick import Tick
from opsroom.simulator.controllers.loop import ControlLoop
from opsroom.simulator.controllers.objects import Obj, name_of, namespace_of, uid_of
from opsroom.simulator.kube.store import Store

FLOOR = 10.0
INTERVAL = 60.0


@dataclass
class _Job:
    """One Canary's ticker."""

    due: float
    stage: Stage | None = None
    waiting: bool = False
    reply: Reply | None = None


class Flagger:
    """All tickers; `mesh` tells the traffic who gets what."""

    def __init__(self, store: Store, caller: Caller | None = None, floor: float = FLOOR) -> None:
        self.mesh: Mesh = {}
        self.caller: Caller = caller or HttpCaller()
        self.floor = floor
        self._store = store
        self._jobs: dict[str, _Job] = {}

    def reconcile(self, canary: Obj, loop: ControlLoop, now: float) -> list[Change]:
        """Go on with the tick of `canary` if its time has come or its call was answered.

        Called whenever anything of the Canary changes: a ticker does not care.
        """
        job = self._jobs.setdefault(uid_of(canary), _Job(due=now))
        if job.waiting or (job.stage is None and now < job.due):
            return [Wake(job.due)] if job.due > now else []
        if job.stage is None:
            job.due = now + self._interval(canary)
            target = self._target(canary)
            if target is None:
                kind = (canary["spec"].get("targetRef") or {}).get("kind", "")
                text = f"{kind} {self._name(canary)}.{namespace_of(canary)} not found"
                return [Note(canary, COMPONENT, "Warning", "Synced", text), Wake(job.due)]
            job.stage = Tick(canary, target, self._get, self.mesh, now).run()
        self._go_on(job, canary, loop, now)
        return [Wake(job.due)]

    async def close(self) -> None:
        """Let go of every call."""
        if isinstance(self.caller, HttpCaller):
            await self.caller.close()

    def _go_on(self, job: _Job, canary: Obj, loop: ControlLoop, now: float) -> None:
        """Everything up to the tick's next call, or its end. Changes are stored at once: the tick may read them."""
        stage, reply, job.reply = job.stage, job.reply, None
        while stage is not None:
            try:
                found = stage.send(reply)
            except StopIteration:
                job.stage = None
                break
            except Exception:
                job.stage = None
                raise
            reply = None
            if isinstance(found, Ask):
                self._call(job, found, canary, loop)
                break
            loop.apply(found)
            self._tell(canary, found, now)

    def _call(self, job: _Job, ask: Ask, canary: Obj, loop: ControlLoop) -> None:
        def answered(reply: Reply) -> None:
            job.waiting, job.reply = False, reply
            loop.touch(key_of("canaries", canary))

        job.waiting = True
        self.caller.call(ask, answered)

    def _tell(self, canary: Obj, changes: list[Change], now: float) -> None:
        for hook in hooks(canary, "event"):
            fresh = self._get("canaries", namespace_of(canary), name_of(canary)) or canary
            for change in changes:
                if isinstance(change, Note):
                    self.caller.tell(event_of(fresh, hook, change.message, change.kind, now))

    def _interval(self, canary: Obj) -> float:
        return max(self.floor, seconds(str(analysis(canary).get("interval") or ""), INTERVAL))

    def _get(self, resource: str, namespace: str, name: str) -> Obj | None:
        return self._store.get(resource, namespace, name)

    def _target(self, canary: Obj) -> Obj | None:
        reference = canary["spec"].get("targetRef") or {}
        if reference.get("kind") != "Deployment":
            return None
        return self._get("deployments", namespace_of(canary), str(reference.get("name", "")))

    def _name(self, canary: Obj) -> str:
        return str((canary["spec"].get("targetRef") or {}).get("name", ""))
