"""What is asked for: presets, labels and the scrape interval, as one Prometheus has them."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import promql_parser
import pytest

from opsroom.sources.discovery import NoRequests, discover
from opsroom.sources.presets import CPU, MEMORY, PRESETS, RESTARTS, fitted
from opsroom.sources.queries import Plan, all_queries
from tests.sources.answering import Catalog


def planned(catalog: Catalog, **more: Any) -> Plan:
    return asyncio.run(discover(catalog, **more))


def test_the_scrape_interval_is_measured_in_one_series() -> None:
    catalog = Catalog(scrape=30.0)
    plan = planned(catalog)
    assert (plan.scrape, plan.settled) == (30.0, True)
    assert catalog.asked[-1] == 'http_requests_total{pod="a\\"b"}[5m]'
    catalog.samples = 1
    assert not planned(catalog).settled


def test_labels_decide_how_codes_and_pods_are_called() -> None:
    plan = planned(Catalog(labels=("status", "exported_pod", "exported_namespace", "container")))
    assert plan.preset is not None
    assert (plan.preset.failed, plan.preset.arm, plan.preset.namespace) == (
        'status=~"5.."',
        "exported_pod",
        "exported_namespace",
    )
    assert plan.containers


@pytest.mark.parametrize("preset", PRESETS, ids=lambda one: one.name)
def test_a_preset_is_chosen_by_its_counter(preset: Any) -> None:
    plan = planned(Catalog(frozenset({preset.requests})))
    assert plan.preset is not None
    assert plan.preset.name == preset.name


def test_an_unknown_preset_is_named() -> None:
    with pytest.raises(NoRequests, match="no preset nope"):
        planned(Catalog(), preset="nope")


@pytest.mark.parametrize("preset", PRESETS, ids=lambda one: one.name)
@pytest.mark.parametrize("namespaces", [(), ("shop",), ("shop", "pay")])
def test_every_query_is_grouped_promql(preset: Any, namespaces: tuple[str, ...]) -> None:
    fit = fitted(preset, frozenset({"code", "namespace", "pod"}))
    plan = Plan(preset=fit, metrics=frozenset({CPU, MEMORY, RESTARTS}), scrape=15.0)
    for name, query in plan.queries(namespaces, 10.0).items():
        promql_parser.parse(query.promql)
        assert ", rs" in query.promql, name
        assert all(namespace in query.promql for namespace in namespaces)


def test_all_queries_of_the_default_preset_are_told() -> None:
    assert set(all_queries(("shop",))) == {
        "latency_p99",
        "latency_p50",
        "requests",
        "errors",
        "cpu_usage",
        "pods",
        "memory_bytes",
        "restarts",
    }


@pytest.mark.parametrize("namespaces", [(), ("shop", "pay")])
def test_every_query_we_send_is_held_to_a_real_prometheus(namespaces: tuple[str, ...]) -> None:
    held = (Path(__file__).parents[1] / "conformance" / "queries.promql").read_text().splitlines()
    assert set(all_queries(namespaces, 2.0, 1.0).values()) <= set(held)
