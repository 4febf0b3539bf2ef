"""Operators between vectors and scalars: arithmetic, comparison, and the set operators.

Source: prometheus/promql/engine.go (2.42), VectorBinop, VectorscalarBinop, VectorAnd, VectorOr, VectorUnless. Two
series are matched once for all steps; what Prometheus checks at each step is then a question of who is present.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np

from opsroom.simulator.prometheus.arrays import Bools, Floats, Ints
from opsroom.simulator.prometheus.failures import ExecutionError
from opsroom.simulator.prometheus.grouping import over_groups
from opsroom.simulator.prometheus.labels import NAME, Labels, concatenate
from opsroom.simulator.prometheus.values import Scalar, Vector, joined


class Side(StrEnum):
    """Which side may have many series for one of the other."""

    NEITHER = "one-to-one"
    LEFT = "many-to-one"
    RIGHT = "one-to-many"


@dataclass(frozen=True, slots=True)
class Matching:
    """How series of two vectors find each other: labels to match `on`, or to ignore."""

    names: tuple[str, ...] = ()
    on: bool = False
    many: Side = Side.NEITHER
    include: tuple[str, ...] = ()
    as_bool: bool = False

    def key(self, labels: Labels) -> Labels:
        """The labels that must be equal."""
        return labels.keep(self.names) if self.on else labels.drop([*self.names, NAME])


ARITHMETIC: Mapping[str, Callable[[Floats, Floats], Floats]] = {
    "+": np.add,
    "-": np.subtract,
    "*": np.multiply,
    "/": np.divide,
    "%": np.fmod,
    "^": np.power,
    "atan2": np.arctan2,
}
COMPARISON: Mapping[str, Callable[[Floats, Floats], Bools]] = {
    "==": np.equal,
    "!=": np.not_equal,
    ">": np.greater,
    "<": np.less,
    ">=": np.greater_equal,
    "<=": np.less_equal,
}
SETS = ("and", "or", "unless")


def scalars(operation: str, left: Scalar, right: Scalar) -> Scalar:
    """Two scalars; a comparison gives 0 or 1."""
    if operation in COMPARISON:
        return Scalar(COMPARISON[operation](left.values, right.values).astype(np.float64))
    return Scalar(ARITHMETIC[operation](left.values, right.values))


def with_scalar(operation: str, vector: Vector, scalar: Scalar, vector_left: bool, as_bool: bool) -> Vector:
    """Each element with a scalar; a comparison without `bool` filters and keeps the vector's value and name."""
    number = scalar.values[:, None]
    left, right = (vector.values, number) if vector_left else (number, vector.values)
    if operation in COMPARISON:
        holds = COMPARISON[operation](left, right)
        if not as_bool:
            return Vector(vector.labels, vector.values, vector.present & holds).pruned()
        return Vector(vector.labels, holds.astype(np.float64), vector.present).unnamed()
    combined = Vector(vector.labels, ARITHMETIC[operation](left, right), vector.present)
    return combined if operation == "atan2" else combined.unnamed()


def vectors(operation: str, left: Vector, right: Vector, matching: Matching) -> Vector:
    """Two vectors; raises ExecutionError where the match is not one to one and that was not asked for."""
    left, right = left.pruned(), right.pruned()
    left_key, right_key = _keys(matching, left, right)
    if operation in SETS:
        return _SET_OPERATORS[operation](left, right, left_key, right_key)
    many_is_right = matching.many is Side.RIGHT
    many, one = (right, left) if many_is_right else (left, right)
    many_key, one_key = (right_key, left_key) if many_is_right else (left_key, right_key)
    _refuse_doubles(matching, one, one_key, "left" if many_is_right else "right")
    of_many, of_one = _pairs(many_key, one_key)
    present = many.present[:, of_many] & one.present[:, of_one]
    many_values, one_values = many.values[:, of_many], one.values[:, of_one]
    first, second = (one_values, many_values) if many_is_right else (many_values, one_values)
    if operation in COMPARISON:
        holds = COMPARISON[operation](first, second)
        values = holds.astype(np.float64) if matching.as_bool else first
        present = present if matching.as_bool else present & holds
    else:
        values = ARITHMETIC[operation](first, second)
    # atan2 keeps the name in 2.42, unlike all other arithmetic (shouldDropMetricName does not list it).
    named = (operation in COMPARISON and not matching.as_bool) or operation == "atan2"
    labels = _result_labels(matching, many.labels.take(of_many), one.labels.take(of_one), named)
    if matching.many is Side.NEITHER:
        _refuse_many(present, many_key[of_many])
    try:
        return joined(Vector(labels, values, present).pruned())
    except ExecutionError as cause:
        raise ExecutionError("multiple matches for labels: grouping labels must ensure unique matches") from cause


