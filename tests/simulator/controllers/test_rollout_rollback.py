"""How a simulated Argo Rollout goes back or starts over: abort, retry, undo, new templates (argo-rollouts.md b)."""

from __future__ import annotations

from tests.simulator.controllers.rollout_lab import NS, STEPS, Lab, template


def test_abort_moves_the_traffic_at_once_and_the_pods_after_their_delay() -> None:
    lab = Lab()
    lab.deploy("app:2")
    lab.promote()
    lab.patch_status({"abort": True})
    lab.cluster.run()
    status = lab.status
    assert (status["phase"], status["currentStepIndex"], lab.weight) == ("Degraded", 0, 0)
    assert lab.progressing() == ("False", "RolloutAborted")
    assert "pauseConditions" not in status
    assert status["abortedAt"]
    assert lab.rollout["spec"]["template"] == template("app:2")
    assert lab.sizes() == {"app:1": 5, "app:2": 2}
    lab.cluster.pass_time(32)
    assert lab.sizes() == {"app:1": 5}
    assert lab.status["phase"] == "Degraded"


def test_retry_after_abort_starts_again_at_step_zero() -> None:
    lab = Lab()
    lab.deploy("app:2")
    lab.promote()
    lab.patch_status({"abort": True})
    lab.cluster.pass_time(40)
    lab.patch_status({"abort": False})
    lab.cluster.run()
    assert "abort" not in lab.status
    lab.cluster.pass_time(8)
    assert (lab.status["currentStepIndex"], lab.status["phase"], lab.weight) == (1, "Paused", 20)


def test_abort_of_a_fully_promoted_rollout_leaves_nothing_degraded_behind() -> None:
    lab = Lab()
    lab.patch_status({"abort": True})
    lab.cluster.pass_time(2)
    assert lab.status["phase"] == "Healthy"
    assert "abort" not in lab.status


def test_abort_is_ignored_while_a_full_promotion_is_in_force() -> None:
    lab = Lab()
    lab.deploy("app:2")
    lab.patch_status({"promoteFull": True})
    lab.cluster.run()
    lab.patch_status({"abort": True})
    lab.cluster.pass_time(8)
    assert (lab.status["phase"], "abort" in lab.status) == ("Healthy", False)


def test_undo_to_the_stable_template_skips_the_steps_and_takes_the_canary_away() -> None:
    lab = Lab()
    lab.deploy("app:2")
    lab.spec({"template": template("app:1")})
    lab.cluster.run()
    assert lab.status["currentStepIndex"] == len(STEPS)
    assert "SkipSteps" in lab.reasons()
    lab.cluster.pass_time(10)
    assert (lab.status["phase"], lab.sizes()) == ("Healthy", {"app:1": 5})


def test_undo_with_the_defaulted_template_of_the_replica_set_finds_that_replica_set() -> None:
    lab = Lab()
    lab.deploy("app:2")
    stable = next(
        one
        for one in lab.cluster.store.list("replicasets", NS)
        if one["metadata"]["labels"]["rollouts-pod-template-hash"] == lab.status["stableRS"]
    )
    taken = {key: value for key, value in stable["spec"]["template"].items()}
    labels = dict(taken["metadata"]["labels"])
    del labels["rollouts-pod-template-hash"]
    patch = {**lab.rollout, "spec": {**lab.rollout["spec"], "template": {**taken, "metadata": {"labels": labels}}}}
    lab.cluster.store.replace("rollouts", patch)
    lab.cluster.pass_time(10)
    assert lab.status["currentPodHash"] == lab.status["stableRS"]
    assert len(lab.cluster.store.list("replicasets", NS)) == 2


def test_undo_after_full_promotion_is_a_new_canary_with_the_next_revision() -> None:
    lab = Lab()
    lab.deploy("app:2")
    for _ in range(3):
        lab.promote()
    lab.cluster.pass_time(40)
    lab.deploy("app:1")
    assert (lab.status["phase"], lab.status["currentStepIndex"]) == ("Paused", 1)
    assert lab.rollout["metadata"]["annotations"]["rollout.argoproj.io/revision"] == "3"
    reused = next(
        one
        for one in lab.cluster.store.list("replicasets", NS)
        if one["spec"]["template"]["spec"]["containers"][0]["image"] == "app:1"
    )
    assert reused["metadata"]["annotations"]["rollout.argoproj.io/revision-history"] == "1"


def test_a_new_template_in_the_middle_replaces_the_canary_at_once() -> None:
    lab = Lab()
    lab.deploy("app:2")
    lab.promote()
    lab.deploy("app:3")
    assert (lab.status["currentStepIndex"], lab.status["phase"], lab.weight) == (1, "Paused", 20)
    assert lab.sizes() == {"app:1": 5, "app:3": 1}


def test_a_new_template_clears_an_abort() -> None:
    lab = Lab()
    lab.deploy("app:2")
    lab.patch_status({"abort": True})
    lab.cluster.pass_time(1)
    lab.deploy("app:3")
    assert (lab.status["currentStepIndex"], lab.status["phase"], "abort" in lab.status) == (1, "Paused", False)


def test_edited_steps_start_over() -> None:
    lab = Lab()
    lab.deploy("app:2")
    lab.promote()
    lab.spec({"strategy": {"canary": {"steps": [{"setWeight": 10}, {"pause": {}}]}}})
    lab.cluster.pass_time(8)
    assert (lab.status["currentStepIndex"], lab.weight) == (1, 10)
