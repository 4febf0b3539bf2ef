"""One seed gives one world in every process: Python's own order of sets must not reach the traffic."""

from __future__ import annotations

import os
import subprocess
import sys

PROGRAM = """
import hashlib
from opsroom.simulator.world.world import World
world = World(7, 12, 300.0, 1_800_000_000.0)
for second in range(12):
    world.clock.move(1_800_000_000.0 + second)
    world.tick()
exposed = world.scraper.last
told = [(target.namespace, target.pod) for target in exposed.targets]
print(hashlib.sha256(repr((told, exposed.values.tolist(), world.store.rv)).encode()).hexdigest())
"""


def seen_with(hashing: str) -> str:
    environment = {**os.environ, "PYTHONHASHSEED": hashing}
    done = subprocess.run([sys.executable, "-c", PROGRAM], env=environment, capture_output=True, text=True, check=True)
    return done.stdout


def test_two_processes_make_the_same_objects_and_the_same_samples() -> None:
    first = seen_with("1")
    assert first
    assert seen_with("2") == first
