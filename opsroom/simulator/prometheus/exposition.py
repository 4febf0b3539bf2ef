"""What the services expose now, in the Prometheus text format, so that a real Prometheus can scrape it too.

One page holds all targets; a real Prometheus reads it with `honor_labels: true`. Format: Prometheus
documentation, "Exposition formats", version 0.0.4.
"""

from __future__ import annotations

from opsroom.simulator.prometheus.labels import NAME
from opsroom.simulator.prometheus.render import number
from opsroom.simulator.prometheus.scrape import Exposed, Shape

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


def text(exposed: Exposed) -> str:
    """All present samples but `up`, which every Prometheus makes itself."""
    lines: list[str] = []
    described: set[str] = set()
    for shape, target, value in exposed.samples():
        if shape.name == "up":
            continue
        name = family(shape)
        if name not in described:
            described.add(name)
            lines.append(f"# TYPE {name} {shape.kind}")
        labels = target.labels(shape)
        inside = ",".join(f'{label}="{_escaped(labels[label])}"' for label in sorted(labels) if label != NAME)
        lines.append(f"{shape.name}{{{inside}}} {number(value)}")
    return "\n".join([*lines, ""])


def family(shape: Shape) -> str:
    """The metric family that a series belongs to: a histogram has three kinds of series."""
    name = shape.name
    if shape.kind == "histogram":
        for suffix in ("_bucket", "_sum", "_count"):
            name = name.removesuffix(suffix)
    return name


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
