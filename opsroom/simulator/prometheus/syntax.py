"""From the parser's nodes to our own terms: durations, label matchers, vector matching."""

from __future__ import annotations

from datetime import timedelta

import promql_parser as parser

from opsroom.simulator.prometheus.binary import SETS, Matching, Side
from opsroom.simulator.prometheus.failures import unsupported
from opsroom.simulator.prometheus.labels import NAME
from opsroom.simulator.prometheus.matchers import Matcher, Op

# By their texts: the parser's enumerations cannot be keys.
_OPS = {
    str(parser.MatchOp.Equal): Op.EQUAL,
    str(parser.MatchOp.NotEqual): Op.UNEQUAL,
    str(parser.MatchOp.Re): Op.MATCH,
    str(parser.MatchOp.NotRe): Op.NO_MATCH,
}
_SIDES = {
    str(parser.VectorMatchCardinality.ManyToOne): Side.LEFT,
    str(parser.VectorMatchCardinality.OneToMany): Side.RIGHT,
}


def milliseconds(span: timedelta | None) -> int:
    """Whole ms of what the parser gives as a duration, 0 for none."""
    return 0 if span is None else round(span.total_seconds() * 1000)


def matchers_of(selector: parser.VectorSelector) -> list[Matcher]:
    """A selector's conditions, its metric name among them."""
    if selector.matchers.or_matchers:
        raise unsupported("`or` between label matchers")
    found = [Matcher(m.name, _OPS[str(m.op)], m.value) for m in selector.matchers.matchers]
    if selector.name:
        found.append(Matcher(NAME, Op.EQUAL, selector.name))
    return found


def matching_of(modifier: parser.BinModifier | None, operation: str) -> Matching:
    """How an operator matches its two vectors."""
    if modifier is None:
        return Matching()
    labels = modifier.matching
    many = Side.NEITHER if operation in SETS else _SIDES.get(str(modifier.card), Side.NEITHER)
    return Matching(
        names=() if labels is None else tuple(labels.labels),
        on=labels is not None and labels.type == parser.LabelModifierType.Include,
        many=many,
        include=tuple(modifier.group_labels or ()),
        as_bool=modifier.return_bool,
    )
