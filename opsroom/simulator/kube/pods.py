"""What only pods and services have: logs, eviction, and the proxy that reaches nothing.

Logs come from the world through `LogSource`; this module cuts and follows them. Texts: K8S
pkg/registry/core/pod/strategy.go and pkg/registry/core/service/storage.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence
from typing import Any, Protocol

from opsroom.simulator.clock import moment, stamp
from opsroom.simulator.kube import failures
from opsroom.simulator.kube.calls import Call
from opsroom.simulator.kube.disruption import Disruption
from opsroom.simulator.kube.failures import ApiError, bad_request
from opsroom.simulator.kube.store import Store
from opsroom.simulator.kube.versions import Obj

LogLine = tuple[float, str]
"""(Unix seconds, text without a line end)"""

FOLLOW_SECONDS = 0.2


class LogSource(Protocol):
    """Where log lines come from: the simulated world."""

    def __call__(
        self, namespace: str, pod: str, container: str, *, since: float | None, tail: int | None, previous: bool
    ) -> Iterable[LogLine]:
        """Lines in order of time, those after `since` (Unix seconds) only; `tail` limits to the last ones."""
        ...


def no_logs(
    namespace: str, pod: str, container: str, *, since: float | None, tail: int | None, previous: bool
) -> Iterable[LogLine]:
    """A LogSource without a line."""
    return ()


class PodLogs:
    """GET …/pods/NAME/log."""

    def __init__(self, store: Store, source: LogSource) -> None:
        self._store = store
        self._source = source

    def open(self, call: Call) -> AsyncIterator[bytes] | None:
        """The log as a stream, or None for a pod that no node has taken yet (204). Raises ApiError 400, 404."""
        target = call.target
        pod = self._store.get("pods", target.namespace, target.name)
        if pod is None:
            raise failures.not_found(target.kind, target.name)
        container = _container(pod, call.query.get("container", ""))
        if not (pod.get("spec") or {}).get("nodeName"):
            return None
        for status in (pod.get("status") or {}).get("containerStatuses") or ():
            waiting = (status.get("state") or {}).get("waiting")
            fresh = not status.get("restartCount")
            if status.get("name") == container and waiting and fresh:
                reason = waiting.get("reason", "ContainerCreating")
                raise bad_request(f'container "{container}" in pod "{target.name}" is waiting to start: {reason}')
        since = _since(call.query.get("sinceTime", ""))
        if call.query.get("sinceSeconds", "").isdigit():
            since = self._store.now() - int(call.query["sinceSeconds"])
        return self._stream(call, container, since)

    async def _stream(self, call: Call, container: str, since: float | None) -> AsyncIterator[bytes]:
        query, target = call.query, call.target
        tail = int(query["tailLines"]) if query.get("tailLines", "").isdigit() else None
        stamped, previous = query.get("timestamps") == "true", query.get("previous") == "true"
        limit = int(query["limitBytes"]) if query.get("limitBytes", "").isdigit() else None
        lines: Sequence[LogLine] = list(
            self._source(target.namespace, target.name, container, since=since, tail=tail, previous=previous)
        )
        if tail is not None:
            lines = lines[max(0, len(lines) - tail) :]
        text = _text(lines, stamped=stamped)
        yield text if limit is None else text[:limit]
        last = lines[-1][0] if lines else self._store.now()
        while query.get("follow") == "true" and self._store.get("pods", target.namespace, target.name):
            await asyncio.sleep(FOLLOW_SECONDS)
            lines = list(self._source(target.namespace, target.name, container, since=last, tail=None, previous=False))
            if lines:
                last = lines[-1][0]
                yield _text(lines, stamped=stamped)


def _since(text: str) -> float | None:
    try:
        return moment(text) if text else None
    except ValueError:
        raise bad_request(f'sinceTime: Invalid value: "{text}": it is no RFC 3339 time') from None


def _container(pod: Obj, asked: str) -> str:
    spec, name = pod.get("spec") or {}, pod["metadata"]["name"]
    names = [one["name"] for one in spec.get("containers") or ()]
    if asked:
        inits = [one["name"] for one in spec.get("initContainers") or ()]
        if asked not in names and asked not in inits:
            raise bad_request(f"container {asked} is not valid for pod {name}")
        return asked
    if len(names) != 1:
        listed = " ".join(names)
        raise bad_request(f"a container name must be specified for pod {name}, choose one of: [{listed}]")
    return str(names[0])


def _text(lines: Sequence[LogLine], *, stamped: bool) -> bytes:
    if not stamped:
        return "".join(f"{text}\n" for _, text in lines).encode()
    return "".join(f"{stamp(at, 'microseconds')[:-1]}000Z {text}\n" for at, text in lines).encode()


def evict(store: Store, disruption: Disruption, call: Call, body: Obj) -> tuple[int, Obj]:
    """POST …/pods/NAME/eviction: (201, Status). Raises ApiError 404, 409, 429.

    A pod that two budgets select is answered 201 with a Failure of code 500 inside, as a real server does.
    """
    target = call.target
    pod = store.get("pods", target.namespace, target.name)
    if pod is None:
        raise failures.not_found(target.kind, target.name)
    options: dict[str, Any] = body.get("deleteOptions") or {}
    if not isinstance(options, dict) or not isinstance(options.get("preconditions") or {}, dict):
        raise bad_request("Eviction cannot be handled: deleteOptions is no object of objects")
    wanted = (options.get("preconditions") or {}).get("resourceVersion")
    if wanted and wanted != pod["metadata"]["resourceVersion"]:
        raise failures.conflict(target.kind, target.name)
    try:
        disruption.check(pod)
    except ApiError as refusal:
        if refusal.code == 500:
            return 201, refusal.status()
        raise
    if not (call.dry_run or "All" in (options.get("dryRun") or ())):
        store.delete("pods", target.namespace, target.name)
    return 201, {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "code": 201}


def refuse_proxy(store: Store, call: Call) -> ApiError:
    """The 503 (or 404) of …/services/[scheme:]NAME[:port]/proxy/…: no service here has an endpoint to reach."""
    target = call.target
    parts = target.name.split(":")
    name = parts[1] if len(parts) == 3 else parts[0]
    if store.get(target.kind.plural, target.namespace, name) is None:
        return failures.not_found(target.kind, name)
    return ApiError(503, "ServiceUnavailable", f'no endpoints available for service "{target.name}"')