def _keys(matching: Matching, left: Vector, right: Vector) -> tuple[Ints, Ints]:
    both = concatenate([matching.key(left.labels), matching.key(right.labels)]).groups().of
    return both[: left.labels.size], both[left.labels.size :]


def _pairs(many_key: Ints, one_key: Ints) -> tuple[Ints, Ints]:
    """All pairs of positions with equal keys, in the order of the many side."""
    order = np.argsort(one_key, kind="stable")
    ordered = one_key[order]
    low = np.searchsorted(ordered, many_key, side="left")
    size = np.searchsorted(ordered, many_key, side="right") - low
    of_many = np.repeat(np.arange(len(many_key)), size)
    ordinal = np.arange(len(of_many)) - np.repeat(np.cumsum(size) - size, size)
    return of_many, order[np.repeat(low, size) + ordinal]


def _counts(present: Bools, key: Ints) -> tuple[Ints, Ints]:
    """[S, K] elements present at each step of each key, and each series' place among the keys."""
    distinct, place = np.unique(key, return_inverse=True)
    place = place.reshape(-1).astype(np.int64)
    return over_groups(np.add, present.astype(np.int64), place, len(distinct)), place


def _refuse_doubles(matching: Matching, one: Vector, key: Ints, side: str) -> None:
    counts, place = _counts(one.present, key)
    if not (counts > 1).any():
        return
    step, double = (int(axis[0]) for axis in np.nonzero(counts > 1))
    members = np.flatnonzero((place == double) & one.present[step])[:2]
    group = matching.key(one.labels.take(members[:1])).rows()[0]
    shown = [_shown(row) for row in one.labels.take(members[::-1]).rows()]
    raise ExecutionError(
        f"found duplicate series for the match group {_shown(group)} on the {side} hand-side of the operation: "
        f"[{', '.join(shown)}];many-to-many matching not allowed: matching labels must be unique on one side"
    )


def _refuse_many(present: Bools, key: Ints) -> None:
    counts, _ = _counts(present, key)
    if (counts > 1).any():
        raise ExecutionError(
            "multiple matches for labels: many-to-one matching must be explicit (group_left/group_right)"
        )


def _shown(row: Mapping[str, str]) -> str:
    inside = ", ".join(f'{name}="{value}"' for name, value in row.items() if name != NAME)
    return f"{row.get(NAME, '')}{{{inside}}}"


def _result_labels(matching: Matching, many: Labels, one: Labels, named: bool) -> Labels:
    labels = many if named else many.drop([NAME])
    if matching.many is Side.NEITHER:
        labels = labels.keep(matching.names) if matching.on else labels.drop(matching.names)
    for name in matching.include:
        labels = labels.put(name, one.column(name))
    return labels


def _anywhere(keys: Ints, other: Vector, other_key: Ints) -> Bools:
    """[S, N] whether `other` has an element with this key at the step."""
    size = int(max(keys.max(initial=-1), other_key.max(initial=-1))) + 1
    seen = over_groups(np.add, other.present.astype(np.int64), other_key, size)
    return seen[:, keys] > 0


def _and(left: Vector, right: Vector, left_key: Ints, right_key: Ints) -> Vector:
    return replace(left, present=left.present & _anywhere(left_key, right, right_key)).pruned()


def _unless(left: Vector, right: Vector, left_key: Ints, right_key: Ints) -> Vector:
    return replace(left, present=left.present & ~_anywhere(left_key, right, right_key)).pruned()


def _or(left: Vector, right: Vector, left_key: Ints, right_key: Ints) -> Vector:
    extra = right.present & ~_anywhere(right_key, left, left_key)
    both = Vector(
        concatenate([left.labels, right.labels]),
        np.concatenate([left.values, right.values], axis=1),
        np.concatenate([left.present, extra], axis=1),
    )
    return joined(both.pruned())


_SET_OPERATORS: Mapping[str, Callable[[Vector, Vector, Ints, Ints], Vector]] = {
    "and": _and,
    "or": _or,
    "unless": _unless,
}
