"""The cluster as it stands: Rollouts, Deployments, ReplicaSets, pods and Events, watched all the time.

Each kind is mirrored by itself (and by namespace where not all may be read), so a right that is missing or a CRD that
is not installed costs only that kind: it is said in ``states`` and tried again, the rest goes on.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from typing import Any

import msgspec

from opsroom.domain.board import Happening
from opsroom.domain.freshness import SourceState
from opsroom.domain.marks import Marks
from opsroom.domain.rollout import Rollout, Uid
from opsroom.errors import Gone, NotPermitted, OpsroomError, Unreachable
from opsroom.kube.mirror import Mirror
from opsroom.kube.reader import Reader
from opsroom.sources.argo_kinds import ArgoRollout
from opsroom.sources.flagger_kinds import FlaggerCanary
from opsroom.sources.happenings import Happenings
from opsroom.sources.index import Index
from opsroom.sources.kinds import Deployment, KubeEvent, Pod, ReplicaSet

PING = 5.0
"""Seconds between two proofs that the API server answers; watches may rightly be silent for minutes."""

ROLLOUTS = "rollouts"
CANARIES = "canaries"
DEPLOYMENTS = "deployments"
REPLICA_SETS = "replicasets"
PODS = "pods"
EVENTS = "events"

GROUPS = {
    ROLLOUTS: "/apis/argoproj.io/v1alpha1",
    CANARIES: "/apis/flagger.app/v1beta1",
    DEPLOYMENTS: "/apis/apps/v1",
    REPLICA_SETS: "/apis/apps/v1",
    PODS: "/api/v1",
    EVENTS: "/api/v1",
}

NOT_OF_PODS = {"fieldSelector": "involvedObject.kind!=Pod"}
"""Most Events of a cluster are about pods, whose own status already tells us what they would."""


class Version(msgspec.Struct, frozen=True):
    """What ``/version`` answers, as far as it matters here: that it does."""


class Cluster:
    """What the API server knows about rollouts. ``run`` keeps it true; everything else only looks."""

    def __init__(
        self, reader: Reader, namespaces: Iterable[str], clock: Callable[[], float], ping: float = PING
    ) -> None:
        """``namespaces`` empty: all of them. What is heard is dated by ``clock``; nobody should be able to set it."""
        self.changed = asyncio.Event()
        """Set whenever something may be different; whoever waits for it clears it."""
        self._reader = reader
        self._clock = clock
        self._ping = ping
        self._index = Index()
        self._happenings = Happenings()
        self._at: float | None = None
        self._error: OpsroomError | None = None
        self._mirrors: dict[tuple[str, str], Mirror[Any]] = {}
        for namespace in tuple(namespaces) or ("",):
            self._mirror(ROLLOUTS, namespace, ArgoRollout, self._index.argo_changed)
            self._mirror(CANARIES, namespace, FlaggerCanary, self._index.canary_changed)
            self._mirror(DEPLOYMENTS, namespace, Deployment, self._index.deployment_changed)
            self._mirror(REPLICA_SETS, namespace, ReplicaSet, self._index.replica_set_changed)
            self._mirror(PODS, namespace, Pod, self._index.pod_changed)
            self._mirror(EVENTS, namespace, KubeEvent, self._happenings.event_changed)

    async def run(self) -> None:
        """Watch until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._prove())
            for mirror in self._mirrors.values():
                group.create_task(mirror.run())

    def rollouts(self) -> list[Rollout]:
        """All rollouts as they stand now; unchanged ones are the same objects as before."""
        return self._index.rollouts()

    def marks(self, uid: Uid) -> Marks:
        """Our marks on that rollout's object."""
        return self._index.marks(uid)

    def services(self, uid: Uid) -> tuple[str, str]:
        """(stable, canary) Service names, empty where the workload names none."""
        return self._index.services(uid)

    def happenings(self, uid: Uid) -> tuple[Happening, ...]:
        """The last Events about that rollout and its ReplicaSets, newest first."""
        return self._happenings.of((uid, *self._index.replica_sets_of(uid)))

    @property
    def listed(self) -> bool:
        """Everything that may be read has been read once; before that, what is absent may only be unseen."""
        return all(
            mirror.listed or isinstance(mirror.error, NotPermitted | Gone)
            for (kind, _), mirror in self._mirrors.items()
            if kind != EVENTS
        )

    @property
    def complete(self) -> bool:
        """Every kind that can be a rollout is followed at this moment: what is not here does not exist."""
        kinds = (mirror for (kind, _), mirror in self._mirrors.items() if kind in (ROLLOUTS, CANARIES, DEPLOYMENTS))
        return all((one.listed and one.error is None) or isinstance(one.error, Gone) for one in kinds)

    def states(self) -> tuple[SourceState, ...]:
        """One state for the API server, dated by our clock: as old as the oldest kind that should run and does not."""
        broken = [one for (kind, _), one in self._mirrors.items() if _stands_still(kind, one)]
        ages = [self._at, *(one.at for one in broken)]
        error = self._error or next((one.error for one in broken), None) or self._forbidden()
        return (
            SourceState(
                name="kube",
                interval=self._ping * 2,
                at=None if None in ages else min(age for age in ages if age is not None),
                error="" if error is None else str(error),
                detail=self._detail(),
            ),
        )

    def _forbidden(self) -> OpsroomError | None:
        refused = (one.error for one in self._mirrors.values() if isinstance(one.error, NotPermitted))
        return next(refused, None)

    def _detail(self) -> str:
        absent = sorted({kind for (kind, _), one in self._mirrors.items() if isinstance(one.error, Gone)})
        unreadable = sum(one.unreadable for one in self._mirrors.values())
        parts = [f"absent: {', '.join(absent)}"] if absent else []
        if unreadable:
            parts.append(f"unreadable: {unreadable}")
        return "; ".join(parts)

    async def _prove(self) -> None:
        while True:
            # An answer may have waited for us (a stopped process, a sleeping machine): it is as old as its question.
            asked = self._clock()
            try:
                async with asyncio.timeout(self._ping):
                    await self._reader.get("/version", Version)
                self._at, self._error = asked, None
            except TimeoutError:
                address = self._reader.connection.endpoint.address
                self._error = Unreachable(f"No answer from the API server {address} within {self._ping:.0f} s")
            except NotPermitted:
                # Somebody took even /version away: that it refuses is proof enough that it lives.
                self._at, self._error = asked, None
            except OpsroomError as error:
                self._error = error
            self.changed.set()
            # One that was not answered has waited already.
            await asyncio.sleep(max(self._ping / 5, asked + self._ping - self._clock()))

    def _mirror(self, kind: str, namespace: str, type_: Any, seen: Callable[[Any, Any], None]) -> None:
        def on_change(old: Any, new: Any) -> None:
            seen(old, new)
            self.changed.set()

        place = f"/namespaces/{namespace}" if namespace else ""
        self._mirrors[kind, namespace] = Mirror(
            self._reader,
            f"{GROUPS[kind]}{place}/{kind}",
            type_,
            on_change,
            clock=self._clock,
            params=NOT_OF_PODS if kind == EVENTS else None,
            keep=kind != EVENTS,
        )


def _stands_still(kind: str, mirror: Mirror[Any]) -> bool:
    """Whether what is shown of a kind is of a former time: nobody answers, or the right to see it was taken away."""
    taken = mirror.listed and kind != EVENTS and isinstance(mirror.error, NotPermitted)
    return taken or isinstance(mirror.error, Unreachable)
