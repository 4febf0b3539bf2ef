"""Answers of the gates: a yes only for a decision on exactly this run, never a roll back by accident."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from opsroom.control.gate import EXPIRES, Answer, Asked, answer
from opsroom.domain.deed import Verb
from opsroom.domain.flagger import CanaryPhase, Gate, Plan, Run
from opsroom.domain.marks import GateMark

NOW = 1_800_000_000.0
PLAN = Plan(own=frozenset(Gate), asked=frozenset(gate.value for gate in Gate), weights=(20, 50), interval=10.0)
RUN = Run(plan=PLAN, phase=CanaryPhase.PROGRESSING, weight=20, revision="r2", hash="h2", number=2, since=NOW - 60)


def mark(**changes: Any) -> GateMark:
    made = GateMark(id="i", verb=Verb.PROMOTE, revision="r2", hash="h2", number=2, step=RUN.step, by="kim", at=NOW - 5)
    return msgspec.structs.replace(made, **changes)


def ask(
    gate: Gate = Gate.TRAFFIC, found: GateMark | None = None, *, starts: bool = False, queue: str = "", **run: Any
) -> Answer:
    moved = msgspec.structs.replace(RUN, **run)
    return answer(Asked(gate=gate, run=moved, mark=found, now=NOW, starts=starts, queue=queue))


def test_a_decision_on_this_step_opens_its_gate() -> None:
    assert ask(found=mark()).yes
    assert not ask(found=None).yes


@pytest.mark.parametrize(
    "changes",
    [
        {"revision": "r1"},
        {"hash": "h1"},
        {"number": 1},
        {"step": RUN.step + 2},
        {"at": NOW - EXPIRES - 1},
        {"at": NOW - 200},
        {"verb": Verb.ROLL_BACK},
        {"verb": Verb.HOLD},
    ],
)
def test_a_decision_on_anything_else_opens_nothing(changes: dict[str, Any]) -> None:
    assert not ask(found=mark(**changes)).yes


@pytest.mark.parametrize("verb", [Verb.PROMOTE, Verb.PROMOTE_FULLY, Verb.ROLL_BACK])
def test_under_a_freeze_only_a_persons_decision_counts(verb: Verb) -> None:
    gate = Gate.ROLLBACK if verb is Verb.ROLL_BACK else Gate.TRAFFIC
    for automatic, frozen, yes in ((True, True, False), (True, False, True), (False, True, True)):
        found = mark(verb=verb, automatic=automatic)
        assert answer(Asked(gate=gate, run=RUN, mark=found, now=NOW, frozen=frozen)).yes is yes


def test_a_decision_for_all_steps_opens_each_of_this_run() -> None:
    full = mark(verb=Verb.PROMOTE_FULLY)
    assert ask(found=full, weight=50).yes
    assert ask(Gate.PROMOTION, full, phase=CanaryPhase.WAITING_PROMOTION, weight=0).yes
    assert not ask(found=full, revision="r3").yes


def test_what_is_held_goes_nowhere_but_back() -> None:
    assert not ask(found=mark(), held=True).yes
    assert ask(Gate.ROLLBACK, mark(verb=Verb.ROLL_BACK), held=True).yes


def test_before_the_start_the_template_counts() -> None:
    waiting: dict[str, Any] = {"phase": CanaryPhase.WAITING, "revision": "r1", "weight": 0}
    assert ask(Gate.ROLLOUT, mark(revision="r1", step=0), **waiting).yes
    assert not ask(Gate.ROLLOUT, mark(revision="r1", step=0, hash="h1"), **waiting).yes
    assert ask(Gate.ROLLOUT, None, starts=True, **waiting).yes
    assert not ask(Gate.ROLLOUT, None, **waiting).yes


def test_the_first_traffic_needs_no_decision_but_a_held_canary_gets_none() -> None:
    assert ask(weight=0).yes
    assert not ask(weight=0, held=True).yes
    assert not ask(Gate.PROMOTION, weight=0).yes


def test_a_gate_that_the_canary_does_not_send_here_gets_no_yes() -> None:
    plan = msgspec.structs.replace(PLAN, own=frozenset({Gate.ROLLBACK}))
    assert not ask(found=mark(), plan=plan).yes


verbs = st.sampled_from(list(Verb))
marks = st.builds(
    GateMark,
    id=st.just("i"),
    verb=verbs,
    revision=st.sampled_from(["r1", "r2"]),
    hash=st.sampled_from(["h1", "h2", ""]),
    number=st.integers(0, 3),
    step=st.integers(0, 6),
    by=st.just("kim"),
    at=st.floats(NOW - 2000, NOW + 100),
)
runs = st.builds(
    Run,
    plan=st.just(PLAN),
    phase=st.sampled_from(list(CanaryPhase)),
    weight=st.integers(0, 100),
    iterations=st.integers(-1, 3),
    revision=st.sampled_from(["r1", "r2", ""]),
    hash=st.sampled_from(["h2", ""]),
    number=st.integers(0, 3),
    since=st.one_of(st.none(), st.floats(NOW - 2000, NOW)),
    held=st.booleans(),
)


@given(st.sampled_from(list(Gate)), runs, st.one_of(st.none(), marks), st.booleans())
def test_nothing_rolls_back_without_a_decision_to_and_nothing_goes_on_against_one(
    gate: Gate, run: Run, found: GateMark | None, starts: bool
) -> None:
    said = answer(Asked(gate=gate, run=run, mark=found, now=NOW, starts=starts))
    if gate is Gate.ROLLBACK:
        assert not said.yes or (found is not None and found.verb is Verb.ROLL_BACK and found.revision == run.revision)
    elif found is not None and found.verb is Verb.PROMOTE and said.why == "decided":
        assert found.step == run.step
    if found is None and said.yes:
        assert said.why in ("first_weight", "starts")


def test_what_the_queue_keeps_back_does_not_start_unless_a_person_lets_it() -> None:
    waiting: dict[str, Any] = {"phase": CanaryPhase.WAITING, "revision": "r1", "weight": 0, "starts": True}
    assert ask(Gate.ROLLOUT, **waiting).yes
    said = ask(Gate.ROLLOUT, **waiting, queue="slot global")
    assert (said.yes, said.why, said.detail) == (False, "queued", "slot global")
    first_ask = {**waiting, "phase": CanaryPhase.SUCCEEDED}
    assert not ask(Gate.ROLLOUT, **first_ask, queue="unseen").yes
    step = msgspec.structs.replace(RUN, phase=CanaryPhase.WAITING, weight=0).step
    assert ask(Gate.ROLLOUT, mark(step=step), **waiting, queue="slot global").yes
    assert not ask(Gate.ROLLOUT, mark(step=step, automatic=True), **waiting, queue="slot global").yes


def test_a_run_that_has_begun_asks_the_queue_nothing() -> None:
    assert ask(Gate.TRAFFIC, mark(), queue="slot global").yes
