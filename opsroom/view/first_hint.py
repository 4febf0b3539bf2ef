"""The one sentence for somebody who sees the board for the first time; it goes with the first key."""

from __future__ import annotations

from opsroom.view.line import Line, Piece, Role, cut, line


def first_hint(key: str, read_only: bool, cells: int) -> Line:
    """Where the marks and keys are explained, and that looking around is safe."""
    safe = "this board is read-only" if read_only else "nothing acts at once: esc stops a countdown"
    return cut(line(" ", Piece(key, Role.KEY), Piece(f" explains every mark and key; {safe}", Role.DIM)), cells)
