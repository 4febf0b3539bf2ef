"""How ``opsroom wait`` says where a rollout stands, in one line that changes only when something does."""

from __future__ import annotations

import msgspec

from opsroom.domain.board import Row
from opsroom.domain.queue import QueueEntry
from opsroom.view import effects, marks, queue_words, words


def where(row: Row, now: float, known: queue_words.Names | None = None) -> str:
    """``cart v42: paused at 20%``, ``cart v42: waits for a slot of tier 1``, ``cart v42: flagged, …``."""
    rollout = row.rollout
    name = f"{rollout.key} {effects.revision_name(rollout, canary=True)}".strip()
    if row.flag is not None:
        return f"{name}: waits for a person, {words.flag(row)}"
    if row.queue is not None and not row.queue.running:
        # Without the times: they change with every look.
        return (
            f"{name}: number {row.queue.position + 1} in the queue, {queue_words.why(_timeless(row.queue), now, known)}"
        )
    if not rollout.under_way:
        return f"{name}: {marks.PHASE[rollout.phase]}"
    return f"{name}: {marks.PHASE[rollout.phase]} at {rollout.weight}%"


def _timeless(entry: QueueEntry) -> QueueEntry:
    return msgspec.structs.replace(entry, until=None)


def ended(row: Row, outcome: str) -> str:
    """The last line."""
    stable = effects.revision_name(row.rollout, canary=False)
    return f"{row.rollout.key} is {marks.RESULT[outcome]}; {stable or 'the former revision'} serves"
