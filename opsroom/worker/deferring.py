"""Leaving it to the decider: flags that only say "a deed is due, and this worker may not do it".

Where nobody decides, such a flag is the point of an observer: it asks a person. Where another worker decides, or this
one is about to (its Lease has yet to run out after a crash, or it has yet to read what may stand in the way), the deed
will be done, and a flag would ask people for nothing and, kept by the next decider, stop the very deed it speaks of.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from opsroom.control.memory import Memory
from opsroom.domain.board import Decider, Mode
from opsroom.domain.decision import Decision, Flag, FlagReason, Outcome
from opsroom.domain.deed import Verb

SUFFIX = ":mode"
LEFT = "left_to_decider"

ROLL_BACK_PATIENCE, PROMOTE_PATIENCE = 30.0, 600.0
"""Seconds for which a decider may lack what it must know before it acts; after that people are asked to do what is due.
Harm cannot wait; whether a healthy canary is promoted now or in ten minutes is nobody's night."""


def deferred(flag: Flag | None) -> bool:
    """Whether ``flag`` only says that another mode is needed."""
    return flag is not None and flag.reason is FlagReason.POLICY and flag.detail.endswith(SUFFIX)


def somebody_will(decider: Decider, mode: Mode, lease_error: str) -> bool:
    """Whether due deeds are somebody's: of another decider, or ours as soon as the Lease is free."""
    if decider.identity and not decider.me:
        return True
    return mode is Mode.AUTO and not decider.me and not lease_error


def forgotten(memory: Memory) -> Memory:
    """``memory`` without such flags."""
    kept = {uid: flag for uid, flag in memory.flags.items() if not deferred(flag)}
    return memory if len(kept) == len(memory.flags) else msgspec.structs.replace(memory, flags=kept)


def left(decisions: Iterable[Decision], memory: Memory, seconds: float = 0.0) -> tuple[list[Decision], Memory]:
    """Decisions and memory in which what only another mode stands against is watched on.

    ``seconds``: for how long nobody has been able to do it.
    """
    found, kept = [], dict(memory.flags)
    for decision in decisions:
        flag = memory.flags.get(decision.uid)
        if flag is not None and deferred(flag) and seconds <= _patience(flag):
            decision = msgspec.structs.replace(decision, outcome=Outcome.WATCH, flag=None, detail=LEFT)
            del kept[decision.uid]
        found.append(decision)
    return found, msgspec.structs.replace(memory, flags=kept)


def _patience(flag: Flag) -> float:
    return ROLL_BACK_PATIENCE if flag.detail.startswith(f"{Verb.ROLL_BACK.value}:") else PROMOTE_PATIENCE
