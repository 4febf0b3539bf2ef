"""Evaluation of one parsed expression at all steps of a query at once.

Every node gives one value that covers all steps ([S, N] arrays); selectors are the only ones that look at the store.
What is valid PromQL and not simulated raises ExecutionError and says its name.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta

import numpy as np
import promql_parser as parser

from opsroom.simulator.prometheus import functions
from opsroom.simulator.prometheus.aggregate import aggregate
from opsroom.simulator.prometheus.arrays import Ints
from opsroom.simulator.prometheus.binary import scalars, vectors, with_scalar
from opsroom.simulator.prometheus.block import Block, at, windows
from opsroom.simulator.prometheus.calls import CALLS
from opsroom.simulator.prometheus.failures import ExecutionError, QueryTimeout, unsupported
from opsroom.simulator.prometheus.labels import NAME, Labels
from opsroom.simulator.prometheus.range_functions import RANGE_FUNCTIONS
from opsroom.simulator.prometheus.syntax import matchers_of, matching_of, milliseconds
from opsroom.simulator.prometheus.tsdb import Tsdb
from opsroom.simulator.prometheus.values import SAME_LABELS, Range, Scalar, Text, Value, Vector


@dataclass(frozen=True)
class Evaluation:
    """One query: `steps` [S] in ms; `start` and `end` are the query's own even inside a subquery."""

    tsdb: Tsdb
    steps: Ints
    start: int
    end: int
    lookback: int
    subquery_step: int
    expired: Callable[[], bool]

    def value(self, node: parser.Expr) -> Value:
        """The value of a node; raises ExecutionError or QueryTimeout."""
        if self.expired():
            raise QueryTimeout("query timed out in expression evaluation")
        match node:
            case parser.NumberLiteral():
                return Scalar(np.full(len(self.steps), node.val))
            case parser.StringLiteral():
                return Text(node.val)
            case parser.ParenExpr():
                return self.value(node.expr)
            case parser.UnaryExpr():
                return self._negative(self.value(node.expr))
            case parser.VectorSelector():
                return self.selected(node)[0]
            case parser.MatrixSelector():
                return self._range(node)
            case parser.SubqueryExpr():
                return self._subquery(node)
            case parser.AggregateExpr():
                return self._aggregate(node)
            case parser.BinaryExpr():
                return self._binary(node)
            case parser.Call():
                return self._call(node)
        raise unsupported(type(node).__name__)

    def vector(self, node: parser.Expr) -> Vector:
        """The value of a node that the parser knows to be an instant vector."""
        value = self.value(node)
        if not isinstance(value, Vector):
            raise ExecutionError(f"expected an instant vector, got {type(value).__name__.lower()}")
        return value

    def scalar(self, node: parser.Expr) -> Scalar:
        """The value of a node that the parser knows to be a scalar."""
        value = self.value(node)
        if not isinstance(value, Scalar):
            raise ExecutionError(f"expected a scalar, got {type(value).__name__.lower()}")
        return value

    def text(self, node: parser.Expr) -> str:
        """The value of a node that the parser knows to be a text."""
        value = self.value(node)
        if not isinstance(value, Text):
            raise ExecutionError(f"expected a string, got {type(value).__name__.lower()}")
        return value.text

    def _negative(self, value: Value) -> Value:
        if isinstance(value, Scalar):
            return Scalar(-value.values)
        if isinstance(value, Vector):
            return replace(value, values=-value.values).unnamed()
        raise ExecutionError("unary minus wants a scalar or an instant vector")

    def _times(self, modifier: parser.AtModifier | None, offset: timedelta | None) -> Ints:
        """[S] the moments that a selector looks at."""
        times = self.steps
        if modifier is not None:
            if modifier.type == parser.AtModifierType.Start:
                moment = self.start
            elif modifier.type == parser.AtModifierType.End:
                moment = self.end
            else:
                moment = 0 if modifier.at is None else round(modifier.at.timestamp() * 1000)
            times = np.full(len(self.steps), moment, dtype=np.int64)
        return times - milliseconds(offset)

    def selected(self, node: parser.VectorSelector) -> tuple[Vector, Ints]:
        """The vector and [S, N] the times in ms of the samples it is made of."""
        times = self._times(node.at, node.offset)
        low, high = int(times.min()) - self.lookback, int(times.max())
        ids = self.tsdb.select(matchers_of(node), low, high)
        stored = self.tsdb.read(ids, low, high)
        if not len(stored.times) or not len(ids):
            return self._nothing(), np.zeros((len(times), 0), dtype=np.int64)
        # The newest cell counts, and if that is a marker the series has ended.
        cells = replace(stored, present=stored.present | stored.stale)
        found = windows(cells, times - self.lookback, times)
        last = found.last
        present = (found.count > 0) & np.take_along_axis(stored.present, last, axis=0)
        return Vector(self.tsdb.labels(ids), at(stored.values, last), present), stored.times[last]

    def _nothing(self) -> Vector:
        empty = np.zeros((len(self.steps), 0))
        return Vector(Labels(self.tsdb.texts, {}, 0), empty, empty.astype(np.bool_))

    def _range(self, node: parser.MatrixSelector) -> Range:
        selector, width = node.vector_selector, milliseconds(node.range)
        ends = self._times(selector.at, selector.offset)
        low, high = int(ends.min()) - width, int(ends.max())
        ids = self.tsdb.select(matchers_of(selector), low, high)
        block = self.tsdb.read(ids, low, high)
        return self._cut(self.tsdb.labels(ids), block, ends, width)

    def _cut(self, labels: Labels, block: Block, ends: Ints, width: int) -> Range:
        used = block.present.any(axis=0)
        if not used.all():
            index = np.flatnonzero(used)
            labels = labels.take(index)
            block = Block(block.times, block.values[:, index], block.present[:, index], block.stale[:, index])
        return Range(labels, block, windows(block, ends - width, ends), ends, width)

    def _subquery(self, node: parser.SubqueryExpr) -> Range:
        step = milliseconds(node.step) or self.subquery_step
        width = milliseconds(node.range)
        ends = self._times(node.at, node.offset)
        low = int(ends.min()) - width
        first = -(-low // step) * step
        grid = np.arange(first, int(ends.max()) + 1, step, dtype=np.int64)
        if not len(grid):
            nothing = np.zeros((0, 0))
            empty = Block(grid, nothing, nothing.astype(np.bool_), nothing.astype(np.bool_))
            return self._cut(Labels(self.tsdb.texts, {}, 0), empty, ends, width)
        inner = replace(self, steps=grid).value(node.expr)
        vector = functions.as_vector(inner, self.tsdb.texts) if isinstance(inner, Scalar) else inner
        if not isinstance(vector, Vector):
            raise ExecutionError("subquery is only allowed on instant vector")
        block = Block(grid, vector.values, vector.present, np.zeros_like(vector.present))
        return self._cut(vector.labels, block, ends, width)

    def _aggregate(self, node: parser.AggregateExpr) -> Vector:
        operation = str(node.op)
        if operation == "count_values":
            raise unsupported("the aggregation count_values")
        parameter = None if node.param is None else self.scalar(node.param).values
        names = [] if node.modifier is None else list(node.modifier.labels)
        without = node.modifier is not None and node.modifier.type == parser.AggModifierType.Without
        return aggregate(operation, self.vector(node.expr).pruned(), names, without, parameter)

    def _binary(self, node: parser.BinaryExpr) -> Value:
        operation, modifier = str(node.op), node.modifier
        as_bool = modifier is not None and modifier.return_bool
        left, right = self.value(node.lhs), self.value(node.rhs)
        if isinstance(left, Scalar) and isinstance(right, Scalar):
            return scalars(operation, left, right)
        if isinstance(left, Vector) and isinstance(right, Scalar):
            return with_scalar(operation, left, right, vector_left=True, as_bool=as_bool)
        if isinstance(left, Scalar) and isinstance(right, Vector):
            return with_scalar(operation, right, left, vector_left=False, as_bool=as_bool)
        if isinstance(left, Vector) and isinstance(right, Vector):
            return vectors(operation, left, right, matching_of(modifier, operation))
        raise ExecutionError("binary expression must contain only scalar and instant vector types")

    def _call(self, node: parser.Call) -> Value:
        name, arguments = node.func.name, node.args
        if name in RANGE_FUNCTIONS:
            return self._over_range(name, arguments[0])
        if name in functions.ELEMENTWISE:
            return functions.elementwise(name, self.vector(arguments[0]))
        known = CALLS.get(name)
        if known is None:
            raise unsupported(f"the function {name}()")
        return known(self, arguments)

    def _over_range(self, name: str, argument: parser.Expr) -> Vector:
        selected = self.value(argument)
        if not isinstance(selected, Range):
            raise ExecutionError(f"{name}() wants a range vector")
        if not len(selected.block.times) or not selected.labels.size:
            return self._nothing()
        values, present = RANGE_FUNCTIONS[name](selected)
        labels = selected.labels if name == "last_over_time" else selected.labels.drop([NAME])
        vector = Vector(labels, values, present).pruned()
        if vector.labels.groups().count < vector.labels.size:
            raise ExecutionError(SAME_LABELS)
        return vector
