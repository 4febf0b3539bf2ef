"""The series every pod exposes, under the names that common exporters give them.

Names: client libraries' HTTP metrics, cAdvisor's container metrics, kube-state-metrics' restarts. Only names and
labels that a real exporter has: nothing here tells versions apart.
"""

from __future__ import annotations

import numpy as np

from opsroom.simulator.prometheus.scrape import Shape

APP = "kubernetes-pods"
KUBELET = "kubelet"
STATE = "kube-state-metrics"
CONTAINER = (("container", "app"),)

# The default HTTP buckets with two more between each pair: p99 of a small change moves within a bucket.
BOUNDS: tuple[float, ...] = (
    *(0.001, 0.0025, 0.005, 0.0075, 0.01, 0.015, 0.025, 0.035, 0.05, 0.075, 0.1, 0.15, 0.2, 0.25, 0.35, 0.5),
    *(0.75, 1.0, 1.5, 2.5, 5.0, 10.0),
)
LOG_BOUNDS = np.log(np.array(BOUNDS))
CODES = ("200", "404", "500", "503")


def _le(bound: float) -> str:
    return f"{bound:g}"


SHAPES: tuple[Shape, ...] = (
    Shape("up", "gauge", APP),
    *(Shape("http_requests_total", "counter", APP, (("code", code),)) for code in CODES),
    *(
        Shape("http_request_duration_seconds_bucket", "histogram", APP, (("le", le),))
        for le in (*map(_le, BOUNDS), "+Inf")
    ),
    Shape("http_request_duration_seconds_sum", "histogram", APP),
    Shape("http_request_duration_seconds_count", "histogram", APP),
    Shape("container_cpu_usage_seconds_total", "counter", KUBELET, CONTAINER),
    Shape("container_memory_working_set_bytes", "gauge", KUBELET, CONTAINER),
    Shape("kube_pod_container_status_restarts_total", "counter", STATE, CONTAINER),
)

UP = 0
FIRST_CODE = 1
FIRST_BUCKET = FIRST_CODE + len(CODES)
SUM = FIRST_BUCKET + len(BOUNDS) + 1
COUNT = SUM + 1
CPU = COUNT + 1
MEMORY = CPU + 1
RESTARTS = MEMORY + 1
WIDTH = RESTARTS + 1
# What the process itself exposes: gone while it is down. The rest comes from the node and the cluster.
PROCESS = slice(FIRST_CODE, CPU)
