"""Deployments: at rest, in a rolling update, paused half-way, failed, and in pairs."""

from __future__ import annotations

from typing import Any

import pytest

from opsroom.domain.rollout import Phase, Rollout, Shape
from opsroom.sources.pairs import pair_rollout, partners
from opsroom.sources.rolling import rolling_rollout


def progressing(reason: str, status: str = "True", **more: Any) -> list[dict[str, Any]]:
    return [{"type": "Progressing", "status": status, "reason": reason, **more}]


HALF = {
    "observedGeneration": 1,
    "replicas": 4,
    "updatedReplicas": 1,
    "readyReplicas": 4,
    "availableReplicas": 4,
    "conditions": progressing("ReplicaSetUpdated"),
}


def rolled(objects: Any, deployment: Any, old_pods: int = 3, new_pods: int = 1) -> Rollout:
    parts = objects.parts(
        replica_sets=(
            objects.replica_set("older", "reg/app:v0", 0, revision=1),
            objects.replica_set("old", "reg/app:v1", old_pods, revision=2),
            objects.replica_set("new", "reg/app:v2", new_pods, revision=3),
        )
    )
    return rolling_rollout(deployment, parts)


def test_a_deployment_at_rest_is_healthy_without_a_canary(objects: Any) -> None:
    rollout = rolling_rollout(objects.deployment(), objects.parts(replica_sets=(objects.replica_set("one"),)))
    assert (rollout.phase, rollout.shape, rollout.canary, rollout.weight) == (Phase.HEALTHY, Shape.ROLLING, None, 0)
    assert rollout.stable is not None
    assert (rollout.stable.replica_set, rollout.stable.ready) == ("checkout-one", 3)


def test_a_rolling_update_has_the_new_pods_as_canary(objects: Any) -> None:
    rollout = rolled(objects, objects.deployment(image="reg/app:v2", status=HALF))
    assert rollout.phase is Phase.PROGRESSING
    assert rollout.canary is not None
    assert rollout.stable is not None
    assert (rollout.canary.hash, rollout.stable.hash, rollout.weight) == ("new", "old", 25)


def test_paused_half_way_is_a_canary_that_waits(objects: Any) -> None:
    status = HALF | {"conditions": progressing("DeploymentPaused", "Unknown", lastUpdateTime="2026-01-02T03:04:05Z")}
    rollout = rolled(objects, objects.deployment(image="reg/app:v2", spec={"paused": True}, status=status))
    assert rollout.phase is Phase.PAUSED
    assert rollout.pause is not None
    assert (rollout.pause.user, rollout.pause.since) == (True, objects.created)


def test_a_deadline_missed_before_the_pause_does_not_hide_the_pause(objects: Any) -> None:
    status = HALF | {"conditions": progressing("ProgressDeadlineExceeded", "False")}
    assert rolled(objects, objects.deployment(image="reg/app:v2", spec={"paused": True}, status=status)).phase is (
        Phase.PAUSED
    )


@pytest.mark.parametrize(
    "conditions",
    [
        progressing("ProgressDeadlineExceeded", "False", message="too slow"),
        [*progressing("ReplicaSetUpdated"), {"type": "ReplicaFailure", "status": "True", "reason": "FailedCreate"}],
    ],
)
def test_an_update_that_failed_is_degraded_at_once(objects: Any, conditions: list[dict[str, Any]]) -> None:
    rollout = rolled(objects, objects.deployment(image="reg/app:v2", status=HALF | {"conditions": conditions}))
    assert rollout.phase is Phase.DEGRADED
    assert rollout.canary is not None
    assert conditions[-1]["reason"] in rollout.message


def test_a_template_changed_while_paused_has_a_canary_without_pods(objects: Any) -> None:
    marks = {"opsroom.dev/queue": "held"}
    change = objects.deployment(image="reg/app:v9", spec={"paused": True}, status=HALF | {"updatedReplicas": 0})
    held = objects.deployment(image="reg/app:v9", spec={"paused": True}, status=HALF, annotations=marks)
    assert rolled(objects, change, 3, 0).phase is Phase.PAUSED
    rollout = rolled(objects, held, 3, 0)
    assert rollout.phase is Phase.HELD
    assert rollout.canary is not None
    assert (rollout.canary.hash, rollout.canary.version) == ("", "v9")
    assert rollout.stable is not None
    assert rollout.stable.hash == "old"


def test_a_spec_that_was_not_seen_yet_allows_nothing(objects: Any) -> None:
    assert rolled(objects, objects.deployment(image="reg/app:v2", status=HALF, generation=2)).phase is Phase.OBSERVING


