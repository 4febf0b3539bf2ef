"""Label sets of many series as columns of codes, so that grouping and matching are array operations.

Every label value is interned once in `Texts`; a set of N series is one integer column a label name. Code 0 is
the empty text, which in Prometheus is the same as the label not being there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from opsroom.simulator.prometheus.arrays import Ints

NAME = "__name__"


class Texts:
    """Interned label values. Grows only: a pod's name is some forty bytes, a day of churn a few megabytes."""

    def __init__(self) -> None:
        self._codes: dict[str, int] = {"": 0}
        self._texts: list[str] = [""]

    def code(self, text: str) -> int:
        """The code of `text`, given out now if it is new."""
        code = self._codes.get(text)
        if code is None:
            code = self._codes[text] = len(self._texts)
            self._texts.append(text)
        return code

    def known(self, text: str) -> int | None:
        """The code of `text`, or None if nothing ever had it."""
        return self._codes.get(text)

    def text(self, code: int) -> str:
        """The text behind a code."""
        return self._texts[code]

    def map(self, codes: Ints, change: Callable[[str], str]) -> Ints:
        """Apply `change` to each distinct text among `codes` and return the codes of the results."""
        distinct, inverse = np.unique(codes, return_inverse=True)
        changed = [self.code(change(self._texts[code])) for code in distinct.tolist()]
        return np.asarray(changed, dtype=np.int64)[inverse.reshape(-1)]


@dataclass(frozen=True, slots=True)
class Groups:
    """Which group each series belongs to: `of` is one group number a series, `first` one series a group."""

    of: Ints
    first: Ints

    @property
    def count(self) -> int:
        """How many groups."""
        return len(self.first)


@dataclass(frozen=True, slots=True)
class Labels:
    """The label sets of `size` series, as one column of text codes a label name."""

    texts: Texts
    columns: Mapping[str, Ints]
    size: int

    def column(self, name: str) -> Ints:
        """The codes of one label; zeros where no series has it."""
        column = self.columns.get(name)
        return np.zeros(self.size, dtype=np.int64) if column is None else column

    def take(self, index: Ints) -> Labels:
        """The label sets of the series at `index`, in that order."""
        return Labels(self.texts, {name: codes[index] for name, codes in self.columns.items()}, len(index))

    def keep(self, names: Iterable[str]) -> Labels:
        """Only the named labels."""
        kept = {name: self.columns[name] for name in names if name in self.columns}
        return Labels(self.texts, kept, self.size)

    def drop(self, names: Iterable[str]) -> Labels:
        """All but the named labels."""
        dropped = set(names)
        kept = {name: codes for name, codes in self.columns.items() if name not in dropped}
        return Labels(self.texts, kept, self.size)

    def put(self, name: str, codes: Ints) -> Labels:
        """With one label replaced."""
        return Labels(self.texts, {**self.columns, name: codes}, self.size)

    def groups(self) -> Groups:
        """Series with equal label sets, groups numbered in order of first appearance."""
        key = np.zeros(self.size, dtype=np.int64)
        for codes in self.columns.values():
            _, inverse = np.unique(codes, return_inverse=True)
            key = key * (int(inverse.max(initial=0)) + 1) + inverse.reshape(-1)
            # Renumbering after each label keeps the product of the label counts from overflowing.
            _, key = np.unique(key, return_inverse=True)
            key = key.reshape(-1)
        _, first, inverse = np.unique(key, return_index=True, return_inverse=True)
        order = np.argsort(first, kind="stable")
        rank = np.empty(len(order), dtype=np.int64)
        rank[order] = np.arange(len(order))
        return Groups(of=rank[inverse.reshape(-1)], first=first[order].astype(np.int64))

    def rows(self) -> list[dict[str, str]]:
        """Each label set as a dictionary with its names in order, empty labels left out."""
        names = sorted(self.columns)
        found: list[dict[str, str]] = [{} for _ in range(self.size)]
        for name in names:
            for row, code in zip(found, self.columns[name].tolist(), strict=True):
                if code:
                    row[name] = self.texts.text(code)
        return found


def concatenate(tables: Sequence[Labels]) -> Labels:
    """The label sets of several tables one after another (they share one `Texts`)."""
    names = sorted({name for table in tables for name in table.columns})
    columns = {name: np.concatenate([table.column(name) for table in tables]) for name in names}
    return Labels(tables[0].texts, columns, sum(table.size for table in tables))
