"""One short soak in every run of the suite; any length by hand: ``python -m tests.faults.soak --seconds N``."""

from __future__ import annotations

import asyncio
from pathlib import Path

import msgspec
import pytest

from tests.faults.soak import Soak
from tests.faults.weather import Blow, Side, schedule

SECONDS = 45.0
SEED = 5
DEEDS = 2

OVERTIME = 150.0
"""Seconds of fair weather that a slow machine may add until there was something to do."""


@pytest.mark.timeout(400)
def test_nothing_that_must_never_happen_happens_in_a_storm(tmp_path: Path) -> None:
    plan = schedule(SEED, SECONDS)
    # Whatever the seed draws: the holder stands still for longer than its Lease, and a disk is full. Whatever a full
    # disk refused waits for a person, so it comes last.
    blows = (Blow(what="stop", at=9.0, seconds=21.0), Blow(what="full", at=36.0, seconds=4.5, deeds=DEEDS))
    # Nothing is promoted while a metric is not answered: leave some time in which there is something to do.
    faults = tuple(fault for fault in plan.faults if fault.side is not Side.PROMETHEUS or fault.begin > 30.0)
    plan = msgspec.structs.replace(plan, blows=blows, faults=faults)
    run = Soak(plan, tmp_path, rivals=True, services=24, rate=600.0, deeds=DEEDS, overtime=OVERTIME, punctual=False)
    result = asyncio.run(run.run())
    assert result.wrong == [], msgspec.json.encode((plan, result)).decode()
    assert sum(result.deeds.values()) >= DEEDS, "a trial without deeds proves nothing"
    assert all(watcher.well for watcher in run.watchers), "a source is not well again after the storm"
    assert sum(result.faults.values()) >= 5
    assert result.blows == {"stop": 1, "full": 1}
