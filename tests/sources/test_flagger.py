"""A Flagger Canary read with its traps: weights, phases, gates, and what belongs to it."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from opsroom.domain.rollout import Engine, Phase, Rollout, Shape
from opsroom.kube.objects import decoder
from opsroom.sources.flagger import flagger_rollout
from opsroom.sources.flagger_kinds import FlaggerCanary
from opsroom.sources.index import Index

HOOKS = [
    {"type": type_, "url": f"http://gates:9877/opsroom/{type_}", "metadata": {"token": "secret"}}
    for type_ in ("confirm-traffic-increase", "confirm-promotion", "rollback")
]
PROMOTED_AT = "2026-01-02T04:00:00Z"


def made(objects: Any, status: dict[str, Any], analysis: dict[str, Any] | None = None, **spec: Any) -> FlaggerCanary:
    """A Canary on the Deployment ``checkout``."""
    checks = {"interval": "30s", "stepWeights": [20, 50], "webhooks": HOOKS} | (analysis or {})
    whole = {"targetRef": {"kind": "Deployment", "name": "checkout"}, "analysis": checks} | spec
    condition = {"type": "Promoted", "status": "Unknown", "reason": "x", "lastUpdateTime": PROMOTED_AT}
    body = {
        "metadata": objects.meta("cart", uid="uid-canary"),
        "spec": whole,
        "status": {"conditions": [condition]} | status,
    }
    found: FlaggerCanary = decoder(FlaggerCanary).decode(msgspec.json.encode(body))
    return found


def read(objects: Any, canary: FlaggerCanary) -> Rollout:
    """With target (v2) and primary (v1)."""
    target = objects.deployment("checkout", image="reg/app:v2", uid="uid-target")
    primary = objects.deployment("checkout-primary", image="reg/app:v1", uid="uid-primary")
    mine = objects.parts(replica_sets=(objects.replica_set("new", image="reg/app:v2"),))
    theirs = objects.parts(replica_sets=(objects.replica_set("old", image="reg/app:v1"),))
    return flagger_rollout(canary, target, mine, primary, theirs)


@pytest.mark.parametrize(
    ("status", "phase", "step", "weight"),
    [
        ({"phase": "Progressing"}, Phase.PROGRESSING, 0, 0),
        ({"phase": "Progressing", "canaryWeight": 20}, Phase.PAUSED, 1, 20),
        ({"phase": "WaitingPromotion", "canaryWeight": 0, "iterations": -1}, Phase.PAUSED, 3, 50),
        ({"phase": "Promoting"}, Phase.PROGRESSING, 4, 0),
        ({"phase": "Finalising"}, Phase.PROGRESSING, 4, 0),
        ({"phase": "Waiting"}, Phase.PAUSED, 0, 0),
        ({"phase": "Failed", "lastAppliedSpec": "b", "lastPromotedSpec": "a"}, Phase.ABORTED, 4, 0),
        ({"phase": "Failed", "canaryWeight": 100}, Phase.DEGRADED, 4, 100),
        ({"phase": "Failed", "lastAppliedSpec": "a", "lastPromotedSpec": "a"}, Phase.HEALTHY, None, 0),
        ({"phase": "Succeeded"}, Phase.HEALTHY, None, 0),
        ({"phase": "Initialized"}, Phase.HEALTHY, None, 0),
        ({"phase": "Newfangled"}, Phase.UNKNOWN, None, 0),
    ],
)
def test_phases_and_their_traps(
    objects: Any, status: dict[str, Any], phase: Phase, step: int | None, weight: int
) -> None:
    found = read(objects, made(objects, status))
    assert (found.phase, found.step, found.weight) == (phase, step, weight)
    assert found.canary is None or found.canary.version == "v2"
    assert found.stable is not None
    assert found.stable.version == "v1"


def test_a_canary_waits_for_a_person_only_at_a_gate_of_ours(objects: Any) -> None:
    moving = {"phase": "Progressing", "canaryWeight": 20}
    pause = read(objects, made(objects, moving)).pause
    assert pause is not None
    assert pause.step
    foreign = read(
        objects, made(objects, moving, {"webhooks": [{"type": "confirm-promotion", "url": "http://lt/gate"}]})
    )
    assert (foreign.pause, foreign.gates, foreign.phase) == (None, (), Phase.PROGRESSING)
    waiting = read(objects, made(objects, {"phase": "WaitingPromotion"}, {"webhooks": []})).pause
    assert waiting is not None
    assert not waiting.step


def test_gates_are_named_and_never_their_secrets(objects: Any) -> None:
    canary = made(objects, {"phase": "Progressing"})
    assert read(objects, canary).gates == ("confirm-promotion", "confirm-traffic-increase", "rollback")
    assert "secret" not in repr(canary)


def test_a_version_that_flagger_was_kept_from_looking_at_is_held(objects: Any) -> None:
    canary = made(objects, {"phase": "Succeeded"}, suspend=True)
    assert read(objects, canary).phase is Phase.HEALTHY
    notes = msgspec.structs.replace(canary.metadata.notes, queue="held")
    held = msgspec.structs.replace(canary, metadata=msgspec.structs.replace(canary.metadata, annotations=notes))
    found = read(objects, held)
    assert found.canary is not None
    assert (found.phase, found.held, found.canary.version, found.weight) == (Phase.HELD, True, "v2", 0)


def test_suspended_is_a_pause_of_a_person(objects: Any) -> None:
    found = read(objects, made(objects, {"phase": "Progressing"}, suspend=True))
    assert found.pause is not None
    assert (found.phase, found.pause.user) == (Phase.PAUSED, True)


def test_iterations_make_it_blue_green_without_weight(objects: Any) -> None:
    found = read(objects, made(objects, {"phase": "Progressing", "iterations": 2}, {"iterations": 3}))
    assert (found.shape, found.weight, found.step, len(found.steps)) == (Shape.BLUE_GREEN, 0, 2, 4)


def test_a_failed_canary_that_is_written_at_each_tick_does_not_look_changed(objects: Any) -> None:
    failed = {"phase": "Failed", "lastAppliedSpec": "b", "lastPromotedSpec": "a"}
    one, other = made(objects, failed), made(objects, failed | {"lastTransitionTime": PROMOTED_AT})
    index = Index()
    index.canary_changed(None, one)
    (first,) = index.rollouts()
    index.canary_changed(one, other)
    (second,) = index.rollouts()
    assert second is first


def test_target_and_primary_are_no_rollouts_of_their_own_in_any_order(objects: Any) -> None:
    canary = made(objects, {"phase": "Progressing", "canaryWeight": 20})
    target = objects.deployment("checkout", image="reg/app:v2", uid="uid-target")
    primary = objects.deployment("checkout-primary", image="reg/app:v1", uid="uid-primary")
    other = objects.deployment("search", uid="uid-search")
    for canary_first in (True, False):
        index = Index()
        if canary_first:
            index.canary_changed(None, canary)
        for deployment in (target, primary, other):
            index.deployment_changed(None, deployment)
        if not canary_first:
            assert len(index.rollouts()) == 3
            index.canary_changed(None, canary)
        assert sorted((one.engine, one.name) for one in index.rollouts()) == [
            (Engine.DEPLOYMENT, "search"),
            (Engine.FLAGGER, "cart"),
        ]
        index.canary_changed(canary, None)
        assert sorted(one.name for one in index.rollouts()) == ["checkout", "checkout-primary", "search"]


def test_a_canary_follows_its_deployments(objects: Any) -> None:
    index = Index()
    index.canary_changed(None, made(objects, {"phase": "Progressing", "canaryWeight": 20}))
    (before,) = index.rollouts()
    assert before.stable is None
    index.deployment_changed(None, objects.deployment("checkout", image="reg/app:v2", uid="uid-target"))
    (after,) = index.rollouts()
    assert after.canary is not None
    assert after.canary.version == "v2"
    assert after is not before
    assert index.services(after.uid) == ("checkout-primary", "checkout-canary")


@pytest.mark.parametrize("reference", [{"kind": "DaemonSet", "name": "x"}, {"kind": "Service", "name": "x"}, {}])
def test_targets_of_other_kinds_are_shown_without_revisions(objects: Any, reference: dict[str, str]) -> None:
    index = Index()
    index.canary_changed(None, made(objects, {"phase": "Progressing"}, targetRef=reference))
    (found,) = index.rollouts()
    assert (found.phase, found.stable) == (Phase.PROGRESSING, None)
