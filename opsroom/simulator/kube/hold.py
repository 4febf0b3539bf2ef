"""The opsroom-hold MutatingAdmissionPolicy, as native code.

There is NO CEL engine here: when the objects of that policy exist (the policy and the binding named
`opsroom-hold`, and the parameter ConfigMap the binding names), this module does what a real API server did with
them (verified on 1.36). Other admission policies are stored and have no effect.
"""

from __future__ import annotations

from typing import Any

from opsroom.simulator.kube.access import Attributes, Authorizer, User
from opsroom.simulator.kube.resources import Kind
from opsroom.simulator.kube.selectors import matches
from opsroom.simulator.kube.store import Store
from opsroom.simulator.kube.versions import Obj

POLICY = "opsroom-hold"
QUEUE = "opsroom.dev/queue"
REQUESTED_BY = "opsroom.dev/requested-by"
ROLLBACK = "opsroom.dev/rollback"
CANARY_OF = "opsroom.dev/canary-of"
OPT_OUT = "opsroom.dev/hold"
_RESTARTED_AT = "kubectl.kubernetes.io/restartedAt"


class Hold:
    """Admission of updates of Deployments and Rollouts."""

    def __init__(self, store: Store, authorizer: Authorizer) -> None:
        self._store = store
        self._authorizer = authorizer

    def admit(self, kind: Kind, old: Obj, new: Obj, user: User) -> Obj:
        """`new` as it is to be stored: paused and marked when it is a held template change."""
        if kind.plural not in ("deployments", "rollouts") or not self._in_force(new["metadata"]["namespace"]):
            return new
        spec: dict[str, Any] = new.get("spec") or {}
        if not self._template_changed(old, new) or spec.get("paused") or self._may_roll_back(old, new, user):
            return new
        if self._spared(new):
            return new
        meta = new["metadata"]
        marks = {**(meta.get("annotations") or {}), REQUESTED_BY: user.name, QUEUE: "held"}
        return {**new, "spec": {**spec, "paused": True}, "metadata": {**meta, "annotations": marks}}

    def _in_force(self, namespace: str) -> bool:
        binding = self._store.get("mutatingadmissionpolicybindings", None, POLICY)
        policy = self._store.get("mutatingadmissionpolicies", None, POLICY)
        if binding is None or policy is None:
            return False
        spec = binding.get("spec") or {}
        reference = spec.get("paramRef")
        if reference and self._store.get("configmaps", reference.get("namespace"), reference.get("name", "")) is None:
            return False
        selector = (spec.get("matchResources") or {}).get("namespaceSelector") or {}
        space = self._store.get("namespaces", None, namespace)
        return space is not None and matches(selector, space["metadata"].get("labels"))

    def _template_changed(self, old: Obj, new: Obj) -> bool:
        before = (old.get("spec") or {}).get("template")
        after = (new.get("spec") or {}).get("template")
        if before == after:
            return False
        return not (self._spares_restarts() and _without_restart(before) == _without_restart(after))

    def _spares_restarts(self) -> bool:
        # The policy text decides: one that looks at restartedAt lets `kubectl rollout restart` pass.
        return self._speaks_of("restartedAt")

    def _spared(self, new: Obj) -> bool:
        """Whether a condition of the policy's lets this object alone."""
        meta = new["metadata"]
        labels, marks = meta.get("labels") or {}, meta.get("annotations") or {}
        owned = any(one.get("kind") == "Canary" for one in meta.get("ownerReferences") or ())
        return (
            (labels.get(OPT_OUT) == "off" and self._speaks_of(OPT_OUT))
            or ((CANARY_OF in labels or CANARY_OF in marks) and self._speaks_of(CANARY_OF))
            or (labels.get("track") == "canary" and self._speaks_of("'track'"))
            or (owned and self._speaks_of("'Canary'"))
        )

    def _speaks_of(self, word: str) -> bool:
        policy = self._store.get("mutatingadmissionpolicies", None, POLICY) or {}
        conditions = (policy.get("spec") or {}).get("matchConditions") or ()
        return any(word in str(one.get("expression", "")) for one in conditions)

    def _may_roll_back(self, old: Obj, new: Obj, user: User) -> bool:
        mark = (new["metadata"].get("annotations") or {}).get(ROLLBACK)
        if mark is None or mark == (old["metadata"].get("annotations") or {}).get(ROLLBACK):
            return False
        asked = Attributes("create", "opsroom.dev", "rollbacks", namespace=new["metadata"]["namespace"])
        return self._authorizer.reason(user, asked) is not None


def _without_restart(template: Any) -> Any:
    template = template or {}
    meta = template.get("metadata") or {}
    marks = {key: value for key, value in (meta.get("annotations") or {}).items() if key != _RESTARTED_AT}
    rest = {key: value for key, value in meta.items() if key != "annotations"}
    return {**template, "metadata": {**rest, "annotations": marks} if marks else rest}