def test_dead_pods_and_scaling_at_rest_are_no_update(objects: Any) -> None:
    status = HALF | {"replicas": 5, "updatedReplicas": 5, "conditions": progressing("NewReplicaSetAvailable")}
    rollout = rolled(objects, objects.deployment(image="reg/app:v2", status=status), old_pods=0, new_pods=5)
    assert (rollout.phase, rollout.canary) == (Phase.HEALTHY, None)


def test_the_last_pods_of_an_update_still_belong_to_it(objects: Any) -> None:
    status = HALF | {"replicas": 3, "updatedReplicas": 3, "availableReplicas": 2}
    rollout = rolled(objects, objects.deployment(image="reg/app:v2", status=status), old_pods=0, new_pods=3)
    assert rollout.phase is Phase.PROGRESSING
    assert rollout.stable is not None
    assert rollout.stable.hash == "old"


def test_a_restart_is_another_revision_and_a_scale_is_not(objects: Any) -> None:
    base = objects.deployment()
    scaled = objects.deployment(spec={"replicas": 9, "template": objects.template("reg/app:v1")})
    again = objects.template("reg/app:v1")
    again["metadata"]["annotations"] = {"kubectl.kubernetes.io/restartedAt": "2026-01-02T03:04:05Z"}
    restarted = objects.deployment(spec={"template": again})
    assert base.spec.template.digest == scaled.spec.template.digest != restarted.spec.template.digest


def pair(objects: Any, image: str, replicas: int, *, ready: int | None = None, **more: Any) -> Rollout:
    ready = replicas if ready is None else ready
    status = {"observedGeneration": 1, "replicas": replicas, "updatedReplicas": replicas, "readyReplicas": ready}
    canary = objects.deployment(
        "checkout-canary",
        image,
        "canary",
        {"replicas": replicas, "template": objects.template(image, "canary")},
        status | {"availableReplicas": ready},
        **({"annotations": {"opsroom.dev/canary-of": "checkout"}} | more),
    )
    stable = objects.deployment("checkout", "reg/app:v1", "stable")
    new = objects.replica_set("new", image, replicas, owner="checkout-canary", track="canary")
    old = objects.replica_set("old", "reg/app:v1", 3, track="stable")
    return pair_rollout(canary, objects.parts((new,)), stable, objects.parts((old,)))


def test_a_pair_with_a_running_canary_waits_for_somebody(objects: Any) -> None:
    rollout = pair(objects, "reg/app:v2", 1)
    assert (rollout.shape, rollout.phase, rollout.weight) == (Shape.PAIR, Phase.PAUSED, 25)
    assert (rollout.name, rollout.stable_name) == ("checkout-canary", "checkout")
    assert rollout.canary is not None
    assert rollout.stable is not None
    assert (rollout.canary.replica_set, rollout.stable.replica_set) == ("checkout-canary-new", "checkout-old")
    assert rollout.under_way


def test_a_pair_whose_canary_starts_is_progressing(objects: Any) -> None:
    assert pair(objects, "reg/app:v2", 2, ready=1).phase is Phase.PROGRESSING


def test_a_pair_without_canary_pods_or_without_a_difference_is_at_rest(objects: Any) -> None:
    for rollout in (pair(objects, "reg/app:v2", 0), pair(objects, "reg/app:v1", 1)):
        assert (rollout.phase, rollout.canary, rollout.weight) == (Phase.HEALTHY, None, 0)


def test_half_a_promotion_is_still_under_way(objects: Any) -> None:
    notes = {"opsroom.dev/canary-of": "checkout", "opsroom.dev/promoting": "id"}
    assert pair(objects, "reg/app:v1", 1, annotations=notes).canary is not None


def test_pairs_are_found_by_annotation_and_by_labels(objects: Any) -> None:
    named = {"labels": {"app.kubernetes.io/name": "cart", "app.kubernetes.io/instance": "cart"}}
    found = partners(
        [
            objects.deployment("checkout"),
            objects.deployment("checkout-next", annotations={"opsroom.dev/canary-of": "checkout"}),
            objects.deployment("cart", track="stable", **named),
            objects.deployment("cart-canary", track="canary", **named),
            objects.deployment("alone", track="canary"),
        ]
    )
    assert found == {"uid-checkout-next": "uid-checkout", "uid-cart-canary": "uid-cart"}


@pytest.mark.parametrize("of", ["lost", "lost-stable"])
def test_a_canary_of_itself_or_of_nothing_is_no_pair(objects: Any, of: str) -> None:
    assert partners([objects.deployment("lost", annotations={"opsroom.dev/canary-of": of})]) == {}


def test_two_canaries_of_one_family_are_left_alone(objects: Any) -> None:
    named = {"labels": {"app.kubernetes.io/name": "cart"}}
    many = [objects.deployment(f"cart-{n}", track="canary", **named) for n in range(2)]
    assert partners([objects.deployment("cart", track="stable", **named), *many]) == {}
