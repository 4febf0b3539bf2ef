"""Where request metrics come from: exporters and meshes that are common, and how they spell things.

A preset is chosen by which of these metric names Prometheus knows. Sources: documentation of ingress-nginx
(monitoring), Istio (standard metrics), Linkerd (proxy metrics) and OpenTelemetry (HTTP semantic conventions).
"""

from __future__ import annotations

import msgspec

POD = "(.+)-[^-]+"
"""A pod's name is its ReplicaSet's name and five letters, for Argo Rollouts and Deployments alike."""

WHOLE = "(.+)"

CPU = "container_cpu_usage_seconds_total"
MEMORY = "container_memory_working_set_bytes"
RESTARTS = "kube_pod_container_status_restarts_total"


class Preset(msgspec.Struct, frozen=True, kw_only=True):
    """One family of request metrics."""

    name: str
    requests: str
    """Counter of requests."""
    latency: str
    """Histogram, without ``_bucket``."""
    milliseconds: float = 1000.0
    """Times this, the histogram's unit is milliseconds."""
    match: str = ""
    """Label matchers that every selector needs."""
    failed: str = ""
    """Label matcher of failed requests; empty: ``CODE_LABELS`` are tried."""
    namespace: str = "namespace"
    arm: str = "pod"
    """Label that tells the two arms apart."""
    pattern: str = POD
    by_service: bool = False
    """The arm is a Service, not a ReplicaSet."""


CODE_LABELS = ("code", "status", "status_code", "http_status")

HTTP = Preset(name="http", requests="http_requests_total", latency="http_request_duration_seconds")

PRESETS = (
    HTTP,
    Preset(
        name="istio",
        requests="istio_requests_total",
        latency="istio_request_duration_milliseconds",
        milliseconds=1.0,
        match='reporter="destination"',
        failed='response_code=~"5.."',
    ),
    Preset(
        name="linkerd",
        requests="response_total",
        latency="response_latency_ms",
        milliseconds=1.0,
        match='direction="inbound"',
        failed='classification="failure"',
    ),
    Preset(
        name="nginx-ingress",
        requests="nginx_ingress_controller_requests",
        latency="nginx_ingress_controller_request_duration_seconds",
        failed='status=~"5.."',
        arm="service",
        pattern=WHOLE,
        by_service=True,
    ),
    Preset(
        name="opentelemetry",
        requests="http_server_request_duration_seconds_count",
        latency="http_server_request_duration_seconds",
        failed='http_response_status_code=~"5.."',
        namespace="k8s_namespace_name",
        arm="k8s_pod_name",
    ),
)


def preset_named(name: str) -> Preset | None:
    """The preset of that name."""
    return next((one for one in PRESETS if one.name == name), None)


def choose(metrics: frozenset[str]) -> Preset | None:
    """The first preset whose request counter exists; None where no known one does."""
    return next((one for one in PRESETS if one.requests in metrics), None)


def fitted(preset: Preset, labels: frozenset[str]) -> Preset:
    """``preset`` with the labels that its counter really has.

    Prometheus renames a target's own ``namespace``, ``pod`` and ``service`` to ``exported_…`` where it was not told
    to honour them, and the label of the status code differs between libraries.
    """
    failed = preset.failed
    if not failed:
        code = next((label for label in CODE_LABELS if label in labels), CODE_LABELS[0])
        failed = f'{code}=~"5.."'
    return msgspec.structs.replace(
        preset,
        failed=failed,
        namespace=_exported(preset.namespace, labels),
        arm=_exported(preset.arm, labels),
    )


def _exported(label: str, labels: frozenset[str]) -> str:
    exported = f"exported_{label}"
    return exported if exported in labels else label
