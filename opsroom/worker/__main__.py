"""``python -m opsroom.worker``: a worker without the command line's comfort, for tests and benches."""

from __future__ import annotations

import os

for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_name, "1")

if __name__ == "__main__":
    import argparse
    import asyncio
    import sys

    from opsroom.config.settings import Prometheus, Settings
    from opsroom.errors import OpsroomError
    from opsroom.worker.main import WorkerOptions, run_worker

    parser = argparse.ArgumentParser(prog="python -m opsroom.worker")
    for _option in ("--kubeconfig", "--context", "--prometheus", "--policy"):
        parser.add_argument(_option, default="")
    parser.add_argument("--listen", required=True)
    parser.add_argument("--mode", default="observe")
    parser.add_argument("--read-only", action="store_true")
    given = parser.parse_args()
    settings = Settings(
        kubeconfig=given.kubeconfig,
        context=given.context,
        policy=given.policy,
        read_only=given.read_only,
        prometheus=Prometheus(url=given.prometheus),
    )
    try:
        sys.exit(asyncio.run(run_worker(WorkerOptions(settings=settings, mode=given.mode, listen=given.listen))))
    except OpsroomError as error:
        sys.stderr.write(f"opsroom: {error}\n")
        sys.exit(error.exit_code)
