"""A line of the journal as people read it: when, who, what, to which rollout, how far, and why."""

from __future__ import annotations

from opsroom.domain.decision import Decision, Outcome
from opsroom.domain.deed import Deed
from opsroom.view import left_over, numbers, words

FAULT = {
    "torn": "cut off by a crash",
    "unreadable": "cannot be read",
    "broken_chain": "the line before it was changed or taken out",
    "cut_off": "the file before this one is not here",
}

OUTCOME = {
    Outcome.WATCH: "watches on",
    Outcome.PROMOTE: "decided to promote",
    Outcome.PROMOTE_FULLY: "decided to promote fully",
    Outcome.ROLL_BACK: "decided to roll back",
    Outcome.FLAG: "asked a person",
}


def of_deed(at: float, deed: Deed, rollout: str) -> str:
    """``2026-11-23 12:01:44  kim  roll back  payments/geo-api  done  score 0.94``."""
    intent = deed.intent
    who = "worker" if intent.automatic else intent.actor or "somebody"
    name = rollout or f"{intent.target.namespace}/{intent.target.name}"
    parts = [numbers.stamp(at), who, words.VERB[intent.verb], name, deed.state.value]
    if deed.refusal is not None:
        parts.append(deed.refusal.value.replace("_", " "))
    if deed.detail:
        parts.append(left_over.sentence(deed.detail, intent.target.name) or deed.detail)
    if intent.approved_by:
        parts.append(f"approved by {intent.approved_by}")
    if intent.score is not None:
        parts.append(f"score {numbers.score(intent.score)}")
    if intent.reason:
        parts.append(f"({intent.reason})")
    return "  ".join(parts)


def of_decision(at: float, decision: Decision, rollout: str) -> str:
    """``2026-11-23 12:01:44  worker  asked a person  payments/geo-api  patience is over …``."""
    parts = [numbers.stamp(at), "worker", OUTCOME[decision.outcome], rollout]
    if decision.flag is not None:
        parts.append(words.FLAG[decision.flag])
    if decision.score is not None:
        parts.append(f"score {numbers.score(decision.score)}")
    if decision.row:
        parts.append(f"policy {decision.row}")
    return "  ".join(parts)


def of_note(at: float, writer: str, note: str) -> str:
    """A line about the writer itself."""
    return "  ".join((numbers.stamp(at), writer, note.replace("_", " ")))
