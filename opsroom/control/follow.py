"""Following one canary from tick to tick: how long it stands on its step, which deed is under way, which flag stands.

Split from ``decide`` because this is the only part with a past. It must not know thresholds.
"""

from __future__ import annotations

import msgspec

from opsroom.control import grounds
from opsroom.control.case import Case
from opsroom.control.memory import Track
from opsroom.domain.board import Freeze
from opsroom.domain.decision import Flag, FlagReason
from opsroom.domain.deed import DeedState, Refusal
from opsroom.domain.rollout import Rollout

SETTLE = 60.0
"""Seconds an UNKNOWN deed may wait to be settled by what the cluster shows, before a person is asked."""

LAG = 30.0
"""Seconds for which a finished deed explains a picture that still shows the step before it."""

LOST = 60.0
"""Seconds after which a decided deed of which nothing was ever heard counts as never begun."""

ENDLESS = 1800.0
"""Seconds after which a deed that never ends no longer stands in the way."""

REFUSALS = 5
"""Refusals in a row after which looking again is no longer the answer."""

UNWRITTEN = 30.0
"""Seconds for which a deed that the journal refused is left to a person at least, though the journal works again."""

LEARNING = 30.0
"""Seconds after its first tick for which a worker takes the age of a canary from the cluster."""

GAP = 60.0
"""Seconds between two ticks beyond which nobody has looked: a machine slept, a process was stopped."""

_PAUSE_AFTER_REFUSAL = 2.0
_LONGEST_PAUSE = _PAUSE_AFTER_REFUSAL * 2**REFUSALS


def follow(rollout: Rollout, old: Track | None, now: float, learning: bool) -> Track:
    """The track of this canary at ``now``; a new one when the canary is another one.

    ``learning``: the worker has just begun, so a canary it meets may be older than the meeting.
    """
    canary, pause, step = rollout.canary, rollout.pause, rollout.step
    revision = canary.hash if canary is not None else ""
    resting = pause is not None and pause.until is None
    if old is None or old.hash != revision:
        return Track(hash=revision, step=step, since=_began(rollout, now) if learning else now, resting=resting)
    if old.since > now:
        # The clock was set back: waiting until it has caught up would neither promote nor ask anybody.
        old = msgspec.structs.replace(old, since=now)
    if old.step != step:
        return Track(hash=revision, step=step, since=now, resting=resting, lifted=old.lifted)
    if old.resting != resting:
        return msgspec.structs.replace(old, resting=resting)
    return old


def watched(looked: float | None, now: float) -> float:
    """Seconds since the last tick, at ``looked``, that count as watched; none of a gap, or of a clock set back."""
    gap = 0.0 if looked is None else now - looked
    return gap if 0.0 < gap <= GAP else 0.0


def waited(track: Track, seconds: float, usable: bool) -> Track:
    """``track`` after ``seconds`` more of watching; ``usable``: something may be concluded now."""
    unknown = None if usable else 0.0 if track.unknown is None else track.unknown + seconds
    if not seconds and unknown == track.unknown:
        return track
    return msgspec.structs.replace(track, watched=track.watched + seconds, unknown=unknown)


def _began(rollout: Rollout, now: float) -> float:
    """Since when a canary met for the first time stands on its step: never earlier than the cluster can prove."""
    pause = rollout.pause.since if rollout.pause is not None else None
    started = None if rollout.step else rollout.started
    known = [time for time in (pause, started) if time is not None]
    return min(now, max(known, default=now))


def digest(case: Case, track: Track, now: float) -> Track:
    """The track after the news in ``case.deed``: a pending deed that ended, or one that was refused for now."""
    pending, deed = track.pending, case.deed
    if pending is None:
        return track
    heard = deed is not None and deed.intent.automatic and deed.at >= pending.at - 1.0
    if heard and deed is not None and deed.state is DeedState.REFUSED and deed.refusal in grounds.PASSING:
        tries = track.refusals + 1
        rest = now + _PAUSE_AFTER_REFUSAL * 2**tries
        return msgspec.structs.replace(track, pending=None, refusals=tries, quiet_until=rest)
    if (heard and deed is not None and deed.state.settled) or abs(now - pending.at) > LOST:
        return msgspec.structs.replace(track, pending=None)
    return track


