"""What targets expose at one moment, and the scraper that writes it into the store each second.

The simulated services hand over one array of values a scrape; labels are looked up once a target. A cell that is
no longer exposed becomes stale at once, as Prometheus does when a target vanishes or a scrape of it fails.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from opsroom.simulator.prometheus.arrays import Bools, Floats, Ints
from opsroom.simulator.prometheus.labels import NAME
from opsroom.simulator.prometheus.tsdb import Tsdb


@dataclass(frozen=True, slots=True)
class Shape:
    """One series that every target has: metric name, type word, the job that exposes it, its extra labels."""

    name: str
    kind: str
    job: str
    labels: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Target:
    """One pod as exporters see it. `instances` names the scraped endpoint by job."""

    namespace: str
    pod: str
    instances: Mapping[str, str]

    def labels(self, shape: Shape) -> dict[str, str]:
        """The full label set of one of its series."""
        return {
            NAME: shape.name,
            "job": shape.job,
            "instance": self.instances.get(shape.job, ""),
            "namespace": self.namespace,
            "pod": self.pod,
            **dict(shape.labels),
        }


@dataclass(frozen=True, slots=True)
class Exposed:
    """Everything exposed at one moment: `values` [P, K] for P targets and K shapes; `present` [P, K]."""

    shapes: tuple[Shape, ...]
    targets: tuple[Target, ...]
    values: Floats
    present: Bools

    def samples(self) -> Iterator[tuple[Shape, Target, float]]:
        """Every present cell, shape by shape (the order of the text format)."""
        for k, shape in enumerate(self.shapes):
            for p, target in enumerate(self.targets):
                if self.present[p, k]:
                    yield shape, target, float(self.values[p, k])


class Scraper:
    """Writes what is exposed into the store and keeps the last scrape for the text format and `targets`."""

    def __init__(self, tsdb: Tsdb) -> None:
        self._tsdb = tsdb
        self._ids: dict[tuple[str, str], Ints] = {}
        self.last: Exposed | None = None
        self.last_time: float = 0.0

    def scrape(self, now: float, exposed: Exposed) -> None:
        """One scrape of all targets at `now` (seconds); targets that are not there any more become stale.

        A scrape that is not newer than the last (a clock was set back) is dropped, as Prometheus drops such samples.
        """
        newest = self._tsdb.newest_time
        if newest is not None and now <= newest:
            return
        rows = [self._series(target, exposed.shapes) for target in exposed.targets]
        ids = np.stack(rows) if rows else np.zeros((0, len(exposed.shapes)), dtype=np.int64)
        self._tsdb.scrape(ids[exposed.present], now, exposed.values[exposed.present])
        gone = self._ids.keys() - {(target.namespace, target.pod) for target in exposed.targets}
        for key in gone:
            self._tsdb.release(self._ids.pop(key))
        self.last, self.last_time = exposed, now

    def _series(self, target: Target, shapes: tuple[Shape, ...]) -> Ints:
        key = (target.namespace, target.pod)
        ids = self._ids.get(key)
        if ids is None:
            numbers = [self._tsdb.series(target.labels(shape)) for shape in shapes]
            ids = self._ids[key] = np.array(numbers, dtype=np.int64)
        return ids
