"""Revisions of a workload out of its ReplicaSets and pods, and what its pods complain of."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from opsroom.domain.clean import clean
from opsroom.domain.rollout import Revision, Trouble
from opsroom.sources.kinds import ContainerStatus, Pod, ReplicaSet, epoch
from opsroom.sources.template_kinds import Fingerprinted, PodTemplate

PATIENT = frozenset({"ContainerCreating", "PodInitializing"})
"""Waiting reasons of every start, not of trouble."""

TROUBLES = 5
"""Pods of a revision that are told apart."""


@dataclass(frozen=True, slots=True)
class Parts:
    """What a workload owns."""

    replica_sets: tuple[ReplicaSet, ...] = ()
    pods: Mapping[str, tuple[Pod, ...]] = field(default_factory=dict)
    """By the uid of their ReplicaSet."""

    def with_hash(self, hash_: str) -> ReplicaSet | None:
        """The ReplicaSet of that revision."""
        if not hash_:
            return None
        return next((one for one in self.replica_sets if one.metadata.hash == hash_), None)

    def revision(self, replica_set: ReplicaSet) -> Revision:
        """``replica_set`` as a revision."""
        template = replica_set.spec.template
        pods = self.pods.get(replica_set.metadata.uid, ())
        return Revision(
            hash=clean(replica_set.metadata.hash),
            replica_set=clean(replica_set.metadata.name),
            images=tuple(clean(image) for image in template.images),
            version=version(template.version, template.images),
            number=number(replica_set),
            replicas=replica_set.status.replicas,
            ready=replica_set.status.ready_replicas,
            restarts=sum(status.restart_count for pod in pods for status in pod.status.container_statuses or ()),
            troubles=troubles(pods),
        )

    def revision_of(
        self, replica_set: ReplicaSet | None, template: PodTemplate | Fingerprinted | None, hash_: str = ""
    ) -> Revision:
        """The revision of ``replica_set``; while there is none yet, as much as ``template`` and ``hash_`` tell."""
        if replica_set is not None:
            return self.revision(replica_set)
        images = () if template is None else template.images
        label = "" if template is None else template.version
        return Revision(hash=clean(hash_), images=tuple(map(clean, images)), version=version(label, images))

    def started(self, replica_set: ReplicaSet | None) -> float | None:
        """Epoch seconds at which ``replica_set`` became what it is now.

        That is its creation, unless it serves a second time (an undo): then its oldest pod's.
        """
        if replica_set is None:
            return None
        notes = replica_set.metadata.notes
        begun = born(replica_set)
        if not (notes.history or notes.argo_history):
            return begun
        return self.oldest_pod(replica_set) or begun

    def oldest_pod(self, replica_set: ReplicaSet) -> float | None:
        """Epoch seconds at which the oldest of its pods was made; None without pods."""
        pods = (epoch(pod.metadata.creation_timestamp) for pod in self.pods.get(replica_set.metadata.uid, ()))
        return min((moment for moment in pods if moment is not None), default=None)

    def trouble(self, replica_set: ReplicaSet | None) -> str:
        """The kubelet's commonest reason why containers of ``replica_set`` wait; empty when none is in trouble."""
        if replica_set is None:
            return ""
        reasons = Counter(
            status.state.waiting.reason
            for pod in self.pods.get(replica_set.metadata.uid, ())
            for status in pod.status.container_statuses or ()
            if status.state.waiting is not None and status.state.waiting.reason not in PATIENT
        )
        return clean(reasons.most_common(1)[0][0], 80) if reasons else ""


def troubles(pods: Iterable[Pod]) -> tuple[Trouble, ...]:
    """The pods that restart or do not start, the worst first."""
    found = []
    for pod in pods:
        statuses = pod.status.container_statuses or ()
        restarts = sum(status.restart_count for status in statuses)
        reason = next((word for word in map(_reason, statuses) if word), "")
        if restarts or reason:
            ready = all(status.ready for status in statuses)
            name, word = clean(pod.metadata.name, 80), clean(reason, 80)
            found.append(Trouble(pod=name, reason=word, restarts=restarts, ready=ready))
    return tuple(sorted(found, key=lambda one: (-one.restarts, one.pod))[:TROUBLES])


def _reason(status: ContainerStatus) -> str:
    """Why a container waits, or how it ended the last time."""
    waiting, ended = status.state.waiting, status.last_state.terminated
    now = "" if waiting is None or waiting.reason in PATIENT else waiting.reason
    last = "" if ended is None else ended.reason or f"exit {ended.exit_code}"
    if last == "Error" and ended is not None:
        last = f"exit {ended.exit_code}"
    return f"{now} ({last})" if now and last else now or last


def version(label: str, images: Iterable[str]) -> str:
    """The word people use: the label, else the tag (or the start of the digest) of the first image."""
    if label:
        return clean(label, 80)
    image = next(iter(images), "")
    name, _, digest = image.partition("@")
    tag = name.rpartition("/")[2].partition(":")[2]
    return clean(tag or digest.partition(":")[2][:12], 80)


def number(replica_set: ReplicaSet) -> int | None:
    """Revision number, as its controller wrote it."""
    notes = replica_set.metadata.notes
    text = notes.argo_revision or notes.revision
    return int(text) if text.isdecimal() and text.isascii() else None


def born(replica_set: ReplicaSet | None) -> float | None:
    """Epoch seconds at which ``replica_set`` was made."""
    return None if replica_set is None else epoch(replica_set.metadata.creation_timestamp)


def with_trouble(message: str, trouble: str) -> str:
    """The controller's words after the kubelet's, where it has any."""
    return f"{trouble}: {message}" if trouble and message else trouble or message
