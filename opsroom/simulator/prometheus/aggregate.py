"""Aggregations over series: `sum`, `count`, `topk` and their kin, grouped by or without labels.

Source: prometheus/promql/engine.go (2.42), aggregation. Groups come in order of first appearance.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from opsroom.simulator.prometheus.arrays import Bools, Floats
from opsroom.simulator.prometheus.failures import ExecutionError, unsupported
from opsroom.simulator.prometheus.grouping import Numbers, over_groups
from opsroom.simulator.prometheus.labels import NAME, Groups, Labels
from opsroom.simulator.prometheus.render import number
from opsroom.simulator.prometheus.values import Vector


def grouped_labels(labels: Labels, names: list[str], without: bool) -> Labels:
    """The labels that name a group."""
    return labels.drop([*names, NAME]) if without else labels.keep(names)


def aggregate(operation: str, vector: Vector, names: list[str], without: bool, parameter: Floats | None) -> Vector:
    """`operation` within each group; `parameter` [S] is the number that some of them take."""
    labels = grouped_labels(vector.labels, names, without)
    groups = labels.groups()
    if operation in ("topk", "bottomk") and parameter is not None:
        return _best(vector, groups, parameter, highest=operation == "topk")
    there = _over(groups, np.add, vector.present.astype(np.int64)) > 0
    if operation == "quantile" and parameter is not None:
        return Vector(labels.take(groups.first), _quantile(vector, groups, parameter), there)
    reduce = _REDUCTIONS.get(operation)
    if reduce is None:
        raise unsupported(f"the aggregation {operation}")
    return Vector(labels.take(groups.first), reduce(vector.values, vector.present, groups), there)


def _over(groups: Groups, operation: np.ufunc, cells: Numbers) -> Numbers:
    return over_groups(operation, cells, groups.of, groups.count)


def _sum(values: Floats, present: Bools, groups: Groups) -> Floats:
    return _over(groups, np.add, np.where(present, values, 0.0))


def _count(values: Floats, present: Bools, groups: Groups) -> Floats:
    return _over(groups, np.add, present.astype(np.float64))


def _avg(values: Floats, present: Bools, groups: Groups) -> Floats:
    return _sum(values, present, groups) / _count(values, present, groups)


def _max(values: Floats, present: Bools, groups: Groups) -> Floats:
    # NaN loses against any number, and a cell without an element must not win either.
    return _over(groups, np.fmax, np.where(present, values, np.nan))


def _min(values: Floats, present: Bools, groups: Groups) -> Floats:
    return _over(groups, np.fmin, np.where(present, values, np.nan))


def _group(values: Floats, present: Bools, groups: Groups) -> Floats:
    return np.ones((len(values), groups.count))


def _variance(values: Floats, present: Bools, groups: Groups) -> Floats:
    off = values - _avg(values, present, groups)[:, groups.of]
    return _avg(off * off, present, groups)


def _deviation(values: Floats, present: Bools, groups: Groups) -> Floats:
    return np.sqrt(_variance(values, present, groups))


_REDUCTIONS: dict[str, Callable[[Floats, Bools, Groups], Floats]] = {
    "sum": _sum,
    "count": _count,
    "avg": _avg,
    "max": _max,
    "min": _min,
    "group": _group,
    "stdvar": _variance,
    "stddev": _deviation,
}


def _quantile(vector: Vector, groups: Groups, quantiles: Floats) -> Floats:
    found = np.full((len(quantiles), groups.count), np.nan)
    for group in range(groups.count):
        members = np.flatnonzero(groups.of == group)
        for step, q in enumerate(quantiles.tolist()):
            values = vector.values[step, members][vector.present[step, members]]
            if len(values):
                found[step, group] = _one_quantile(q, values)
    return found


def _one_quantile(q: float, values: Floats) -> float:
    """Prometheus' quantile of plain values: linear between ranks, NaN sorted first."""
    if np.isnan(q):
        return float("nan")
    if not 0 <= q <= 1:
        return float("-inf") if q < 0 else float("inf")
    ordered = np.concatenate([values[np.isnan(values)], np.sort(values[~np.isnan(values)])])
    rank = q * (len(ordered) - 1)
    low = int(rank)
    high = min(len(ordered) - 1, low + 1)
    weight = rank - low
    return float(ordered[low] * (1 - weight) + ordered[high] * weight)


def _best(vector: Vector, groups: Groups, limits: Floats, highest: bool) -> Vector:
    """The first `limits` [S] series of each group at each step, ordered by value at the first step."""
    if not np.isfinite(limits).all() or (np.abs(limits) >= 2**63).any():
        raise ExecutionError(f"Scalar value {number(float(limits[0]))} overflows int64")
    keys = -vector.values if highest else vector.values
    # An absent element comes after everything, NaN after every number.
    tier = np.where(vector.present, np.where(np.isnan(keys), 1, 0), 2)
    keys = np.where(tier == 0, keys, 0.0)
    chosen = np.zeros(vector.present.shape, dtype=np.bool_)
    sequence = np.zeros(0, dtype=np.int64)
    for step, limit in enumerate(np.trunc(limits).tolist()):
        order = np.lexsort((keys[step], tier[step], groups.of))
        start = np.searchsorted(groups.of[order], np.arange(groups.count))
        rank = np.arange(len(order)) - start[groups.of[order]]
        chosen[step, order] = rank < limit
        sequence = order if step == 0 else sequence
    return Vector(vector.labels, vector.values, vector.present & chosen).take(sequence).pruned()
