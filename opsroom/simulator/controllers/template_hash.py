"""The hash that names a pod template: the same template, the same ten letters.

The real one is FNV-1a over Go's deep print of the struct, which nobody outside Go can reproduce; this is
the start of SHA-256 over canonical JSON, as 32 bits written in the same alphabet (k8s.io/apimachinery/pkg/util/rand
SafeEncodeString). Clients may rely on equality only, there as here.
"""

from __future__ import annotations

import hashlib
import json

from opsroom.simulator.controllers.objects import Obj
from opsroom.simulator.kube.birth import LETTERS
from opsroom.simulator.kube.defaults import pod_spec

DEPLOYMENT_HASH_LABEL = "pod-template-hash"
ROLLOUT_HASH_LABEL = "rollouts-pod-template-hash"


def bare_template(template: Obj) -> Obj:
    """The template as the API server stores it, without the labels and the null timestamp that others put there.

    Defaults are filled in, because a Rollout's template has none and its ReplicaSets' templates do: the Argo
    controller compares them the same way.
    """
    metadata = dict(template.get("metadata") or {})
    metadata.pop("creationTimestamp", None)
    labels = {
        key: value
        for key, value in (metadata.get("labels") or {}).items()
        if key not in (DEPLOYMENT_HASH_LABEL, ROLLOUT_HASH_LABEL)
    }
    metadata["labels"] = labels
    metadata = {key: value for key, value in metadata.items() if value}
    return {**template, "metadata": metadata, "spec": pod_spec(template.get("spec") or {})}


def template_hash(template: Obj) -> str:
    """Ten safe characters (no vowels) that name this template's content."""
    return _safe(bare_template(template))


def steps_hash(steps: object) -> str:
    """The hash Argo Rollouts keeps in `status.currentStepHash` to notice edited steps."""
    return _safe(steps)


def safe_suffix(salt: str) -> str:
    """Five safe characters, as generated names end; the same salt gives the same ones."""
    digest = hashlib.sha256(salt.encode()).digest()
    return "".join(LETTERS[byte % len(LETTERS)] for byte in digest[:5])


def _safe(content: object) -> str:
    text = json.dumps(content, sort_keys=True, separators=(",", ":"))
    number = int.from_bytes(hashlib.sha256(text.encode()).digest()[:4])
    return "".join(LETTERS[ord(digit) % len(LETTERS)] for digit in f"{number:010d}")
