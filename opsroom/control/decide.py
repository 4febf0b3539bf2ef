"""The decision on every rollout, once a tick: watch, promote a step, roll back, or ask a person.

One pass over all cases, in order of safety: a harmful canary is rolled back before anything else is weighed; UNKNOWN
never promotes; whatever cannot be decided is flagged with one reason of a closed list and stays flagged until a
person acts. A deed that is due but may not be done (frozen, rails, policy, mode) is flagged too, never dropped.

Details are codes: ``promote:row`` says which deed was due and what stood in its way.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import msgspec

from opsroom.control import follow, grounds
from opsroom.control.case import Case
from opsroom.control.memory import Act, Memory, Pending, Track
from opsroom.domain.board import Freeze
from opsroom.domain.decision import TOO_SLOW, Decision, Flag, FlagReason, Outcome
from opsroom.domain.deed import Effect, Verb
from opsroom.domain.offer import offer
from opsroom.domain.policy import Policy, PolicyRow
from opsroom.domain.quarantine import Quarantined
from opsroom.domain.rollout import Phase, Rollout, Uid
from opsroom.domain.verdict import UnknownReason, Verdict

INNOCENT = frozenset((FlagReason.SHARED, FlagReason.BASELINE_SICK, FlagReason.ACTION_FAILED))
"""Flags under which nothing is rolled back automatically: the score is not the canary's, or a deed already failed."""


@dataclass(slots=True)
class _Tick:
    """What is the same for all cases of one tick, and the rails that they use up together."""

    policy: Policy
    now: float
    freeze: Freeze | None
    may_act: bool
    quarantine: dict[Uid, Quarantined]
    acts: list[Act]
    begun: float
    watched: float
    left: dict[Verb, int] = field(default_factory=dict)
    steps_held: bool = False
    blind: bool = False
    journal: bool = True

    @property
    def learning(self) -> bool:
        """Whether this worker has only just begun to look."""
        return self.now - self.begun <= follow.LEARNING


class _Finding(msgspec.Struct, frozen=True, gc=False):
    """What was found about one case."""

    outcome: Outcome
    flag: FlagReason | None = None
    detail: str = ""


def decide(
    cases: Sequence[Case],
    policy: Policy,
    memory: Memory,
    now: float,
    *,
    freeze: Freeze | None = None,
    may_act: bool = False,
    steps_held: bool = False,
    blind: bool = False,
    journal: bool = True,
) -> tuple[list[Decision], Memory]:
    """One decision a case, in the order of ``cases``, and the memory for the next tick.

    ``now`` in epoch seconds. ``may_act``: this worker is in mode auto and holds the Lease; without it a deed that is
    due becomes a flag. ``steps_held``: the queue is frozen, nothing is promoted, and nobody is asked to. ``blind``: a
    metric is not answered, so nothing is promoted on what the others say. ``journal``: lines can be written, so what
    was refused for want of it is decided anew. A ``PROMOTE`` or ``ROLL_BACK`` in the answer is remembered as begun:
    the caller carries it out or reports a refused deed in the next tick's case.
    """
    tick = _begin(policy, memory, now, freeze, may_act)
    tick.steps_held, tick.blind, tick.journal = steps_held, blind, journal
    tracks: dict[Uid, Track] = {}
    flags: dict[Uid, Flag] = {}
    decisions: list[Decision] = []
    for case in cases:
        uid = case.rollout.uid
        if case.rollout.under_way:
            decision, tracks[uid], flag = _one(case, memory.tracks.get(uid), memory.flags.get(uid), tick)
            if flag is not None:
                flags[uid] = flag
        else:
            decision = Decision(uid=uid, outcome=Outcome.WATCH, at=now)
            if tick.quarantine and _healed(case.rollout, tick.quarantine.get(uid)):
                del tick.quarantine[uid]
        decisions.append(decision)
    return decisions, Memory(
        begun=tick.begun, looked=now, tracks=tracks, flags=flags, acts=tuple(tick.acts), quarantine=tick.quarantine
    )


