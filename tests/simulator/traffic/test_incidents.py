"""Shared incidents: they come, they go, and they spare no version of the services that they hit."""

from __future__ import annotations

import numpy as np
import pytest

from opsroom.simulator.traffic.fleet import Pod
from opsroom.simulator.traffic.incidents import Incident, Incidents
from opsroom.simulator.traffic.service import draw_service
from opsroom.simulator.traffic.shapes import COUNT, SUM
from opsroom.simulator.traffic.traffic import Traffic

SERVICES = [f"shop/s{n}" for n in range(8)]


def test_incidents_hit_some_services_for_a_while() -> None:
    incidents = Incidents(np.random.default_rng(1), mean_gap=60.0)
    under_way = [len(incidents.at(float(second), SERVICES)) for second in range(1200)]
    assert 8 <= len(incidents.history) <= 35
    assert under_way[-1] < len(incidents.history)
    for incident in incidents.history:
        assert 2 <= len(set(incident.services)) <= 5
        assert 15 <= incident.end - incident.start <= 60


def test_an_incident_rises_and_falls() -> None:
    incident = Incident(100.0, 120.0, ("shop/a",), slower=2.0, errors=0.01)
    assert [incident.strength(t) for t in (100.0, 101.0, 110.0, 119.0, 121.0)] == [0.0, 0.5, 1.0, 0.5, 0.0]


def test_all_versions_of_a_service_suffer_alike() -> None:
    traffic = Traffic(2, incident_gap=40.0)
    rng = np.random.default_rng(2)
    for n in range(3):
        traffic.add_service("shop", f"s{n}", draw_service(rng, rate=2000.0))
    pods = [
        Pod("shop", f"s{n}-{version}-1", f"s{n}", f"{n}-{version}", 0.5, True, -9999.0)
        for n in range(3)
        for version in ("old", "new")
    ]
    steps = [traffic.step(float(second), pods) for second in range(400)]
    mean = np.array([np.diff([step.values[:, k] for step in steps], axis=0) for k in (SUM, COUNT)])
    latency = (mean[0] / mean[1]).reshape(len(steps) - 1, 3, 2)
    hit = traffic.incidents.history[0]
    service = int(hit.services[0][-1])
    during = slice(int(hit.start) + 5, int(hit.end) - 5)
    calm = np.median(latency[:, service], axis=0)
    worse = latency[during, service].mean(axis=0) / calm
    assert worse.min() > 1.1
    assert worse[0] / worse[1] == pytest.approx(1, abs=0.06)
