"""Quarantine: entries of rollouts that were deleted do not stay for ever, and those that are only unseen do."""

from __future__ import annotations

import asyncio
import math
from types import SimpleNamespace
from typing import Any

import pytest

from opsroom.control.memory import Memory
from opsroom.domain.board import Mode
from opsroom.domain.quarantine import Quarantined
from opsroom.domain.rollout import Engine, Phase, Rollout, Shape, Uid
from opsroom.worker import quarantine as module
from opsroom.worker.course import Course
from opsroom.worker.outside import Outside
from opsroom.worker.quarantine import GONE_SECONDS, SharedQuarantine
from opsroom.worker.situation import Situation
from opsroom.worker.standing import NEEDED, Standing

NOW = 1_750_000_000.0


class Room:
    """A decider, of which only the quarantine works; ``written`` are its writes."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *namespaces: str) -> None:
        self.outside = Outside("", "", (), mode=Mode.AUTO, read_only=False)
        self.outside.lease = SimpleNamespace(held=True, transitions=3)  # type: ignore[assignment]
        self.outside.writer = SimpleNamespace()  # type: ignore[assignment]
        self.cluster = self.outside.cluster = SimpleNamespace(complete=True)  # type: ignore[assignment]
        self.standing = Standing(self.outside)
        self.standing.counts |= dict.fromkeys(NEEDED, math.inf)
        self.shared = SharedQuarantine(self.outside, self.standing, namespaces)
        self.situation, self.now = Situation(), NOW
        self.written: list[dict[str, Any]] = []

        async def write(_writer: Any, changes: dict[str, Any]) -> None:
            self.written.append(changes)

        monkeypatch.setattr(module, "write_quarantine", write)

    def put(self, uid: str, namespace: str = "shop", *, there: bool = True) -> None:
        entry = Quarantined(hash="bad", at=NOW, rollout=f"{namespace}/{uid}")
        self.standing.quarantine = {**self.standing.quarantine, uid: entry}
        if there:
            rollout = Rollout(
                uid=Uid(uid),
                engine=Engine.ARGO,
                shape=Shape.CANARY,
                namespace=namespace,
                name=uid,
                phase=Phase.HEALTHY,
            )
            self.situation.courses[Uid(uid)] = Course(rollout)

    def look(self, seconds: float = 0.0) -> None:
        self.now += seconds

        async def tick() -> None:
            self.shared.tick(self.situation, self.now)
            for _ in range(3):
                await asyncio.sleep(0)

        asyncio.run(tick())


def test_the_entry_of_a_deleted_rollout_is_dropped_after_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    room = Room(monkeypatch)
    room.put("gone", there=False)
    room.put("there")
    room.look()
    room.look(GONE_SECONDS - 1)
    assert (room.written, set(room.situation.memory.quarantine)) == ([], {"gone", "there"})
    room.look(2.0)
    assert (room.written, set(room.standing.quarantine)) == ([{"gone": None}], {"there"})
    assert set(room.situation.memory.quarantine) == {"there"}


def test_what_was_away_only_for_a_moment_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    room = Room(monkeypatch)
    room.put("cart", there=False)
    room.look()
    room.look(GONE_SECONDS - 1)
    room.put("cart")
    room.look(2.0)
    del room.situation.courses[Uid("cart")]
    room.look(GONE_SECONDS - 1)
    assert room.written == []


def test_an_incomplete_picture_and_another_namespace_prove_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    room = Room(monkeypatch, "shop")
    room.put("elsewhere", "bank", there=False)
    room.put("cart", there=False)
    room.look()
    room.cluster.complete = False
    room.look(GONE_SECONDS + 1)
    room.cluster.complete = True
    room.look()
    assert room.written == []
    room.look(GONE_SECONDS + 1)
    assert room.written == [{"cart": None}]
    assert set(room.situation.memory.quarantine) == {"elsewhere"}


def test_our_own_entry_of_a_deleted_rollout_is_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    room = Room(monkeypatch)
    room.situation.memory = Memory(quarantine={Uid("mine"): Quarantined(hash="bad", at=NOW)})
    room.look()
    room.look(GONE_SECONDS + 1)
    assert (room.situation.memory.quarantine, room.written) == ({}, [])


def test_entries_of_others_are_not_lifted_by_a_decider_that_has_yet_to_read_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    room = Room(monkeypatch)
    room.standing.counts.pop("quarantine")
    room.look()
    room.put("cart")
    room.standing.counts["quarantine"] = math.inf
    room.look(60.0)
    assert room.written == []
    assert set(room.situation.memory.quarantine) == {"cart"}


def test_an_entry_that_cannot_be_read_is_told_and_left_to_a_person(monkeypatch: pytest.MonkeyPatch) -> None:
    room = Room(monkeypatch)
    room.put("cart")
    corrected = room.standing.quarantine
    for by_hand in ({}, corrected):
        room.standing.quarantine = {"cart": Quarantined(hash=None, at=0.0)}
        room.look()
        assert "entries that cannot be read: cart" in room.situation.troubles["quarantine"]
        assert room.situation.memory.quarantine[Uid("cart")].hash is None
        room.standing.quarantine = by_hand
        room.look()
        assert room.situation.troubles == {}
        kept = {str(uid): one.hash for uid, one in room.situation.memory.quarantine.items()}
        assert kept == {uid: one.hash for uid, one in by_hand.items()}
    assert room.written == []


def test_a_clock_set_back_does_not_stop_the_writing(monkeypatch: pytest.MonkeyPatch) -> None:
    room = Room(monkeypatch)
    room.look()
    for uid in ("cart", "pay"):
        room.situation.memory = Memory(
            quarantine={**room.situation.memory.quarantine, Uid(uid): Quarantined(hash="bad", at=NOW)}
        )
        room.put(uid)
        room.standing.quarantine = {one: told for one, told in room.standing.quarantine.items() if one != uid}
        room.look(-3600.0)
    assert [set(changes) for changes in room.written] == [{"cart"}, {"pay"}]
