"""How a simulated Argo Rollout goes on: deploys, pauses, and every way to promote (argo-rollouts.md b)."""

from __future__ import annotations

from tests.simulator.controllers.rollout_lab import STEPS, Lab, template


def test_first_deploy_is_promoted_at_once_and_skips_every_step() -> None:
    lab = Lab()
    assert (lab.status["phase"], lab.status["currentStepIndex"]) == ("Healthy", len(STEPS))
    assert lab.status["stableRS"] == lab.status["currentPodHash"]
    assert lab.sizes() == {"app:1": 5}


def test_observed_generation_is_text_and_follows_the_spec() -> None:
    lab = Lab()
    lab.deploy("app:2")
    assert lab.status["observedGeneration"] == str(lab.rollout["metadata"]["generation"]) == "2"


def test_a_new_template_stops_at_the_first_pause_with_its_weight() -> None:
    lab = Lab()
    lab.deploy("app:2")
    status = lab.status
    assert (status["phase"], status["message"], status["currentStepIndex"]) == ("Paused", "CanaryPauseStep", 1)
    assert status["controllerPause"] is True
    assert [one["reason"] for one in status["pauseConditions"]] == ["CanaryPauseStep"]
    assert lab.weight == 20
    assert lab.sizes() == {"app:1": 5, "app:2": 1}
    assert lab.progressing()[1] == "RolloutPaused"


def test_promote_completes_the_pause_at_the_next_reconcile_and_moves_exactly_one_step() -> None:
    lab = Lab()
    lab.deploy("app:2")
    lab.patch_status({"pauseConditions": None})
    lab.cluster.run()
    assert lab.status["currentStepIndex"] == 2
    assert "controllerPause" not in lab.status
    lab.cluster.pass_time(8)
    assert (lab.status["currentStepIndex"], lab.status["phase"], lab.weight) == (3, "Paused", 40)


def test_promoting_every_pause_ends_healthy_with_the_old_pods_gone_after_their_delay() -> None:
    lab = Lab()
    lab.deploy("app:2")
    for _ in range(3):
        lab.promote()
    assert lab.status["phase"] == "Healthy"
    assert lab.status["stableRS"] == lab.status["currentPodHash"]
    assert lab.sizes() == {"app:1": 5, "app:2": 5}
    lab.cluster.pass_time(30)
    assert lab.sizes() == {"app:2": 5}
    assert lab.weight == 0


def test_index_form_of_promote_skips_the_pause_after_a_running_weight() -> None:
    lab = Lab()
    lab.spec({"template": template("app:2")})
    lab.cluster.run()
    assert lab.status["currentStepIndex"] == 0
    lab.patch_status({"pauseConditions": None, "currentStepIndex": 2})
    lab.cluster.pass_time(8)
    assert (lab.status["currentStepIndex"], lab.weight) == (3, 40)


def test_promote_full_waits_for_all_pods_and_then_switches() -> None:
    lab = Lab()
    lab.deploy("app:2")
    lab.patch_status({"promoteFull": True})
    lab.cluster.run()
    assert lab.status["currentStepIndex"] == len(STEPS)
    assert lab.status["stableRS"] != lab.status["currentPodHash"]
    lab.cluster.pass_time(8)
    assert (lab.status["phase"], lab.status["stableRS"]) == ("Healthy", lab.status["currentPodHash"])
    assert "promoteFull" not in lab.status


def test_spec_pause_halts_and_unpause_goes_on_without_losing_the_step() -> None:
    lab = Lab()
    lab.deploy("app:2")
    lab.spec({"paused": True})
    lab.cluster.pass_time(2)
    assert (lab.status["phase"], lab.status["message"]) == ("Paused", "manually paused")
    lab.spec({"paused": False})
    lab.cluster.pass_time(2)
    assert (lab.status["phase"], lab.status["currentStepIndex"]) == ("Paused", 1)
    assert lab.status["message"] == "CanaryPauseStep"


def test_spec_pause_keeps_a_new_template_from_getting_pods() -> None:
    lab = Lab()
    lab.spec({"paused": True, "template": template("app:2")})
    lab.cluster.pass_time(10)
    assert lab.sizes() == {"app:1": 5}
    lab.spec({"paused": False})
    lab.cluster.pass_time(10)
    assert (lab.status["currentStepIndex"], lab.sizes()) == (1, {"app:1": 5, "app:2": 1})


def test_a_pause_with_a_duration_ends_by_itself() -> None:
    lab = Lab(steps=[{"setWeight": 20}, {"pause": {"duration": "1m"}}, {"setWeight": 40}, {"pause": {}}])
    lab.deploy("app:2")
    lab.cluster.pass_time(50)
    assert lab.status["currentStepIndex"] == 1
    lab.cluster.pass_time(15)
    assert lab.status["currentStepIndex"] == 3
