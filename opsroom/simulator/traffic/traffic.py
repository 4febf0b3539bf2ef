"""The traffic of all services: one step a second, all pods at once.

The world says which pods run and how requests are shared among them; this answers what each pod exposes. It knows
nothing of rollouts, weights or Kubernetes objects, and what it knows of a version's quality leaves it only as
behaviour.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from opsroom.simulator.prometheus.arrays import Bools, Floats, Ints
from opsroom.simulator.prometheus.scrape import Exposed
from opsroom.simulator.traffic.fleet import Condition, Fleet, Pod
from opsroom.simulator.traffic.incidents import Incidents
from opsroom.simulator.traffic.logs import LogBook
from opsroom.simulator.traffic.moment import Moment, Weather, moment_of
from opsroom.simulator.traffic.quality import Quality
from opsroom.simulator.traffic.requests import count_requests, draw_codes, draw_latencies
from opsroom.simulator.traffic.service import Service
from opsroom.simulator.traffic.shapes import (
    CODES,
    COUNT,
    CPU,
    FIRST_BUCKET,
    FIRST_CODE,
    MEMORY,
    PROCESS,
    RESTARTS,
    SHAPES,
    SUM,
    UP,
)

Key = tuple[str, str]
_LONGEST_STEP = 5.0
_LONGEST_BACKOFF = 60.0


class Traffic:
    """All services' behaviour. One seed gives one world, as long as the world asks for the same steps."""

    def __init__(self, seed: int, incident_gap: float = 600.0) -> None:
        """`incident_gap` seconds lie between shared incidents on average."""
        streams = np.random.default_rng(seed).spawn(4)
        self._rng = streams[0]
        self._fleet = Fleet(streams[1])
        self._weather = Weather(streams[2])
        self.incidents = Incidents(streams[3], incident_gap)
        self._services: dict[Key, Service] = {}
        self._qualities: dict[str, Quality] = {}
        self._since: dict[str, float] = {}
        self._logs = LogBook()
        self._last: float | None = None

    def add_service(self, namespace: str, workload: str, service: Service) -> None:
        """Tell of a service; pods name it by namespace and workload."""
        self._services[namespace, workload] = service

    def add_version(self, version: str, quality: Quality) -> None:
        """Tell of a version (its id is the world's, any unique text); one never told of is healthy."""
        self._qualities[version] = quality

    def step(self, now: float, pods: Sequence[Pod]) -> Exposed:
        """What all pods expose at `now` (seconds), after the requests since the last step.

        Only pods whose container was started belong in `pods`, ready or not; a pod left out is gone for good.
        """
        span = 1.0 if self._last is None else min(now - self._last, _LONGEST_STEP)
        self._last = now
        self._fleet.forget_all_but({(pod.namespace, pod.name) for pod in pods})
        rows = np.array([self._fleet.row(pod) for pod in pods], dtype=np.int64)
        for pod in pods:
            if pod.ready and pod.version not in self._since:
                self._since[pod.version] = now
        if len(pods):
            self._advance(now, span, pods, rows)
        return self._exposed(now, pods, rows)

    def condition(self, namespace: str, pod: str, now: float) -> Condition:
        """What the kubelet sees of a pod's container; one never stepped runs and never restarted."""
        row = self._fleet.rows.get((namespace, pod))
        if row is None:
            return Condition(0, True)
        fleet = self._fleet
        return Condition(int(fleet.series[row, RESTARTS]), bool(fleet.down_until[row] <= now), bool(fleet.starved[row]))

    def log_lines(self, namespace: str, pod: str, since: float = 0.0, limit: int = 500) -> list[tuple[float, str]]:
        """Log lines of a pod after `since`, oldest first, with their times; the newest `limit` of them."""
        return self._logs.lines(namespace, pod, since, limit)

    def _advance(self, now: float, span: float, pods: Sequence[Pod], rows: Ints) -> None:
        incidents = self.incidents.at(now, sorted({f"{ns}/{name}" for ns, name in self._services}))
        moment = moment_of(
            now,
            pods,
            rows,
            self._fleet,
            self._weather.at(now, span, self._services),
            self._services,
            self._qualities,
            self._since,
            incidents,
        )
        alive, died = self._live_and_die(now, rows, moment)
        requests = count_requests(self._rng, moment, alive, span)
        codes = draw_codes(self._rng, requests, moment)
        buckets, total = draw_latencies(self._rng, requests, moment)
        series = self._fleet.series
        series[rows, FIRST_CODE : FIRST_CODE + len(CODES)] += codes
        series[rows, FIRST_BUCKET:SUM] += np.cumsum(buckets, axis=1)
        series[rows, SUM] += total
        series[rows, COUNT] += requests
        noise = np.exp(0.04 * self._rng.standard_normal(len(rows)))
        series[rows, CPU] += alive * (moment.cpu_idle * span + requests * moment.cpu_request * noise)
        series[rows, MEMORY] = self._memory(moment, len(rows))
        self._logs.note(now, pods, codes, died, moment)

    def _memory(self, moment: Moment, size: int) -> Floats:
        noise = 1 + 0.004 * self._rng.standard_normal(size)
        warm = 0.85 + 0.15 * np.minimum(1.0, moment.age / 60.0)
        leaked = np.minimum(moment.leaked * moment.memory_limit, moment.memory_limit)
        return np.floor(np.minimum(moment.memory * warm * noise + leaked, moment.memory_limit) / 4096) * 4096

    def _live_and_die(self, now: float, rows: Ints, moment: Moment) -> tuple[Bools, Bools]:
        """Crash what must crash now; returns [P] who runs and who died just now.

        A container that comes back counts from zero, as a new process does.
        """
        fleet = self._fleet
        oom = moment.leaked * moment.memory_limit + moment.memory * 0.95 >= moment.memory_limit
        mortal = (moment.lifetime > 0) & moment.ready
        running = fleet.down_until[rows] <= now
        waiting = running & mortal & np.isinf(fleet.crash_at[rows])
        lifetimes = moment.lifetime * self._rng.uniform(0.7, 1.3, len(rows))
        fleet.crash_at[rows] = np.where(waiting, now + lifetimes, fleet.crash_at[rows])
        starved = oom & (now - fleet.born[rows] > 5.0)
        dies = running & ((fleet.crash_at[rows] <= now) | starved)
        gone = rows[dies]
        fleet.starved[gone] = starved[dies]
        fleet.series[gone, RESTARTS] += 1
        fleet.series[gone, PROCESS] = 0.0
        fleet.series[gone, CPU] = 0.0
        backoff = np.minimum(5.0 * 2.0 ** (fleet.series[gone, RESTARTS] - 1), _LONGEST_BACKOFF)
        fleet.down_until[gone] = now + backoff
        fleet.born[gone] = now + backoff
        fleet.crash_at[gone] = np.inf
        return running & ~dies, dies

    def _exposed(self, now: float, pods: Sequence[Pod], rows: Ints) -> Exposed:
        values = self._fleet.series[rows]
        down = self._fleet.down_until[rows] > now
        values[:, UP] = np.where(down, 0.0, 1.0)
        present = np.ones(values.shape, dtype=np.bool_)
        present[down, PROCESS] = False
        present[down, CPU] = False
        present[down, MEMORY] = False
        targets = tuple(self._fleet.targets[pod.namespace, pod.name] for pod in pods)
        return Exposed(SHAPES, targets, values, present)
