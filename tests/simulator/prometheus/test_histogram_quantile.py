"""`histogram_quantile` against the plain form, one histogram at one step at a time."""

from __future__ import annotations

import math

from hypothesis import given, settings
from hypothesis import strategies as st

from opsroom.simulator.prometheus.promql import Engine
from opsroom.simulator.prometheus.tsdb import Tsdb
from opsroom.simulator.prometheus.values import Vector

BOUNDS = ("-1", "0.1", "0.5", "1", "2.5", "+Inf")
Counts = dict[str, float]


def plain(q: float, counts: Counts) -> float:
    """Prometheus' bucketQuantile."""
    buckets = sorted((float(le), count) for le, count in counts.items())
    if q < 0 or q > 1:
        return math.copysign(math.inf, q)
    if buckets[-1][0] != math.inf or len(buckets) < 2:
        return math.nan
    rising, most = [], -math.inf
    for upper, count in buckets:
        most = max(most, count)
        rising.append((upper, most))
    if rising[-1][1] == 0:
        return math.nan
    rank = q * rising[-1][1]
    place = next((n for n, (_, count) in enumerate(rising[:-1]) if count >= rank), len(rising) - 1)
    if place == len(rising) - 1:
        return rising[-2][0]
    upper, count = rising[place]
    if place == 0 and upper <= 0:
        return upper
    lower, below = rising[place - 1] if place else (0.0, 0.0)
    return lower + (upper - lower) * (rank - below) / (count - below) if count != below else math.nan


@settings(max_examples=120, deadline=None)
@given(
    histograms=st.lists(
        st.dictionaries(st.sampled_from(BOUNDS), st.integers(0, 20).map(float), min_size=1), min_size=1, max_size=4
    ),
    q=st.sampled_from([-0.5, 0.0, 0.01, 0.25, 0.5, 0.9, 0.99, 1.0, 1.5]),
)
def test_quantiles_of_histograms_with_different_buckets(histograms: list[Counts], q: float) -> None:
    tsdb = Tsdb()
    for n, counts in enumerate(histograms):
        for le, count in counts.items():
            tsdb.append(tsdb.series({"__name__": "h_bucket", "n": str(n), "le": le}), 1.0, count)
    value = Engine(tsdb).instant(f"histogram_quantile({q}, h_bucket)", 1000)
    assert isinstance(value, Vector)
    found = {int(row["n"]): value.values[0, n] for n, row in enumerate(value.labels.rows())}
    assert len(found) == len(histograms)
    for n, counts in enumerate(histograms):
        expected = plain(q, counts)
        assert math.isclose(found[n], expected, rel_tol=1e-12) or (math.isnan(found[n]) and math.isnan(expected)), (
            counts,
            found[n],
            expected,
        )
