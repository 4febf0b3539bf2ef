"""The demo's world says why it ended, whatever ended it: its screen has nothing else to show."""

from __future__ import annotations

import errno
from typing import Any

import pytest

from opsroom.cli import world


def test_a_worker_that_cannot_be_started_is_said_and_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: Any, **__: Any) -> Any:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(world.World, "_start_sim", lambda self: "http://127.0.0.1:9")
    monkeypatch.setattr(world, "start", full)
    made = world.World(seed=1, services=3, change_rate=100.0)
    try:
        made.start()
        made._keeper.join(60)
        assert not made._keeper.is_alive()
        assert "No space left" in made.said
    finally:
        made.stop()
        made.remove()
