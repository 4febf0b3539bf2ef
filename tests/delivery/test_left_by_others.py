"""Deeds that somebody else began and never ended: found by their mark, ended only where what stands shows."""

from __future__ import annotations

from typing import Any

import pytest

from opsroom.delivery.engines.body import deed_mark
from opsroom.delivery.prepare import prepare
from opsroom.delivery.send import send
from opsroom.delivery.settle import CUT_OFF, from_mark, only_ends, settle
from opsroom.domain.deed import Deed, DeedState, Effect, Intent, Verb
from opsroom.domain.marks import DEED, DeedMark, read_deed
from opsroom.domain.rollout import Phase, Rollout, Shape
from tests.delivery.test_flagger_deeds import LONG_DEAD, LONG_LIVED, Gatekeeper, canary, intent, lease, status

Sim = Any


@pytest.fixture(name="keeper")
def a_keeper(sim: Sim) -> Gatekeeper:
    """The Lease is held by a worker that answers gates."""
    found = Gatekeeper(sim)
    sim.cluster.flagger.caller = found
    lease(sim, LONG_LIVED)
    return found


def rollout(wish: Intent) -> Rollout:
    """The rollout as a worker elsewhere sees it; only its name counts here."""
    target = wish.target
    return Rollout(
        uid=target.uid,
        engine=target.engine,
        shape=target.shape,
        namespace=target.namespace,
        name=target.name,
        phase=Phase.PAUSED,
    )


async def begun(sim: Sim, wish: Intent, requests: int) -> None:
    """What a process did that was killed after so many requests."""
    ready = await prepare(wish, sim.hands())
    assert not isinstance(ready, Deed)
    await send(ready.plan.request, sim.hands())
    deed = ready.deed
    for _ in range(requests - 1):
        sim.cluster.pass_time(40)
        progress = ready.engine.outcome(await ready.engine.look(sim.reader, wish), deed)
        assert progress is not None
        assert progress.then is not None
        await send(progress.then, sim.hands())
    sim.cluster.pass_time(2)


def left(sim: Sim, wish: Intent, resource: str) -> Deed:
    """The deed as its mark tells of it."""
    mark = read_deed(sim.get(resource, wish.target.name)["metadata"]["annotations"].get(DEED))
    assert mark is not None
    found = from_mark(rollout(wish), mark)
    assert (found.intent.id, found.intent.actor, found.state, found.detail) == (
        wish.id,
        wish.actor,
        DeedState.UNKNOWN,
        CUT_OFF,
    )
    return found


async def ended(sim: Sim, deed: Deed) -> Deed:
    """The end of ``deed``, by whoever decides."""
    last = deed
    async for later in settle(deed, sim.hands()):
        last = later
    return last


def test_a_promotion_of_a_pair_is_ended_once_stable_has_its_template(sim: Sim) -> None:
    sim.pair()
    wish = sim.intent(Verb.PROMOTE, "pay-canary", Shape.PAIR)
    sim.run(begun(sim, wish, 2))
    deed = left(sim, wish, "deployments")
    assert sim.run(only_ends(deed, sim.hands()))
    assert sim.run(ended(sim, deed)).state is DeedState.DONE
    found = sim.get("deployments", "pay-canary")
    assert found["spec"]["replicas"] == 0
    assert DEED not in found["metadata"]["annotations"]


def test_a_promotion_of_which_only_the_mark_stands_is_left_to_a_person(sim: Sim) -> None:
    sim.pair()
    wish = sim.intent(Verb.PROMOTE, "pay-canary", Shape.PAIR)
    sim.run(begun(sim, wish, 1))
    assert not sim.run(only_ends(left(sim, wish, "deployments"), sim.hands()))


def test_a_skipped_analysis_is_taken_back_when_whoever_skipped_it_has_died(sim: Sim, keeper: Gatekeeper) -> None:
    canary(sim, gates=(), stepWeights=[], stepWeight=1)
    wish = intent(sim, Verb.PROMOTE, force=True)
    sim.run(begun(sim, wish, 1))
    deed = left(sim, wish, "canaries")
    assert sim.get("canaries", "cart")["spec"]["skipAnalysis"] is True
    assert not sim.run(only_ends(deed, sim.hands()))
    sim.cluster.pass_time(120)
    assert status(sim)["phase"] == "Succeeded"
    assert sim.run(only_ends(deed, sim.hands()))
    assert sim.run(ended(sim, deed)).state is DeedState.DONE
    found = sim.get("canaries", "cart")
    assert found["spec"]["skipAnalysis"] is False
    assert DEED not in found["metadata"]["annotations"]
    assert not sim.run(only_ends(deed, sim.hands()))


