"""Two pages about the inside of a rollout: what its pods said last, and how it stands in the cluster."""

from __future__ import annotations

import re
from collections.abc import Sequence

from opsroom.domain.pod_logs import LogLine, PodLogs, Side
from opsroom.view.cells import fit, wrap
from opsroom.view.line import Line, Piece, Role, beside, cut, line

ASKING = "Asking the cluster, with your own rights."
NO_WORDS = "The command ended without a word."
IN_A_RECORDING = "A recording holds no logs and no manifests; ask the living cluster."
NOWHERE = "This board knows no cluster to ask."
BESIDE = 110
"""Cells from which on the two sides stand beside each other."""

TIME = slice(11, 19)
"""Where the clock stands in a timestamp (RFC 3339)."""

LONGEST = 6
"""Screen lines that one line of a log may take."""

_OWN_TIME = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d[.,\d]*(Z|[+-]\d\d:?\d\d)? +")
"""A time at the beginning of what a program wrote: the node's time stands there already."""

NAMES = {"logs": "logs", "manifest": "manifest"}


def asked_page(name: str, key: str, said: Sequence[Line], note: str, cells: int) -> list[Line]:
    """A page of an answer: what it is about, why there is none (or how old it is), the answer."""
    head = line("  ", Piece(f"{key}  ", Role.STRONG), Piece(NAMES[name], Role.DIM), Piece(f"   {note}", Role.DIM))
    return [line(), cut(head, cells), line(), *said]


def failed(why: str, cells: int) -> list[Line]:
    """Why there is nothing."""
    return [line("    ", Piece(part, Role.FLAGGED)) for part in wrap(why, max(20, cells - 6), 6)]


def logs_lines(logs: PodLogs, cells: int) -> list[Line]:
    """Both sides, newest at the end."""
    sides = [("canary", Role.CANARY, logs.canary), ("stable", Role.BASELINE, logs.stable)]
    if cells >= BESIDE:
        half = cells // 2
        columns = [_side(name, role, side, half - 2) for name, role, side in sides]
        # Both end at the same line: what was said last stands side by side.
        tall = max(len(column) for column in columns)
        left, right = ([column[0], *([line()] * (tall - len(column))), *column[1:]] for column in columns)
        return beside(left, right, half, cells)
    return [part for name, role, side in sides for part in (*_side(name, role, side, cells), line())]


def _side(name: str, role: Role, side: Side | None, cells: int) -> list[Line]:
    if side is None:
        return [line("  ", Piece(f"{name}: there is none now", Role.DIM))]
    pods = f"{len(side.pods)} pods" if len(side.pods) != 1 else "1 pod"
    pods += f" of {len(side.pods) + side.more}" if side.more else ""
    head = cut(line("  ", Piece(f"{name} {side.version}", role), Piece(f"   {pods}", Role.DIM)), cells)
    lines = [head]
    if side.error:
        lines += [line("  ", Piece(part, Role.FLAGGED)) for part in wrap(side.error, cells - 4, 3)]
    for said in side.lines:
        lines += _log_line(said, len(side.pods) > 1, cells)
    if not side.lines and not side.error:
        lines.append(line("  ", Piece("nothing was said", Role.DIM)))
    return lines


def _log_line(said: LogLine, several: bool, cells: int) -> list[Line]:
    pod = f"{said.pod.rpartition('-')[2]:<6}" if several else ""
    head = f"  {fit(said.at[TIME], 8)} {pod}"
    parts = wrap(_without_time(said.text), max(20, cells - len(head) - 1), LONGEST) or [""]
    rest = [line(" " * len(head), Piece(part)) for part in parts[1:]]
    return [line(Piece(head, Role.DIM), Piece(parts[0])), *rest]


def _without_time(text: str) -> str:
    found = _OWN_TIME.match(text)
    return text if found is None else text[found.end() :]


def manifest_lines(text: str, cells: int) -> list[Line]:
    """YAML with its keys set apart."""
    lines = []
    for row in text.splitlines():
        key, colon, value = row.partition(": ")
        if not colon and row.endswith(":"):
            key, colon, value = row[:-1], ":", ""
        pieces = (Piece(f"    {key}{colon}", Role.KEY), Piece(value)) if colon else (Piece(f"    {row}"),)
        lines.append(cut(line(*pieces), cells))
    return lines


def plain_logs(logs: PodLogs) -> str:
    """For scripts and screen readers: one line a line."""
    lines = []
    for name, side in (("canary", logs.canary), ("stable", logs.stable)):
        if side is None:
            continue
        lines += [f"{name} {side.version}: {side.error}"] if side.error else []
        lines += [f"{name} {said.at} {said.pod} {said.text}" for said in side.lines]
    return "\n".join(lines)
