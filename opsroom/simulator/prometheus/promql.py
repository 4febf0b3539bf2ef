"""PromQL over the store: parse, evaluate, hand back one value.

The grammar is the `promql-parser` package's; its messages differ from Prometheus' own, the error's kind does not.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
import promql_parser as parser

from opsroom.simulator.prometheus.arrays import Ints
from opsroom.simulator.prometheus.evaluate import Evaluation
from opsroom.simulator.prometheus.failures import BadData
from opsroom.simulator.prometheus.matchers import Matcher, pattern
from opsroom.simulator.prometheus.syntax import matchers_of
from opsroom.simulator.prometheus.tsdb import Tsdb
from opsroom.simulator.prometheus.values import Range, Scalar, Text, Value, Vector

DEFAULT_TIMEOUT = 120.0
_SUBQUERY_STEP = 60_000  # ms, where the query names none: the default evaluation interval


class Engine:
    """Answers queries from a store. `clock` (seconds, any zero) only measures a query's own time."""

    def __init__(
        self,
        tsdb: Tsdb,
        lookback_seconds: float = 300.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.tsdb = tsdb
        self._lookback = round(lookback_seconds * 1000)
        self._clock = clock

    def instant(self, query: str, ms: int, timeout: float = DEFAULT_TIMEOUT) -> Value:
        """The value at one moment (ms); raises QueryError."""
        return self._evaluate(parse(query), np.array([ms], dtype=np.int64), ms, timeout)

    def range(
        self, query: str, start: int, end: int, step: int, timeout: float = DEFAULT_TIMEOUT
    ) -> tuple[Ints, Vector | Scalar]:
        """The steps from `start` to `end` (ms) and the values at them; raises QueryError."""
        node = parse(query)
        if _is_text(node) or _is_range(node):
            kind = "string" if _is_text(node) else "range vector"
            raise BadData(f'invalid expression type "{kind}" for range query, must be Scalar or instant Vector')
        steps = np.arange(start, end + 1, step, dtype=np.int64)
        value = self._evaluate(node, steps, end, timeout)
        if isinstance(value, Range | Text):
            raise BadData("invalid expression type for range query")
        return steps, value

    def _evaluate(self, node: parser.Expr, steps: Ints, end: int, timeout: float) -> Value:
        deadline = self._clock() + timeout
        evaluation = Evaluation(
            tsdb=self.tsdb,
            steps=steps,
            start=int(steps[0]),
            end=end,
            lookback=self._lookback,
            subquery_step=_SUBQUERY_STEP,
            expired=lambda: self._clock() >= deadline,
        )
        # NaN and infinity are ordinary values here, as they are in Prometheus.
        with np.errstate(all="ignore"):
            return evaluation.value(node)


def parse(query: str, parameter: str = "query") -> parser.Expr:
    """The syntax tree; raises BadData in the words of the HTTP API."""
    try:
        node = parser.parse(query)
    except ValueError as cause:
        raise BadData(f'invalid parameter "{parameter}": 1:1: parse error: {cause}') from cause
    parser.walk(node, _check_patterns)
    return node


def parse_selector(text: str) -> list[Matcher]:
    """The matchers of a series selector; raises BadData for anything else."""
    node = parse(text, "match[]")
    if not isinstance(node, parser.VectorSelector):
        raise BadData('invalid parameter "match[]": 1:1: parse error: expected a series selector')
    return matchers_of(node)


def _check_patterns(node: parser.Expr) -> bool:
    if isinstance(node, parser.VectorSelector):
        for matcher in node.matchers.matchers:
            if matcher.op in (parser.MatchOp.Re, parser.MatchOp.NotRe):
                pattern(matcher.value)
    return True


def _bare(node: parser.Expr) -> parser.Expr:
    while isinstance(node, parser.ParenExpr):
        node = node.expr
    return node


def _is_text(node: parser.Expr) -> bool:
    return isinstance(_bare(node), parser.StringLiteral)


def _is_range(node: parser.Expr) -> bool:
    return isinstance(_bare(node), parser.MatrixSelector | parser.SubqueryExpr)
