"""Functions by name, each with the way it takes its arguments from the syntax tree.

Functions of a range vector are in `range_functions.py`, plain ones of one element in `functions.ELEMENTWISE`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import promql_parser as parser

from opsroom.simulator.prometheus import functions
from opsroom.simulator.prometheus.histogram import histogram_quantile
from opsroom.simulator.prometheus.label_functions import label_join, label_replace
from opsroom.simulator.prometheus.syntax import matchers_of
from opsroom.simulator.prometheus.values import Scalar, Value, Vector

if TYPE_CHECKING:
    from opsroom.simulator.prometheus.evaluate import Evaluation


def _absent(evaluation: Evaluation, arguments: list[parser.Expr]) -> Vector:
    selector = arguments[0]
    while isinstance(selector, parser.ParenExpr):
        selector = selector.expr
    matchers = matchers_of(selector) if isinstance(selector, parser.VectorSelector) else []
    return functions.absent(evaluation.vector(arguments[0]), matchers, evaluation.tsdb.texts)


def _timestamp(evaluation: Evaluation, arguments: list[parser.Expr]) -> Vector:
    argument = arguments[0]
    while isinstance(argument, parser.ParenExpr):
        argument = argument.expr
    if isinstance(argument, parser.VectorSelector):
        vector, times = evaluation.selected(argument)
        return replace(vector, values=times / 1000).unnamed()
    vector = evaluation.vector(argument)
    times = np.broadcast_to(evaluation.steps[:, None], vector.values.shape)
    return replace(vector, values=times / 1000).unnamed()


def _label_replace(evaluation: Evaluation, arguments: list[parser.Expr]) -> Vector:
    vector = evaluation.vector(arguments[0])
    target, replacement, source, expression = map(evaluation.text, arguments[1:])
    return label_replace(vector, target, replacement, source, expression)


def _label_join(evaluation: Evaluation, arguments: list[parser.Expr]) -> Vector:
    target, separator, *sources = map(evaluation.text, arguments[1:])
    return label_join(evaluation.vector(arguments[0]), target, separator, sources)


def _clamp(evaluation: Evaluation, arguments: list[parser.Expr]) -> Vector:
    low, high = evaluation.scalar(arguments[1]), evaluation.scalar(arguments[2])
    return functions.clamped(evaluation.vector(arguments[0]), low, high)


def _round(evaluation: Evaluation, arguments: list[parser.Expr]) -> Vector:
    nearest = evaluation.scalar(arguments[1]) if len(arguments) > 1 else None
    return functions.rounded(evaluation.vector(arguments[0]), nearest)


CALLS: dict[str, Callable[[Evaluation, list[parser.Expr]], Value]] = {
    "absent": _absent,
    "timestamp": _timestamp,
    "label_replace": _label_replace,
    "label_join": _label_join,
    "clamp": _clamp,
    "round": _round,
    "clamp_min": lambda e, a: functions.clamped(e.vector(a[0]), e.scalar(a[1]), None),
    "clamp_max": lambda e, a: functions.clamped(e.vector(a[0]), None, e.scalar(a[1])),
    "histogram_quantile": lambda e, a: histogram_quantile(e.scalar(a[0]).values, e.vector(a[1]).pruned()),
    "scalar": lambda e, a: functions.as_scalar(e.vector(a[0])),
    "vector": lambda e, a: functions.as_vector(e.scalar(a[0]), e.tsdb.texts),
    "time": lambda e, _: Scalar(e.steps / 1000),
    "pi": lambda e, _: Scalar(np.full(len(e.steps), np.pi)),
    "sort": lambda e, a: functions.ordered(e.vector(a[0]).pruned(), descending=False),
    "sort_desc": lambda e, a: functions.ordered(e.vector(a[0]).pruned(), descending=True),
}
