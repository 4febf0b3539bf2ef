"""`histogram_quantile` over all histograms and steps at once.

Source: prometheus/promql/quantile.go (2.42), bucketQuantile: sorted and merged buckets, counts made monotonic,
linear interpolation inside the bucket, the lower bound of the first bucket taken as 0 if its upper one is positive.
"""

from __future__ import annotations

import numpy as np

from opsroom.simulator.prometheus.arrays import Bools, Floats, Ints
from opsroom.simulator.prometheus.grouping import Numbers, over_groups
from opsroom.simulator.prometheus.labels import NAME
from opsroom.simulator.prometheus.values import Vector

BUCKET = "le"


def histogram_quantile(quantiles: Floats, vector: Vector) -> Vector:
    """The quantiles [S] of each histogram in `vector` (one series a bucket, its upper bound in `le`)."""
    bounds = _bounds(vector)
    vector = vector.take(np.flatnonzero(~np.isnan(bounds)))
    bounds = bounds[~np.isnan(bounds)]
    labels = vector.labels.drop([NAME, BUCKET])
    groups = labels.groups()
    uppers, place = np.unique(bounds, return_inverse=True)
    steps, size = len(quantiles), len(uppers)
    # Two spellings of one bound ("1" and "1.0") are one bucket, so counts are added.
    cell = groups.of * size + place.reshape(-1)
    shape = (steps, groups.count, size)
    filled = np.where(vector.present, vector.values, 0.0)
    counts = over_groups(np.add, filled, cell, groups.count * size).reshape(shape)
    present = vector.present.astype(np.int64)
    there: Bools = over_groups(np.add, present, cell, groups.count * size).reshape(shape) > 0
    any_bucket = np.logical_or.reduce(there, axis=2)
    values = _quantiles(quantiles, uppers, counts, there) if size else np.zeros((steps, 0))
    return Vector(labels.take(groups.first), values, np.asarray(any_bucket, dtype=np.bool_))


def _bounds(vector: Vector) -> Floats:
    texts, codes = vector.labels.texts, vector.labels.column(BUCKET)
    distinct, inverse = np.unique(codes, return_inverse=True)
    found = np.array([_bound(texts.text(code)) for code in distinct.tolist()], dtype=np.float64)
    return found[inverse.reshape(-1)]


def _bound(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return float("nan")


def _quantiles(quantiles: Floats, uppers: Floats, counts: Floats, there: Bools) -> Floats:
    """[S, G] from counts [S, G, B]; buckets that are not there are passed over."""
    rising = np.fmax.accumulate(np.where(there, counts, -np.inf), axis=2)
    rising = np.where(there & np.isnan(counts), np.nan, rising)
    places = np.arange(len(uppers))
    newest = np.maximum.accumulate(np.where(there, places, -1), axis=2)
    before = np.concatenate([np.full((*newest.shape[:2], 1), -1), newest[:, :, :-1]], axis=2)
    top = newest[:, :, -1]
    second = _pick(before, np.maximum(top, 0))
    total = _pick(rising, np.maximum(top, 0))
    rank = quantiles[:, None] * total
    reached = there & (rising >= rank[:, :, None]) & (places < top[:, :, None])
    inside = reached.any(axis=2)
    bucket = np.argmax(reached, axis=2)
    lower_place = _pick(before, bucket)
    has_lower = lower_place >= 0
    lower = np.where(has_lower, uppers[np.maximum(lower_place, 0)], 0.0)
    below = np.where(has_lower, _pick(rising, np.maximum(lower_place, 0)), 0.0)
    upper = uppers[bucket]
    part = (rank - below) / (_pick(rising, bucket) - below)
    values = np.where(inside, lower + (upper - lower) * part, uppers[np.maximum(second, 0)])
    values = np.where(inside & ~has_lower & (upper <= 0), upper, values)
    useless = (top < 0) | (uppers[np.maximum(top, 0)] != np.inf) | (second < 0) | (total == 0)
    values = np.where(useless, np.nan, values)
    values = np.where(quantiles[:, None] < 0, -np.inf, values)
    values = np.where(quantiles[:, None] > 1, np.inf, values)
    return np.where(np.isnan(quantiles)[:, None], np.nan, values)


def _pick(table: Numbers, places: Ints) -> Numbers:
    picked: Numbers = np.take_along_axis(table, places[:, :, None], axis=2)[:, :, 0]
    return picked
