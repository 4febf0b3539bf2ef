"""A window laid out for the stream: logs, counts and masks of all steps at once, then one column a step.

It must not know what is made of them.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from opsroom.analysis.budget import Budget
from opsroom.analysis.pairing import small_sample
from opsroom.analysis.stream import NOT_RATIOS, Column, signs
from opsroom.analysis.window import Floats, Pair, Window

TOO_FEW = 5.0
"""A quantile of fewer requests than this is not compared with one of ten times as many."""
GUESSED_REQUESTS = 100.0
"""A step is taken for so many requests where nobody counted."""


def columns(window: Window, budget: Budget) -> Iterator[Column]:
    """The steps of ``window``, oldest first, with everything before a canary's start blanked."""
    rollouts, steps = window.shape
    hidden = _hidden(window)
    metrics = tuple(m for m in window.metrics if m not in NOT_RATIOS)
    sign = signs(metrics, budget)
    base = np.empty((steps, len(metrics), rollouts))
    canary = np.empty((steps, len(metrics), rollouts))
    for row, name in enumerate(metrics):
        base[:, row] = sign[row] * _log(window.metrics[name].baseline, hidden)
        canary[:, row] = sign[row] * _log(window.metrics[name].canary, hidden)
    nothing = np.full((steps, rollouts), np.nan)
    requests = _both(window.requests, hidden) or (nothing, nothing)
    if window.requests is None:
        bias, noise = np.zeros((steps, rollouts)), nothing
    else:
        base_bias, noise = small_sample(requests[0])
        canary_bias, _ = small_sample(requests[1])
        bias = np.where(np.isfinite(requests[0]) & np.isfinite(requests[1]), canary_bias - base_bias, 0.0)
        with np.errstate(invalid="ignore"):
            bias[(requests[1] < TOO_FEW) & (requests[0] >= 10 * TOO_FEW)] = np.nan
    counts = _counts(window, requests, hidden)
    restarts = _both(window.metrics.get("restarts"), hidden)
    counted = window.requests is not None
    for t in range(steps):
        yield Column(
            base=base[t],
            canary=canary[t],
            bias=bias[t],
            noise=noise[t],
            counts=(counts[0][t], counts[1][t], counts[2][t], counts[3][t]),
            requests=(requests[0][t], requests[1][t]) if counted else None,
            restarts=(restarts[0][t], restarts[1][t]) if restarts else None,
        )


def _hidden(window: Window) -> np.ndarray[tuple[int, int], np.dtype[np.bool_]] | None:
    if window.started is None or not window.started.any():
        return None
    return np.asarray(np.arange(window.shape[1])[:, None] < window.started[None, :])


def _turn(values: Floats, hidden: np.ndarray[tuple[int, int], np.dtype[np.bool_]] | None) -> Floats:
    turned = np.ascontiguousarray(values.T, dtype=np.float64)
    if hidden is not None:
        turned = np.where(hidden, np.nan, turned)
    return turned


def _log(values: Floats, hidden: np.ndarray[tuple[int, int], np.dtype[np.bool_]] | None) -> Floats:
    turned = _turn(values, hidden)
    with np.errstate(divide="ignore", invalid="ignore"):
        logs = np.log(turned)
    logs[~np.isfinite(logs)] = np.nan
    return logs


def _both(
    pair: Pair | None, hidden: np.ndarray[tuple[int, int], np.dtype[np.bool_]] | None
) -> tuple[Floats, Floats] | None:
    if pair is None:
        return None
    return _turn(pair.baseline, hidden), _turn(pair.canary, hidden)


def _counts(
    window: Window,
    requests: tuple[Floats, Floats],
    hidden: np.ndarray[tuple[int, int], np.dtype[np.bool_]] | None,
) -> tuple[Floats, Floats, Floats, Floats]:
    nb, nc = (np.where(np.isfinite(n), n, GUESSED_REQUESTS) for n in requests)
    kb = kc = np.full_like(nb, np.nan)
    if "error_rate" in window.metrics:
        rate = window.metrics["error_rate"]
        kb, kc = _turn(rate.baseline, hidden) * nb, _turn(rate.canary, hidden) * nc
    if window.errors is not None:
        counted = _turn(window.errors.baseline, hidden), _turn(window.errors.canary, hidden)
        both = np.isfinite(counted[0]) & np.isfinite(counted[1])
        kb, kc = np.where(both, counted[0], kb), np.where(both, counted[1], kc)
    with np.errstate(invalid="ignore"):
        bad = ~((kb >= 0) & (kc >= 0) & np.isfinite(kb) & np.isfinite(kc))
    return np.where(bad, np.nan, kb), np.where(bad, np.nan, kc), nb, nc
