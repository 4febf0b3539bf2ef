"""Log lines of pods, written when somebody asks: an access line for some requests, an error line for failures.

Only counts are kept, for two minutes; the lines made from them are the same each time they are asked for.
"""

from __future__ import annotations

import zlib
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from opsroom.simulator.clock import stamp
from opsroom.simulator.prometheus.arrays import Bools, Ints
from opsroom.simulator.traffic.fleet import Pod
from opsroom.simulator.traffic.moment import Moment
from opsroom.simulator.traffic.shapes import CODES

_STEPS_KEPT = 120
_LINES_A_STEP = 6
_PATHS = ("/", "/api/items", "/api/items/{}", "/api/orders", "/api/orders/{}", "/api/search", "/api/session")
_METHODS = ("GET", "GET", "GET", "POST", "PUT")
_CAUSES = (
    "upstream connect error: connection refused",
    "context deadline exceeded",
    "connection pool exhausted",
    "unexpected response from dependency",
)


@dataclass(frozen=True, slots=True)
class _Step:
    time: float
    rows: dict[tuple[str, str], int]
    codes: Ints
    died: list[bool]
    median: list[float]
    spread: list[float]


class LogBook:
    """Remembers what happened in the last steps and turns it into lines."""

    def __init__(self) -> None:
        self._steps: deque[_Step] = deque(maxlen=_STEPS_KEPT)

    def note(self, now: float, pods: Sequence[Pod], codes: Ints, died: Bools, moment: Moment) -> None:
        """Remember one step; `codes` [P, 4] says how requests ended, `died` [P] whose container did."""
        rows = {(pod.namespace, pod.name): row for row, pod in enumerate(pods)}
        medians, spreads = moment.median.tolist(), moment.spread.tolist()
        self._steps.append(_Step(now, rows, codes, died.tolist(), medians, spreads))

    def lines(self, namespace: str, pod: str, since: float, limit: int) -> list[tuple[float, str]]:
        """Lines of one pod after `since` (seconds), oldest first, the newest `limit` of them."""
        found: list[tuple[float, str]] = []
        for step in self._steps:
            row = step.rows.get((namespace, pod))
            if row is not None and step.time > since:
                written = _written(step, row, f"{namespace}/{pod}")
                found.extend(line for line in written if line[0] > since)
        return found[-limit:] if limit > 0 else []


def _written(step: _Step, row: int, pod: str) -> list[tuple[float, str]]:
    rng = np.random.default_rng([zlib.crc32(pod.encode()), int(step.time * 1000)])
    counts = step.codes[row]
    chosen = min(int(counts.sum()), _LINES_A_STEP)
    kinds = rng.multivariate_hypergeometric(counts, chosen)
    # Every failure is logged up to a few a second, whether or not its access line was drawn.
    kinds[2:] = np.maximum(kinds[2:], np.minimum(counts[2:], 2))
    codes = [code for code, many in zip(CODES, kinds.tolist(), strict=True) for _ in range(many)]
    rng.shuffle(codes)
    lines: list[tuple[float, str]] = []
    for number, code in enumerate(codes):
        at = step.time - 1 + (number + 1) / (len(codes) + 1)
        took = step.median[row] * float(np.exp(step.spread[row] * rng.standard_normal()))
        lines.append((at, _line(rng, at, code, took)))
    if step.died[row]:
        lines.append((step.time, f"{stamp(step.time, 'milliseconds')} FATAL worker stopped unexpectedly"))
    return lines


def _line(rng: np.random.Generator, at: float, code: str, took: float) -> str:
    when = stamp(at, "milliseconds")
    path = _PATHS[int(rng.integers(len(_PATHS)))].format(int(rng.integers(1000, 9999)))
    method = _METHODS[int(rng.integers(len(_METHODS)))]
    request = f"{method} {path} {code} {took * 1000:.1f}ms"
    if code.startswith("5"):
        return f'{when} ERROR {request} cause="{_CAUSES[int(rng.integers(len(_CAUSES)))]}"'
    return f"{when} INFO {request}"
