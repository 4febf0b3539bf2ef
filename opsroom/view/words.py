"""Sentences about flags, verdicts and refusals: why a person is asked, and why a key did nothing.

Each refusal is one sentence that names its condition, each flag one that names its cause. Evidence and effects have
files of their own (``evidence``, ``effects``).
"""

from __future__ import annotations

from opsroom.domain.board import Happening, Right, Row
from opsroom.domain.decision import TOO_SLOW, FlagReason, Outcome
from opsroom.domain.deed import DeedState, Refusal, Verb
from opsroom.domain.rollout import Rollout
from opsroom.domain.verdict import PROMOTE_BELOW, ROLL_BACK_ABOVE, UnknownReason, Verdict, VerdictState
from opsroom.view import left_over, marks, numbers

VERB = {
    Verb.PROMOTE: "promote",
    Verb.PROMOTE_FULLY: "promote fully",
    Verb.ROLL_BACK: "roll back",
    Verb.HOLD: "hold",
    Verb.RELEASE: "release",
    Verb.FLAG: "flag",
    Verb.ACKNOWLEDGE: "acknowledge",
    Verb.APPROVE: "approve",
}

PAST = {
    Verb.PROMOTE: "promoted",
    Verb.PROMOTE_FULLY: "promoted fully",
    Verb.ROLL_BACK: "rolled back",
    Verb.HOLD: "held",
    Verb.RELEASE: "released",
    Verb.FLAG: "flagged",
    Verb.ACKNOWLEDGE: "acknowledged",
    Verb.APPROVE: "approved",
}

UNKNOWN = {
    UnknownReason.NO_DATA: "no sample of the canary has come yet",
    UnknownReason.NO_BASELINE: "there is no baseline to compare with",
    UnknownReason.TOO_LITTLE_TRAFFIC: "too little traffic to conclude anything",
    UnknownReason.TOO_FEW_STEPS: "too few steps to conclude anything",
    UnknownReason.STALE: "the newest sample is too old",
    UnknownReason.SOURCE_DOWN: "Prometheus does not answer",
    UnknownReason.NO_SOURCE: "no Prometheus is configured",
}

FLAG = {
    FlagReason.INCONCLUSIVE: "patience is over and the score is still between the thresholds",
    FlagReason.NO_DATA: "there is no data to judge the canary by",
    FlagReason.CONFLICT: "the metrics contradict each other",
    FlagReason.BASELINE_SICK: "the baseline itself is sick, so the comparison says little",
    FlagReason.ACTION_FAILED: "the last deed failed",
    FlagReason.POLICY: "the policy asks for a person",
    FlagReason.PERSON: "a person asked",
    FlagReason.SHARED: "others, or its baseline, show the same symptom at once: the change is probably not the cause",
    FlagReason.FREEZE: "a deed is due, and automatic deeds are frozen",
    FlagReason.RAILS: "a deed is due, and the limit of automatic deeds is used up",
    FlagReason.DEGRADED: "the rollout failed on its own",
}

UNDECIDED = {
    "score": "",
    "analysis": "its own analysis could not tell",
    "min_seconds": "patience is over, and to promote it has not run long enough on this step",
    "min_steps": "patience is over, and to promote too few steps were measured",
    "min_requests": "patience is over, and to promote too few requests were counted",
    "shared": "patience is over, and others degrade at the same moment",
    "source_down": "patience is over, and Prometheus does not answer, or not in full",
}
"""What is undecided where it is not the score; empty: it is the score."""

FLAG_DETAIL = {
    "analysis": "its own analysis could not tell",
    "min_seconds": "it has not run long enough on this step",
    "min_steps": "too few steps were measured",
    "min_requests": "too few requests were counted",
    "undecided": "",
    "shared": "others degrade at the same moment",
    "refused": "it was refused again and again",
    "unknown": "nobody knows whether it happened",
    "no_data": "",
    "stale": "the newest sample is too old",
    "source_down": "Prometheus does not answer, or not in full",
    "no_source": "no Prometheus is configured",
    "too_little_traffic": "too little traffic",
    "too_few_steps": "too few steps were measured",
    "no_baseline": "there is no baseline",
}
"""What ``control`` and the decider's mark add to a reason, by the code's last word."""

