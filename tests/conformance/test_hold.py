"""The hold at admission: the simulator does with each change what Kubernetes' own admission code did.

`data/hold-1.36.jsonl` was made with the policy that `opsroom manifest hold` prints, by the MutatingAdmissionPolicy
plugin of the published library k8s.io/apiserver v0.36.0 (the code that an API server 1.36 runs): old and new object,
whether the user may create rollbacks.opsroom.dev, and what came out. The policy's text was accepted by its strict
decoder and its expressions by its CEL compiler. Whoever changes a condition of the policy makes the file anew.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from opsroom.simulator.kube.access import Authorizer, User
from opsroom.simulator.kube.hold import Hold
from opsroom.simulator.kube.resources import KINDS
from opsroom.simulator.kube.store import Store

HERE = Path(__file__)
MANIFEST = HERE.parents[2] / "opsroom" / "cli" / "manifests" / "hold.yaml"
CASES = [json.loads(line) for line in (HERE.parent / "data" / "hold-1.36.jsonl").read_text().splitlines()]
RESOURCES = {
    "MutatingAdmissionPolicy": "mutatingadmissionpolicies",
    "MutatingAdmissionPolicyBinding": "mutatingadmissionpolicybindings",
    "ConfigMap": "configmaps",
}
DEPLOYER = User("deploybot")


@pytest.fixture
def store() -> Store:
    """A cluster where everything of the manifest stands, and one of two namespaces takes part."""
    made = Store(lambda: 0.0, seed=1)
    made.create("namespaces", {"metadata": {"name": "opsroom"}})
    made.create("namespaces", {"metadata": {"name": "shop", "labels": {"opsroom.dev/queue": "enabled"}}})
    made.create("namespaces", {"metadata": {"name": "bank"}})
    for document in yaml.safe_load_all(MANIFEST.read_text()):
        resource = RESOURCES.get(document["kind"])
        if resource is not None:
            made.create(resource, document, namespace="opsroom" if resource == "configmaps" else None)
    return made


def allow_roll_backs(store: Store) -> None:
    rule = {"apiGroups": ["opsroom.dev"], "resources": ["rollbacks"], "verbs": ["create"]}
    store.create("clusterroles", {"metadata": {"name": "back"}, "rules": [rule]})
    reference = {"kind": "ClusterRole", "name": "back"}
    subjects = [{"kind": "User", "name": DEPLOYER.name}]
    store.create("clusterrolebindings", {"metadata": {"name": "back"}, "roleRef": reference, "subjects": subjects})


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_what_kubernetes_held_is_held_here(store: Store, case: dict[str, Any]) -> None:
    if case["may_roll_back"]:
        allow_roll_backs(store)
    kind = next(one for one in KINDS if one.kind == case["new"]["kind"])
    stored = Hold(store, Authorizer(store)).admit(kind, case["old"], case["new"], DEPLOYER)
    assert (stored != case["new"]) is case["held"]
    assert (stored["metadata"].get("annotations") or {}) == case["annotations"]
    assert bool(stored["spec"].get("paused")) == (case["held"] or bool(case["new"]["spec"].get("paused")))


def test_without_its_map_nothing_is_held(store: Store) -> None:
    store.delete("configmaps", "opsroom", "opsroom-hold")
    case = CASES[0]
    assert case["held"]
    kind = next(one for one in KINDS if one.kind == case["new"]["kind"])
    assert Hold(store, Authorizer(store)).admit(kind, case["old"], case["new"], DEPLOYER) == case["new"]
