"""What the queue remembers: how long services take, when what starts, and what it asked for in vain."""

from __future__ import annotations

import msgspec
import pytest

from opsroom.control.entrant import QueueMemory
from opsroom.domain.queue_policy import QueuePolicy
from opsroom.domain.rollout import Uid
from tests.control.conftest import NOW
from tests.control.queue_door import Door, one


def test_the_forecast_learns_how_long_a_service_takes() -> None:
    door = Door(QueuePolicy(slots=1, typical_seconds=1000.0))
    door.put(one("a", held=False))
    door.look()
    door.put(one("b"))
    door.look(2.0)
    assert door.entry("b").eta_p50 == NOW + 1000.0
    door.end("a")
    door.look(98.0)
    door.put(one("a", held=False, version="next"))
    door.there.pop("b")
    door.look(10.0)
    door.put(one("c"))
    door.look(2.0)
    entry = door.entry("c")
    assert entry.until == door.memory.places[Uid("a")].since + 100.0
    assert entry.eta_p50 == entry.until


def test_positions_and_forecasts_grow_together() -> None:
    door = Door(QueuePolicy(slots=2, typical_seconds=300.0))
    for n in range(8):
        door.put(one(f"s{n}"))
    door.go(door.look())
    door.look(3.0)
    waiting = [entry for entry in door.queue.entries if not entry.running]
    assert [entry.position for entry in waiting] == list(range(6))
    times = [entry.eta_p50 or 0.0 for entry in waiting]
    assert times == sorted(times)
    assert all((entry.eta_p90 or 0.0) >= (entry.eta_p50 or 0.0) for entry in waiting)


def test_memory_survives_its_own_json() -> None:
    door = Door(QueuePolicy(slots=1))
    door.put(one("a", held=False), one("b"))
    door.look()
    assert msgspec.json.decode(msgspec.json.encode(door.memory), type=QueueMemory) == door.memory


@pytest.mark.parametrize("what", ["release", "hold"])
def test_a_clock_set_back_does_not_put_off_what_showed_no_effect(what: str) -> None:
    door = Door(QueuePolicy(slots=1), late=what == "hold")
    door.put(one("old", held=False))
    door.look()
    door.look(40.0)
    if what == "hold":
        door.put(one("new", held=False))
        assert door.look(1.0).hold == ("new",)
        door.look(-3600.0)
        assert door.memory.places[Uid("new")].holding is None
        return
    door.end("old")
    door.put(one("new"))
    assert door.look(1.0).release == ("new",)
    assert door.look(-3600.0).release == ("new",)


def test_lengths_of_services_that_come_and_go_are_not_kept_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("opsroom.control.queue.SERVICES", 2)
    door = Door()
    for uid in ("a", "b", "a", "c"):
        door.put(one(uid, held=False))
        door.look(10.0)
        door.end(uid)
        door.look(10.0)
    assert list(door.memory.lengths) == ["shop/a", "shop/c"]
    assert door.memory.lengths["shop/a"] == (10.0, 10.0)
