"""Two pages about the inside of a rollout: what its pods said last, and how it stands in the cluster."""

from __future__ import annotations

import re

import msgspec

from opsroom.domain.pod_logs import LogLine, PodLogs, Side
from opsroom.view.cells import fit, width, wrap
from opsroom.view.line import Ground, Line, Piece, Role, beside, cut, line, padded

ASKING = "Asking the cluster, with your own rights."
NO_WORDS = "The command ended without a word."
BESIDE = 110
"""Cells from which on the two sides stand beside each other."""

TIME = slice(11, 19)
"""Where the clock stands in a timestamp (RFC 3339)."""

LONGEST = 6
"""Screen lines that one line of a log may take."""

_OWN_TIME = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d[.,\d]*(Z|[+-]\d\d:?\d\d)? +")
"""A time at the beginning of what a program wrote: the node's time stands there already."""

_LEVEL = re.compile(
    r"\b(FATAL|PANIC|CRITICAL|SEVERE|ERROR|WARNING|WARN)\b|level\"?[=:] ?\"?(fatal|panic|critical|error|warn)"
)
LEVEL_WITHIN = 120
"""Characters at the beginning of a line in which its level stands."""

NAMES = {"logs": "logs", "manifest": "manifest"}


class Answer(msgspec.Struct, frozen=True):
    """What a page shows of an answer."""

    heads: list[Line] = []
    """Stay in sight above it."""
    lines: list[Line] = []


def head(name: str, key: str, note: str, cells: int) -> Line:
    """What the page is about, and ``note``: why there is nothing, or how old it is."""
    said = line(" ", Piece(f"{key}  ", Role.STRONG), Piece(NAMES[name], Role.DIM), Piece(f"   {note}", Role.DIM))
    return padded(cut(said, cells), cells).on(Ground.PANE)


def failed(why: str, cells: int) -> list[Line]:
    """Why there is nothing."""
    return [line("    ", Piece(part, Role.FLAGGED)) for part in wrap(why, max(20, cells - 6), 6)]


def logs_answer(logs: PodLogs, cells: int) -> Answer:
    """Both sides, newest at the end: beside each other with their names above, or one below the other."""
    sides = [("canary", Role.CANARY, logs.canary), ("stable", Role.BASELINE, logs.stable)]
    if cells < BESIDE:
        below = [[*_head(name, role, side, cells), *_said(side, f" {name}", role, cells)] for name, role, side in sides]
        return Answer(lines=[part for each in below for part in (*each, line())])
    half = cells // 2
    one, other = (_head(name, role, side, half - 2) for name, role, side in sides)
    columns = [_said(side, " ", role, half - 2) for _, role, side in sides]
    # Both end at the same line: what was said last stands side by side.
    tall = max(len(column) for column in columns)
    left, right = ([*([line()] * (tall - len(column))), *column] for column in columns)
    return Answer(heads=beside(one, other, half, cells), lines=beside(left, right, half, cells))


def _head(name: str, role: Role, side: Side | None, cells: int) -> list[Line]:
    """Whose words they are, and why there are none."""
    if side is None:
        return [line("  ", Piece(f"{name}: there is none now", Role.DIM))]
    pods = f"{len(side.pods)} pods" if len(side.pods) != 1 else "1 pod"
    pods += f" of {len(side.pods) + side.more}" if side.more else ""
    lines = [cut(line("  ", Piece(f"{name} {side.version}", role), Piece(f"   {pods}", Role.DIM)), cells)]
    lines += [line("  ", Piece(part, Role.FLAGGED)) for part in wrap(side.error, cells - 4, 3)]
    if not side.lines and not side.error:
        lines.append(line("  ", Piece("nothing was said", Role.DIM)))
    return lines


def _said(side: Side | None, label: str, role: Role, cells: int) -> list[Line]:
    """The words of one side, each line with its ``label``."""
    several = side is not None and len(side.pods) > 1
    return [part for said in (side.lines if side else ()) for part in _log_line(said, label, role, several, cells)]


def _log_line(said: LogLine, label: str, role: Role, several: bool, cells: int) -> list[Line]:
    pod = f"{said.pod.rpartition('-')[2]:<6}" if several else ""
    head = f" {fit(said.at[TIME], 8)} {pod}"
    before = width(label) + len(head)
    parts = wrap(_without_time(said.text), max(20, cells - before - 1), LONGEST) or [""]
    loud = _loud(said.text)
    rest = [line(" " * before, Piece(part, loud)) for part in parts[1:]]
    return [line(Piece(label, role), Piece(head, Role.DIM), Piece(parts[0], loud)), *rest]


def _loud(text: str) -> Role:
    """Errors and warnings stand out by what the program itself calls them."""
    found = _LEVEL.search(text[:LEVEL_WITHIN])
    if found is None:
        return Role.TEXT
    return Role.WATCH if found[0].lower().endswith(("warn", "warning")) else Role.FLAGGED


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
