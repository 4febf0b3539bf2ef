"""Objects as an API server sends them, made short: bodies in JSON, decoded through the product's own types."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from opsroom.kube.objects import decoder
from opsroom.sources.argo_kinds import ArgoRollout
from opsroom.sources.kinds import Deployment, KubeEvent, Pod, ReplicaSet
from opsroom.sources.revisions import Parts

CREATED = "2026-01-02T03:04:05Z"
CREATED_AT = 1767323045.0


def decoded(type_: Any, body: dict[str, Any]) -> Any:
    """As it arrives: through JSON."""
    return decoder(type_).decode(msgspec.json.encode(body))


def meta(name: str, owner: str = "", **more: Any) -> dict[str, Any]:
    found: dict[str, Any] = {
        "name": name,
        "namespace": "shop",
        "uid": f"uid-{name}",
        "resourceVersion": "7",
        "generation": 1,
        "creationTimestamp": CREATED,
        "managedFields": [{"manager": "kubectl"}],
    }
    if owner:
        found["ownerReferences"] = [{"uid": owner, "kind": "X", "name": "x", "controller": True}]
    return found | more


def template(image: str, track: str = "", **extra: str) -> dict[str, Any]:
    labels = {"app": "checkout", **extra} | ({"track": track} if track else {})
    return {"metadata": {"creationTimestamp": None, "labels": labels}, "spec": {"containers": [{"image": image}]}}


class Objects:
    """Makers of objects; every keyword overrides."""

    created = CREATED_AT
    parts = Parts
    meta = staticmethod(meta)
    template = staticmethod(template)

    @staticmethod
    def rollout(
        name: str = "checkout",
        spec: dict[str, Any] | None = None,
        status: dict[str, Any] | None = None,
        **metadata: Any,
    ) -> ArgoRollout:
        """An Argo Rollout."""
        body = {"metadata": meta(name, **metadata), "spec": spec or {}, "status": status or {}}
        found: ArgoRollout = decoded(ArgoRollout, body)
        return found

    @staticmethod
    def deployment(
        name: str = "checkout",
        image: str = "reg/app:v1",
        track: str = "",
        spec: dict[str, Any] | None = None,
        status: dict[str, Any] | None = None,
        **metadata: Any,
    ) -> Deployment:
        """A Deployment; at rest with three pods unless told otherwise."""
        resting = {
            "observedGeneration": 1,
            "replicas": 3,
            "updatedReplicas": 3,
            "readyReplicas": 3,
            "availableReplicas": 3,
            "conditions": [{"type": "Progressing", "status": "True", "reason": "NewReplicaSetAvailable"}],
        }
        body = {
            "metadata": meta(name, **metadata),
            "spec": {"replicas": 3, "template": template(image, track)} | (spec or {}),
            "status": resting if status is None else status,
        }
        found: Deployment = decoded(Deployment, body)
        return found

    @staticmethod
    def replica_set(
        hash_: str,
        image: str = "reg/app:v1",
        pods: int = 3,
        owner: str = "checkout",
        revision: int = 1,
        argo: bool = False,
        available: int | None = None,
        track: str = "",
        annotations: dict[str, str] | None = None,
    ) -> ReplicaSet:
        """A ReplicaSet of that hash."""
        label = "rollouts-pod-template-hash" if argo else "pod-template-hash"
        note = "rollout.argoproj.io/revision" if argo else "deployment.kubernetes.io/revision"
        ready = pods if available is None else available
        notes = annotations or {note: str(revision)}
        body = {
            "metadata": meta(f"{owner}-{hash_}", f"uid-{owner}", labels={label: hash_}, annotations=notes),
            "spec": {"replicas": pods, "template": template(image, track, **{label: hash_})},
            "status": {"replicas": pods, "readyReplicas": ready, "availableReplicas": ready},
        }
        found: ReplicaSet = decoded(ReplicaSet, body)
        return found

    @staticmethod
    def pod(
        name: str, replica_set: str, restarts: int = 0, waiting: str = "", created: str = CREATED, ended: str = ""
    ) -> Pod:
        """A pod of that ReplicaSet; ``ended`` says how its container ended the last time."""
        last = {"terminated": {"reason": ended, "exitCode": 137}} if ended else {}
        state = {"waiting": {"reason": waiting}} if waiting else {"running": {"startedAt": CREATED}}
        body = {
            "metadata": meta(name, f"uid-{replica_set}", creationTimestamp=created),
            "status": {
                "phase": "Running",
                "containerStatuses": [
                    {"ready": not waiting, "restartCount": restarts, "state": state, "lastState": last}
                ],
            },
        }
        found: Pod = decoded(Pod, body)
        return found

    @staticmethod
    def event(name: str, about: str, at: str, message: str = "done", **more: Any) -> KubeEvent:
        """A core/v1 Event."""
        body = {
            "metadata": meta(name),
            "involvedObject": {"uid": about, "kind": "Rollout"},
            "reason": "RolloutStepCompleted",
            "message": message,
            "type": "Normal",
            "lastTimestamp": at,
        }
        found: KubeEvent = decoded(KubeEvent, body | more)
        return found


@pytest.fixture(scope="session")
def objects() -> type[Objects]:
    """Makers of objects."""
    return Objects
