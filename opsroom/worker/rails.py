"""The limits of automatic deeds across deciders: what was done counts, whoever did it.

The Lease bears it, because whoever decides next reads that one object at its taking, whatever happened to journals and
machines. It is written before the deed that it counts is sent: a holder that is killed in between has counted a deed
too many, never one too few.
"""

from __future__ import annotations

from collections import Counter

import msgspec

from opsroom.control.memory import Act, Memory
from opsroom.domain.deed import Verb
from opsroom.worker.outside import Outside
from opsroom.worker.situation import Situation

_TIMES = msgspec.json.Decoder(dict[str, list[float]])


class SharedRails:
    """One decider's side of it."""

    def __init__(self, outside: Outside) -> None:
        self._outside = outside
        self._taken_over: int | None = None
        """The Lease transition under which the former holder's deeds were taken over."""

    def take_over(self, situation: Situation) -> None:
        """Before a decision: count what the former holder did, once for each time that we begin to decide."""
        lease = self._outside.lease
        if lease is None or not lease.held or self._taken_over == lease.transitions:
            return
        self._taken_over = lease.transitions
        situation.memory = counted(situation.memory, read(lease.acts))

    def tell(self, situation: Situation) -> None:
        """After a decision: let what was begun stand on the Lease."""
        lease = self._outside.lease
        if lease is not None and lease.held and self._taken_over == lease.transitions:
            lease.note(written(situation.memory.acts))


def counted(memory: Memory, others: tuple[Act, ...]) -> Memory:
    """``memory`` with the deeds of ``others``; what both know counts once."""
    both = Counter(memory.acts) | Counter(others)
    return msgspec.structs.replace(memory, acts=tuple(sorted(both.elements(), key=lambda act: act.at)))


def written(acts: tuple[Act, ...]) -> str:
    """``acts`` as the Lease bears them; empty for none."""
    times: dict[str, list[float]] = {}
    for act in acts:
        times.setdefault(act.verb.value, []).append(act.at)
    return msgspec.json.encode(times).decode() if times else ""


def read(text: str) -> tuple[Act, ...]:
    """The acts in ``text``; what cannot be read is none, because anybody who may write the Lease can write it."""
    try:
        times = _TIMES.decode(text or "{}")
        found = [Act(at=at, verb=Verb(verb)) for verb, several in times.items() for at in several]
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return ()
    return tuple(sorted(found, key=lambda act: act.at))
