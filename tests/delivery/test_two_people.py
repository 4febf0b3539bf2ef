"""Two people for one roll forward: the first approves, another one acts, nobody counts twice, roll back needs one."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import msgspec
import pytest

from opsroom.delivery import shared
from opsroom.delivery.act import Setting, run_deed
from opsroom.delivery.hands import Hands
from opsroom.domain.approval import APPROVAL_SECONDS, Approval
from opsroom.domain.deed import Deed, DeedState, Effect, Intent, Refusal, Verb
from opsroom.errors import NotPermitted
from opsroom.kube.access import whoami
from opsroom.kube.reader import Reader
from opsroom.kube.writer import Writer

Sim = Any
DONE = DeedState.DONE


@pytest.fixture
def two(sim: Sim) -> Sim:
    """``cart`` with v2 at the first pause, and two operators whom the API server knows apart."""
    sim.rollout()
    sim.set_image("rollouts", "cart", "registry/app:v2")
    sim.cluster.pass_time(30)
    for name in ("ada", "bob"):
        sim.auth.add(f"token-of-{name}", name, groups=("system:masters",))
    return sim


def does(sim: Sim, who: str, intent: Intent) -> tuple[int, Deed]:
    """Exit code and last state of ``intent`` with the credentials of ``who``; nobody (empty) is not told apart."""
    told: list[Deed] = []

    async def connect() -> Hands:
        connection = sim.connect(f"token-of-{who}") if who else sim.connect()
        writer = Writer(connection)
        hands: Hands = sim.hands(user=await whoami(writer) if who else "")
        return replace(hands, reader=Reader(connection), writer=writer)

    setting = Setting(connect=connect, emit=told.append, now=sim.clock)
    return sim.run(run_deed(intent, setting)), told[-1]


def promotion(sim: Sim, verb: Verb = Verb.PROMOTE, **changes: Any) -> Intent:
    """What a board asks for; whom it believes to sit there must not matter."""
    made: Intent = sim.intent(verb, two_people=True, actor="whoever", **changes)
    return made


def step(sim: Sim) -> int:
    return int(sim.get("rollouts", "cart")["status"]["currentStepIndex"])


def approved(sim: Sim) -> dict[str, Approval]:
    found: dict[str, Approval] = sim.run(shared.read_approved(sim.reader))
    return found


def test_the_first_approves_and_the_second_acts(two: Sim) -> None:
    intent, before = promotion(two), step(two)
    code, first = does(two, "ada", intent)
    assert (code, first.state, first.effect) == (3, DONE, Effect.MARK)
    assert (first.intent.verb, first.intent.approves, first.intent.actor) == (Verb.APPROVE, Verb.PROMOTE, "ada")
    assert step(two) == before, "an approval moves nothing"
    assert approved(two)[intent.target.uid].by == "ada"
    code, second = does(two, "bob", promotion(two))
    assert (code, second.state, second.effect) == (0, DONE, Effect.NEXT_STEP)
    assert (second.intent.actor, second.intent.approved_by) == ("bob", "ada")
    assert step(two) > before
    assert two.journal.states == ["journalled", "done"] * 2


def test_nobody_is_both_people_however_often_they_press(two: Sim) -> None:
    before = step(two)
    does(two, "ada", promotion(two))
    for _ in range(3):
        code, deed = does(two, "ada", promotion(two))
        assert (code, deed.state, deed.refusal) == (1, DeedState.REFUSED, Refusal.SAME_PERSON)
    assert step(two) == before


def test_each_step_needs_two_people_again(two: Sim) -> None:
    does(two, "ada", promotion(two))
    does(two, "bob", promotion(two))
    two.cluster.pass_time(30)
    again = step(two)
    for who in ("ada", "bob"):
        code, deed = does(two, who, promotion(two))
        if who == "ada":
            assert (code, deed.intent.verb) == (3, Verb.APPROVE), "the approval of the former step is for nothing"
            assert step(two) == again
    assert (deed.state, deed.intent.verb) == (DONE, Verb.PROMOTE)


def test_an_approval_of_one_step_is_none_of_all_steps(two: Sim) -> None:
    does(two, "ada", promotion(two))
    code, deed = does(two, "bob", promotion(two, Verb.PROMOTE_FULLY))
    assert (code, deed.intent.verb, deed.intent.approves) == (3, Verb.APPROVE, Verb.PROMOTE_FULLY)


def test_an_old_approval_is_for_nothing(two: Sim) -> None:
    does(two, "ada", promotion(two))
    two.cluster.pass_time(APPROVAL_SECONDS + 60)
    code, deed = does(two, "bob", promotion(two))
    assert (code, deed.intent.verb) == (3, Verb.APPROVE)


def test_roll_back_never_needs_two(two: Sim) -> None:
    code, deed = does(two, "ada", promotion(two, Verb.ROLL_BACK))
    assert (code, deed.state, deed.effect) == (0, DONE, Effect.ABORT)
    assert approved(two) == {}


def test_who_cannot_be_told_apart_is_refused(two: Sim) -> None:
    code, deed = does(two, "", promotion(two))
    assert (code, deed.refusal) == (1, Refusal.UNNAMED)
    assert approved(two) == {}


def test_nothing_is_approved_that_could_not_be_done(two: Sim) -> None:
    stale = promotion(two)
    two.set_image("rollouts", "cart", "registry/app:v3")
    two.cluster.pass_time(30)
    code, deed = does(two, "ada", stale)
    assert (code, deed.refusal) == (1, Refusal.CHANGED)
    assert approved(two) == {}


def _somebody_elses(two: Sim, intent: Intent) -> Callable[[str], None]:
    def write(_path: str) -> None:
        seen = intent.precondition
        mark = Approval(by="bob", at=two.clock(), hash=seen.canary_hash, step=seen.step)
        data = {intent.target.uid: msgspec.json.encode(mark).decode()}
        metadata = {"name": shared.APPROVED, "namespace": "opsroom"}
        two.cluster.store.create("configmaps", {"metadata": metadata, "data": data}, namespace="opsroom", manager="bob")

    return write


def test_two_who_approve_at_once_leave_one_approval_and_nothing_is_done(two: Sim) -> None:
    intent, before = promotion(two), step(two)
    prepared = two.hands(user="ada")
    two.writer.before.append(_somebody_elses(two, intent))

    async def both() -> list[Deed]:
        from opsroom.delivery.deliver import carry_out
        from opsroom.delivery.hands import Prepared
        from opsroom.delivery.prepare import prepare

        ready = await prepare(intent, prepared)
        assert isinstance(ready, Prepared)
        return [deed async for deed in carry_out(ready, prepared)]

    last = asyncio.run(both())[-1]
    assert (last.state, last.intent.verb) == (DONE, Verb.APPROVE)
    assert len(approved(two)) == 1
    assert step(two) == before


def test_without_the_right_to_approve_nothing_is_done(two: Sim) -> None:
    def no(_path: str) -> None:
        raise NotPermitted("configmaps is forbidden")

    intent, before, hands = promotion(two), step(two), two.hands(user="ada")
    two.writer.before.append(no)

    async def one() -> list[Deed]:
        from opsroom.delivery.deliver import carry_out
        from opsroom.delivery.hands import Prepared
        from opsroom.delivery.prepare import prepare

        ready = await prepare(intent, hands)
        assert isinstance(ready, Prepared)
        return [deed async for deed in carry_out(ready, hands)]

    deed = asyncio.run(one())[-1]
    assert (deed.state, deed.refusal) == (DeedState.REFUSED, Refusal.NO_RIGHT)
    assert step(two) == before


def test_a_foreign_name_in_the_map_cannot_write_on_the_terminal(two: Sim) -> None:
    bad = msgspec.json.encode(Approval(by="ada\x1b]52;c;aGk=\x07", at=1.0, hash="h")).decode()
    two.run(shared.write_map(two.writer, shared.APPROVED, {"u": bad, "odd": "{not json"}))
    assert approved(two)["u"].by.isprintable()
    assert "odd" not in approved(two)
