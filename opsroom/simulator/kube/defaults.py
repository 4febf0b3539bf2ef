"""The defaults an API server fills in on write, for the built-in kinds whose readers depend on them.

From K8S pkg/apis/apps/v1/defaults.go and pkg/apis/core/v1/defaults.go (v1.36). Custom resources get none:
their CRDs declare none. Pure; copies on write.
"""

from __future__ import annotations

from typing import Any

from opsroom.simulator.kube.resources import Kind
from opsroom.simulator.kube.versions import Obj


def fill_defaults(kind: Kind, obj: Obj) -> Obj:
    """The object with the defaults of its kind; the input itself is not changed."""
    filler = _FILLERS.get(kind.plural)
    return obj if filler is None else filler(obj)


def _over(defaults: dict[str, Any], given: dict[str, Any] | None) -> dict[str, Any]:
    given = given or {}
    return given if all(key in given for key in defaults) else {**defaults, **given}


def _container(container: dict[str, Any]) -> dict[str, Any]:
    image = str(container.get("image", ""))
    tag = image.rsplit("/", 1)[-1].partition(":")[2]
    defaults = {
        "resources": {},
        "terminationMessagePath": "/dev/termination-log",
        "terminationMessagePolicy": "File",
        "imagePullPolicy": "Always" if tag in ("", "latest") and "@" not in image else "IfNotPresent",
    }
    filled = _over(defaults, container)
    ports = filled.get("ports")
    if ports and not all("protocol" in port for port in ports):
        filled = {**filled, "ports": [{"protocol": "TCP", **port} for port in ports]}
    return filled


def pod_spec(spec: dict[str, Any]) -> dict[str, Any]:
    """A pod's spec with its defaults."""
    filled = _over(
        {
            "restartPolicy": "Always",
            "terminationGracePeriodSeconds": 30,
            "dnsPolicy": "ClusterFirst",
            "securityContext": {},
            "schedulerName": "default-scheduler",
        },
        spec,
    )
    for field in ("containers", "initContainers"):
        before = filled.get(field)
        if before:
            after = [_container(container) for container in before]
            if any(a is not b for a, b in zip(after, before, strict=True)):
                filled = {**filled, field: after}
    return filled


def _template(spec: dict[str, Any]) -> dict[str, Any]:
    template = spec.get("template") or {}
    inner = pod_spec(template.get("spec") or {})
    if inner is template.get("spec"):
        return spec
    return {**spec, "template": {**template, "metadata": template.get("metadata", {}), "spec": inner}}


def _with_spec(obj: Obj, spec: dict[str, Any], status: dict[str, Any]) -> Obj:
    if spec is obj.get("spec") and "status" in obj:
        return obj
    return {**obj, "spec": spec, "status": obj.get("status", status)}


def _deployment(obj: Obj) -> Obj:
    defaults = {
        "replicas": 1,
        "strategy": {"type": "RollingUpdate"},
        "revisionHistoryLimit": 10,
        "progressDeadlineSeconds": 600,
    }
    spec = _template(_over(defaults, obj.get("spec")))
    strategy = spec["strategy"]
    if strategy.get("type", "RollingUpdate") == "RollingUpdate":
        rolling = _over({"maxUnavailable": "25%", "maxSurge": "25%"}, strategy.get("rollingUpdate"))
        if rolling is not strategy.get("rollingUpdate") or "type" not in strategy:
            spec = {**spec, "strategy": {**strategy, "type": "RollingUpdate", "rollingUpdate": rolling}}
    # False and 0 are not written out by the API's types (omitempty).
    if any(spec.get(key, True) in (False, 0) for key in ("paused", "minReadySeconds")):
        spec = {key: value for key, value in spec.items() if value or key not in ("paused", "minReadySeconds")}
    return _with_spec(obj, spec, {})


def _replica_set(obj: Obj) -> Obj:
    return _with_spec(obj, _template(_over({"replicas": 1}, obj.get("spec"))), {"replicas": 0})


def _stateful_set(obj: Obj) -> Obj:
    defaults = {
        "replicas": 1,
        "podManagementPolicy": "OrderedReady",
        "updateStrategy": {"type": "RollingUpdate", "rollingUpdate": {"partition": 0}},
        "revisionHistoryLimit": 10,
    }
    return _with_spec(obj, _template(_over(defaults, obj.get("spec"))), {"replicas": 0})


def _daemon_set(obj: Obj) -> Obj:
    defaults = {
        "updateStrategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 0, "maxUnavailable": 1}},
        "revisionHistoryLimit": 10,
    }
    counts = {"currentNumberScheduled", "numberMisscheduled", "desiredNumberScheduled", "numberReady"}
    return _with_spec(obj, _template(_over(defaults, obj.get("spec"))), dict.fromkeys(sorted(counts), 0))


def _pod(obj: Obj) -> Obj:
    spec = _over(
        {"serviceAccountName": "default", "serviceAccount": "default", "enableServiceLinks": True},
        pod_spec(obj.get("spec") or {}),
    )
    asks = any(one.get("resources") for one in spec.get("containers") or ())
    status = _over({"phase": "Pending", "qosClass": "Burstable" if asks else "BestEffort"}, obj.get("status"))
    return {**obj, "spec": spec, "status": status}


def _service(obj: Obj) -> Obj:
    spec = _over({"sessionAffinity": "None", "type": "ClusterIP"}, obj.get("spec"))
    ports = spec.get("ports") or []
    if any("protocol" not in port or "targetPort" not in port for port in ports):
        filled = [{"protocol": "TCP", "targetPort": port.get("port"), **port} for port in ports]
        spec = {**spec, "ports": filled}
    return _with_spec(obj, spec, {"loadBalancer": {}})


def _namespace(obj: Obj) -> Obj:
    meta = obj["metadata"]
    name_label = "kubernetes.io/metadata.name"
    if meta.get("labels", {}).get(name_label) != meta["name"]:
        meta = {**meta, "labels": {**meta.get("labels", {}), name_label: meta["name"]}}
    spec = _over({"finalizers": ["kubernetes"]}, obj.get("spec"))
    return {**obj, "metadata": meta, "spec": spec, "status": obj.get("status", {"phase": "Active"})}


def _disruption_budget(obj: Obj) -> Obj:
    counts = ("disruptionsAllowed", "currentHealthy", "desiredHealthy", "expectedPods")
    return _with_spec(obj, obj.get("spec", {}), dict.fromkeys(counts, 0))


def _event(obj: Obj) -> Obj:
    filled: dict[str, Any] = {"source": {}, "firstTimestamp": None, "lastTimestamp": None, "eventTime": None}
    filled |= {"reportingComponent": "", "reportingInstance": ""}
    return _over(filled, obj)


_FILLERS = {
    "deployments": _deployment,
    "replicasets": _replica_set,
    "statefulsets": _stateful_set,
    "daemonsets": _daemon_set,
    "pods": _pod,
    "services": _service,
    "namespaces": _namespace,
    "poddisruptionbudgets": _disruption_budget,
    "events": _event,
}
