"""What an expression is worth: an instant vector, a scalar, a text or a range of raw samples, for all steps at once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from opsroom.simulator.prometheus.arrays import Bools, Floats, Ints
from opsroom.simulator.prometheus.block import Block, Windows
from opsroom.simulator.prometheus.failures import ExecutionError
from opsroom.simulator.prometheus.grouping import over_groups
from opsroom.simulator.prometheus.labels import NAME, Labels

SAME_LABELS = "vector cannot contain metrics with the same labelset"


@dataclass(frozen=True, slots=True)
class Vector:
    """Instant vectors: `values` [S, N] at S steps for N series; `present` [S, N] says where there is an element."""

    labels: Labels
    values: Floats
    present: Bools

    def take(self, index: Ints) -> Vector:
        """The series at `index`, in that order."""
        return Vector(self.labels.take(index), self.values[:, index], self.present[:, index])

    def pruned(self) -> Vector:
        """Without the series that have no element at any step."""
        used = self.present.any(axis=0)
        return self if used.all() else self.take(np.flatnonzero(used))

    def unnamed(self) -> Vector:
        """Without metric names; series that become equal are joined."""
        return joined(Vector(self.labels.drop([NAME]), self.values, self.present))


@dataclass(frozen=True, slots=True)
class Scalar:
    """One number a step, [S]."""

    values: Floats


@dataclass(frozen=True, slots=True)
class Text:
    """A text; only some functions take one."""

    text: str


@dataclass(frozen=True, slots=True)
class Range:
    """A range vector: N series, one window of `block` a step, ending at `ends` [S] ms and `width` ms wide."""

    labels: Labels
    block: Block
    windows: Windows
    ends: Ints
    width: int


Value = Vector | Scalar | Text | Range


def joined(vector: Vector) -> Vector:
    """Series with equal labels as one; raises ExecutionError where two have an element at the same step."""
    groups = vector.labels.groups()
    if groups.count == vector.labels.size:
        return vector
    counts = over_groups(np.add, vector.present.astype(np.int64), groups.of, groups.count)
    if (counts > 1).any():
        raise ExecutionError(SAME_LABELS)
    filled = np.where(vector.present, vector.values, 0.0)
    values = over_groups(np.add, filled, groups.of, groups.count)
    return Vector(vector.labels.take(groups.first), values, counts > 0)
