"""Functions of instant vectors and scalars that look at one element at a time.

Source: prometheus/promql/functions.go (2.42). All drop the metric name but the sorting ones.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from opsroom.simulator.prometheus.arrays import Bools, Floats
from opsroom.simulator.prometheus.labels import NAME, Labels, Texts
from opsroom.simulator.prometheus.matchers import Matcher, Op
from opsroom.simulator.prometheus.values import Scalar, Vector


def _sign(values: Floats) -> Floats:
    signs: Floats = np.sign(values)
    return signs


ELEMENTWISE: Mapping[str, Callable[[Floats], Floats]] = {
    "abs": np.abs,
    "ceil": np.ceil,
    "floor": np.floor,
    "exp": np.exp,
    "sqrt": np.sqrt,
    "ln": np.log,
    "log2": np.log2,
    "log10": np.log10,
    "sgn": _sign,
}


def elementwise(name: str, vector: Vector) -> Vector:
    """One of `ELEMENTWISE` on each element."""
    return Vector(vector.labels, ELEMENTWISE[name](vector.values), vector.present).unnamed()


def rounded(vector: Vector, nearest: Scalar | None) -> Vector:
    """`round`: to the nearest multiple, halves up."""
    inverse = 1.0 / (nearest.values[:, None] if nearest else np.ones((1, 1)))
    return Vector(vector.labels, np.floor(vector.values * inverse + 0.5) / inverse, vector.present).unnamed()


def clamped(vector: Vector, low: Scalar | None, high: Scalar | None) -> Vector:
    """`clamp`, `clamp_min`, `clamp_max`; nothing is left where the bounds cross."""
    values, present = vector.values, vector.present
    if low is not None:
        values = np.maximum(values, low.values[:, None])
    if high is not None:
        values = np.minimum(values, high.values[:, None])
    if low is not None and high is not None:
        present = present & ~(high.values < low.values)[:, None]
    return Vector(vector.labels, values, present).unnamed()


def as_scalar(vector: Vector) -> Scalar:
    """`scalar`: the one element's value, NaN where there is not exactly one."""
    alone = vector.present.sum(axis=1) == 1
    total = np.where(vector.present, vector.values, 0.0).sum(axis=1)
    return Scalar(np.where(alone, total, np.nan))


def as_vector(scalar: Scalar, texts: Texts) -> Vector:
    """`vector`: one element without labels."""
    values = scalar.values[:, None]
    return Vector(Labels(texts, {}, 1), values, np.ones(values.shape, dtype=np.bool_))


def absent(vector: Vector, matchers: Sequence[Matcher], texts: Texts) -> Vector:
    """`absent`: 1 where there is no element, labelled with what the selector asks to be equal."""
    names = [matcher.name for matcher in matchers]
    columns = {
        matcher.name: np.array([texts.code(matcher.value)], dtype=np.int64)
        for matcher in matchers
        if matcher.op is Op.EQUAL and matcher.name != NAME and names.count(matcher.name) == 1
    }
    nothing: Bools = vector.present.sum(axis=1, keepdims=True) == 0
    return Vector(Labels(texts, columns, 1), np.ones(nothing.shape), nothing).pruned()


def ordered(vector: Vector, descending: bool) -> Vector:
    """`sort`, `sort_desc`: by the value at the first step (only instant queries keep an order), NaN last."""
    values = vector.values[0] if len(vector.values) else np.zeros(vector.labels.size)
    keys = -values if descending else values
    return vector.take(np.lexsort((keys, np.isnan(keys))).astype(np.int64))
