"""One array operation over the members of each group, for all steps at once."""

from __future__ import annotations

from typing import TypeVar

import numpy as np

from opsroom.simulator.prometheus.arrays import Floats, Ints

Numbers = TypeVar("Numbers", Floats, Ints)


def over_groups(operation: np.ufunc, cells: Numbers, of: Ints, count: int) -> Numbers:
    """[S, count] `operation` over the columns of `cells` [S, N] in each group; `of` [N]; 0 for an empty group."""
    found = np.zeros((len(cells), count), dtype=cells.dtype)
    if len(of):
        order = np.argsort(of, kind="stable")
        ordered = of[order]
        starts = np.flatnonzero(np.concatenate([[True], ordered[1:] != ordered[:-1]]))
        found[:, ordered[starts]] = operation.reduceat(cells[:, order], starts, axis=1)
    return found