def _begin(policy: Policy, memory: Memory, now: float, freeze: Freeze | None, may_act: bool) -> _Tick:
    rails = policy.rails
    acts = [act for act in memory.acts if now - act.at <= rails.window]
    back = sum(1 for act in acts if act.verb is Verb.ROLL_BACK)
    left = {Verb.ROLL_BACK: rails.rollbacks - back, Verb.PROMOTE: rails.promotions - (len(acts) - back)}
    begun = now if memory.begun is None else memory.begun
    watched = follow.watched(memory.looked, now)
    return _Tick(policy, now, freeze, may_act, dict(memory.quarantine), acts, begun, watched, left)


def _healed(rollout: Rollout, entry: Quarantined | None) -> bool:
    """Whether another version has become stable since ``entry`` was written; nobody knows of one that was not read."""
    stable = rollout.stable
    if entry is None or entry.hash is None:
        return False
    return rollout.phase is Phase.HEALTHY and stable is not None and stable.hash != entry.stable


def _one(case: Case, old: Track | None, flag: Flag | None, tick: _Tick) -> tuple[Decision, Track, Flag | None]:
    rollout, now = case.rollout, tick.now
    row = tick.policy.row_for(rollout)
    track = follow.digest(case, follow.follow(rollout, old, now, tick.learning), now)
    why = grounds.unknown(case.verdict, now, tick.policy.step)
    same = old is not None and (old.hash, old.step) == (track.hash, track.step)
    idle = rollout.idle
    track = follow.waited(track, tick.watched if same and not idle else 0.0, idle or not why)
    flag, lifted = follow.standing(case, flag, old, track, now, tick.freeze, tick.journal)
    if lifted:
        track = msgspec.structs.replace(track, lifted=now, refusals=0)
    found = _weigh(case, row, track, flag, why, tick)
    if found.outcome in (Outcome.ROLL_BACK, Outcome.PROMOTE):
        track = _act(case, track, found.outcome, tick)
    elif flag is None and found.flag is not None:
        flag = Flag(reason=found.flag, since=now, detail=found.detail)
    if flag is not None and found.outcome in (Outcome.WATCH, Outcome.FLAG):
        found = _Finding(Outcome.FLAG, flag.reason, flag.detail)
    decision = Decision(
        uid=rollout.uid,
        outcome=found.outcome,
        at=now,
        score=case.verdict.score if case.verdict is not None else None,
        flag=found.flag,
        row=row.name,
        detail=found.detail,
    )
    return decision, track, flag


def _act(case: Case, track: Track, outcome: Outcome, tick: _Tick) -> Track:
    """Remember a deed that is begun now: on the track, on the rails and, for a roll back, in quarantine."""
    verb = Verb.ROLL_BACK if outcome is Outcome.ROLL_BACK else Verb.PROMOTE
    tick.left[verb] -= 1
    tick.acts.append(Act(at=tick.now, verb=verb))
    if verb is Verb.ROLL_BACK:
        stable = case.rollout.stable
        entry = Quarantined(hash=track.hash, at=tick.now, stable=stable.hash if stable is not None else "")
        tick.quarantine[case.rollout.uid] = entry
    return msgspec.structs.replace(track, pending=Pending(verb=verb, step=track.step, at=tick.now))


def _weigh(case: Case, row: PolicyRow, track: Track, flag: Flag | None, why: str, tick: _Tick) -> _Finding:
    """Weigh one case; the order of the questions is the order of safety."""
    failed = follow.trouble(case, track, tick.now)
    if failed:
        return _flag(FlagReason.ACTION_FAILED, failed)
    if follow.busy(case, track, tick.now):
        return _Finding(Outcome.WATCH, detail="busy")
    if (case.queued or case.rollout.idle) and flag is None:
        return _Finding(Outcome.WATCH, detail="queued")
    verdict = case.verdict
    usable = verdict if not why else None
    if usable is not None and usable.score is not None and usable.score > row.rollback_above:
        return _harmful(case, usable, row, flag, tick)
    if flag is not None:
        return _Finding(Outcome.WATCH)
    if case.rollout.phase is Phase.DEGRADED:
        return _flag(FlagReason.DEGRADED, "")
    if case.rollout.pause is not None and case.rollout.pause.inconclusive:
        return _flag(FlagReason.INCONCLUSIVE, "analysis")
    if usable is None:
        return _unknown(row, track, why)
    if usable.score is not None and usable.score < row.promote_below:
        return _healthy(case, usable, row, track, tick)
    return _undecided(usable, row, track, "score")


