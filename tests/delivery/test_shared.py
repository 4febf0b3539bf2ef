"""Freeze, acknowledgement, the queue's switch and the decider's mark."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from opsroom.delivery import shared
from opsroom.domain.board import Freeze
from opsroom.domain.decision import FlagReason
from opsroom.domain.marks import VerdictMark, read_marks, standing_flag
from opsroom.domain.rollout import Engine, Phase, Rollout, Shape, Uid
from opsroom.errors import Conflict

Sim = Any


async def acknowledged(writer: Any, uid: str, mark: shared.Acknowledgement) -> None:
    """Somebody took a flag."""
    await shared.write_map(writer, shared.ACKNOWLEDGED, {uid: msgspec.json.encode(mark).decode()})


def test_a_freeze_stands_for_everybody_until_the_thaw(sim: Sim) -> None:
    assert sim.run(shared.read_freeze(sim.reader)) is None
    sim.run(shared.freeze(sim.writer, "ada", "incident 7", sim.clock))
    assert sim.run(shared.read_freeze(sim.reader)) == Freeze(by="ada", since=sim.clock(), reason="incident 7")
    assert sim.run(shared.thaw(sim.writer)) is True
    assert sim.run(shared.read_freeze(sim.reader)) is None
    assert sim.run(shared.thaw(sim.writer)) is False


def test_a_second_freeze_keeps_who_was_first_and_every_reason(sim: Sim) -> None:
    sim.run(shared.freeze(sim.writer, "ada", "incident 7", sim.clock))
    first = sim.run(shared.read_freeze(sim.reader))
    for _ in range(2):
        sim.run(shared.freeze_too(sim.writer, sim.run(shared.read_freeze(sim.reader)), "kim", "database full"))
    sim.run(shared.freeze_too(sim.writer, sim.run(shared.read_freeze(sim.reader)), "ali", ""))
    both = sim.run(shared.read_freeze(sim.reader))
    assert both == Freeze(by="ada", since=first.since, reason="incident 7; kim: database full")


def test_a_freeze_that_cannot_be_read_still_freezes(sim: Sim) -> None:
    sim.run(shared.write_map(sim.writer, shared.FREEZE, {"since": "yesterday"}))
    assert sim.run(shared.read_freeze(sim.reader)) == Freeze(by="", since=0.0)


def test_the_queue_is_switched_by_the_maps_existence(sim: Sim) -> None:
    sim.run(shared.queue_on(sim.writer))
    assert sim.cluster.store.get("configmaps", "opsroom", "opsroom-hold")["data"] == {"mode": "hold"}
    assert sim.run(shared.queue_off(sim.writer)) is True
    assert sim.cluster.store.get("configmaps", "opsroom", "opsroom-hold") is None


def test_acknowledgements_are_kept_by_uid_and_broken_ones_passed_over(sim: Sim) -> None:
    mark = shared.Acknowledgement(by="ada", at=5.0, hash="abc")
    sim.run(acknowledged(sim.writer, "u1", mark))
    sim.run(shared.write_map(sim.writer, shared.ACKNOWLEDGED, {"u2": "nonsense"}))
    assert sim.run(shared.read_acknowledged(sim.reader)) == {"u1": mark}


def test_who_acknowledged_cannot_write_on_the_terminal(sim: Sim) -> None:
    sim.run(acknowledged(sim.writer, "u1", shared.Acknowledgement(by="eve\x1b]52;c;eA==\x07", at=1.0, hash="h")))
    assert sim.run(shared.read_acknowledged(sim.reader))["u1"].by.isprintable()


def test_the_deciders_mark_is_written_on_change_only_and_never_over_a_change(sim: Sim) -> None:
    sim.rollout()
    raw = sim.get("rollouts", "cart")
    rollout = Rollout(
        uid=Uid(raw["metadata"]["uid"]),
        engine=Engine.ARGO,
        shape=Shape.CANARY,
        namespace="shop",
        name="cart",
        phase=Phase.PAUSED,
        resource_version=raw["metadata"]["resourceVersion"],
    )
    mark = VerdictMark(hash="h", outcome="flag", flag=FlagReason.RAILS, since=3.0, decider="w", transitions=2)
    assert sim.run(shared.write_verdict(sim.writer, rollout, mark, None)) is True
    marks = read_marks(sim.get("rollouts", "cart")["metadata"]["annotations"])
    assert marks.verdict == mark
    flag = standing_flag(marks, "h", 1)
    assert flag is not None
    assert (flag.reason, flag.since) == (FlagReason.RAILS, 3.0)
    assert standing_flag(marks, "another", 1) is None
    assert sim.run(shared.write_verdict(sim.writer, rollout, mark, marks.verdict)) is False
    with pytest.raises(Conflict):
        sim.run(shared.write_verdict(sim.writer, rollout, mark, None))
