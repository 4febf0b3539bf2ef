"""What one step of the worker costs beside the queries: judge, decide, publish, encode. Figures only.

Run by hand: ``python -m pytest -s tests/bench/bench_worker.py``. Each size is a process of its own, with one BLAS
thread as the worker has; the samples are noise of the usual size, all steps new (the worst case for the feed).
"""

from __future__ import annotations

import asyncio
import os
import resource
import subprocess
import sys
import time
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import pytest

from opsroom.analysis.judge import Judge
from opsroom.domain.board import Happening, Mode
from opsroom.domain.freshness import SourceState
from opsroom.domain.marks import Marks
from opsroom.domain.rollout import Engine, Pause, Phase, Revision, Rollout, Shape, Step, StepKind, Uid
from opsroom.feed.published import Published, Viewer
from opsroom.sources.aligned import Aligned, Arms, Look
from opsroom.worker.loop import Loop
from opsroom.worker.outside import Outside
from opsroom.worker.policy import PolicyInForce
from opsroom.worker.quarantine import SharedQuarantine
from opsroom.worker.queueing import Queueing
from opsroom.worker.rights import Rights
from opsroom.worker.sharing import Sharing
from opsroom.worker.standing import Standing

STEPS = 60
ROUNDS = 4

pytestmark = pytest.mark.bench


class StillCluster:
    """A cluster in which every rollout has a running canary and nothing moves."""

    def __init__(self, number: int) -> None:
        self.changed = asyncio.Event()
        self.listed = True
        now = time.time()
        self._rollouts = [
            Rollout(
                uid=Uid(f"uid-{n}"),
                engine=Engine.ARGO,
                shape=Shape.CANARY,
                namespace=f"team-{n % 40}",
                name=f"service-{n}",
                phase=Phase.PAUSED,
                canary=Revision(hash=f"new-{n}", replica_set=f"service-{n}-new", images=("shop:2",)),
                stable=Revision(hash=f"old-{n}", replica_set=f"service-{n}-old", images=("shop:1",)),
                steps=tuple(Step(kind=StepKind.WEIGHT, weight=weight) for weight in (5, 20, 50)),
                step=0,
                pause=Pause(step=True, since=now),
                started=now,
            )
            for n in range(number)
        ]

    def rollouts(self) -> list[Rollout]:
        return self._rollouts

    def marks(self, uid: Uid) -> Marks:
        return Marks()

    def happenings(self, uid: Uid) -> tuple[Happening, ...]:
        return ()

    def services(self, uid: Uid) -> tuple[str, str]:
        return "", ""

    def states(self) -> tuple[SourceState, ...]:
        return (SourceState(name="kube", interval=10.0, at=time.time()),)


class NoisyMetrics:
    """New samples for all steps at each look."""

    def __init__(self) -> None:
        self._random = np.random.default_rng(7)
        self._looks = 0

    async def fetch(self, rollouts: Sequence[Rollout], look: Look) -> Aligned:
        self._looks += 1
        size, step = (len(rollouts), STEPS), look.step

        def noise(middle: float, spread: float) -> Arms:
            one, two = (middle * np.exp(spread * self._random.standard_normal(size)) for _ in range(2))
            return one, two

        requests = (np.full(size, 1000.0), np.full(size, 100.0))
        errors = (self._random.poisson(1.0, size).astype(float), self._random.poisson(0.1, size).astype(float))
        return Aligned(
            uids=tuple(str(rollout.uid) for rollout in rollouts),
            times=np.arange(STEPS, dtype=np.float64) * step + self._looks * step,
            step=step,
            metrics={
                "latency_p99": noise(200.0, 0.1),
                "latency_p50": noise(50.0, 0.1),
                "error_rate": (errors[0] / 1000.0, errors[1] / 100.0),
                "cpu_usage": noise(0.3, 0.1),
                "memory_bytes": noise(1e8, 0.01),
                "restarts": (np.zeros(size), np.zeros(size)),
            },
            requests=requests,
            errors=errors,
            started=np.zeros(len(rollouts), dtype=np.int64),
            quantile_steps=2.0,
            concurrent=np.ones(len(rollouts), dtype=np.bool_),
        )

    def states(self) -> tuple[SourceState, ...]:
        return (SourceState(name="prometheus", interval=10.0, at=time.time()),)

    async def aclose(self) -> None:
        return


async def rounds(number: int) -> None:
    """Print the CPU seconds of each part, round by round."""
    outside = Outside("", "", (), mode=Mode.OBSERVE, read_only=True)
    outside.cluster = StillCluster(number)  # type: ignore[assignment]
    outside.ready.set()
    published = Published()
    sharing, standing = Sharing(outside, time.time), Standing(outside)
    loop = Loop(
        outside,
        PolicyInForce(None),
        published,
        Rights(time.monotonic),
        sharing,
        Queueing(outside, sharing, standing, SharedQuarantine(outside, standing), lambda intent: None),
        mode=Mode.OBSERVE,
        read_only=True,
        namespaces=(),
        act=lambda decision, rollout, verdict: None,
        decided=lambda decision, rollout: None,
    )
    loop.tick()
    metrics, judge, seen = NoisyMetrics(), Judge(), 0
    for _ in range(ROUNDS):
        marks = [time.process_time()]
        await loop.measuring.once(metrics, judge)
        marks.append(time.process_time())
        loop.tick()
        marks.append(time.process_time())
        frames, seen = published.frames_since(seen, Viewer()), published.seq
        marks.append(time.process_time())
        judged, ticked, encoded = (after - before for before, after in pairwise(marks))
        size = sum(map(len, frames)) / 1e6
        print(f"{number:6} judge {judged:.3f} s  tick {ticked:.3f} s  encode {encoded:.3f} s  {size:.1f} MB")  # noqa: T201
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{number:6} peak {peak:.0f} MiB")  # noqa: T201


@pytest.mark.parametrize("number", [100, 1000, 3000])
def test_one_step(number: int) -> None:
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    subprocess.run([sys.executable, __file__, str(number)], env=environment, check=True, timeout=100)


if __name__ == "__main__":
    asyncio.run(rounds(int(sys.argv[1])))
