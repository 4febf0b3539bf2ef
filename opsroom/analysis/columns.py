"""A window laid out for the stream: logs, counts and masks of all steps at once, then one column a step.

It must not know what is made of them.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from opsroom.analysis.budget import Budget
from opsroom.analysis.pairing import small_sample
from opsroom.analysis.stream import NOT_RATIOS, Column, signs
from opsroom.analysis.uncounted import USUAL_REQUESTS, behind_rates
from opsroom.analysis.window import Floats, Pair, Window

TOO_FEW = 5.0
"""A quantile of fewer requests than this is not compared with one of ten times as many."""
SMOOTH = 60.0
"""Requests from which on a quantile read from a histogram has no bias."""


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
        base_bias, noise = _quantile(requests[0], window.quantile_steps)
        canary_bias, _ = _quantile(requests[1], window.quantile_steps)
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


def _quantile(requests: Floats, steps: float) -> tuple[Floats, Floats]:
    """Log bias and noise of a quantile of so many ``requests`` a step; ``steps`` as in ``Window.quantile_steps``.

    Interpolation in a bucket pulls the quantile of few requests up again: of the bias that an exact quantile has, two
    thirds are left at 20 requests, a quarter at 45 and nothing from 60 on (simulated: lognormal, sigma .3 to .7, the
    default HTTP buckets with two more between each pair).
    """
    if not steps:
        return small_sample(requests)
    behind = requests * steps
    bias, noise = small_sample(behind)
    return bias * np.clip(1.0 - behind / SMOOTH, 0.0, 1.0), noise


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
    nb, nc = requests
    complete = bool(np.isfinite(nb).all() and np.isfinite(nc).all())
    kb = kc = np.full_like(nb, np.nan)
    if "error_rate" in window.metrics:
        rate = window.metrics["error_rate"]
        rb, rc = _turn(rate.baseline, hidden), _turn(rate.canary, hidden)
        if not complete:
            guess = behind_rates(rb)
            nb, nc = np.where(np.isfinite(nb), nb, guess), np.where(np.isfinite(nc), nc, guess)
        kb, kc = rb * nb, rc * nc
    elif not complete:
        nb, nc = (np.where(np.isfinite(n), n, USUAL_REQUESTS) for n in requests)
    if window.errors is not None:
        counted = _turn(window.errors.baseline, hidden), _turn(window.errors.canary, hidden)
        both = np.isfinite(counted[0]) & np.isfinite(counted[1])
        kb, kc = np.where(both, counted[0], kb), np.where(both, counted[1], kc)
    with np.errstate(invalid="ignore"):
        bad = ~((kb >= 0) & (kc >= 0) & np.isfinite(kb) & np.isfinite(kc))
    return np.where(bad, np.nan, kb), np.where(bad, np.nan, kc), nb, nc
