"""Deeds on Argo Rollouts, against the simulated API server and controller."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from opsroom.delivery.engines.argo import ArgoEngine
from opsroom.delivery.follow import TRIES
from opsroom.delivery.plan import Refused
from opsroom.domain.deed import DeedState, Effect, Refusal, Verb
from opsroom.domain.marks import read_marks, standing_flag
from opsroom.domain.rollout import Shape
from opsroom.errors import NotPermitted, OutcomeUnknown, Rejected

Sim = Any


def canary(sim: Sim) -> None:
    """``cart`` with v2 at the first pause."""
    sim.rollout()
    sim.set_image("rollouts", "cart", "registry/app:v2")
    sim.cluster.pass_time(30)
    assert sim.get("rollouts", "cart")["status"]["currentStepIndex"] == 1


def step(sim: Sim) -> int:
    """The present step."""
    return int(sim.get("rollouts", "cart")["status"]["currentStepIndex"])


def test_a_promotion_moves_one_step_and_is_journalled_before_and_after(sim: Sim) -> None:
    canary(sim)
    deeds = sim.run(sim.deliver(sim.intent(Verb.PROMOTE)))
    assert [deed.state for deed in deeds][:3] == [DeedState.JOURNALLED, DeedState.SENT, DeedState.ACCEPTED]
    assert deeds[-1].state is DeedState.DONE
    assert deeds[-1].effect is Effect.NEXT_STEP
    assert sim.journal.states == ["journalled", "done"]
    sim.cluster.pass_time(30)
    assert step(sim) == 3


def test_every_step_promoted_makes_the_canary_stable(sim: Sim) -> None:
    canary(sim)
    for _ in range(2):
        assert sim.run(sim.deliver(sim.intent(Verb.PROMOTE)))[-1].state is DeedState.DONE
        sim.cluster.pass_time(60)
    status = sim.get("rollouts", "cart")["status"]
    assert status["stableRS"] == status["currentPodHash"]


def test_a_second_press_does_not_skip_a_step(sim: Sim) -> None:
    canary(sim)
    intent = sim.intent(Verb.PROMOTE)
    sim.run(sim.deliver(intent))
    sim.cluster.pass_time(30)
    deeds = sim.run(sim.deliver(intent))
    assert (deeds[-1].state, deeds[-1].refusal, deeds[-1].detail) == (
        DeedState.REFUSED,
        Refusal.CHANGED,
        "step, by ada",
    )
    assert step(sim) == 3


def test_two_presses_before_the_controller_reacts_promote_once(sim: Sim) -> None:
    canary(sim)
    intent = sim.intent(Verb.PROMOTE)
    sim.run(sim.writer.inner.patch(_status(sim), {"status": {"pauseConditions": None}}))
    deeds = sim.run(sim.deliver(intent))
    assert deeds[-1].refusal is Refusal.NOT_OBSERVED
    sim.cluster.pass_time(30)
    assert step(sim) == 3


def test_the_loser_of_two_operators_is_told_and_sends_nothing_more(sim: Sim) -> None:
    canary(sim)
    intent = sim.intent(Verb.PROMOTE)

    def faster(_path: str) -> None:
        status = sim.get("rollouts", "cart")["status"]
        sim.change("rollouts", "cart", status={**status, "pauseConditions": []})
        sim.cluster.pass_time(10)

    sim.writer.before.append(faster)
    deeds = sim.run(sim.deliver(intent))
    assert (deeds[-1].state, deeds[-1].refusal) == (DeedState.REFUSED, Refusal.CHANGED)
    assert len(sim.writer.sent) == 1
    sim.cluster.pass_time(30)
    assert step(sim) == 3


def test_an_innocent_write_in_between_is_looked_at_and_does_not_stop_the_deed(sim: Sim) -> None:
    canary(sim)
    sim.writer.before.append(lambda _path: sim.annotate("rollouts", "cart", {"a": "b"}))
    deeds = sim.run(sim.deliver(sim.intent(Verb.PROMOTE)))
    assert deeds[-1].state is DeedState.DONE
    assert len(sim.writer.sent) == 2


def test_a_new_version_in_between_refuses_the_promotion(sim: Sim) -> None:
    canary(sim)
    intent = sim.intent(Verb.PROMOTE)
    sim.set_image("rollouts", "cart", "registry/app:v3")
    sim.cluster.pass_time(1)
    assert sim.run(sim.deliver(intent))[-1].refusal is Refusal.CHANGED


def test_a_recreated_rollout_is_another_one(sim: Sim) -> None:
    canary(sim)
    intent = sim.intent(Verb.ROLL_BACK)
    sim.cluster.store.delete("rollouts", "shop", "cart")
    assert sim.run(sim.deliver(intent))[-1].refusal is Refusal.GONE
    sim.rollout()
    assert sim.run(sim.deliver(intent))[-1].refusal is Refusal.GONE


def test_a_roll_back_aborts_and_traffic_returns(sim: Sim) -> None:
    canary(sim)
    deeds = sim.run(sim.deliver(sim.intent(Verb.ROLL_BACK)))
    assert (deeds[-1].state, deeds[-1].effect) == (DeedState.DONE, Effect.ABORT)
    again = sim.run(sim.deliver(sim.intent(Verb.ROLL_BACK)))
    assert again[-1].refusal is Refusal.NOT_UNDER_WAY


def test_an_abort_takes_a_full_promotion_back(sim: Sim) -> None:
    canary(sim)
    sim.programs.sick.add("registry/app:v2")
    status = sim.get("rollouts", "cart")["status"]
    sim.change("rollouts", "cart", status={**status, "promoteFull": True})
    deeds = sim.run(sim.deliver(sim.intent(Verb.ROLL_BACK)))
    assert deeds[-1].state is DeedState.DONE
    assert sim.writer.sent[0][1]["status"] == {"abort": True, "promoteFull": False}


def test_a_user_pause_is_lifted_with_an_abort_so_that_the_canary_ends(sim: Sim) -> None:
    canary(sim)
    sim.change("rollouts", "cart", spec={"paused": True})
    sim.cluster.pass_time(5)
    assert sim.run(sim.deliver(sim.intent(Verb.ROLL_BACK)))[-1].state is DeedState.DONE
    assert not sim.get("rollouts", "cart")["spec"].get("paused")


def test_a_full_promotion_is_done_when_the_canary_is_stable(sim: Sim) -> None:
    canary(sim)
    deeds = sim.run(sim.deliver(sim.intent(Verb.PROMOTE_FULLY)))
    assert [deed.state for deed in deeds][-2:] == [DeedState.SEEN, DeedState.DONE]
    status = sim.get("rollouts", "cart")["status"]
    assert status["stableRS"] == status["currentPodHash"]


def test_a_promotion_of_a_user_pause_only_unpauses(sim: Sim) -> None:
    canary(sim)
    sim.run(sim.deliver(sim.intent(Verb.PROMOTE)))
    sim.change("rollouts", "cart", spec={"paused": True})
    sim.cluster.pass_time(2)
    before = sim.get("rollouts", "cart")["status"]
    assert not before.get("pauseConditions")
    deeds = sim.run(sim.deliver(sim.intent(Verb.PROMOTE)))
    assert (deeds[-1].state, deeds[-1].effect) == (DeedState.DONE, Effect.UNPAUSE)
    assert "status" not in sim.writer.sent[-1][1]


def test_nothing_is_sent_when_nothing_is_paused(sim: Sim) -> None:
    canary(sim)
    sim.programs.sick.add("registry/app:v2")
    sim.run(sim.deliver(sim.intent(Verb.PROMOTE)))
    sim.writer.sent.clear()
    assert sim.run(sim.deliver(sim.intent(Verb.PROMOTE)))[-1].refusal is Refusal.NOTHING_TO_PROMOTE
    assert sim.writer.sent == []


def test_an_offer_that_became_another_one_is_refused(sim: Sim) -> None:
    canary(sim)
    intent = sim.intent(Verb.PROMOTE)
    seen = msgspec.structs.replace(intent.precondition, effect=Effect.UNPAUSE)
    deeds = sim.run(sim.deliver(msgspec.structs.replace(intent, precondition=seen)))
    assert (deeds[-1].refusal, deeds[-1].detail) == (Refusal.CHANGED, "effect:next_step")


def test_a_lost_answer_is_unknown_until_the_cluster_shows_that_it_happened(sim: Sim) -> None:
    canary(sim)

    def lose(_path: str) -> None:
        raise OutcomeUnknown("no answer")

    sim.writer.after.append(lose)
    deeds = sim.run(sim.deliver(sim.intent(Verb.PROMOTE)))
    assert DeedState.UNKNOWN in [deed.state for deed in deeds]
    assert deeds[-1].state is DeedState.DONE
    assert len(sim.writer.sent) == 1


def test_a_request_that_never_arrived_stays_unknown_and_is_not_repeated(sim: Sim) -> None:
    canary(sim)

    def lose(_path: str) -> None:
        raise OutcomeUnknown("no answer")

    sim.writer.before.append(lose)
    deeds = sim.run(sim.deliver(sim.intent(Verb.PROMOTE)))
    assert deeds[-1].state is DeedState.UNKNOWN
    assert sim.writer.sent == []
    assert sim.journal.states[-1] == "unknown"


def test_a_missing_right_on_the_second_request_is_reported_as_half_done(sim: Sim) -> None:
    canary(sim)
    sim.change("rollouts", "cart", spec={"paused": True})
    sim.cluster.pass_time(2)

    def forbid(path: str) -> None:
        if not path.endswith("/status"):
            raise NotPermitted("ada needs patch on rollouts")

    sim.writer.before.extend([forbid] * (1 + TRIES))
    deeds = sim.run(sim.deliver(sim.intent(Verb.ROLL_BACK)))
    assert deeds[-1].state is DeedState.FAILED
    assert deeds[-1].detail == "half_done:paused_canary:ada needs patch on rollouts"
    assert len(sim.writer.sent) == 1


def test_a_second_request_that_is_refused_for_a_moment_is_tried_again(sim: Sim) -> None:
    canary(sim)
    sim.change("rollouts", "cart", spec={"paused": True})
    sim.cluster.pass_time(2)

    def stumble(path: str) -> None:
        if not path.endswith("/status"):
            raise Rejected("failed calling webhook")

    sim.writer.before.extend([stumble] * TRIES)
    deeds = sim.run(sim.deliver(sim.intent(Verb.ROLL_BACK)))
    assert deeds[-1].state is DeedState.DONE


def test_without_its_controller_a_deed_ends_as_unknown(sim: Sim) -> None:
    canary(sim)

    async def nobody(seconds: float) -> None:
        sim.clock.move(sim.clock() + seconds)

    deeds = sim.run(sim.deliver(sim.intent(Verb.ROLL_BACK), wait=nobody))
    assert (deeds[-1].state, deeds[-1].detail) == (DeedState.UNKNOWN, "not_seen")


def test_a_finished_rollout_is_undone_as_a_new_update(sim: Sim) -> None:
    canary(sim)
    sim.run(sim.deliver(sim.intent(Verb.PROMOTE_FULLY)))
    sim.cluster.pass_time(60)
    deeds = sim.run(sim.deliver(sim.intent(Verb.ROLL_BACK)))
    assert (deeds[-1].state, deeds[-1].effect) == (DeedState.DONE, Effect.UNDO)
    template = sim.get("rollouts", "cart")["spec"]["template"]
    assert template["spec"]["containers"][0]["image"] == "registry/app:v1"
    assert "rollouts-pod-template-hash" not in template["metadata"]["labels"]


def test_an_undo_never_goes_to_what_was_rolled_back(sim: Sim) -> None:
    """After an abort and a revert in Git the bad version has the second-highest revision."""
    canary(sim)
    sim.run(sim.deliver(sim.intent(Verb.PROMOTE_FULLY)))
    sim.cluster.pass_time(60)
    sim.set_image("rollouts", "cart", "registry/app:v3-bad")
    sim.cluster.pass_time(30)
    assert sim.run(sim.deliver(sim.intent(Verb.ROLL_BACK)))[-1].effect is Effect.ABORT
    sim.set_image("rollouts", "cart", "registry/app:v2")
    sim.cluster.pass_time(60)
    assert sim.run(sim.deliver(sim.intent(Verb.ROLL_BACK)))[-1].effect is Effect.UNDO
    template = sim.get("rollouts", "cart")["spec"]["template"]
    assert template["spec"]["containers"][0]["image"] == "registry/app:v1"


def test_an_undo_that_git_would_revert_needs_force(sim: Sim) -> None:
    canary(sim)
    sim.run(sim.deliver(sim.intent(Verb.PROMOTE_FULLY)))
    sim.annotate("rollouts", "cart", {"argocd.argoproj.io/tracking-id": "shop:cart"})
    refused = sim.run(sim.deliver(sim.intent(Verb.ROLL_BACK)))[-1]
    assert (refused.refusal, refused.detail) == (Refusal.OWNED, "argocd")
    assert sim.run(sim.deliver(sim.intent(Verb.ROLL_BACK, force=True)))[-1].state is DeedState.DONE


@pytest.mark.parametrize(("kind", "refusal"), [("Deployment", Refusal.OWNED), ("PodTemplate", Refusal.NOT_SUPPORTED)])
def test_an_undo_goes_by_the_workload_behind_the_rollout(sim: Sim, kind: str, refusal: Refusal) -> None:
    canary(sim)
    sim.run(sim.deliver(sim.intent(Verb.PROMOTE_FULLY)))
    sim.cluster.pass_time(60)
    sim.deployment("cart-pods")
    sim.annotate("deployments", "cart-pods", {"argocd.argoproj.io/tracking-id": "shop:cart-pods"})
    sim.change("rollouts", "cart", spec={"workloadRef": {"kind": kind, "name": "cart-pods"}})
    engine, intent = ArgoEngine(), sim.intent(Verb.ROLL_BACK)
    plan = engine.plan(sim.run(engine.look(sim.reader, intent)), intent)
    assert isinstance(plan, Refused)
    assert plan.refusal is refusal


def test_blue_green_switches_to_the_preview(sim: Sim) -> None:
    for name in ("cart-active", "cart-preview"):
        spec = {"selector": {"app": "cart"}, "ports": [{"port": 80}]}
        sim.create("services", {"metadata": {"name": name, "namespace": "shop"}, "spec": spec})
    strategy = {
        "blueGreen": {
            "activeService": "cart-active",
            "previewService": "cart-preview",
            "autoPromotionEnabled": False,
        }
    }
    sim.rollout(strategy=strategy)
    sim.set_image("rollouts", "cart", "registry/app:v2")
    sim.cluster.pass_time(60)
    deeds = sim.run(sim.deliver(sim.intent(Verb.PROMOTE, shape=Shape.BLUE_GREEN)))
    assert (deeds[-1].state, deeds[-1].effect) == (DeedState.DONE, Effect.SWITCH)


def test_hold_and_release_are_one_patch_each(sim: Sim) -> None:
    sim.rollout()
    held = sim.run(sim.deliver(sim.intent(Verb.HOLD)))
    assert held[-1].state is DeedState.DONE
    assert sim.get("rollouts", "cart")["metadata"]["annotations"]["opsroom.dev/queue"] == "kept"
    assert sim.run(sim.deliver(sim.intent(Verb.RELEASE)))[-1].state is DeedState.DONE
    rollout = sim.get("rollouts", "cart")
    assert "opsroom.dev/queue" not in rollout["metadata"]["annotations"]
    assert not rollout["spec"].get("paused")
    assert sim.run(sim.deliver(sim.intent(Verb.RELEASE)))[-1].detail == "not_held, by ada"


def test_a_flag_is_a_mark_for_this_canary_and_step(sim: Sim) -> None:
    canary(sim)
    intent = sim.intent(Verb.FLAG, reason="looks odd")
    assert sim.run(sim.deliver(intent))[-1].state is DeedState.DONE
    marks = read_marks(sim.get("rollouts", "cart")["metadata"]["annotations"])
    flag = standing_flag(marks, intent.precondition.canary_hash, 1)
    assert flag is not None
    assert (flag.by, flag.detail) == ("ada", "looks odd")
    assert standing_flag(marks, intent.precondition.canary_hash, 3) is None


def _status(sim: Sim) -> str:
    return "/apis/argoproj.io/v1alpha1/namespaces/shop/rollouts/cart/status"
