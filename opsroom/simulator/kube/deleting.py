"""DELETE of one object or of a collection.

Source: K8S staging/src/k8s.io/apiserver/pkg/endpoints/handlers/delete.go. What goes with an
object is the store's affair.
"""

from __future__ import annotations

from opsroom.simulator.kube import failures
from opsroom.simulator.kube.calls import Answer, Call, decode_body
from opsroom.simulator.kube.checking import check_preconditions
from opsroom.simulator.kube.failures import bad_request
from opsroom.simulator.kube.selectors import selection
from opsroom.simulator.kube.store import Store
from opsroom.simulator.kube.versions import Obj


def found(store: Store, call: Call) -> Obj:
    """The object that a call names. Raises ApiError 404."""
    target = call.target
    live = store.get(target.kind.plural, target.namespace, target.name)
    if live is None:
        raise failures.not_found(target.kind, target.name)
    return live


def delete(store: Store, call: Call) -> Answer:
    """DELETE of one object: a Status, or the object where it is not gone at once."""
    target, kind = call.target, call.target.kind
    live = found(store, call)
    options = decode_body(call.headers.get("content-type", ""), call.body) if call.body.strip() else {}
    if not isinstance(options.get("preconditions", {}), dict):
        raise bad_request("DeleteOptions cannot be handled: preconditions is no object")
    check_preconditions(call, live, options.get("preconditions") or {})
    propagation = call.query.get("propagationPolicy") or options.get("propagationPolicy") or "Background"
    if call.query.get("orphanDependents") == "true" or options.get("orphanDependents"):
        propagation = "Orphan"
    dry_run = call.dry_run or "All" in (options.get("dryRun") or ())
    last = store.delete(kind.plural, target.namespace, target.name, propagation=propagation, dry_run=dry_run)
    if kind.plural in ("pods", "namespaces") or last["metadata"].get("deletionTimestamp"):
        return Answer(200, target.outward(last))
    details: Obj = {"name": target.name}
    if kind.group:
        details["group"] = kind.group
    details |= {"kind": kind.plural, "uid": live["metadata"]["uid"]}
    status = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "details": details}
    return Answer(200, status)


def delete_many(store: Store, call: Call) -> Answer:
    """DELETE of a collection: the list of what was deleted."""
    target = call.target
    wanted = selection(target.kind, call.query.get("labelSelector", ""), call.query.get("fieldSelector", ""))
    gone = [
        store.delete(
            target.kind.plural, obj["metadata"].get("namespace"), obj["metadata"]["name"], dry_run=call.dry_run
        )
        for obj in store.list(target.kind.plural, target.namespace)
        if wanted is None or wanted(obj)
    ]
    shown = target.shown
    head = {"kind": f"{shown.kind}List", "apiVersion": shown.api_version}
    metadata = {"resourceVersion": str(store.rv)}
    return Answer(200, {**head, "metadata": metadata, "items": [target.outward(obj) for obj in gone]})
