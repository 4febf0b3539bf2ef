"""What a deed does, before and after: the offer of a key, the intent line, the state of a deed, steps in words.

One word must not hide two deeds, so every effect has its own sentence (design.md 4, argo-rollouts.md b).
"""

from __future__ import annotations

from opsroom.domain.deed import Deed, DeedState, Effect, Verb
from opsroom.domain.offer import Offer
from opsroom.domain.rollout import Engine, Rollout, Step, StepKind
from opsroom.view import left_over, numbers, words

BY_X = "to take it back press x"
BY_F_AND_X = "to take it back press f, then x"

COMMANDS = {
    BY_X: "to take it back: opsroom rollback {key}",
    BY_F_AND_X: "to take it back: opsroom flag {key}, then opsroom rollback {key}",
}
"""The same ways back for who types commands."""

UNWRITTEN = "not_journalled"
"""Detail of a deed that went ahead although the journal cannot be written."""

_UNDER_WAY = frozenset((DeedState.SENT, DeedState.ACCEPTED, DeedState.SEEN, DeedState.DONE, DeedState.UNKNOWN))

TAKEN_BACK = {
    Effect.NEXT_STEP: BY_F_AND_X,
    Effect.ACCEPT_INCONCLUSIVE: BY_F_AND_X,
    Effect.UNPAUSE: BY_F_AND_X,
    Effect.OPEN_GATE: BY_F_AND_X,
    Effect.OPEN_ALL_GATES: BY_F_AND_X,
    Effect.FULL: BY_X,
    Effect.SWITCH: BY_X,
    Effect.TAKE_TEMPLATE: BY_X,
    Effect.SKIP_ANALYSIS: BY_X,
    Effect.ABORT: "a new version or a retry starts it again",
    Effect.SCALE_DOWN: "it starts again when its canary is scaled up",
    Effect.REVERT: "it starts again when the version is deployed again",
    Effect.UNDO: "it starts again when the version is deployed again",
    Effect.ASK_ROLL_BACK: "it starts again with a new version",
    Effect.FAIL_CHECKS: "it starts again with a new version",
}
"""How a deed is undone, by its effect: on the line above the keys, right after it was done."""


def revision_name(rollout: Rollout, canary: bool) -> str:
    """The word people use for a revision, its hash where it has none."""
    revision = rollout.canary if canary else rollout.stable
    return "" if revision is None else revision.version or revision.hash


def effect(wish: Offer, rollout: Rollout) -> str:
    """What the verb would do here, continuing the sentence "p …" or "x …"."""
    if wish.effect is None:
        why = wish.refusal
        return "does nothing" if why is None else "is off: " + words.refusal(why, wish.verb, rollout).rstrip(".")
    canary, stable = revision_name(rollout, canary=True), revision_name(rollout, canary=False)
    back = wish.revision or stable or "stable"
    match wish.effect:
        case Effect.NEXT_STEP:
            return f"goes on{_to(wish, rollout)}"
        case Effect.ACCEPT_INCONCLUSIVE:
            return f"accepts the undecided analysis and goes on{_to(wish, rollout)}"
        case Effect.UNPAUSE:
            return f"un-pauses it; {canary} goes on to all pods" if wish.weight == 100 else "un-pauses it, nothing else"
        case Effect.SWITCH:
            return f"switches all traffic to {canary}"
        case Effect.FULL:
            return f"gives {canary} all traffic at once, past the steps that are left"
        case Effect.TAKE_TEMPLATE:
            return f"rolls {canary} out to stable, then scales the canary to 0"
        case Effect.ABORT:
            still = f"{rollout.owner} still asks for" if rollout.owner else "the spec still names"
            return f"returns all traffic to {back} (abort; {still} {canary})"
        case Effect.UNDO:
            how = "as a new canary with a whole analysis" if rollout.engine is Engine.FLAGGER else "as a new update"
            return f"puts the former revision back {how} (undo)"
        case Effect.SCALE_DOWN:
            # Half-way through a promotion stable runs the canary's version already.
            passed = bool(canary) and canary == stable
            return "scales the canary to 0; " + (
                f"stable has {canary} already" if passed else f"{back} was never touched"
            )
        case Effect.REVERT:
            return f"puts the template of {back} back and lets it roll out (revert)"
        case Effect.OPEN_GATE:
            return f"opens the gate of this step; Flagger goes on{_to(wish, rollout)}"
        case Effect.OPEN_ALL_GATES:
            return f"opens every gate of this run; Flagger takes {canary} to all traffic by its own steps"
        case Effect.SKIP_ANALYSIS:
            return f"tells Flagger to skip its analysis: {canary} gets all traffic at once, unchecked"
        case Effect.ASK_ROLL_BACK:
            return f"answers Flagger's roll back gate with yes: all traffic returns to {back}"
        case Effect.FAIL_CHECKS:
            return f"sets failedChecks to the threshold (unofficial), so that Flagger returns all traffic to {back}"
    return "sets a mark of ours, nothing else"


