"""What `opsroom sim` starts: the simulated world on two loopback ports, until it is told to end.

One process and one event loop: the API server, the Prometheus, the controllers and the traffic. It prints
`KUBECONFIG=…`, `PROMETHEUS_URL=…` and the same as `OPSROOM_PROMETHEUS=…`, which opsroom reads, once both answer, and
leaves nothing behind. The heavy imports come after the arguments are known to be right.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Sequence


def parser() -> argparse.ArgumentParser:
    """The command line."""
    made = argparse.ArgumentParser(prog="opsroom sim", description="A simulated cluster with its Prometheus.")
    made.add_argument("--seed", type=int, default=7, metavar="N", help="which world (default %(default)s)")
    made.add_argument(
        "--services", type=_between(1, 10_000), default=12, metavar="N", help="how many services (default 12)"
    )
    made.add_argument(
        "--change-rate", type=_percent, default=100.0, metavar="PERCENT", help="how often they deploy (default 100)"
    )
    made.add_argument("--truth", metavar="FILE", help="write which versions are bad, for graders only")
    made.add_argument("--port-kube", type=_between(0, 65535), default=0, metavar="PORT", help="0 takes a free one")
    made.add_argument(
        "--port-prometheus", type=_between(0, 65535), default=0, metavar="PORT", help="0 takes a free one"
    )
    made.add_argument(
        "--gates", default="", metavar="URL", help="what answers the gates of Flagger Canaries (default: no gates)"
    )
    made.add_argument("--hold", action="store_true", help="the hold at admission is in force in every namespace")
    made.add_argument(
        "--wave",
        type=_between(0, 10_000),
        default=0,
        metavar="N",
        help="after a minute the next N releases come at once",
    )
    made.add_argument("--dir", metavar="DIR", help="where the kubeconfig goes (default: a folder that is removed)")
    made.add_argument("--die-with-parent", action="store_true", help="end when the process that started it ends")
    return made


def main(arguments: Sequence[str] | None = None) -> int:
    """Run until SIGTERM, SIGINT or SIGHUP; returns 0, or 1 when it cannot start (with one line on stderr)."""
    parent = os.getppid()  # before anything that takes long: it may die meanwhile
    options = parser().parse_args(arguments)
    import asyncio

    from opsroom.simulator.process import SimulatorOptions, run_simulator

    chosen = SimulatorOptions(
        seed=options.seed,
        services=options.services,
        change_rate=options.change_rate,
        truth=options.truth,
        port_kube=options.port_kube,
        port_prometheus=options.port_prometheus,
        folder=options.dir,
        gates=options.gates,
        hold=options.hold,
        wave=options.wave,
        parent=parent if options.die_with_parent else None,
    )
    try:
        asyncio.run(run_simulator(chosen))
    except OSError as error:
        print(f"opsroom sim: {error}", file=sys.stderr)  # noqa: T201 - this is the command's error channel
        return 1
    return 0


def _between(least: int, most: int) -> Callable[[str], int]:
    def number(text: str) -> int:
        found = int(text)
        if not least <= found <= most:
            raise argparse.ArgumentTypeError(f"between {least} and {most}")
        return found

    return number


def _percent(text: str) -> float:
    number = float(text)
    if not 0 < number <= 10_000:
        raise argparse.ArgumentTypeError("above 0, up to 10000")
    return number
