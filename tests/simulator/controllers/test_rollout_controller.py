"""The Argo Rollouts controller, row by row of the operations table (argo-rollouts.md b), on a held clock."""

from __future__ import annotations

from typing import Any

import pytest

from opsroom.simulator.clock import Clock
from opsroom.simulator.controllers.cluster import Cluster
from opsroom.simulator.controllers.kubelet import Container
from opsroom.simulator.controllers.objects import Obj

START = 1_800_000_000.0
NS = "shop"
STEPS: list[Obj] = [
    {"setWeight": 20},
    {"pause": {}},
    {"setWeight": 40},
    {"pause": {}},
    {"setWeight": 80},
    {"pause": {}},
]


class ThreeSeconds:
    """Programs that start in three seconds and stay; `broken` images never run."""

    def __init__(self) -> None:
        self.broken: set[str] = set()

    def start_seconds(self, pod: Obj) -> float:
        return 1e9 if pod["spec"]["containers"][0]["image"] in self.broken else 3.0

    def container(self, pod: Obj) -> Container:
        return Container()


class Lab:
    """One Rollout named `web` on a cluster of its own, fully promoted at `app:1`."""

    def __init__(self, *, routed: bool = True, steps: list[Obj] | None = None, replicas: int = 5, **spec: Any) -> None:
        self.programs = ThreeSeconds()
        self.cluster = Cluster(Clock(START), self.programs, 1)
        for side in ("stable", "canary"):
            service = {"metadata": {"name": f"web-{side}", "namespace": NS}, "spec": {"selector": {"app": "web"}}}
            self.cluster.store.create("services", service)
        canary: Obj = {"stableService": "web-stable", "canaryService": "web-canary"}
        canary["steps"] = STEPS if steps is None else steps
        canary |= {"trafficRouting": {"nginx": {"stableIngress": "web"}}} if routed else {"maxSurge": 1}
        body: Obj = {
            "replicas": replicas,
            "selector": {"matchLabels": {"app": "web"}},
            "template": template("app:1"),
            "strategy": {"canary": canary},
            **spec,
        }
        self.cluster.store.create("rollouts", {"metadata": {"name": "web", "namespace": NS}, "spec": body})
        self.cluster.pass_time(10)

    @property
    def rollout(self) -> Obj:
        found = self.cluster.store.get("rollouts", NS, "web")
        assert found is not None
        return found

    @property
    def status(self) -> Obj:
        status: Obj = self.rollout["status"]
        return status

    @property
    def weight(self) -> int:
        return int(self.status["canary"]["weights"]["canary"]["weight"])

    def spec(self, body: Obj) -> None:
        """Merge patch of the spec, as a client's request."""
        self.cluster.store.merge("rollouts", NS, "web", {"spec": body})

    def patch_status(self, body: Obj) -> None:
        """Merge patch of the status subresource."""
        self.cluster.store.merge("rollouts", NS, "web", {"status": body}, subresource="status")

    def deploy(self, image: str) -> None:
        """Set the image and give the controller time to come to the first pause."""
        self.spec({"template": template(image)})
        self.cluster.pass_time(8)

    def promote(self) -> None:
        """The promote row for a paused canary, and time for the next step."""
        self.patch_status({"pauseConditions": None})
        self.cluster.pass_time(8)

    def sizes(self) -> dict[str, int]:
        """Pods by image."""
        found: dict[str, int] = {}
        for pod in self.cluster.store.list("pods", NS):
            image = pod["spec"]["containers"][0]["image"]
            found[image] = found.get(image, 0) + 1
        return found

    def reasons(self) -> list[str]:
        """The reasons of the Rollout's Events, in order."""
        events = self.cluster.store.list("events", NS)
        mine = [one for one in events if one["involvedObject"]["kind"] == "Rollout"]
        return [str(one["reason"]) for one in sorted(mine, key=lambda one: int(one["metadata"]["resourceVersion"]))]


def template(image: str) -> Obj:
    return {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [{"name": "app", "image": image}]}}


def progressing(status: Obj) -> Obj:
    return next(one for one in status["conditions"] if one["type"] == "Progressing")


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
    assert progressing(status)["reason"] == "RolloutPaused"


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


def test_abort_moves_the_traffic_at_once_and_the_pods_after_their_delay() -> None:
    lab = Lab()
    lab.deploy("app:2")
    lab.promote()
    lab.patch_status({"abort": True})
    lab.cluster.run()
    status = lab.status
    assert (status["phase"], status["currentStepIndex"], lab.weight) == ("Degraded", 0, 0)
    assert (progressing(status)["status"], progressing(status)["reason"]) == ("False", "RolloutAborted")
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


@pytest.mark.parametrize(
    ("replicas", "weight", "expected"),
    [(4, 5, {"app:1": 4, "app:2": 1}), (5, 40, {"app:1": 3, "app:2": 2}), (10, 30, {"app:1": 7, "app:2": 3})],
)
def test_without_a_router_the_weight_is_the_share_of_pods(replicas: int, weight: int, expected: dict[str, int]) -> None:
    lab = Lab(routed=False, replicas=replicas, steps=[{"setWeight": weight}, {"pause": {}}])
    lab.deploy("app:2")
    lab.cluster.pass_time(20)
    assert lab.status["phase"] == "Paused"
    assert lab.sizes() == expected
    assert "weights" not in lab.status["canary"]


