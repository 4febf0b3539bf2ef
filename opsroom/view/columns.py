"""Which columns the board has at which width.

Columns are dropped in one fixed order as the screen gets narrower; mark, name, step, score and state always stay, for
these five answer "must I act?". What width is left over goes to the name, the sparklines and then the last column.
"""

from __future__ import annotations

from enum import StrEnum

import msgspec

GAP = 2
NAME_MOST, NAMESPACE_MOST = 30, 16
WHY_ENOUGH = 44
"""Cells of most reasons: in a wide list they come before longer names."""

SPARK, SPARK_LONG = 10, 15
"""Cells of a sparkline: sixty steps, three or two in each of a cell's two columns of dots, fill these exactly."""

VALUE = 6
"""Cells of the number beside a sparkline."""


class Field(StrEnum):
    """What a column shows."""

    MARK = "mark"
    NAME = "name"
    NAMESPACE = "namespace"
    STEP = "step"
    WEIGHT = "weight"
    SCORE = "score"
    ERRORS = "errors"
    P99 = "p99"
    AGE = "age"
    STATE = "state"
    WHY = "why"


class Column(msgspec.Struct, frozen=True):
    """One column at one width."""

    field: Field
    cells: int
    title: str
    right: bool = False
    """Aligned to the right."""


_ALL = (
    Column(Field.MARK, 3, ""),
    Column(Field.NAME, 18, "ROLLOUT"),
    Column(Field.NAMESPACE, 12, "NAMESPACE"),
    Column(Field.STEP, 5, "STEP", right=True),
    Column(Field.WEIGHT, 4, "WT", right=True),
    Column(Field.SCORE, 5, "SCORE", right=True),
    Column(Field.ERRORS, SPARK + 1 + VALUE, "ERRORS"),
    Column(Field.P99, SPARK + 1 + VALUE, "P99"),
    Column(Field.AGE, 4, "AGE", right=True),
    Column(Field.STATE, 13, "STATE"),
    Column(Field.WHY, 26, "WHY"),
)

DROPPED = (Field.WHY, Field.AGE, Field.P99, Field.NAMESPACE, Field.WEIGHT, Field.ERRORS)
"""In this order, as the screen gets narrower."""

DROPPED_WIDE = (Field.P99, Field.ERRORS, Field.AGE, Field.WHY, Field.WEIGHT, Field.NAMESPACE)
"""The same where the list stands alone."""


def layout(cells: int, wide: bool = False) -> tuple[Column, ...]:
    """The columns of a board ``cells`` wide, their widths summing up to at most ``cells - 1``.

    ``wide``: words before graphs, for the list alone: each row's namespace and reason outlive the sparklines.
    """
    columns = list(_ALL)
    for field in DROPPED_WIDE if wide else DROPPED:
        if _total(columns) < cells:
            break
        columns = [column for column in columns if column.field is not field]
    if wide:
        columns = _grown(columns, Field.WHY, WHY_ENOUGH, cells)
    columns = _grown(columns, Field.NAME, NAME_MOST if len(columns) == len(_ALL) else NAME_MOST - 8, cells)
    if wide:
        columns = _grown(columns, Field.NAMESPACE, NAMESPACE_MOST, cells)
    if cells - 1 - _total(columns) >= 2 * (SPARK_LONG - SPARK):
        for field in (Field.ERRORS, Field.P99):
            columns = _grown(columns, field, SPARK_LONG + 1 + VALUE, cells)
    return tuple(_grown(columns, columns[-1].field, cells, cells))


def _total(columns: list[Column]) -> int:
    return sum(column.cells for column in columns) + GAP * (len(columns) - 1)


def _grown(columns: list[Column], field: Field, most: int, cells: int) -> list[Column]:
    """The columns with ``field`` wider by what is spare, up to ``most``."""
    spare = cells - 1 - _total(columns)
    return [
        msgspec.structs.replace(column, cells=column.cells + max(0, min(spare, most - column.cells)))
        if column.field is field
        else column
        for column in columns
    ]
