"""A worker as a process of its own whose judge finds every canary healthy; for tests that kill it.

``python certain_worker.py KUBECONFIG PROMETHEUS LISTEN POLICY JOURNAL``
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from opsroom.analysis.window import Window
from opsroom.config.settings import Prometheus, Settings
from opsroom.domain.rollout import Uid
from opsroom.domain.verdict import Evidence, Verdict, VerdictState
from opsroom.worker.main import WorkerOptions, run_worker


class Certain:
    """Every canary is healthy."""

    def verdicts(self, window: Window, now: float) -> list[Verdict]:
        evidence = (Evidence(metric="error_rate", harm=0.05, requests=1000.0, steps=9),)
        return [
            Verdict(uid=Uid(uid), at=now, state=VerdictState.HEALTHY, score=0.05, steps=9, evidence=evidence)
            for uid in window.uids
        ]


def main() -> int:
    kubeconfig, prometheus, listen, policy, journal = sys.argv[1:]
    settings = Settings(kubeconfig=kubeconfig, policy=policy, prometheus=Prometheus(url=prometheus))
    options = WorkerOptions(
        settings=settings, mode="auto", listen=listen, nice=0, journal=Path(journal), die_with_parent=True
    )
    return asyncio.run(run_worker(options, judge=Certain()))


if __name__ == "__main__":
    raise SystemExit(main())