DUE = {
    "row": "to {verb} is due, and the policy asks for a person",
    "mode": "to {verb} is due, and this worker does not act",
    "freeze": "to {verb} is due, and automatic deeds are frozen",
    "rails": "to {verb} is due, and the limit of automatic deeds is used up",
    "no_gate": "to {verb} is due, and no gate of ours is there for it",
    "quarantine": "to {verb} is due, and this version was rolled back before",
}
"""Which deed is due and what stands in its way, by the same word: instead of a reason that leaves out which."""

REFUSAL = {
    Refusal.READ_ONLY: "This board is read-only; nothing was sent.",
    Refusal.NOT_FLAGGED: "{name} is not flagged; f flags it by hand first.",
    Refusal.NOT_UNDER_WAY: "{name} has no change under way.",
    Refusal.NOTHING_TO_PROMOTE: "{name} is in the middle of a step; a promotion now would skip it.",
    Refusal.NOT_OBSERVED: "The controller has not seen the last change of {name} yet; try again in a moment.",
    Refusal.STALE_FEED: "The picture is too old to promote on; roll back still works.",
    Refusal.STALE_SCORE: "The score of {name} is too old to promote on; roll back still works.",
    Refusal.PARTIAL_SCORE: "Prometheus answers only in part: no score to promote {name} on; roll back still works.",
    Refusal.NO_RIGHT: "You may not {verb} {name}{missing}.",
    Refusal.RIGHTS_UNKNOWN: "Nobody could tell whether you may {verb} {name}.",
    Refusal.CHANGED: "{name} is not what it was when the key was pressed; look again.",
    Refusal.GONE: "{name} is gone.",
    Refusal.BUSY: "Another deed is under way; wait for it, or stop it with esc.",
    Refusal.JUST_MOVED: "The row under the cursor changed a moment ago; look, then press again.",
    Refusal.TOO_FAST: "Keys came faster than a person types; nothing was done.",
    Refusal.LATE: "This key was pressed before the screen could take it, so nothing was done; look, then press again.",
    Refusal.UNFOCUSED: "The terminal got the focus a moment ago; press again.",
    Refusal.STALLED: "The terminal stood still during the countdown, so nothing was sent.",
    Refusal.OWNED: "A GitOps controller owns {name} and would put it back; revert it at its source.",
    Refusal.NO_FORMER: "{name} has no former revision to go back to.",
    Refusal.NOT_SUPPORTED: "This engine cannot {verb} {name} by hand.",
    Refusal.NO_GATE: "No gate of ours stands before the next step of {name}: Flagger goes on by its own checks.",
    Refusal.GATE_DEAD: "No worker answers the gates of {name}, so nothing would come of it; roll back still works.",
    Refusal.TOO_LATE: "{name} is being promoted and Flagger cannot be stopped; undo it when it is done.",
    Refusal.NOT_STARTED: "{name} has not started: nothing runs that could be rolled back.",
    Refusal.JOURNAL: "The journal cannot be written, so nothing was sent.",
    Refusal.CONFLICT: "Somebody changed {name} at the same moment; look again.",
    Refusal.UNREACHABLE: "The cluster does not answer; nothing was sent.",
    Refusal.UNAUTHORIZED: "The cluster does not know your credentials; log in and try again.",
    Refusal.INVALID: "The cluster refused it as invalid.",
    Refusal.FROZEN: "Automatic deeds are frozen.",
    Refusal.SAME_PERSON: "You approved {name} already; a second person has to press p. Roll back needs one only.",
    Refusal.UNNAMED: "Two people have to promote {name}, and the cluster does not say who you are.",
}


TYPED = {
    Refusal.NOT_FLAGGED: "{key} is not flagged; opsroom flag {key} flags it by hand first.",
    Refusal.BUSY: "Another deed on {key} is under way, or has just ended; try again in a moment.",
    Refusal.CHANGED: "{key} is not what it was when the command began; look again.",
    Refusal.SAME_PERSON: "You approved {key} already; a second person has to promote it. Roll back needs one only.",
}
"""The same for who types commands: there are no keys to press."""

OUTCOME = {
    Outcome.WATCH: "watched on",
    Outcome.PROMOTE: "decided to promote",
    Outcome.PROMOTE_FULLY: "decided to promote fully",
    Outcome.ROLL_BACK: "decided to roll back",
    Outcome.FLAG: "flagged",
}