def _flag(reason: FlagReason, detail: str) -> _Finding:
    return _Finding(Outcome.FLAG, reason, detail)


def _harmful(case: Case, verdict: Verdict, row: PolicyRow, flag: Flag | None, tick: _Tick) -> _Finding:
    if flag is not None and flag.reason in INNOCENT:
        return _Finding(Outcome.WATCH)
    if verdict.shared:
        return _flag(FlagReason.SHARED, "")
    if grounds.baseline_sick(verdict, row):
        return _flag(FlagReason.BASELINE_SICK, "")
    wish = offer(case.rollout, Verb.ROLL_BACK)
    if wish.effect is None:
        if case.rollout.phase is Phase.DEGRADED:
            return _flag(FlagReason.DEGRADED, "")
        return _Finding(Outcome.WATCH, detail=wish.refusal.value if wish.refusal is not None else "")
    if wish.effect is Effect.FAIL_CHECKS:
        # No official interface of Flagger's: a person may use it, automation does not.
        return _flag(FlagReason.POLICY, f"{Verb.ROLL_BACK.value}:no_gate")
    return _allowed(Verb.ROLL_BACK, row.auto_rollback, tick)


def _unknown(row: PolicyRow, track: Track, why: str) -> _Finding:
    if track.unknown is not None and track.unknown >= row.unknown_seconds:
        return _flag(FlagReason.NO_DATA, why)
    return _Finding(Outcome.WATCH, detail=why)


def _undecided(verdict: Verdict, row: PolicyRow, track: Track, lacks: str) -> _Finding:
    left = row.max_seconds - track.watched
    if left > 0:
        slow = verdict.decides_in is not None and verdict.decides_in > left
        return _Finding(Outcome.WATCH, detail=TOO_SLOW if slow else lacks)
    if grounds.contradicts_itself(verdict, row):
        return _flag(FlagReason.CONFLICT, "")
    return _flag(FlagReason.INCONCLUSIVE, lacks)


def _healthy(case: Case, verdict: Verdict, row: PolicyRow, track: Track, tick: _Tick) -> _Finding:
    if grounds.promotion(case.rollout) is None:
        return _Finding(Outcome.WATCH, detail="not_paused")
    if tick.steps_held:
        return _Finding(Outcome.WATCH, detail="queue_frozen")
    blind = UnknownReason.SOURCE_DOWN.value if tick.blind else ""
    lacks = blind or grounds.too_early(verdict, row, track.since, tick.now)
    if lacks:
        return _undecided(verdict, row, track, lacks)
    if grounds.baseline_sick(verdict, row):
        return _flag(FlagReason.BASELINE_SICK, "")
    entry = tick.quarantine.get(case.rollout.uid)
    if entry is not None and entry.covers(track.hash):
        return _flag(FlagReason.POLICY, "promote:quarantine")
    return _allowed(Verb.PROMOTE, row.auto_promote and not (row.person or row.two_people), tick)


def _allowed(verb: Verb, by_row: bool, tick: _Tick) -> _Finding:
    """The deed, or the flag that says what stands in its way."""
    if not by_row:
        return _flag(FlagReason.POLICY, f"{verb.value}:row")
    if tick.freeze is not None:
        return _flag(FlagReason.FREEZE, f"{verb.value}:freeze")
    if not tick.may_act:
        return _flag(FlagReason.POLICY, f"{verb.value}:mode")
    if tick.left[verb] <= 0:
        return _flag(FlagReason.RAILS, f"{verb.value}:rails")
    return _Finding(Outcome.ROLL_BACK if verb is Verb.ROLL_BACK else Outcome.PROMOTE)
