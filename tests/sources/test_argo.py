"""An Argo Rollout as a domain rollout: phase, weight, steps, pause and revisions."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opsroom.domain.rollout import Phase, Rollout, Shape, StepKind
from opsroom.sources.argo import argo_rollout
from opsroom.sources.argo_steps import seconds

STEPS = [
    {"setWeight": 20},
    {"pause": {}},
    {"setWeight": 50},
    {"pause": {"duration": "1h30m"}},
    {"analysis": {"templates": [{"templateName": "x"}]}},
    {"plugin": {"name": "org/step"}},
    {"brandNewKind": {"a": 1}},
]
CANARY = {"canary": {"steps": STEPS, "canaryService": "c", "stableService": "s"}}
ROUTED = {"canary": {"steps": STEPS, "trafficRouting": {"nginx": {"stableIngress": "i"}}}}
BLUE_GREEN = {"blueGreen": {"activeService": "a"}}
INVALID = {"type": "InvalidSpec", "status": "True", "message": "no"}
NOT_PAUSED = {"pauseConditions": None, "controllerPause": False}
MOVING = {
    "phase": "Paused",
    "message": "CanaryPauseStep",
    "observedGeneration": "1",
    "currentPodHash": "new",
    "stableRS": "old",
    "currentStepIndex": 1,
    "pauseConditions": [{"reason": "CanaryPauseStep", "startTime": "2026-01-02T03:04:05Z"}],
    "controllerPause": True,
    "replicas": 5,
    "updatedReplicas": 1,
    "readyReplicas": 5,
    "availableReplicas": 5,
}


def made(objects: Any, status: dict[str, Any], spec: dict[str, Any] | None = None, **more: Any) -> Rollout:
    parts = objects.parts(
        replica_sets=(
            objects.replica_set("old", "reg/app:v1", 4, argo=True, revision=6),
            objects.replica_set("new", "reg/app:v2", 1, argo=True, revision=7),
        ),
        pods={"uid-checkout-new": (objects.pod("p", "checkout-new", restarts=2),)},
    )
    body = {"replicas": 5, "strategy": CANARY, "template": objects.template("reg/app:v2")} | (spec or {})
    return argo_rollout(objects.rollout(spec=body, status=status, **more), parts)


def test_a_canary_at_its_pause(objects: Any) -> None:
    rollout = made(objects, MOVING, annotations={"rollout.argoproj.io/revision": "7"}, labels={"team": "pay"})
    assert (rollout.key, rollout.shape, rollout.phase) == ("shop/checkout", Shape.CANARY, Phase.PAUSED)
    assert rollout.stable is not None
    assert rollout.canary is not None
    assert (rollout.stable.replica_set, rollout.stable.version, rollout.stable.number) == ("checkout-old", "v1", 6)
    assert (rollout.canary.replica_set, rollout.canary.version, rollout.canary.restarts) == ("checkout-new", "v2", 2)
    assert (rollout.step, rollout.weight, rollout.started) == (1, 20, objects.created)
    assert rollout.pause is not None
    assert (rollout.pause.step, rollout.pause.user, rollout.pause.since) == (True, False, objects.created)
    assert rollout.pause.until is None
    assert rollout.labels == {"team": "pay"}
    assert rollout.under_way


def test_every_step_keeps_its_place(objects: Any) -> None:
    steps = made(objects, MOVING).steps
    assert [step.kind for step in steps] == [
        StepKind.WEIGHT,
        StepKind.PAUSE,
        StepKind.WEIGHT,
        StepKind.PAUSE,
        StepKind.ANALYSIS,
        StepKind.PLUGIN,
        StepKind.PLUGIN,
    ]
    assert (steps[0].weight, steps[1].seconds, steps[3].seconds, steps[5].name) == (20, None, 5400.0, "org/step")


def test_a_timed_pause_says_when_it_ends(objects: Any) -> None:
    pause = made(objects, MOVING | {"currentStepIndex": 3}).pause
    assert pause is not None
    assert pause.until == objects.created + 5400.0


@pytest.mark.parametrize(
    ("status", "spec", "metadata", "phase"),
    [
        ({"observedGeneration": "9"}, {}, {"generation": 10}, Phase.OBSERVING),
        ({"observedGeneration": "10"}, {}, {"generation": 9}, Phase.PAUSED),
        ({"observedGeneration": "6b8f9c"}, {}, {"generation": 9}, Phase.PAUSED),
        ({"pauseConditions": None}, {}, {}, Phase.OBSERVING),
        (
            {"workloadObservedGeneration": "1"},
            {"workloadRef": {"kind": "Deployment", "name": "w"}},
            {},
            Phase.OBSERVING,
        ),
        ({"abort": True, "phase": "Degraded"}, {}, {}, Phase.ABORTED),
        ({"abort": True, "promoteFull": True, "phase": "Progressing"}, {}, {}, Phase.PROGRESSING),
        (
            {"phase": "Degraded", "conditions": [{"type": "Progressing", "reason": "RolloutAborted"}]},
            {},
            {},
            Phase.ABORTED,
        ),
        (
            {"phase": "Degraded", "conditions": [{"type": "Progressing", "reason": "ProgressDeadlineExceeded"}]},
            {},
            {},
            Phase.DEGRADED,
        ),
        ({"phase": "Healthy", "stableRS": "new"}, {}, {}, Phase.HEALTHY),
        ({"phase": "SomethingNew"}, {}, {}, Phase.UNKNOWN),
    ],
)
def test_the_phase_is_asked_for_in_argos_order(
    objects: Any, status: dict[str, Any], spec: dict[str, Any], metadata: dict[str, Any], phase: Phase
) -> None:
    annotations = {"rollout.argoproj.io/workload-generation": "2"}
    assert made(objects, MOVING | status, spec, annotations=annotations, **metadata).phase is phase


@pytest.mark.parametrize(
    ("status", "spec", "phase", "message"),
    [
        (
            {"conditions": [{"type": "InvalidSpec", "status": "True", "message": "no"}]},
            {},
            Phase.DEGRADED,
            "InvalidSpec: no",
        ),
        ({}, {"paused": True}, Phase.PAUSED, "manually paused"),
        ({}, {}, Phase.PAUSED, "CanaryPauseStep"),
        (
            {"pauseConditions": None, "controllerPause": False},
            {},
            Phase.PROGRESSING,
            "more replicas need to be updated",
        ),
    ],
)
def test_old_controllers_leave_the_phase_to_us(
    objects: Any, status: dict[str, Any], spec: dict[str, Any], phase: Phase, message: str
) -> None:
    rollout = made(objects, MOVING | {"phase": "", "message": ""} | status, spec)
    assert (rollout.phase, rollout.message) == (phase, message)


def test_a_first_deploy_has_no_canary(objects: Any) -> None:
    rollout = made(
        objects, MOVING | {"stableRS": "", "phase": "Progressing", "pauseConditions": None} | {"controllerPause": False}
    )
    assert rollout.canary is None
    assert rollout.stable is not None
    assert rollout.stable.hash == "new"


@pytest.mark.parametrize(
    ("status", "strategy", "weight"),
    [
        ({}, CANARY, 20),
        ({"currentStepIndex": 7}, CANARY, 100),
        ({}, ROUTED, 20),
        ({"currentStepIndex": 2}, ROUTED, 50),
        ({"canary": {"weights": {"canary": {"weight": 35}}}}, ROUTED, 35),
        ({"abort": True}, ROUTED, 0),
        ({"abort": True}, CANARY, 20),
        ({"availableReplicas": 0}, CANARY, 0),
        ({"stableRS": "new"}, CANARY, 0),
        ({"blueGreen": {"activeSelector": "old", "previewSelector": "new"}}, {"blueGreen": {"activeService": "a"}}, 0),
        (
            {"blueGreen": {"activeSelector": "new", "previewSelector": "new"}},
            {"blueGreen": {"activeService": "a"}},
            100,
        ),
    ],
)
def test_the_weight_is_what_the_canary_really_has(
    objects: Any, status: dict[str, Any], strategy: dict[str, Any], weight: int
) -> None:
    assert made(objects, MOVING | status, {"strategy": strategy}).weight == weight


def test_held_means_paused_by_our_mark_with_no_canary_pod(objects: Any) -> None:
    held = {"opsroom.dev/queue": "held", "opsroom.dev/requested-by": "bot"}
    status = MOVING | {"currentPodHash": "unborn", "phase": "Paused", "pauseConditions": None, "controllerPause": False}
    rollout = made(objects, status, {"paused": True}, annotations=held)
    assert (rollout.phase, rollout.held, rollout.change.author) == (Phase.HELD, True, "bot")
    assert rollout.canary is not None
    assert (rollout.canary.hash, rollout.canary.version, rollout.canary.replica_set) == ("unborn", "v2", "")
    assert made(objects, MOVING, {"paused": True}, annotations=held).phase is Phase.PAUSED


def test_a_revision_that_serves_again_started_with_its_present_pods(objects: Any) -> None:
    annotations = {"rollout.argoproj.io/revision": "9", "rollout.argoproj.io/revision-history": "3"}
    again = objects.replica_set("new", argo=True, annotations=annotations)
    pod = objects.pod("p", "checkout-new", created="2026-02-02T03:04:05Z")
    rollout = objects.rollout(spec={"strategy": CANARY}, status=MOVING)
    seen = argo_rollout(rollout, objects.parts((again,), {"uid-checkout-new": (pod,)}))
    assert seen.started == objects.created + 31 * 86400
    assert argo_rollout(rollout, objects.parts((again,))).started == objects.created


def test_an_inconclusive_analysis_is_told_from_a_pause_step(objects: Any) -> None:
    pause = made(
        objects, MOVING | {"pauseConditions": [{"reason": "InconclusiveAnalysisRun", "startTime": None}]}
    ).pause
    assert pause is not None
    assert (pause.inconclusive, pause.step, pause.since) == (True, False, None)


@pytest.mark.parametrize(
    ("metadata", "owner"),
    [
        ({"annotations": {"argocd.argoproj.io/tracking-id": "app:x"}}, "argocd"),
        ({"labels": {"kustomize.toolkit.fluxcd.io/name": "x"}}, "flux"),
        ({"annotations": {"meta.helm.sh/release-name": "x"}}, "helm"),
        ({"labels": {"app.kubernetes.io/instance": "checkout"}}, ""),
    ],
)
def test_the_owner_who_would_put_it_back(objects: Any, metadata: dict[str, Any], owner: str) -> None:
    assert made(objects, MOVING, **metadata).owner == owner


def test_containers_that_cannot_start_are_named(objects: Any) -> None:
    rollout = objects.rollout(spec={"strategy": CANARY}, status=MOVING | {"phase": "Progressing", "message": "moving"})
    parts = objects.parts(
        replica_sets=(objects.replica_set("new", argo=True),),
        pods={"uid-checkout-new": (objects.pod("p", "checkout-new", waiting="ImagePullBackOff"),)},
    )
    assert argo_rollout(rollout, parts).message == "ImagePullBackOff: moving"


def test_foreign_words_are_cleaned(objects: Any) -> None:
    nasty = MOVING | {"message": "\x1b[31mred\x1b[0m [/bold]", "phase": "Degraded"}
    rollout = made(objects, nasty, labels={"team": "a\u202eb"}, annotations={"opsroom.dev/change-author": "x\x07y"})
    for text in (rollout.message, rollout.labels["team"], rollout.change.author):
        assert text.isprintable()


@pytest.mark.parametrize(
    ("written", "read"),
    [
        (None, None),
        (30, 30),
        ("30", 30.0),
        ("90s", 90.0),
        ("1m30s", 90.0),
        ("1.5h", 5400.0),
        ("soon", None),
        ("5x", None),
    ],
)
def test_durations_are_read_as_go_reads_them(written: str | int | None, read: float | None) -> None:
    assert seconds(written) == read


@given(st.text())
def test_no_duration_can_break_us(text: str) -> None:
    found = seconds(text)
    assert found is None or found >= 0
