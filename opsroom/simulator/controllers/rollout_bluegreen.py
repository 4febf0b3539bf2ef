"""The blue-green strategy of Argo Rollouts, in its basic form: preview, pause, switch, delayed scale-down.

Source: argo-rollouts rollout/bluegreen.go. Not simulated: pre- and post-promotion analysis.
"""

from __future__ import annotations

from opsroom.simulator.controllers.changes import Change, Create, Note, Wake
from opsroom.simulator.controllers.objects import Obj, annotations_of, count, desired_replicas, name_of
from opsroom.simulator.controllers.rollout_canary import DEFAULT_DELAY, delayed_scale_down, point_service
from opsroom.simulator.controllers.rollout_pause import PauseBook, open_book, pause_started
from opsroom.simulator.controllers.rollout_revisions import claim_revision, resize
from opsroom.simulator.controllers.rollout_status import base_status, persist
from opsroom.simulator.controllers.rollout_view import (
    BLUE_GREEN_PAUSE,
    COMPONENT,
    REVISIONS,
    SCALE_DOWN_DEADLINE,
    RolloutView,
    duration_seconds,
)


def reconcile_blue_green(view: RolloutView) -> list[Change]:
    """One pass: sizes, the pause before the switch, the switch, the new stable version."""
    spec = view.blue_green or {}
    book = open_book(view)
    changes = claim_revision(view)
    made = [change for change in changes if isinstance(change, Create)]
    status = base_status(view)
    active = str(status["blueGreen"].get("activeSelector") or "")
    preview = view.pod_hash
    if view.status.get("promoteFull"):
        book.cleared = book.abort_removed = True
    if book.aborted:
        active = preview = view.stable_hash or active
    elif _may_switch(view, book, active):
        active = view.pod_hash
        book.removed.add(BLUE_GREEN_PAUSE)
    changes += point_service(view, spec.get("activeService"), active)
    changes += point_service(view, spec.get("previewService"), preview)
    changes += _sizes(view, spec, active, aborted=book.aborted)
    status["blueGreen"] = {"activeSelector": active, "previewSelector": preview}
    if _scaled_up_for_good(view) and active != view.pod_hash:
        status["blueGreen"]["scaleUpPreviewCheckPoint"] = True
    serving = next((one for one in view.every if name_of(one).endswith(f"-{active}")), None)
    status["availableReplicas"] = count(serving, "availableReplicas")
    if active == view.pod_hash and not view.is_stable and active:
        changes += _promote(view, status)
    created = name_of(made[0].body) if made else None
    return (
        changes
        + REVISIONS.forgotten(view.rollout, view.others)
        + persist(view, status, book, created)
        + _auto_wake(view, spec)
    )


def _may_switch(view: RolloutView, book: PauseBook, active: str) -> bool:
    """Whether the active Service goes to the new version now; otherwise `book` may get the pause."""
    spec = view.blue_green or {}
    if active == view.pod_hash:
        return False
    if count(view.new, "availableReplicas") < _needed(view, spec):
        return False
    if not active:
        return True
    fast = view.new is not None and SCALE_DOWN_DEADLINE in annotations_of(view.new)
    if fast or view.status.get("promoteFull"):
        return count(view.new, "availableReplicas") >= view.wanted
    if view.paused_by_user:
        return False
    started = pause_started(view, BLUE_GREEN_PAUSE)
    if spec.get("autoPromotionEnabled", True) and not spec.get("autoPromotionSeconds"):
        return True
    if _scaled_up_for_good(view):
        return count(view.new, "availableReplicas") >= view.wanted
    if started is None:
        book.added.append(BLUE_GREEN_PAUSE)
        return False
    seconds = spec.get("autoPromotionSeconds")
    return bool(seconds) and view.now >= started + duration_seconds(seconds)


def _needed(view: RolloutView, spec: Obj) -> int:
    preview = spec.get("previewReplicaCount")
    if preview is None or not view.stable_hash or _scaled_up_for_good(view) or view.status.get("promoteFull"):
        return view.wanted
    return int(preview)


def _scaled_up_for_good(view: RolloutView) -> bool:
    """Whether a person resumed: the preview gets all its pods before the switch, and that is remembered."""
    return view.resumed or bool((view.status.get("blueGreen") or {}).get("scaleUpPreviewCheckPoint"))


def _sizes(view: RolloutView, spec: Obj, active: str, *, aborted: bool) -> list[Change]:
    if view.paused_by_user and view.stable_hash:
        return []
    changes: list[Change] = []
    if view.new is not None:
        if aborted and not view.is_stable:
            changes += _end(view, view.new, spec.get("abortScaleDownDelaySeconds"))
        else:
            size = view.wanted if active == view.pod_hash else _needed(view, spec)
            changes += resize(view, view.new, size, {SCALE_DOWN_DEADLINE: None})
    if view.stable is not None and not view.is_stable and active != view.pod_hash:
        changes += resize(view, view.stable, view.wanted)
    for one in view.others:
        if desired_replicas(one):
            changes += _end(view, one, spec.get("scaleDownDelaySeconds"))
    return changes


def _end(view: RolloutView, replica_set: Obj, delay: int | None) -> list[Change]:
    if not desired_replicas(replica_set):
        return []
    return delayed_scale_down(view, replica_set, DEFAULT_DELAY if delay is None else int(delay))


def _promote(view: RolloutView, status: Obj) -> list[Change]:
    status["stableRS"] = view.pod_hash
    status.pop("promoteFull", None)
    revision = REVISIONS.number_of(view.new or view.rollout) or 1
    text = f"Rollout completed update to revision {revision} ({view.pod_hash}): Completed blue-green update"
    return [Note(view.rollout, COMPONENT, "Normal", "RolloutCompleted", text)]


def _auto_wake(view: RolloutView, spec: Obj) -> list[Change]:
    started, seconds = pause_started(view, BLUE_GREEN_PAUSE), spec.get("autoPromotionSeconds")
    if started is None or not seconds:
        return []
    return [Wake(started + duration_seconds(seconds))]