def busy(case: Case, track: Track, now: float) -> bool:
    """Whether a deed on this canary is under way, or has just ended and the picture does not show it yet."""
    if track.pending is not None or 0.0 < track.quiet_until - now <= _LONGEST_PAUSE:
        return True
    deed = case.deed
    if deed is None or not grounds.moves(deed) or not grounds.concerns(deed, track.hash, track.step):
        return False
    # Where the clock was set back, a deed of the future is over, not endless.
    age = abs(now - deed.at)
    match deed.state:
        case DeedState.REFUSED | DeedState.CANCELLED | DeedState.FAILED:
            return False
        case DeedState.DONE:
            return age < LAG
        case DeedState.UNKNOWN:
            return age < SETTLE
        case DeedState.ARMED | DeedState.JOURNALLED:
            return age < LOST
        case _:
            return age < ENDLESS


def trouble(case: Case, track: Track, now: float) -> str:
    """Why the last deed on this canary needs a person, as a code; empty when it does not."""
    if track.refusals >= REFUSALS:
        return "refused"
    deed = case.deed
    if deed is None or not grounds.moves(deed) or not grounds.concerns(deed, track.hash, track.step):
        return ""
    if track.lifted is not None and deed.at <= track.lifted:
        return ""
    return grounds.trouble(deed, now, SETTLE)


def standing(
    case: Case, flag: Flag | None, old: Track | None, track: Track, now: float, freeze: Freeze | None, journal: bool
) -> tuple[Flag | None, bool]:
    """The flag that still stands, and whether one was lifted just now.

    A flag stands until a person acts on the canary or it is over. A person acted when their deed is done, or when
    the canary left a step that it could not leave by itself. A thaw is an act, too: it ends ``FREEZE``. So is a
    journal that can be written again (``journal``): nothing was sent without it, and nobody is needed for it any more.
    """
    if old is not None and old.hash != track.hash:
        flag = None
    if flag is None:
        mark = case.flag
        if mark is None or (track.lifted is not None and mark.since <= track.lifted):
            return None, False
        flag = mark
    if flag.reason is FlagReason.FREEZE and freeze is None:
        return None, True
    if journal and _unwritten(flag, now):
        return None, True
    if _person_acted(case, flag, old, track):
        return None, True
    return _merged(flag, case.flag), False


def _unwritten(flag: Flag, now: float) -> bool:
    """Whether ``flag`` only says that the journal could not be written a while ago, and nobody has taken it."""
    refused = flag.reason is FlagReason.ACTION_FAILED and flag.detail == Refusal.JOURNAL.value
    return refused and not flag.acknowledged_by and abs(now - flag.since) >= UNWRITTEN


def _person_acted(case: Case, flag: Flag, old: Track | None, track: Track) -> bool:
    if old is not None and old.step != track.step and old.resting and old.pending is None:
        return True
    deed = case.deed
    return (
        deed is not None
        and deed.state is DeedState.DONE
        and not deed.intent.automatic
        and grounds.moves(deed)
        and deed.at >= flag.since
        and deed.intent.precondition.canary_hash == track.hash
    )


def _merged(flag: Flag, mark: Flag | None) -> Flag:
    """``flag`` with what the shared mark adds: a person who asked, or who acknowledged."""
    if mark is None or mark is flag:
        return flag
    if mark.reason is FlagReason.PERSON and flag.reason is not FlagReason.PERSON:
        flag = msgspec.structs.replace(flag, reason=mark.reason, by=mark.by, detail=mark.detail)
    if mark.acknowledged_by and mark.acknowledged_at != flag.acknowledged_at:
        return msgspec.structs.replace(flag, acknowledged_by=mark.acknowledged_by, acknowledged_at=mark.acknowledged_at)
    return flag