def _to(wish: Offer, rollout: Rollout) -> str:
    """Every step until it stands still again: what happens unasked afterwards is part of the effect."""
    if wish.step is None:
        return "" if wish.weight is None else f" to weight {wish.weight}%"
    ahead, stands = [], False
    for step in rollout.steps[wish.step :]:
        ahead.append(step_name(step))
        if step.kind is StepKind.PAUSE:
            stands = step.seconds is None
            break
    total = len(rollout.steps)
    if not ahead:
        return " to all traffic"
    ended = len(ahead) == total - wish.step and ahead[-1] != "100%" and not stands
    done = ", then all traffic" if ended else ""
    return f" to step {wish.step + 1}/{total}: {', '.join(ahead)}{done}"


def target(wish: Offer, rollout: Rollout) -> str:
    """Where to, for the intent line: ``to v2.30.4``, ``to weight 50%``."""
    if wish.verb is Verb.ROLL_BACK:
        return f"to {wish.revision}" if wish.revision else "to the former revision"
    if wish.step is not None and wish.step < len(rollout.steps):
        return f"to step {wish.step + 1}/{len(rollout.steps)}"
    if wish.weight is None or wish.weight == 100:
        return f"to all traffic ({wish.revision})" if wish.revision else "to the next step"
    return f"to weight {wish.weight}%"


def step_name(step: Step) -> str:
    """One step in a word: ``25%``, ``pause 2m``, ``analysis``."""
    match step.kind:
        case StepKind.WEIGHT:
            return f"{step.weight}%"
        case StepKind.PAUSE:
            return "pause" if step.seconds is None else f"pause {numbers.age(step.seconds)}"
        case StepKind.ANALYSIS:
            return "analysis"
        case StepKind.SCALE:
            return "scale"
        case StepKind.HEADER:
            return "header route"
        case StepKind.MIRROR:
            return "mirror"
    return step.name or step.kind.value


def deed(done: Deed, now: float, *, typed: bool = False) -> str:
    """A deed's state as one sentence; ``typed`` by a command: there are no keys to press next."""
    intent = done.intent
    what = f"{words.VERB[intent.verb]} {intent.target.name}"
    unwritten = done.detail == UNWRITTEN
    if unwritten and done.state in _UNDER_WAY:
        what += f", {left_over.FOUND[UNWRITTEN]}"
    match done.state:
        case DeedState.ARMED:
            return f"Armed: {what}."
        case DeedState.CANCELLED:
            return f"Stopped: {what}; nothing was sent."
        case DeedState.REFUSED:
            return f"Refused: {what}. {because(done)}"
        case DeedState.JOURNALLED:
            return f"{'Not journalled' if unwritten else 'Journalled'}: {what}; the countdown runs."
        case DeedState.SENT:
            return f"Sent: {what}; waiting for the API server."
        case DeedState.ACCEPTED:
            return f"Accepted: {what}; waiting for its controller."
        case DeedState.SEEN:
            return f"Seen by the controller: {what}; waiting for the outcome."
        case DeedState.DONE:
            agreed = f", approved by {intent.approved_by}," if intent.approved_by else "," * unwritten
            return f"Done: {what}{agreed} in {numbers.duration(done.at - intent.at)}{_next(done, typed)}."
        case DeedState.FAILED:
            return f"Failed: {what}. {because(done)}"
    known = (
        left_over.FOUND[done.detail] if done.detail in ("not_seen", "cut_off") else "it was sent, and no answer came"
    )
    return f"Not known: {what}; {known}; the cluster will show what became of it."


def _next(done: Deed, typed: bool) -> str:
    """What a person may want to do next: the way back, or what is still missing."""
    if done.intent.verb is Verb.APPROVE:
        return f"; a second person has to {'promote it' if typed else 'press p'} within the hour"
    if done.effect not in TAKEN_BACK:
        return ""
    back = TAKEN_BACK[done.effect]
    if typed:
        target = done.intent.target
        back = COMMANDS.get(back, back).format(key=f"{target.namespace}/{target.name}")
    return f"; {back}"


def because(done: Deed) -> str:
    """Why a deed was refused or failed; empty where nobody said."""
    if done.refusal is None:
        said = left_over.sentence(done.detail, done.intent.target.name)
        if said:
            return f"{said[0].upper()}{said[1:]}."
        return f"{done.detail}." if done.detail else ""
    sentence = words.REFUSAL[done.refusal].format(
        name=done.intent.target.name,
        verb=words.VERB[done.intent.verb],
        missing=f": the right to {done.detail} is missing" if done.detail else "",
    )
    return f"{sentence} ({done.detail})" if done.detail and "{missing}" not in words.REFUSAL[done.refusal] else sentence
