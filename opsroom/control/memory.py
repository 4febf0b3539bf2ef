"""What the decider remembers between two ticks, as one frozen record.

Nothing in it is precious: tracks grow again from what the cluster shows (pause times, marks), the rails and the
quarantine from the journal (``relearn``). So a killed worker is replaced by one that neither waits twice nor acts
twice. It must not know the clock.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from opsroom.domain.decision import Flag
from opsroom.domain.deed import Deed, DeedState, Verb
from opsroom.domain.quarantine import Quarantined
from opsroom.domain.rollout import Uid


class Pending(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A deed that was decided and whose end has not been seen yet."""

    verb: Verb
    step: int | None
    at: float


class Track(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The course of one canary, as far as waiting times need it. All times are epoch seconds."""

    hash: str
    step: int | None
    since: float
    """When this step began (or the pause on it, where only that is known)."""
    resting: bool = False
    """At the last look it waited for somebody, so that only a deed can have moved it on."""
    watched: float = 0.0
    """Seconds for which this worker has looked at it on this step: patience is not spent while nobody looks."""
    unknown: float | None = None
    """The same for the time in which nothing could be concluded; None while something can."""
    pending: Pending | None = None
    refusals: int = 0
    """Automatic deeds refused in a row on this step."""
    quiet_until: float = 0.0
    """No automatic deed before this time (after a refusal that may pass)."""
    lifted: float | None = None
    """When a flag was last lifted: older marks and deeds speak of the time before."""


class Act(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An automatic deed, for the rails."""

    at: float
    verb: Verb


class Memory(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """All of it."""

    begun: float | None = None
    """Epoch seconds of the first tick; None before it."""
    looked: float | None = None
    """Epoch seconds of the last tick."""
    tracks: dict[Uid, Track] = {}
    flags: dict[Uid, Flag] = {}
    acts: tuple[Act, ...] = ()
    quarantine: dict[Uid, Quarantined] = {}


def relearn(deeds: Iterable[Deed], now: float, window: float) -> Memory:
    """The rails and the quarantine again from the journal's deeds (oldest first); ``window`` in seconds."""
    acts: dict[str, Act] = {}
    quarantine: dict[Uid, Quarantined] = {}
    for deed in deeds:
        intent = deed.intent
        if not intent.automatic or deed.state in (DeedState.CANCELLED, DeedState.REFUSED):
            acts.pop(intent.id, None)
            continue
        if intent.verb in (Verb.PROMOTE, Verb.PROMOTE_FULLY, Verb.ROLL_BACK) and now - intent.at <= window:
            acts[intent.id] = Act(at=intent.at, verb=intent.verb)
        uid, seen = intent.target.uid, intent.precondition
        if deed.state is not DeedState.DONE:
            continue
        if intent.verb is Verb.ROLL_BACK:
            quarantine[uid] = Quarantined(hash=seen.canary_hash, at=intent.at, stable=seen.stable_hash)
    return Memory(acts=tuple(acts.values()), quarantine=quarantine)
