"""``worker``, ``sim``, ``judge`` and ``learn``: the processes without a screen.

The worker's number libraries read their thread counts once, when they are imported, so the variables are set here,
before anything else of the worker is: one BLAS thread beside a person's keys, and no more.
"""

from __future__ import annotations

import argparse
import os
import sys
from typing import TYPE_CHECKING

from opsroom.errors import OpsroomError

if TYPE_CHECKING:
    from opsroom.config.settings import Settings

THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS")


def run(arguments: argparse.Namespace) -> int:
    """Run the process the command names until it is stopped."""
    for name in THREADS:
        os.environ.setdefault(name, "1")
    if arguments.command == "sim":
        return _simulator(arguments)
    if arguments.command == "learn":
        return _learn(arguments)
    return _judge() if arguments.command == "judge" else _worker(arguments)


def _simulator(arguments: argparse.Namespace) -> int:
    from opsroom.simulator.main import main

    words = ["--seed", str(arguments.seed), "--services", str(arguments.services)]
    words += ["--change-rate", str(arguments.change_rate)]
    words += ["--port-kube", str(arguments.port_kube), "--port-prometheus", str(arguments.port_prometheus)]
    words += ["--truth", arguments.truth] if arguments.truth else []
    words += ["--gates", arguments.gates] if arguments.gates else []
    words += ["--hold"] if arguments.hold else []
    words += ["--wave", str(arguments.wave)] if arguments.wave is not None else []
    words += ["--dir", arguments.dir] if arguments.dir else []
    words += ["--die-with-parent"] if arguments.die_with_parent else []
    return main(words)


def _judge() -> int:
    from opsroom.analysis.protocol import run_judge

    return run_judge(sys.stdin.buffer, sys.stdout.buffer)


def _learn(arguments: argparse.Namespace) -> int:
    from pathlib import Path

    from opsroom.analysis.learn import run_learn

    out = Path(arguments.out) if arguments.out else None
    try:
        return run_learn([Path(file) for file in arguments.files], out, sys.stdout)
    except OSError as error:
        raise OpsroomError(f"{error.filename} cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise OpsroomError(f"cannot learn: {error}", "See opsroom learn --help for the files' form") from error


def _worker(arguments: argparse.Namespace) -> int:
    import asyncio
    from pathlib import Path

    from opsroom.cli.options import settings_for
    from opsroom.cli.own_worker import identity
    from opsroom.config import paths
    from opsroom.config.lock import locked
    from opsroom.worker.main import WorkerOptions, run_worker

    settings = settings_for(arguments)
    key = arguments.own or identity(settings)
    options = WorkerOptions(
        settings=settings,
        mode=arguments.mode,
        listen=arguments.listen or f"unix:{paths.worker_socket(key)}",
        gates=arguments.gates or "",
        group=arguments.group or "",
        tls=Path(arguments.tls) if arguments.tls else None,
        linger=arguments.linger,
        die_with_parent=arguments.die_with_parent,
    )
    if arguments.listen and not arguments.own:
        return asyncio.run(run_worker(options, opened=lambda address: _say_hello(settings, arguments.mode, address)))
    with locked(Path(paths.worker_lock(key))) as mine:
        if not mine:
            ends = "One that a board or command began ends a minute after the last of them"
            other = "; beside it, give this one an address of its own: --listen unix:PATH"
            where = f"a worker of yours already looks at this context and answers at {options.listen}"
            raise OpsroomError(where, ends + other)
        # The last words of an own worker's log explain why it ended: only a person's worker greets.
        greet = None if arguments.own else lambda address: _say_hello(settings, arguments.mode, address)
        return asyncio.run(run_worker(options, opened=greet))


def _say_hello(settings: Settings, mode: str, address: str) -> None:
    """One line on standard error: what it looks at, what it may do, where it is read, and how it ends."""
    from opsroom.cli.own_worker import current_context, kubeconfigs

    here = "the current context" if any(file.exists() for file in kubeconfigs(settings)) else "the cluster around it"
    context = settings.context or current_context(settings) or here
    spaces = ", ".join(settings.namespaces) or "all namespaces"
    may = "observe (read-only)" if settings.read_only else mode
    sys.stderr.write(f"opsroom worker: {context}, {spaces}; mode {may}; feed at {address}; ctrl+c ends it\n")
    sys.stderr.flush()