def test_a_skipped_analysis_does_not_let_the_next_version_out_unchecked(sim: Sim, keeper: Gatekeeper) -> None:
    canary(sim, gates=(), stepWeights=[], stepWeight=1)
    wish = intent(sim, Verb.PROMOTE, force=True)
    sim.run(begun(sim, wish, 1))
    deed = left(sim, wish, "canaries")
    sim.set_image("deployments", "cart", "registry/app:v3")
    sim.cluster.pass_time(1)
    assert sim.run(only_ends(deed, sim.hands()))
    last = sim.run(ended(sim, deed))
    assert (last.state, last.detail) == (DeedState.FAILED, "superseded")
    assert sim.get("canaries", "cart")["spec"]["skipAnalysis"] is False


def test_somebody_elses_skip_is_not_taken_back(sim: Sim, keeper: Gatekeeper) -> None:
    canary(sim, gates=(), stepWeights=[], stepWeight=1)
    wish = intent(sim, Verb.PROMOTE, force=True)
    sim.run(begun(sim, wish, 1))
    deed = left(sim, wish, "canaries")
    sim.annotate("canaries", "cart", {DEED: "{}"})
    sim.set_image("deployments", "cart", "registry/app:v3")
    sim.cluster.pass_time(1)
    assert not sim.run(only_ends(deed, sim.hands()))


def test_a_roll_back_that_was_cut_off_is_shown_and_goes_on_where_its_journal_is(sim: Sim, keeper: Gatekeeper) -> None:
    canary(sim)
    keeper.alive = False
    lease(sim, LONG_DEAD)
    wish = intent(sim, Verb.ROLL_BACK)
    sim.run(begun(sim, wish, 1))
    deed = left(sim, wish, "canaries")
    assert (deed.effect, status(sim)["phase"]) == (Effect.FAIL_CHECKS, "Progressing")
    assert not sim.run(only_ends(deed, sim.hands()))
    assert sim.run(ended(sim, deed)).state is DeedState.DONE
    assert status(sim)["phase"] == "Failed"


@pytest.mark.parametrize("text", ["", "{", "[]", '{"id": 1}', '{"id": "i", "verb": "dance"}', None])
def test_a_broken_mark_is_no_mark(text: str | None) -> None:
    assert read_deed(text) is None


def test_a_mark_says_all_that_a_deed_elsewhere_needs(sim: Sim) -> None:
    sim.pair()
    wish = sim.intent(Verb.PROMOTE, "pay-canary", Shape.PAIR, automatic=True, fencing=7, actor="ada")
    mark = read_deed(deed_mark(wish, Effect.TAKE_TEMPLATE))
    assert isinstance(mark, DeedMark)
    found = from_mark(rollout(wish), mark).intent
    assert (found.fencing, found.automatic, found.actor) == (7, True, "ada")
    assert found.precondition.canary_hash == wish.precondition.canary_hash


def test_the_next_deed_on_a_canary_takes_back_what_was_skipped_for_another_version(
    sim: Sim, keeper: Gatekeeper
) -> None:
    canary(sim)
    wish = intent(sim, Verb.PROMOTE)
    other = deed_mark(wish, Effect.SKIP_ANALYSIS).replace(wish.precondition.canary_hash, "the-one-before")
    for mark, stands in ((deed_mark(wish, Effect.SKIP_ANALYSIS), True), (other, False)):
        sim.change("canaries", "cart", spec={"skipAnalysis": True})
        sim.annotate("canaries", "cart", {DEED: mark})
        ready = sim.run(prepare(wish, sim.hands()))
        assert not isinstance(ready, Deed)
        sim.run(send(ready.plan.request, sim.hands()))
        assert sim.get("canaries", "cart")["spec"]["skipAnalysis"] is stands
