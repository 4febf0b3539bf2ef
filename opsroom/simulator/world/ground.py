"""What stands in the cluster before any service does: namespaces, nodes, and who may do what."""

from __future__ import annotations

from collections.abc import Iterable

from opsroom.simulator.clock import stamp
from opsroom.simulator.controllers.kubelet import NODES, node_name
from opsroom.simulator.controllers.objects import Obj
from opsroom.simulator.kube.store import Store

OWN_NAMESPACE = "opsroom"  # as if somebody had run `opsroom manifest worker`

# kubectl sends no credentials over plain HTTP (client-go reads them for TLS only), so nobody in particular is admin.
_EVERYBODY: Obj = {
    "metadata": {"name": "loopback-admin"},
    "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "cluster-admin"},
    "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "Group", "name": "system:unauthenticated"}],
}


def lay_ground(store: Store, namespaces: Iterable[str]) -> None:
    """Create it all; raises ApiError 409 where something stands already."""
    store.create("clusterrolebindings", _EVERYBODY)
    for namespace in sorted({OWN_NAMESPACE, *namespaces}):
        store.create("namespaces", {"metadata": {"name": namespace}, "status": {"phase": "Active"}})
    for number in range(NODES):
        store.create("nodes", _node(number, stamp(store.now())))


def _node(number: int, since: str) -> Obj:
    ready = {
        "type": "Ready",
        "status": "True",
        "reason": "KubeletReady",
        "message": "kubelet is posting ready status",
        "lastHeartbeatTime": since,
        "lastTransitionTime": since,
    }
    name = node_name(number)
    room = {"cpu": "32", "memory": "128Gi", "pods": "250"}
    return {
        "metadata": {"name": name, "labels": {"kubernetes.io/hostname": name, "kubernetes.io/os": "linux"}},
        "spec": {},
        "status": {
            "conditions": [ready],
            "capacity": room,
            "allocatable": room,
            "nodeInfo": {"kubeletVersion": "v1.36.0", "osImage": "Debian GNU/Linux 13", "architecture": "amd64"},
        },
    }
