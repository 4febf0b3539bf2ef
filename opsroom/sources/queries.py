"""The PromQL we send: one grouped query a metric for all rollouts, never one a rollout.

Each answers with one series an arm, labelled ``namespace`` and ``rs`` (the name of the ReplicaSet, cut out of the
pod's name). Windows: ``rate`` looks back over at least four scrapes, or one lost scrape makes a gap. Counts look back
over step + scrape: that window always holds the last sample of the window before and no earlier one, so counts of
neighbouring steps neither overlap nor miss anything, and ``increase`` times step / window is the count of the step.
Verified on a real Prometheus (tests/conformance).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from opsroom.sources.presets import CPU, HTTP, MEMORY, POD, RESTARTS, Preset, fitted

LATENCY_P99 = "latency_p99"
LATENCY_P50 = "latency_p50"
ERROR_RATE = "error_rate"
CPU_USAGE = "cpu_usage"
PODS = "pods"
"""Pods of an arm that use CPU: what its requests are spread over."""
MEMORY_BYTES = "memory_bytes"
RESTART_COUNT = "restarts"
REQUESTS = "requests"
ERRORS = "errors"

SCRAPES = 4

INSIDE = 0.01
"""Seconds: up to Prometheus 2 a window includes both its ends, and a sample right on the far end is one too many."""


@dataclass(frozen=True, slots=True)
class Query:
    """PromQL, and what to multiply its values with."""

    promql: str
    factor: float = 1.0


@dataclass(frozen=True, slots=True)
class Plan:
    """What this Prometheus has, and how it is asked."""

    preset: Preset | None
    """Fitted; None where all request metrics are asked for by custom queries."""
    metrics: frozenset[str]
    """Names of the container metrics that exist, among ``CPU``, ``MEMORY`` and ``RESTARTS``."""
    containers: bool = True
    """Container metrics have a ``container`` label: sums over a whole pod stand beside them and must not count."""
    state_pod: str = "pod"
    state_namespace: str = "namespace"
    """Labels of kube-state-metrics' series that name the pod."""
    scrape: float = 15.0
    """Seconds between two samples."""
    settled: bool = True
    """``scrape`` was measured or given; False while Prometheus has too few samples to tell."""
    custom: Mapping[str, str] | None = None
    partial: str = ""
    """Why metrics may exist that are not asked for; empty: all that exist are known."""

    def queries(self, namespaces: Iterable[str], step: float) -> dict[str, Query]:
        """Metric name → query, for looks every ``step`` seconds."""
        spaces = tuple(namespaces)
        found = {} if self.preset is None else self._requests(self.preset, spaces, step)
        found.update(self._containers(spaces, step))
        rate = duration(self.rate_window(step))
        for name, promql in (self.custom or {}).items():
            found[name] = Query(promql.replace("$window", rate).replace("$step", duration(step)))
        return found

    def rate_window(self, step: float) -> float:
        """Seconds that ``rate`` looks back."""
        return max(step + self.scrape, SCRAPES * self.scrape)

    def count_window(self, step: float) -> float:
        """Seconds over which the counts of one step are taken."""
        return max(step, self.scrape) + self.scrape - INSIDE

    def _requests(self, preset: Preset, spaces: tuple[str, ...], step: float) -> dict[str, Query]:
        rate = duration(self.rate_window(step))
        window = self.count_window(step)
        matchers = _matchers(preset.namespace, spaces, preset.match)

        def count(*more: str) -> Query:
            chosen = _selector(preset.requests, (*matchers, *more))
            return Query(_by_arm("sum", f"increase({chosen}[{duration(window)}])", preset), step / window)

        def quantile(share: float) -> Query:
            chosen = _selector(f"{preset.latency}_bucket", matchers)
            buckets = _by_arm("sum", f"rate({chosen}[{rate}])", preset, ", le")
            return Query(f"histogram_quantile({share}, {buckets})", preset.milliseconds)

        return {
            LATENCY_P99: quantile(0.99),
            LATENCY_P50: quantile(0.5),
            REQUESTS: count(),
            ERRORS: count(preset.failed),
        }

    def _containers(self, spaces: tuple[str, ...], step: float) -> dict[str, Query]:
        real = ('container!=""', 'container!="POD"') if self.containers else ()
        matchers = (*_matchers("namespace", spaces), *real)
        found: dict[str, Query] = {}
        if CPU in self.metrics:
            # Over the very window that requests are counted in: CPU is compared at equal load.
            used = f"rate({_selector(CPU, matchers)}[{duration(self.count_window(step))}])"
            found[CPU_USAGE] = Query(_pods("avg", used))
            found[PODS] = Query(_pods("count", used))
        if MEMORY in self.metrics:
            found[MEMORY_BYTES] = Query(_pods("avg", _selector(MEMORY, matchers)))
        if RESTARTS in self.metrics:
            chosen = _selector(RESTARTS, _matchers(self.state_namespace, spaces))
            space, pod = self.state_namespace, self.state_pod
            found[RESTART_COUNT] = Query(
                f'sum by ({space}, rs) (label_replace({chosen}, "rs", "$1", "{pod}", "{POD}"))'
            )
        return found


def all_queries(namespaces: Iterable[str] = (), step: float = 10.0, scrape: float = 2.0) -> dict[str, str]:
    """Every query of the default preset, by metric: what a conformance test asks a real Prometheus as well."""
    plan = Plan(
        preset=fitted(HTTP, frozenset({"code", "namespace", "pod"})),
        metrics=frozenset({CPU, MEMORY, RESTARTS}),
        containers=True,
        scrape=scrape,
    )
    return {name: query.promql for name, query in plan.queries(namespaces, step).items()}


def duration(seconds: float) -> str:
    """A PromQL duration."""
    whole = round(seconds)
    return f"{whole}s" if abs(seconds - whole) < 1e-6 else f"{round(seconds * 1000)}ms"


def _by_arm(aggregate: str, inner: str, preset: Preset, more: str = "") -> str:
    labelled = f'label_replace({inner}, "rs", "$1", "{preset.arm}", "{preset.pattern}")'
    return f"{aggregate} by ({preset.namespace}, rs{more}) ({labelled})"


def _pods(aggregate: str, inner: str) -> str:
    """Mean or number of an arm's pods, each with what all its containers use."""
    return (
        f'{aggregate} by (namespace, rs) (label_replace(sum by (namespace, pod) ({inner}), "rs", "$1", "pod", "{POD}"))'
    )


def _selector(metric: str, matchers: Iterable[str]) -> str:
    inside = ",".join(one for one in matchers if one)
    return f"{metric}{{{inside}}}" if inside else metric


def _matchers(label: str, namespaces: tuple[str, ...], *more: str) -> tuple[str, ...]:
    if not namespaces:
        return more
    if len(namespaces) == 1:
        return (f'{label}="{namespaces[0]}"', *more)
    return (f'{label}=~"{"|".join(namespaces)}"', *more)
