"""Lanes: who goes before whom.

A roll back is never queued. The hotfix lane is asked for and needs a right; without it the wish is ignored. Within
the rest a lane is a head start in seconds, so the order is that of (time of waiting - head start): nobody starves.
"""

from __future__ import annotations

from opsroom.control.entrant import Entrant
from opsroom.domain.policy import matches
from opsroom.domain.queue import Lane
from opsroom.domain.queue_policy import QueuePolicy


def lane_of(entrant: Entrant, policy: QueuePolicy) -> Lane:
    """The lane of ``entrant``."""
    rollout = entrant.rollout
    if entrant.lane is Lane.ROLLBACK or goes_back(entrant):
        return Lane.ROLLBACK
    if entrant.lane is Lane.HOTFIX and entrant.may_hotfix:
        return Lane.HOTFIX
    if entrant.lane is Lane.BATCH:
        return Lane.BATCH
    for rule in policy.lanes:
        if matches(rollout, rule.match):
            return Lane(rule.lane)
    return Lane.NORMAL


def goes_back(entrant: Entrant) -> bool:
    """Whether what waits is the version that is stable anyway: a revert in Git, an undo by hand."""
    stable, canary = entrant.rollout.stable, entrant.rollout.canary
    if stable is None or canary is None:
        return False
    if canary.hash:
        return canary.hash == stable.hash
    return bool(canary.images) and canary.images == stable.images


def order(lane: Lane, since: float, policy: QueuePolicy) -> tuple[int, float]:
    """Sort key: the smaller, the earlier."""
    if lane is Lane.ROLLBACK:
        return 0, since
    if lane is Lane.HOTFIX:
        return 1, since
    return 2, since - (policy.head_start if lane is Lane.NORMAL else 0.0)
