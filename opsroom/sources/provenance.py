"""Who owns a workload and who changed it, as far as its labels and annotations tell.

An owner would put back what we change: Argo CD marks by tracking annotation (``app.kubernetes.io/instance`` alone is
no proof: everybody sets it), Flux by its labels, Helm by its release annotation.
"""

from __future__ import annotations

from opsroom.domain.clean import clean
from opsroom.domain.marks import (
    DEED,
    FLAG,
    HELD,
    KEPT,
    LANE,
    PROMOTING,
    QUEUE,
    REQUESTED_BY,
    ROLLBACK,
    VERDICT,
    Marks,
    read_marks,
)
from opsroom.domain.rollout import Change
from opsroom.sources.kinds import Annotations, Meta

FLUX = ("kustomize.toolkit.fluxcd.io/name", "helm.toolkit.fluxcd.io/name")
ARGOCD = "argocd.argoproj.io/instance"

NO_MARKS = Marks()


def owner(meta: Meta) -> str:
    """``argocd``, ``flux``, ``helm`` or empty."""
    labels = meta.labels or {}
    if meta.notes.argocd or ARGOCD in labels:
        return "argocd"
    if any(label in labels for label in FLUX):
        return "flux"
    return "helm" if meta.notes.helm else ""


def change(notes: Annotations) -> Change:
    """Who made the present change."""
    return Change(
        author=clean(notes.author or notes.requested_by, 120),
        commit=clean(notes.commit, 80),
        origin=clean(notes.origin, 20).lower(),
        url=clean(notes.url, 300),
    )


def labels(meta: Meta) -> dict[str, str]:
    """All labels, cleaned; the very same dictionary where nothing had to be."""
    found = meta.labels or {}
    cleaned = {clean(key): clean(value) for key, value in found.items()}
    return found if cleaned == found else cleaned


def marks(notes: Annotations) -> Marks:
    """Our own marks; most workloads bear none, and all are asked for at each tick."""
    texts = (notes.queue, notes.requested_by, notes.verdict, notes.flag, notes.lane, notes.rollback, notes.deed)
    if notes.promoting is None and not any(texts):
        return NO_MARKS
    written = {QUEUE: notes.queue, REQUESTED_BY: notes.requested_by, VERDICT: notes.verdict, FLAG: notes.flag}
    written |= {LANE: notes.lane, ROLLBACK: notes.rollback, DEED: notes.deed}
    if notes.promoting is not None:
        written[PROMOTING] = notes.promoting
    return read_marks(written)


def held(notes: Annotations) -> bool:
    """The queue's mark stands."""
    return notes.queue in (HELD, KEPT)