_VERBS = frozenset(verb.value for verb in Verb)
_STATES = frozenset(state.value for state in DeedState)
_OUTCOMES = frozenset(outcome.value for outcome in Outcome)
_REASONS = frozenset(reason.value for reason in FlagReason)


def news(item: Happening) -> str:
    """The words of one piece of news; our codes (``flag:person``, ``roll_back:refused:conflict``) become words."""
    first, second, third = (*item.text.split(":", 2), "", "")[:3]
    if item.kind == "deed" and first in _VERBS and second in _STATES:
        because = f", {third.replace('_', ' ')}" if third else ""
        if second == DeedState.DONE.value:
            return f"{PAST[Verb(first)]}{because}"
        return f"{VERB[Verb(first)]}: {marks.DEED[DeedState(second)]}{because}"
    if item.kind == "decision" and first in _OUTCOMES and second in (*_REASONS, ""):
        outcome = OUTCOME[Outcome(first)]
        return f"{outcome}: {FLAG[FlagReason(second)]}" if second else outcome
    return item.text


def refusal(why: Refusal, verb: Verb, rollout: Rollout, detail: str = "", *, typed: bool = False) -> str:
    """One sentence: which condition did not hold. ``detail`` is the missing right, or the server's own words.

    ``typed`` by a command: there are no keys to press next.
    """
    missing = f": the right to {detail} is missing" if why is Refusal.NO_RIGHT and detail else ""
    form = TYPED.get(why, REFUSAL[why]) if typed else REFUSAL[why]
    sentence = form.format(name=rollout.name, key=rollout.key, verb=VERB[verb], missing=missing)
    return f"{sentence} ({detail})" if detail and not missing else sentence


def right(answer: Right) -> str:
    """What the access review said, in two words or with the missing right."""
    if answer.allowed is None:
        return "not asked yet"
    return "allowed" if answer.allowed else f"not allowed: {answer.missing}" if answer.missing else "not allowed"


def flag(row: Row) -> str:
    """Why a person is asked; empty for a row without a flag."""
    flagged = row.flag
    if flagged is None:
        return ""
    due, _, last = flagged.detail.partition(":")
    if due in _VERBS and last in DUE:
        return DUE[last].format(verb=VERB[Verb(due)])
    cause = FLAG[flagged.reason]
    if flagged.reason is FlagReason.INCONCLUSIVE and flagged.detail in UNDECIDED:
        return UNDECIDED[flagged.detail] or cause
    if flagged.reason is FlagReason.PERSON and flagged.by:
        cause = f"{flagged.by} asked for a person"
    more = left_over.sentence(flagged.detail, row.rollout.name)
    if more:
        return f"{cause}: {more}"
    more = FLAG_DETAIL.get(flagged.detail.rpartition(":")[2], flagged.detail)
    if due in _VERBS:
        more = more.format(verb=VERB[Verb(due)])
    return f"{cause}: {more}" if more else cause


def verdict(said: Verdict | None) -> str:
    """What the judge says, in one clause."""
    if said is None:
        return "nobody has judged this canary yet"
    if said.state is VerdictState.UNKNOWN or said.score is None:
        return UNKNOWN[said.unknown] if said.unknown else "nothing may be concluded"
    value = numbers.score(said.score)
    if said.score > ROLL_BACK_ABOVE:
        return f"score {value}: harmful"
    if said.score < PROMOTE_BELOW:
        counted = [item.requests for item in said.evidence if item.requests is not None]
        unasked = bool(counted) and not any(counted)
        return f"score {value}: " + ("its pods do well, but no request has reached them" if unasked else "healthy")
    later = f", decides in about {numbers.duration(said.decides_in)}" if said.decides_in else ""
    return f"score {value}: not decided{later}"


def too_slow(row: Row) -> str:
    """Said while there is still time: the judge will not have decided when patience is over; empty otherwise."""
    said, decision = row.verdict, row.decision
    if said is None or not said.decides_in or decision is None or decision.detail != TOO_SLOW:
        return ""
    return f"cannot decide within its patience, needs about {numbers.duration(said.decides_in)}"


def caveats(said: Verdict | None) -> list[str]:
    """What weakens the verdict, a sentence each."""
    if said is None:
        return []
    weak = []
    if said.shared:
        weak.append("others degrade at the same moment: the change is probably not the cause")
    if not said.concurrent:
        weak.append("the baseline is history, not stable pods at the same minutes")
    return weak