def test_without_a_router_promotion_and_abort_move_pods() -> None:
    lab = Lab(routed=False, steps=[{"setWeight": 20}, {"pause": {}}])
    lab.deploy("app:2")
    lab.promote()
    lab.cluster.pass_time(40)
    assert (lab.status["phase"], lab.sizes()) == ("Healthy", {"app:2": 5})
    lab.deploy("app:3")
    lab.cluster.pass_time(10)
    lab.patch_status({"abort": True})
    lab.cluster.pass_time(20)
    assert (lab.status["phase"], lab.sizes()) == ("Degraded", {"app:2": 5})


def test_services_follow_the_hashes() -> None:
    lab = Lab()
    lab.deploy("app:2")

    def selected(side: str) -> str:
        service = lab.cluster.store.get("services", NS, f"web-{side}")
        assert service is not None
        return str(service["spec"]["selector"]["rollouts-pod-template-hash"])

    assert (selected("stable"), selected("canary")) == (lab.status["stableRS"], lab.status["currentPodHash"])


def test_pods_that_never_start_miss_the_deadline_and_abort_still_works() -> None:
    lab = Lab(progressDeadlineSeconds=60)
    lab.programs.broken.add("app:2")
    lab.deploy("app:2")
    assert (lab.status["phase"], lab.weight) == ("Progressing", 0)
    lab.cluster.pass_time(70)
    assert lab.status["phase"] == "Degraded"
    assert progressing(lab.status)["reason"] == "ProgressDeadlineExceeded"
    lab.patch_status({"abort": True})
    lab.cluster.pass_time(40)
    assert lab.sizes() == {"app:1": 5}


def test_an_analysis_step_waits_for_its_run_and_obeys_it() -> None:
    steps: list[Obj] = [{"setWeight": 20}, {"analysis": {"templates": [{"templateName": "t"}]}}, {"pause": {}}]
    lab = Lab(steps=steps)
    lab.deploy("app:2")
    (run,) = lab.cluster.store.list("analysisruns", NS)
    assert lab.status["canary"]["currentStepAnalysisRunStatus"] == {
        "name": run["metadata"]["name"],
        "status": "Running",
    }
    lab.cluster.store.merge("analysisruns", NS, run["metadata"]["name"], {"status": {"phase": "Successful"}})
    lab.cluster.pass_time(2)
    assert (lab.status["currentStepIndex"], lab.status["phase"]) == (2, "Paused")


@pytest.mark.parametrize("phase", ["Failed", "Error"])
def test_a_failed_analysis_aborts(phase: str) -> None:
    lab = Lab(steps=[{"setWeight": 20}, {"analysis": {"templates": [{"templateName": "t"}]}}])
    lab.deploy("app:2")
    (run,) = lab.cluster.store.list("analysisruns", NS)
    lab.cluster.store.merge("analysisruns", NS, run["metadata"]["name"], {"status": {"phase": phase}})
    lab.cluster.pass_time(2)
    assert (lab.status["phase"], lab.status["abort"], lab.weight) == ("Degraded", True, 0)


def test_an_inconclusive_analysis_pauses_for_a_person() -> None:
    lab = Lab(steps=[{"setWeight": 20}, {"analysis": {"templates": [{"templateName": "t"}]}}, {"setWeight": 50}])
    lab.deploy("app:2")
    (run,) = lab.cluster.store.list("analysisruns", NS)
    lab.cluster.store.merge("analysisruns", NS, run["metadata"]["name"], {"status": {"phase": "Inconclusive"}})
    lab.cluster.pass_time(2)
    assert (lab.status["phase"], lab.status["message"]) == ("Paused", "InconclusiveAnalysisRun")
    lab.patch_status({"pauseConditions": None, "controllerPause": False, "currentStepIndex": 2})
    lab.cluster.pass_time(10)
    assert lab.status["phase"] == "Healthy"


def test_events_tell_the_story_with_the_real_reasons() -> None:
    lab = Lab()
    lab.deploy("app:2")
    lab.promote()
    lab.patch_status({"abort": True})
    lab.cluster.pass_time(2)
    told = lab.reasons()
    for reason in (
        *("RolloutUpdated", "NewReplicaSetCreated", "RolloutNotCompleted", "ScalingReplicaSet", "SwitchService"),
        *("TrafficWeightUpdated", "RolloutStepCompleted", "RolloutPaused", "RolloutResumed", "RolloutAborted"),
    ):
        assert reason in told, reason


def test_a_strategy_nobody_can_run_is_an_invalid_spec_that_is_observed() -> None:
    lab = Lab()
    lab.spec({"strategy": {"blueGreen": {"activeService": "web-stable"}}})
    lab.cluster.pass_time(2)
    assert lab.status["phase"] == "Degraded"
    assert lab.status["message"].startswith("InvalidSpec: ")
    assert lab.status["observedGeneration"] == str(lab.rollout["metadata"]["generation"])


def test_scaling_a_settled_rollout_scales_its_pods() -> None:
    lab = Lab()
    lab.spec({"replicas": 8})
    lab.cluster.pass_time(10)
    assert (lab.sizes(), lab.status["phase"]) == ({"app:1": 8}, "Healthy")
