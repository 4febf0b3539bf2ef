"""Evidence as sentences a person can check: ``p99 1.9 s against 0.4 s for 6 min, 212 requests/s``."""

from __future__ import annotations

from opsroom.domain.board import Row
from opsroom.domain.series import Metric, Series
from opsroom.domain.verdict import Evidence
from opsroom.view import numbers

NAME = {
    "error_rate": "errors",
    "latency_p99": "p99",
    "latency_p95": "p95",
    "latency_p50": "p50",
    "cpu_usage": "CPU",
    "memory_usage": "memory",
    "memory": "memory",
    "memory_bytes": "memory",
    "saturation": "saturation",
    "restarts": "restarts",
    "requests": "requests",
}

GUARD = {
    "crash_loop": "the canary's pods restart over and over",
    "restarts": "the canary's pods restart, stable's do not",
    "no_traffic": "the canary gets no traffic",
    "not_ready": "the canary's pods do not become ready",
    "error_burst": "most requests to the canary fail",
}


def name(metric: str) -> str:
    """The word people use for a metric."""
    return NAME.get(metric, metric.replace("_", " "))


def value(metric: str, number: float | None, like: float | None = None) -> str:
    """A metric's value with its unit; ``like`` is the one beside it."""
    if number is None:
        return numbers.NONE
    if metric == "score":
        return numbers.score(number)
    if metric == "error_rate" or metric.endswith("_rate") or metric == "saturation":
        return numbers.percent(number)
    if metric.startswith("latency"):
        return numbers.milliseconds(number, like)
    if metric.startswith("cpu"):
        return f"{number:.2f} cores"
    if metric.startswith("memory"):
        return numbers.byte_size(number)
    if metric == "requests":
        return f"{numbers.count(number)}/s"
    return f"{number:.3g}"


def short_value(metric: str, number: float | None) -> str:
    """The same for a narrow column: no blank before the unit."""
    return value(metric, number).replace(" cores", "").replace(" ", "")


def axis(metric: str, top: float) -> str:
    """The label at the top of a chart: as short as the number allows."""
    return value(metric, top).replace(" cores", "").replace(".0%", "%").replace(".0 s", " s")


def sentence(found: Evidence, row: Row, now: float, traffic: bool = True) -> str:
    """What one metric says, with how long and (if ``traffic``) how many requests it rests on."""
    if found.guard:
        text = GUARD.get(found.guard, found.guard.replace("_", " "))
    elif found.canary is None or found.baseline is None:
        text = f"{name(found.metric)}: no pair of values yet"
    else:
        one, other = (
            value(found.metric, found.canary, found.baseline),
            value(found.metric, found.baseline, found.canary),
        )
        text = f"{name(found.metric)} {one} against {other}"
    if found.since is not None and found.harm >= 0.5:
        text += f" for {numbers.duration(now - found.since)}"
    return text + (_traffic(found, row) if traffic else "")


def _traffic(found: Evidence, row: Row) -> str:
    rate = metric(row, "requests")
    if rate is not None and rate.canary.last is not None:
        return f", {numbers.count(rate.canary.last)} requests/s"
    return "" if found.requests is None else f", {numbers.count(found.requests)} requests"


def brief(found: Evidence) -> str:
    """The shortest form, for a column: ``p99 1.9 s against 0.4 s``."""
    if found.guard:
        return GUARD.get(found.guard, found.guard.replace("_", " "))
    if found.canary is None or found.baseline is None:
        return ""
    return pair(found.metric, found.canary, found.baseline)


def pair(metric_name: str, canary: float, baseline: float) -> str:
    """``p99 1.9 s against 0.4 s``: both in the unit of the larger one."""
    one, other = value(metric_name, canary, baseline), value(metric_name, baseline, canary)
    return f"{name(metric_name)} {one} against {other}"


def metric(row: Row, wanted: str) -> Metric | None:
    """The row's metric of that name."""
    return next((known for known in row.metrics if known.name == wanted), None)


def course(row: Row) -> Metric | None:
    """The score's course as one more metric, without a baseline; None before there is one."""
    if len(row.scores) < 2:
        return None
    step = row.metrics[0].canary.step if row.metrics else 10.0
    end = row.verdict.at if row.verdict else 0.0
    return Metric(name="score", canary=Series(end, step, row.scores), baseline=Series(end, step, ()))


def strongest(row: Row) -> Evidence | None:
    """The evidence with the strongest case for harm; None where nothing speaks for harm."""
    if row.verdict is None or not row.verdict.evidence:
        return None
    first = max(row.verdict.evidence, key=lambda found: found.harm)
    return first if first.harm >= 0.5 or first.guard else None
