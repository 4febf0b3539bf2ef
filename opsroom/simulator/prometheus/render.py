"""Results as JSON text, byte for byte in Prometheus' way of writing numbers and timestamps.

Source: prometheus/util/jsonutil/marshal.go (2.42): values as strings, shortest digits, exponents outside
[1e-6, 1e21); timestamps in seconds with three decimals where they are not whole.
"""

from __future__ import annotations

import json
from decimal import Decimal

import numpy as np

from opsroom.simulator.prometheus.arrays import Floats, Ints
from opsroom.simulator.prometheus.labels import Labels
from opsroom.simulator.prometheus.values import Range, Scalar, Text, Vector


def number(value: float) -> str:
    """A sample value as Prometheus writes it."""
    text = repr(value)
    if text.endswith(".0"):
        return text[:-2]
    if "e" in text:
        return text.removesuffix(".0") if _needs_exponent(value) else _plain(text)
    return {"nan": "NaN", "inf": "+Inf", "-inf": "-Inf"}.get(text, text)


def timestamp(ms: int) -> str:
    """A time in ms as Prometheus writes it."""
    return str(ms // 1000) if ms % 1000 == 0 else f"{ms // 1000}.{ms % 1000:03d}"


def instant(value: Vector | Scalar | Text | Range, ms: int) -> str:
    """The `data` object of an instant query at `ms`."""
    if isinstance(value, Scalar):
        return f'{{"resultType":"scalar","result":{_pair(timestamp(ms), float(value.values[0]))}}}'
    if isinstance(value, Text):
        return f'{{"resultType":"string","result":[{timestamp(ms)},{json.dumps(value.text)}]}}'
    if isinstance(value, Range):
        return f'{{"resultType":"matrix","result":[{",".join(_raw(value))}]}}'
    at = timestamp(ms)
    rows = zip(value.labels.rows(), value.present[0].tolist(), value.values[0].tolist(), strict=True)
    elements = [f'{{"metric":{json.dumps(row)},"value":{_pair(at, v)}}}' for row, there, v in rows if there]
    return f'{{"resultType":"vector","result":[{",".join(elements)}]}}'


def over_range(value: Vector | Scalar, steps: Ints) -> str:
    """The `data` object of a range query, series sorted by their labels."""
    if isinstance(value, Scalar):
        points = _points(steps, value.values)
        return f'{{"resultType":"matrix","result":[{{"metric":{{}},"values":[{points}]}}]}}'
    rows = value.labels.rows()
    series: list[str] = []
    for n in in_order(value.labels):
        there = value.present[:, n]
        if there.any():
            points = _points(steps[there], value.values[there, n])
            series.append(f'{{"metric":{json.dumps(rows[n])},"values":[{points}]}}')
    return f'{{"resultType":"matrix","result":[{",".join(series)}]}}'


def in_order(labels: Labels) -> list[int]:
    """The series' numbers sorted as Prometheus sorts label sets: name by name, then value."""
    rows = labels.rows()
    return sorted(range(labels.size), key=lambda n: sorted(rows[n].items()))


def _points(steps: Ints, values: Floats) -> str:
    times = [timestamp(ms) for ms in steps.tolist()]
    texts = [number(value) for value in values.tolist()]
    return ",".join([f'[{t},"{v}"]' for t, v in zip(times, texts, strict=True)])


def _raw(value: Range) -> list[str]:
    rows = value.labels.rows()
    low, high = int(value.windows.low[0]), int(value.windows.high[0])
    series: list[str] = []
    for n in in_order(value.labels):
        there = np.flatnonzero(value.block.present[low:high, n]) + low
        if len(there):
            points = _points(value.block.times[there], value.block.values[there, n])
            series.append(f'{{"metric":{json.dumps(rows[n])},"values":[{points}]}}')
    return series


def _pair(at: str, value: float) -> str:
    return f'[{at},"{number(value)}"]'


def _needs_exponent(value: float) -> bool:
    return not 1e-6 <= abs(value) < 1e21


def _plain(text: str) -> str:
    return format(Decimal(text), "f")
