"""The hold at admission as it stands in a cluster that uses the queue: policy, binding, switch, and who takes part.

As if somebody had applied `opsroom manifest hold`. The conditions are those of that manifest in brief; what they do
is done natively by `kube.hold`.
"""

from __future__ import annotations

from collections.abc import Iterable

from opsroom.simulator.controllers.objects import Obj
from opsroom.simulator.kube.hold import OPT_OUT, POLICY, QUEUE
from opsroom.simulator.kube.store import Store

ENABLED = {QUEUE: "enabled"}

_CONDITIONS = {
    "template-changed": "object.spec.template != oldObject.spec.template",
    "more-than-a-restart": "without 'kubectl.kubernetes.io/restartedAt'",
    "not-held-already": "!(has(object.spec.paused) && object.spec.paused)",
    "not-opted-out": f"!(has(object.metadata.labels) && '{OPT_OUT}' in object.metadata.labels)",
    "not-a-canary-of-a-pair": "!('opsroom.dev/canary-of' in object.metadata.annotations)",
    "not-flaggers-primary": "!object.metadata.ownerReferences.exists(o, o.kind == 'Canary')",
}


def lay_hold(store: Store, namespace: str) -> None:
    """Create policy, binding and parameter map (in `namespace`); raises ApiError 409 where one stands already."""
    rules = [
        {"apiGroups": [group], "apiVersions": [version], "resources": [plural], "operations": ["UPDATE"]}
        for group, version, plural in (("apps", "v1", "deployments"), ("argoproj.io", "v1alpha1", "rollouts"))
    ]
    policy: Obj = {
        "metadata": {"name": POLICY},
        "spec": {
            "failurePolicy": "Ignore",
            "reinvocationPolicy": "Never",
            "paramKind": {"apiVersion": "v1", "kind": "ConfigMap"},
            "matchConstraints": {"resourceRules": rules},
            "matchConditions": [{"name": name, "expression": text} for name, text in _CONDITIONS.items()],
            "mutations": [{"patchType": "JSONPatch", "jsonPatch": {"expression": "[]"}}],
        },
    }
    binding: Obj = {
        "metadata": {"name": POLICY},
        "spec": {
            "policyName": POLICY,
            "paramRef": {"name": POLICY, "namespace": namespace, "parameterNotFoundAction": "Allow"},
            "matchResources": {"namespaceSelector": {"matchLabels": ENABLED}},
        },
    }
    store.create("mutatingadmissionpolicies", policy)
    store.create("configmaps", {"metadata": {"name": POLICY}, "data": {"mode": "hold"}}, namespace=namespace)
    store.create("mutatingadmissionpolicybindings", binding)


def take_part(store: Store, namespaces: Iterable[str]) -> None:
    """Label `namespaces`, so that what is deployed there is held."""
    for name in sorted(set(namespaces)):
        found = store.get("namespaces", None, name)
        if found is None:
            continue
        meta = found["metadata"]
        store.replace(
            "namespaces", {**found, "metadata": {**meta, "labels": {**(meta.get("labels") or {}), **ENABLED}}}
        )
