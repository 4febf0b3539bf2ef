"""How many rows of each kind a picture has, and every flag that stands, whatever is filtered.

Kept up row by row, so that a change costs what it changes. It must not know how rows are ordered or drawn.
"""

from __future__ import annotations

from collections import Counter

from opsroom.domain.board import Row
from opsroom.domain.decision import Flag
from opsroom.domain.rollout import Uid
from opsroom.view.order import Kind, kind


class Census:
    """The counts of one picture."""

    def __init__(self) -> None:
        self.kinds: Counter[Kind] = Counter()
        self.flags: dict[Uid, Flag] = {}
        self._kind_of: dict[Uid, Kind] = {}

    def count(self, uid: Uid, row: Row | None) -> None:
        """Take ``row`` as it is now; None: it is gone."""
        before = self._kind_of.pop(uid, None)
        if before is not None:
            self.kinds[before] -= 1
            self.flags.pop(uid, None)
        if row is not None:
            self._kind_of[uid] = after = kind(row)
            self.kinds[after] += 1
            if row.flag is not None:
                self.flags[uid] = row.flag
