"""Every known query over stores with nothing or hardly anything in them: an answer or a proper error, never a crash."""

from __future__ import annotations

from pathlib import Path

import pytest

from opsroom.simulator.prometheus import render
from opsroom.simulator.prometheus.failures import QueryError
from opsroom.simulator.prometheus.promql import Engine
from opsroom.simulator.prometheus.tsdb import Tsdb

QUERIES = [
    line
    for line in (Path(__file__).parents[2] / "conformance" / "queries.promql").read_text().splitlines()
    if line and not line.startswith("#")
]


def one_sample() -> Tsdb:
    tsdb = Tsdb()
    for name in ("up", "requests", "weight", "h_bucket", "gauge_wave", "gauge_nan", "counter_plain"):
        tsdb.append(tsdb.series({"__name__": name, "pod": "a", "le": "1"}), 100.0, 1.0)
    return tsdb


def ended() -> Tsdb:
    """A store whose only series ended before anybody asks."""
    tsdb = one_sample()
    tsdb.mark_stale(tsdb.select([], 0, 200_000), 101.0)
    return tsdb


@pytest.mark.parametrize("tsdb", [Tsdb(), one_sample(), ended()], ids=["empty", "one sample", "ended"])
def test_every_query_is_answered_or_refused(tsdb: Tsdb) -> None:
    engine = Engine(tsdb)
    answered, statuses = 0, set()
    for query in QUERIES:
        try:
            assert render.instant(engine.instant(query, 102_000), 102_000).startswith('{"resultType"')
            steps, value = engine.range(query, 95_000, 105_000, 1_000)
            assert render.over_range(value, steps).startswith('{"resultType":"matrix"')
            answered += 1
        except QueryError as failure:
            statuses.add(failure.status)
    assert statuses == {400, 422}
    assert answered > len(QUERIES) * 0.8
