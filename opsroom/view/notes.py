"""What a screen says of its own keys: notes on the intent line, words in empty fields, a notice on the desktop.

Why a key was refused is in ``words``.
"""

from __future__ import annotations

from collections.abc import Sequence

from opsroom.domain.board import Row
from opsroom.domain.deed import Verb
from opsroom.domain.rollout import Rollout
from opsroom.view import words

REFLEX = "That key does nothing here: roll back is x, repaint is ctrl+r, help is ?"
"""For keys that hands press by habit from other tools."""

FIND = "find an action by its name"
"""In the palette's empty field."""

IN_A_RECORDING = "A recording holds no logs and no manifests; ask the living cluster."
NOWHERE = "This board knows no cluster to ask."
"""Why there is no inside of a rollout to be shown."""

FILTER = "text, label:key=value, !not"
"""In the empty filter."""

INTERRUPT = "ctrl+c again leaves; q does at once"


def needed(names: Sequence[str], context: str) -> str:
    """A notice on the desktop: what waits for a person, and where."""
    where = f" in {context}" if context else ""
    if len(names) == 1:
        return f"{names[0]} needs you{where}"
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return f"{len(names)} rollouts need you{where}: {', '.join(names[:3])}{more}"


def copied(rollout: Rollout) -> str:
    """Sent, not copied: no terminal answers OSC 52."""
    return f"Sent to the terminal's clipboard: {rollout.key}"


def address(rollout: Rollout) -> str:
    """Where the change can be read."""
    return rollout.change.url or f"Nobody said where the change of {rollout.name} can be read."


def opened(rollout: Rollout) -> str:
    """After a browser was asked to open it."""
    return f"Asked this machine to open {rollout.change.url}"


def already_flagged(row: Row) -> str:
    """A note instead of a second flag."""
    return f"{row.rollout.name} is flagged already."


def stopped(verb: Verb, rollout: Rollout) -> str:
    """After ``esc``."""
    return f"Stopped: {words.VERB[verb]} {rollout.name}; nothing was sent."
