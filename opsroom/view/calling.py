"""The words of a notice that leaves this machine: which rollouts wait for a person, and why."""

from __future__ import annotations

from collections.abc import Sequence

from opsroom.domain.board import Row
from opsroom.view import evidence, notes, words

NAMED = 10
"""Rollouts in one notice; a storm is one sentence about how many, not a page."""


def title(rows: Sequence[Row], context: str) -> str:
    """``checkout needs you in prod-eu``."""
    return notes.needed(sorted(row.rollout.name for row in rows), context)


def body(rows: Sequence[Row]) -> str:
    """A line for each rollout, the most severe first."""
    ordered = sorted(rows, key=lambda row: (-row.severity, row.rollout.key))
    lines = [_line(row) for row in ordered[:NAMED]]
    if len(ordered) > NAMED:
        lines.append(f"and {len(ordered) - NAMED} more")
    return "\n".join(lines)


def _line(row: Row) -> str:
    found = evidence.strongest(row)
    more = f" ({evidence.brief(found)})" if found is not None else ""
    return f"{row.rollout.key}: {words.flag(row)}{more}"
