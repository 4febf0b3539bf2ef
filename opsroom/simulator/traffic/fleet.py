"""Per-pod state of the whole fleet as arrays, one row a pod, rows given out again when a pod is gone.

Only storage: what the numbers mean and how they change is in `moment.py` and `traffic.py`.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass, field

import numpy as np

from opsroom.simulator.prometheus.arrays import Bools, Floats
from opsroom.simulator.prometheus.scrape import Target
from opsroom.simulator.traffic.shapes import APP, KUBELET, STATE, WIDTH


@dataclass(frozen=True, slots=True)
class Pod:
    """One running pod as the world tells it.

    `share` is this pod's part (0 to 1) of all requests to its workload: the canary weight over the canary's ready
    pods for a canary pod, the rest over the stable pods for a stable one. `started` (seconds) is when its container
    first ran; the caches of a pod that started long ago are warm.
    """

    namespace: str
    name: str
    workload: str
    version: str
    share: float
    ready: bool
    started: float
    node: str = "node-1"


@dataclass(frozen=True, slots=True)
class Condition:
    """What the kubelet sees of a pod's container."""

    restarts: int
    running: bool
    # Whether it ended last because it took more memory than it may.
    starved: bool = False


@dataclass
class Fleet:
    """Arrays over rows; `series` [rows, WIDTH] are the exposed values, the others constants or state of a pod."""

    rng: np.random.Generator
    room: int = 64
    rows: dict[tuple[str, str], int] = field(default_factory=dict)
    targets: dict[tuple[str, str], Target] = field(default_factory=dict)
    free: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.series: Floats = np.zeros((self.room, WIDTH))
        # Constants of a pod: its node's speed, and how much its CPU differs from its siblings'.
        self.slow: Floats = np.ones(self.room)
        self.hungry: Floats = np.ones(self.room)
        self.wobble: Floats = np.zeros(self.room)
        self.down_until: Floats = np.zeros(self.room)
        self.crash_at: Floats = np.full(self.room, np.inf)
        self.sick_until: Floats = np.zeros(self.room)
        self.born: Floats = np.zeros(self.room)
        self.starved: Bools = np.zeros(self.room, dtype=np.bool_)

    def row(self, pod: Pod) -> int:
        """The row of a pod, given out now if it is new."""
        key = (pod.namespace, pod.name)
        row = self.rows.get(key)
        if row is None:
            row = self.rows[key] = self._take()
            self.targets[key] = Target(pod.namespace, pod.name, instances(pod))
            self._reset(row, pod)
        return row

    def forget_all_but(self, keys: set[tuple[str, str]]) -> None:
        """Give back the rows of pods that are gone."""
        for key in self.rows.keys() - keys:
            self.free.append(self.rows.pop(key))
            del self.targets[key]

    def _take(self) -> int:
        if self.free:
            return self.free.pop()
        row = len(self.rows)
        if row >= self.room:
            self._grow()
        return row

    def _grow(self) -> None:
        more = self.room
        self.room *= 2
        self.series = np.concatenate([self.series, np.zeros((more, WIDTH))])
        for name, filler in (
            *(("slow", 1.0), ("hungry", 1.0), ("wobble", 0.0), ("down_until", 0.0)),
            *(("crash_at", np.inf), ("sick_until", 0.0), ("born", 0.0), ("starved", False)),
        ):
            setattr(self, name, np.concatenate([getattr(self, name), np.full(more, filler)]))

    def _reset(self, row: int, pod: Pod) -> None:
        self.series[row] = 0.0
        # Between two nodes lie at most 3 % of latency and 6 % of CPU (the benchmark's figures), pods of one node
        # differ much less.
        node = np.random.default_rng(zlib.crc32(pod.node.encode()))
        self.slow[row] = np.exp(node.uniform(-0.015, 0.015) + 0.005 * self.rng.standard_normal())
        self.hungry[row] = np.exp(node.uniform(-0.03, 0.03) + 0.01 * self.rng.standard_normal())
        self.wobble[row] = self.down_until[row] = self.sick_until[row] = 0.0
        self.crash_at[row] = np.inf
        self.born[row] = pod.started
        self.starved[row] = False


def instances(pod: Pod) -> dict[str, str]:
    """Plausible scrape addresses of one pod, the same each time it is asked for."""
    number = zlib.crc32(f"{pod.namespace}/{pod.name}".encode())
    address = f"10.{64 + number % 64}.{number // 64 % 256}.{number // 16384 % 254 + 1}:8080"
    return {APP: address, KUBELET: f"{pod.node}:10250", STATE: "kube-state-metrics.monitoring:8080"}
