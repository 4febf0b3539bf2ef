"""The end of the logs of a rollout's pods, canary and stable, bounded in pods, lines and bytes.

Read once, when a person asks; what looks like a secret in a line is masked here. Pods are found by the label that
their controller gives them and the ReplicaSet's name that they begin with.
Protocol: K8S staging/src/k8s.io/api/core/v1/types.go (PodLogOptions).
"""

from __future__ import annotations

import re

import msgspec

from opsroom.domain.clean import clean
from opsroom.domain.masking import said
from opsroom.domain.pod_logs import LogLine, PodLogs, Side
from opsroom.domain.rollout import Engine, Revision, Rollout
from opsroom.errors import OpsroomError
from opsroom.kube.reader import Reader

PODS = 3
"""Pods a side: more of the same revision seldom say something else."""

LINES = 200
"""Lines a side."""

BYTES = 128 * 1024
"""Of one pod; the server counts from the end of what ``tailLines`` leaves."""

DEFAULT_CONTAINER = "kubectl.kubernetes.io/default-container"

_COLOURS = re.compile("\x1b\\[[0-?]*[ -/]*[@-~]")
"""Control sequences of ECMA-48, which programs colour their logs with."""


class _Meta(msgspec.Struct, frozen=True):
    name: str = ""
    annotations: dict[str, str] = {}


class _Container(msgspec.Struct, frozen=True):
    name: str = ""
    image: str = ""


class _Spec(msgspec.Struct, frozen=True):
    containers: list[_Container] = []


class _Pod(msgspec.Struct, frozen=True):
    metadata: _Meta = _Meta()
    spec: _Spec = _Spec()


async def pod_logs(reader: Reader, rollout: Rollout) -> PodLogs:
    """What both revisions said last; what cannot be read is an ``error`` of its side, never an exception."""
    canary, stable = rollout.canary, rollout.stable
    return PodLogs(
        canary=None if canary is None else await _side(reader, rollout, canary),
        stable=None if stable is None else await _side(reader, rollout, stable),
    )


async def _side(reader: Reader, rollout: Rollout, revision: Revision) -> Side:
    version = revision.version or revision.hash
    label = "rollouts-pod-template-hash" if rollout.engine is Engine.ARGO else "pod-template-hash"
    path = f"/api/v1/namespaces/{rollout.namespace}/pods"
    try:
        listing = await reader.list_pages(path, _Pod, {"labelSelector": f"{label}={revision.hash}"})
    except OpsroomError as error:
        return Side(version=version, error=clean(error))
    found = [pod for pod in listing.items if pod.metadata.name.startswith(f"{revision.replica_set}-")]
    found.sort(key=lambda pod: pod.metadata.name)
    lines: list[LogLine] = []
    error_text = ""
    for pod in found[:PODS]:
        try:
            lines += await _tail(reader, f"{path}/{pod.metadata.name}/log", pod, revision)
        except OpsroomError as error:
            error_text = clean(error)
    lines.sort(key=lambda line: line.at)
    names = tuple(clean(pod.metadata.name) for pod in found[:PODS])
    more = max(0, len(found) - PODS)
    return Side(version=version, pods=names, more=more, lines=tuple(lines[-LINES:]), error=error_text)


async def _tail(reader: Reader, path: str, pod: _Pod, revision: Revision) -> list[LogLine]:
    wanted = {"tailLines": str(LINES), "limitBytes": str(BYTES), "timestamps": "true"}
    container = _container(pod, revision)
    body = await reader.get_bytes(path, {**wanted, **({"container": container} if container else {})})
    lines = []
    for raw in body[:BYTES].decode(errors="replace").splitlines()[-LINES:]:
        at, _, text = raw.partition(" ")
        lines.append(LogLine(at=clean(at, 40), pod=clean(pod.metadata.name), text=said(_COLOURS.sub("", text))))
    return lines


def _container(pod: _Pod, revision: Revision) -> str:
    """The one a person means: named by annotation, else the first that runs the revision's image."""
    named = pod.metadata.annotations.get(DEFAULT_CONTAINER, "")
    names = [container.name for container in pod.spec.containers]
    if named in names:
        return named
    ours = [container.name for container in pod.spec.containers if container.image in revision.images]
    return (ours or names or [""])[0]
