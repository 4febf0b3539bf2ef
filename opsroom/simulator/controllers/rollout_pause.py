"""Pausing and aborting an Argo Rollout: what a reconcile adds or clears, and what the status says then.

`status.controllerPause` is the controller's memory that it paused; pause conditions gone while it stands mean
that a person resumed. Source: argo-rollouts rollout/pause.go.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from opsroom.simulator.clock import moment, stamp
from opsroom.simulator.controllers.objects import Obj
from opsroom.simulator.controllers.rollout_view import CANARY_PAUSE, RolloutView, duration_seconds


@dataclass(slots=True)
class PauseBook:
    """What this reconcile decided about pauses and the abort; mutable while the reconcile runs."""

    view: RolloutView
    added: list[str] = field(default_factory=list)
    removed: set[str] = field(default_factory=set)
    cleared: bool = False
    abort_removed: bool = False
    abort_added: bool = False
    abort_message: str = ""

    @property
    def aborted(self) -> bool:
        """Whether the abort is in force, by status and this reconcile."""
        if self.abort_added:
            return True
        return bool(self.view.status.get("abort")) and not self.abort_removed

    def write(self, status: Obj) -> None:
        """Put `abort`, `pauseConditions` and `controllerPause` into the new status."""
        old = self.view.status
        if self.aborted:
            status["abort"] = True
            status["abortedAt"] = old.get("abortedAt") or stamp(self.view.now)
            return
        if self.cleared:
            return
        known = [dict(one) for one in old.get("pauseConditions") or ()]
        kept = [one for one in known if one["reason"] not in self.removed]
        controller = bool(old.get("controllerPause"))
        for reason in self.added:
            if all(one["reason"] != reason for one in known):
                kept.append({"reason": reason, "startTime": stamp(self.view.now)})
                controller = True
        if kept:
            status["pauseConditions"] = kept
            status["controllerPause"] = controller


def open_book(view: RolloutView) -> PauseBook:
    """The book of a new reconcile; an abort of what is fully promoted already is taken back (since v1.7)."""
    return PauseBook(view, abort_removed=view.is_stable)


def pause_started(view: RolloutView, reason: str) -> float | None:
    """Unix seconds since when that pause condition stands, None if it does not."""
    for one in view.status.get("pauseConditions") or ():
        if one["reason"] == reason:
            return moment(one["startTime"])
    return None


def pause_due(view: RolloutView) -> float | None:
    """When a `pause: {duration}` step ends by itself, None for an open pause or before it began."""
    pause = (view.step or {}).get("pause")
    started = pause_started(view, CANARY_PAUSE)
    if not pause or pause.get("duration") is None or started is None:
        return None
    return started + duration_seconds(pause["duration"])


def pause_step_done(view: RolloutView) -> bool:
    """Whether the current pause step is over: resumed by a person, or its time is up."""
    if view.resumed:
        return True
    due = pause_due(view)
    return due is not None and view.now >= due


def wants_pause(view: RolloutView) -> bool:
    """Whether the controller must pause now: it stands at a pause step that it has not paused at yet."""
    if view.paused_by_user or "pause" not in (view.step or {}):
        return False
    return CANARY_PAUSE not in view.pause_reasons and not view.status.get("controllerPause")
