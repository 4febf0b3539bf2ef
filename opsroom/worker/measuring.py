"""Measuring and judging at the policy's step, beside the ticks: a slow Prometheus never delays what the cluster shows.

What comes of a measurement is laid down with the rollouts; the next tick takes what is newest. It must not know what
is decided on it.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable

from opsroom.clock import awake_or_not
from opsroom.domain.rollout import Uid
from opsroom.errors import OpsroomError
from opsroom.sources.aligned import Look
from opsroom.worker.outside import Outside
from opsroom.worker.policy import PolicyInForce
from opsroom.worker.score import Judging, Metrics, Scored, score
from opsroom.worker.situation import JUDGE, Situation

log = logging.getLogger(__name__)


class Measuring:
    """One worker's measurements."""

    def __init__(
        self,
        outside: Outside,
        policy: PolicyInForce,
        situation: Situation,
        tick: Callable[[], None],
        now: Callable[[], float],
    ) -> None:
        """``tick`` decides on what was measured; ``now`` gives epoch seconds."""
        self._outside = outside
        self._policy = policy
        self._situation = situation
        self._tick = tick
        self._now = now

    async def run(self, metrics: Metrics, judge: Judging) -> None:
        """Measure and judge at each step until cancelled."""
        await self._outside.ready.wait()
        while True:
            step, began = self._policy.policy.step, time.monotonic()
            spent = await self.once(metrics, judge)
            cpu = time.thread_time()
            self._tick()
            self._situation.tally.tick(spent + time.thread_time() - cpu)
            # Aligned to the steps, so that two workers ask for the same ones; a step that was missed is not made up.
            await asyncio.sleep(max(0.1, step - (self._now() % step), began + step / 2 - time.monotonic()))

    async def once(self, metrics: Metrics, judge: Judging) -> float:
        """Measure and judge once, what fails is said in the picture; the seconds of CPU that judging took."""
        situation = self._situation
        running = {uid: course for uid, course in situation.courses.items() if course.rollout.under_way}
        asked = [course.to_measure for course in running.values()]
        changes = {uid: course.change for uid, course in running.items()}
        began = awake_or_not()
        try:
            scores = await score(metrics, judge, asked, self._look())
        except OpsroomError as error:
            situation.metrics_error = str(error)
            return 0.0
        except Exception:
            # A judge that stumbles over one window must not stop the watch; silence turns into UNKNOWN by itself.
            log.exception("measuring failed")
            situation.metrics_error = situation.troubles[JUDGE] = "Judging failed; see the worker's log"
            return 0.0
        situation.troubles.pop(JUDGE, None)
        situation.judged = began
        situation.metrics_error = next((state.error for state in metrics.states() if state.error), "")
        for uid, found in scores.of.items():
            self._take(Uid(uid), found, changes[Uid(uid)])
        return scores.cpu

    def _look(self) -> Look:
        policy, cluster = self._policy.policy, self._outside.cluster
        services = cluster.services if cluster is not None else None
        return Look(self._now(), policy.step, policy.window, services, policy.idle_cpu)

    def _take(self, uid: Uid, found: Scored, change: int) -> None:
        course = self._situation.courses.get(uid)
        # The canary may have been replaced, or begun anew, while its numbers were on their way.
        if course is not None and course.change == change:
            course.judge(found.verdict, found.metrics)
