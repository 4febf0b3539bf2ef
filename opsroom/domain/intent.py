"""The guard between a key press and a deed, as a pure state machine.

One key and no dialog is only safe if the key cannot be meant for another row, another time or another program. So a
press is accepted under conditions (``Press``), shown with a countdown that ``esc`` or any movement stops, and dropped
when the countdown's clock shows that the terminal stood still. Evidence: the accidents on record of k9s, lazygit and
Argo's dashboard (destructive key next to navigation, key auto-repeat, rows that move under the cursor, paste).
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from opsroom.domain.board import Right, Row
from opsroom.domain.deed import Effect, Refusal, Verb
from opsroom.domain.freshness import SourceState, verdict_patience
from opsroom.domain.offer import Offer, offer
from opsroom.domain.verdict import Verdict

COUNTDOWN = {Verb.ROLL_BACK: 1.0, Verb.PROMOTE: 3.0, Verb.PROMOTE_FULLY: 3.0}
"""Seconds: short towards safety, longer towards risk."""

SETTLED_AFTER = 0.4
"""Seconds for which the row under the cursor must have been the same."""

FOCUSED_AFTER = 0.3
BURST_KEYS = 3
BURST_SECONDS = 0.05
"""More keys than this in so little time are a paste or an elbow, not a decision."""

METRICS = "prometheus"
"""Name of the source that scores rest on."""

SCORE_STALE = 60.0
"""Seconds: a score older than this is nothing to promote on where nobody says how often the metrics are looked at."""

LATE = 0.75
"""Seconds: a key that waited longer was pressed at another picture."""

PROMOTED = "promoted"
"""``Row.result`` of a change that ended well."""

STALL = 0.75
"""Seconds: a gap this long between two looks at the clock means that the picture stood still."""


class Press(msgspec.Struct, frozen=True, kw_only=True):
    """What was true at the moment of the key press."""

    row: Row
    verb: Verb
    now: float
    """Monotonic seconds; all ages below are measured on the same clock."""
    read_only: bool
    feed_stale: bool
    score_doubt: Refusal | None
    """Why its score is nothing to promote on, see ``score_doubt``."""
    settled_for: float
    """Seconds since the row under the cursor last became another one."""
    focused_for: float
    recent_keys: int
    """Keys within the last ``BURST_SECONDS``, this one included."""
    late: float = 0.0
    """Seconds between the key and this moment: what is on the screen by now was not there when it was pressed."""
    busy: bool
    """Another intent is armed, a deed on this rollout is under way, or a modal is open."""


class Armed(msgspec.Struct, frozen=True, kw_only=True):
    """A press that was accepted and waits for its countdown."""

    row: Row
    verb: Verb
    offer: Offer
    pressed: float
    fires: float
    """Monotonic seconds."""
    looked: float
    """Monotonic seconds of the last look at the clock."""


class Refused(msgspec.Struct, frozen=True, kw_only=True):
    """A press that was not accepted."""

    verb: Verb
    refusal: Refusal
    detail: str = ""


def arm(press: Press, countdown: float | None = None) -> Armed | Refused:
    """Accept ``press``, or say which condition did not hold. The first that fails is named."""
    refused = _refusal(press)
    if refused is not None:
        return Refused(verb=press.verb, refusal=refused[0], detail=refused[1])
    seconds = COUNTDOWN.get(press.verb, 1.0) if countdown is None else countdown
    return Armed(
        row=press.row,
        verb=press.verb,
        offer=offer(press.row.rollout, press.verb),
        pressed=press.now,
        fires=press.now + seconds,
        looked=press.now,
    )


def _refusal(press: Press) -> tuple[Refusal, str] | None:
    if press.read_only:
        return Refusal.READ_ONLY, ""
    if press.recent_keys > BURST_KEYS:
        return Refusal.TOO_FAST, ""
    if press.late > LATE:
        return Refusal.LATE, ""
    if press.focused_for < FOCUSED_AFTER:
        return Refusal.UNFOCUSED, ""
    if press.busy:
        return Refusal.BUSY, ""
    if not open_to(press.row, press.verb):
        return (Refusal.NOT_FLAGGED if press.row.rollout.under_way else Refusal.NOT_UNDER_WAY), ""
    if press.settled_for - press.late < SETTLED_AFTER:
        return Refusal.JUST_MOVED, ""
    wish = offer(press.row.rollout, press.verb)
    if wish.refusal is not None:
        return wish.refusal, ""
    right = right_for(press.row, press.verb)
    if right.allowed is False:
        return Refusal.NO_RIGHT, right.missing
    if press.verb is not Verb.ROLL_BACK:
        if press.feed_stale:
            return Refusal.STALE_FEED, ""
        if press.score_doubt is not None:
            return press.score_doubt, ""
    return None


def score_doubt(row: Row, sources: Iterable[SourceState], now: float) -> Refusal | None:
    """Why the score of ``row`` is nothing to promote on at ``now`` (epoch seconds); None where it can be relied on.

    It is old, or there is one although not all that it rests on is answered. Without any score a person decides
    knowing that there is none.
    """
    verdict, asked = row.verdict, [source for source in sources if source.name == METRICS]
    seconds = score_age(verdict, now)
    if verdict is None or seconds is None:
        return None
    if seconds > max((verdict_patience(source.interval) for source in asked), default=SCORE_STALE):
        return Refusal.STALE_SCORE
    partly = verdict.score is not None and any(source.error for source in asked)
    return Refusal.PARTIAL_SCORE if partly else None


def open_to(row: Row, verb: Verb) -> bool:
    """Whether ``verb`` may be asked of this row at all: it is flagged, or its promotion can still be undone.

    What was promoted under our eyes can be neither flagged nor aborted any more; without its undo an error that shows
    a minute too late would have no key at all.
    """
    if row.flag is not None:
        return True
    return verb is Verb.ROLL_BACK and row.result == PROMOTED and offer(row.rollout, verb).effect is Effect.UNDO


def right_for(row: Row, verb: Verb) -> Right:
    """What the access review said about ``verb`` on this row."""
    return row.may_roll_back if verb is Verb.ROLL_BACK else row.may_promote


def look(armed: Armed, now: float) -> Armed | Refused | None:
    """Look at the clock: still armed, dropped because the terminal stood still, or None when it is time to send."""
    if now - armed.looked > STALL:
        return Refused(verb=armed.verb, refusal=Refusal.STALLED)
    if now >= armed.fires:
        return None
    return msgspec.structs.replace(armed, looked=now)


def still_true(armed: Armed, row: Row | None) -> Refusal | None:
    """Check again at the deed: the rollout must be the one that was on screen when the key went down."""
    if row is None:
        return Refusal.GONE
    then, now = armed.row.rollout, row.rollout
    same = (then.uid, _hash(then.canary), then.step) == (now.uid, _hash(now.canary), now.step)
    if not same:
        return Refusal.CHANGED
    return offer(now, armed.verb).refusal


def _hash(revision: object) -> str:
    return getattr(revision, "hash", "")


def score_age(verdict: Verdict | None, now: float) -> float | None:
    """Seconds since the newest step behind the score (epoch clock); None where there is none."""
    return None if verdict is None else max(0.0, now - verdict.at)
