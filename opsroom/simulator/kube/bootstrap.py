"""What a fresh API server already holds: namespaces and the RBAC roles everybody counts on.

After K8S plugin/pkg/auth/authorizer/rbac/bootstrappolicy/policy.go, cut to the kinds served here, with the
`view` and `edit` rules that Argo Rollouts and Flagger aggregate into them already merged.
"""

from __future__ import annotations

from typing import Any

from opsroom.simulator.kube.store import Store

_READ = ["get", "list", "watch"]
_WRITE = ["create", "delete", "deletecollection", "patch", "update"]
_HEALTH_PATHS = ["/healthz", "/livez", "/readyz", "/version", "/version/"]
_DISCOVERY_PATHS = ["/api", "/api/*", "/apis", "/apis/*", "/healthz", "/livez", "/openapi", "/openapi/*"]
_DISCOVERY_PATHS += ["/readyz", "/version", "/version/"]

# (API group, what `view` may read, what `edit` may also write)
_NAMESPACED: tuple[tuple[str, str, str], ...] = (
    (
        "",
        "configmaps endpoints events namespaces pods pods/log pods/status serviceaccounts services services/status",
        "configmaps events pods pods/eviction secrets serviceaccounts services services/proxy",
    ),
    ("events.k8s.io", "events", ""),
    (
        "apps",
        "controllerrevisions daemonsets daemonsets/status deployments deployments/scale deployments/status "
        "replicasets replicasets/scale replicasets/status statefulsets statefulsets/scale statefulsets/status",
        "daemonsets deployments deployments/scale replicasets replicasets/scale statefulsets statefulsets/scale",
    ),
    (
        "argoproj.io",
        "analysisruns analysistemplates experiments rollouts rollouts/scale rollouts/status",
        "analysisruns analysistemplates experiments rollouts rollouts/scale rollouts/status",
    ),
    (
        "flagger.app",
        "alertproviders canaries canaries/status metrictemplates",
        "alertproviders canaries canaries/status metrictemplates",
    ),
    ("autoscaling", "horizontalpodautoscalers", "horizontalpodautoscalers"),
    ("policy", "poddisruptionbudgets poddisruptionbudgets/status", "poddisruptionbudgets"),
    ("discovery.k8s.io", "endpointslices", ""),
    ("coordination.k8s.io", "leases", "leases"),
)


def _rule(groups: list[str], resources: list[str], verbs: list[str]) -> dict[str, Any]:
    return {"apiGroups": groups, "resources": resources, "verbs": verbs}


def _cluster_roles() -> dict[str, list[dict[str, Any]]]:
    view = [_rule([group], readable.split(), _READ) for group, readable, _ in _NAMESPACED]
    edit = view + [_rule([group], writable.split(), _WRITE) for group, _, writable in _NAMESPACED if writable]
    edit.append(_rule([""], ["secrets", "services/proxy"], _READ))
    rbac = _rule(["rbac.authorization.k8s.io"], ["rolebindings", "roles"], _READ + _WRITE)
    own_reviews = ["selfsubjectaccessreviews", "selfsubjectrulesreviews"]
    return {
        "cluster-admin": [_rule(["*"], ["*"], ["*"]), {"nonResourceURLs": ["*"], "verbs": ["*"]}],
        "admin": [*edit, rbac],
        "edit": edit,
        "view": view,
        "system:auth-delegator": [
            _rule(["authentication.k8s.io"], ["tokenreviews"], ["create"]),
            _rule(["authorization.k8s.io"], ["subjectaccessreviews"], ["create"]),
        ],
        "system:basic-user": [
            _rule(["authorization.k8s.io"], own_reviews, ["create"]),
            _rule(["authentication.k8s.io"], ["selfsubjectreviews"], ["create"]),
        ],
        "system:discovery": [{"nonResourceURLs": _DISCOVERY_PATHS, "verbs": ["get"]}],
        "system:public-info-viewer": [{"nonResourceURLs": _HEALTH_PATHS, "verbs": ["get"]}],
    }


_BINDINGS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("cluster-admin", ("system:masters",)),
    ("system:basic-user", ("system:authenticated",)),
    ("system:discovery", ("system:authenticated",)),
    ("system:public-info-viewer", ("system:authenticated", "system:unauthenticated")),
    ("view", ("viewers",)),
)


def bootstrap(store: Store) -> None:
    """Create what is missing of the standard namespaces, roles and bindings."""
    for namespace in ("default", "kube-system"):
        if store.get("namespaces", None, namespace) is None:
            store.create("namespaces", {"metadata": {"name": namespace}})
    for name, rules in _cluster_roles().items():
        if store.get("clusterroles", None, name) is None:
            store.create("clusterroles", {"metadata": {"name": name}, "rules": rules})
    for role, groups in _BINDINGS:
        name = "simulated-viewers" if role == "view" else role
        if store.get("clusterrolebindings", None, name) is None:
            subjects = [{"apiGroup": "rbac.authorization.k8s.io", "kind": "Group", "name": group} for group in groups]
            reference = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": role}
            store.create(
                "clusterrolebindings", {"metadata": {"name": name}, "roleRef": reference, "subjects": subjects}
            )
