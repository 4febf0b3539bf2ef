"""Taking a flag: one key of a shared map, by anybody who may write that map and nothing else."""

from __future__ import annotations

from typing import Any

import msgspec

from opsroom.delivery import shared
from opsroom.domain.deed import DeedState, Effect, Refusal, Verb
from opsroom.errors import NotPermitted, OutcomeUnknown

Sim = Any


async def acknowledged(writer: Any, uid: str, mark: shared.Acknowledgement) -> None:
    """Somebody took a flag."""
    await shared.write_map(writer, shared.ACKNOWLEDGED, {uid: msgspec.json.encode(mark).decode()})


START = 30


def taken(sim: Sim) -> dict[str, shared.Acknowledgement]:
    found: dict[str, shared.Acknowledgement] = sim.run(shared.read_acknowledged(sim.reader))
    return found


def canary(sim: Sim) -> None:
    sim.rollout()
    sim.set_image("rollouts", "cart", "registry/app:v2")
    sim.cluster.pass_time(START)


def test_the_first_to_take_a_flag_makes_the_map_and_others_see_who_it_was(sim: Sim) -> None:
    canary(sim)
    intent = sim.intent(Verb.ACKNOWLEDGE)
    deeds = sim.run(sim.deliver(intent))
    assert (deeds[-1].state, deeds[-1].effect) == (DeedState.DONE, Effect.MARK)
    mark = taken(sim)[intent.target.uid]
    assert (mark.by, mark.at, mark.hash) == ("ada", intent.at, intent.precondition.canary_hash)
    assert sim.journal.states == ["journalled", "done"]


def test_two_people_take_two_flags_at_once(sim: Sim) -> None:
    canary(sim)
    sim.rollout("other")
    sim.run(acknowledged(sim.writer, "before", shared.Acknowledgement(by="bo", at=sim.clock(), hash="h")))
    other = sim.intent(Verb.ACKNOWLEDGE, "other", actor="eve")
    mark = shared.Acknowledgement(by="eve", at=1.0, hash="x")
    sim.writer.before.append(
        lambda _path: sim.cluster.store.replace(
            "configmaps",
            {
                **sim.cluster.store.get("configmaps", "opsroom", shared.ACKNOWLEDGED),
                "data": {"before": "kept", other.target.uid: msgspec.json.encode(mark).decode()},
            },
            manager="eve",
        )
    )
    assert sim.run(sim.deliver(sim.intent(Verb.ACKNOWLEDGE)))[-1].state is DeedState.DONE
    assert {one.by for one in taken(sim).values()} == {"ada", "eve"}


def test_whoever_takes_one_clears_what_is_a_week_old_and_leaves_what_it_cannot_read(sim: Sim) -> None:
    canary(sim)
    for uid, age in (("old", 8 * 86400), ("young", 3600)):
        mark = shared.Acknowledgement(by="bo", at=sim.clock() - age, hash="h")
        sim.run(acknowledged(sim.writer, uid, mark))
    sim.run(shared.write_map(sim.writer, shared.ACKNOWLEDGED, {"odd": "{not json"}))
    intent = sim.intent(Verb.ACKNOWLEDGE)
    sim.run(sim.deliver(intent))
    data = sim.cluster.store.get("configmaps", "opsroom", shared.ACKNOWLEDGED)["data"]
    assert set(data) == {"young", "odd", intent.target.uid}


def test_without_the_right_it_is_refused_and_says_so(sim: Sim) -> None:
    canary(sim)

    def no(_path: str) -> None:
        raise NotPermitted("configmaps is forbidden")

    sim.writer.before.append(no)
    deed = sim.run(sim.deliver(sim.intent(Verb.ACKNOWLEDGE)))[-1]
    assert (deed.state, deed.refusal) == (DeedState.REFUSED, Refusal.NO_RIGHT)


def test_an_answer_that_never_came_is_looked_for(sim: Sim) -> None:
    canary(sim)
    sim.run(shared.write_map(sim.writer, shared.ACKNOWLEDGED, {"odd": "x"}))

    def lost(_path: str) -> None:
        raise OutcomeUnknown("no answer")

    sim.writer.after.append(lost)
    states = [deed.state for deed in sim.run(sim.deliver(sim.intent(Verb.ACKNOWLEDGE)))]
    assert states[-2:] == [DeedState.UNKNOWN, DeedState.DONE]
