"""``opsroom demo``: the control room on a simulated cluster, with or without a screen."""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import signal
import time
from types import FrameType
from typing import NoReturn

from opsroom.cli.board import first_frame, show
from opsroom.cli.world import World
from opsroom.errors import OpsroomError, UsageError

WAVE = 15
"""Deploys that arrive at once after a minute."""


def run(arguments: argparse.Namespace) -> int:
    """Run the demo until the board is quit, or for ``--headless`` seconds."""
    if not 1 <= arguments.services <= 10_000:
        raise UsageError("--services takes a number from 1 to 10000", "For example: opsroom demo --services 12")
    if not 0 < arguments.change_rate <= 10_000:
        raise UsageError("--change-rate takes a percentage above 0", "For example: opsroom demo --change-rate 200")
    if arguments.wave is not None and not 0 <= arguments.wave <= 10_000:
        raise UsageError("--wave takes a number from 0 to 10000", "For example: opsroom demo --wave 15")
    headless = arguments.headless is not None
    if headless and not 0 < arguments.headless <= 86_400:
        raise UsageError("--headless takes seconds, up to a day", "For example: opsroom demo --headless 150")
    with contextlib.nullcontext() if headless else first_frame("demo"):
        return _run(arguments, headless)


def _run(arguments: argparse.Namespace, headless: bool) -> int:
    world = World(
        seed=arguments.seed,
        services=arguments.services,
        change_rate=arguments.change_rate,
        wave=WAVE if arguments.wave is None else arguments.wave,
        policy=getattr(arguments, "policy", None) or "",
        truth=headless,
    )
    try:
        return _headless(world, arguments.headless) if headless else _board(world, arguments.record)
    finally:
        world.stop()
        world.remove()


def _board(world: World, record: str | None) -> int:
    os.environ.update(world.environment)
    world.start()
    return show(world.address, ["--kubeconfig", str(world.kubeconfig)], record=record, worker=lambda: world.said)


def _headless(world: World, seconds: float) -> int:
    from opsroom.cli.grading import Observer, grade

    def end(number: int, frame: FrameType | None) -> NoReturn:
        raise SystemExit(128 + number)

    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, end)
    world.start()
    observer = Observer(world.address, lambda: world.error)
    observer.watch(time.monotonic() + seconds)
    world.stop()
    if world.error:
        raise OpsroomError(world.error)
    print(json.dumps(grade(observer, world.truth)))  # noqa: T201
    return 0
