"""A simulated world for the trials of one fault at a time."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.faults.stage import Sim, start_sim


@pytest.fixture(scope="session")
def quiet_sim(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sim]:
    """A world in which nobody decides."""
    sim = start_sim(tmp_path_factory.mktemp("sim"), seed=7, services=40, change_rate=1000.0)
    yield sim
    sim.stop()
