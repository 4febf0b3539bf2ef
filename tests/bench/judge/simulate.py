"""Write simulated cases that no constant of the judge was chosen on, for ``report.py``; run by hand.

    python -m tests.bench.judge.simulate --seed 1 --each 40 > cases.jsonl

``--each`` cases of each kind of ``kinds``, in the lines of ``opsroom.analysis.outcomes``. Never choose a constant on
these to the digit: they are what is looked at afterwards.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator

import msgspec
import numpy as np
from numpy.typing import NDArray

from tests.bench.judge.kinds import HARMFUL, HEALTHY, Bend
from tests.bench.judge.process import Arm, Service, draw_service, observe, quiet

Floats = NDArray[np.float64]

VISIBLE = 5.0
"""Standard errors by which harm must stand out when all of its steps are taken together."""
FEW = 20.0
"""Requests of a step in which the slowest twentieth begins to show in a p99."""
TRIES = 200


def log_ratio(pair: dict[str, Floats]) -> Floats:
    """log canary / baseline, where both are known."""
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.log(pair["canary"] / pair["baseline"])
    return np.asarray(ratio[np.isfinite(ratio)])


def strength(service: Service, arm: Arm, twin: dict[str, dict[str, Floats]]) -> float:
    """Standard errors by which ``arm`` stands out from ``twin``, the same service without the fault."""
    calm = quiet(service.steps)
    served = twin["requests"]["canary"]
    bends = {
        "latency_p99": np.log(arm.latency) + np.log(arm.tail) * np.minimum(served / FEW, 1.0) + arm.spread,
        "cpu_usage": np.log(arm.cpu / calm.cpu),
        "memory_bytes": np.log(arm.memory / calm.memory),
    }
    found = [0.0]
    for metric, bend in bends.items():
        ratio = log_ratio(twin[metric])
        if len(ratio) > 10:
            found.append(float(np.sqrt((bend**2).sum()) / max(float(ratio.std()), 0.01)))
    more = float((served * arm.errors).sum())
    usual = float((served * service.error_rate).sum()) * (1.0 + service.clumped**2 * 5.0)
    found.append(more / np.sqrt(usual + more + 1.0))
    return max(found)


def draw(rng: np.random.Generator, bend: Bend, harmful: bool) -> tuple[Service, int, dict[str, dict[str, Floats]]]:
    """One case of a kind: service, onset and series."""
    for _ in range(TRIES):
        service = draw_service(rng)
        onset = int(rng.integers(0, service.steps // 2)) if harmful else int(rng.integers(3, service.steps - 12))
        service, base, canary = bend(rng, service, onset)
        if not harmful:
            return service, onset, observe(rng, service, base, canary)
        twin = observe(rng, service, base, quiet(service.steps))
        if strength(service, canary, twin) >= VISIBLE:
            return service, onset, observe(rng, service, base, canary)
    raise RuntimeError("no visible case drawn")


def cases(seed: int, each: int) -> Iterator[dict[str, object]]:
    """All cases, healthy kinds first."""
    for label, kinds in (("same", HEALTHY), ("regressed", HARMFUL)):
        for number, (kind, bend) in enumerate(kinds.items()):
            for i in range(each):
                rng = np.random.default_rng([seed, number, i, int(label == "same")])
                service, onset, series = draw(rng, bend, label != "same")
                yield _case(f"{seed}-{kind}-{i}", label, kind, onset, service, series)


def _case(
    name: str, label: str, kind: str, onset: int, service: Service, series: dict[str, dict[str, Floats]]
) -> dict[str, object]:
    arms = {m: {s: [_plain(v) for v in values] for s, values in pair.items()} for m, pair in series.items()}
    requests = arms.pop("requests")
    found: dict[str, object] = {
        "id": name,
        "step_seconds": service.step,
        "label": "improved" if kind == "better" else label,
        "onset": onset if label == "regressed" else None,
        "kind": f"{label[:3]}-{kind}",
        "source": "simulated",
        "service": service,
        "metrics": arms,
    }
    if service.counted:
        found["requests"] = requests
    return found


def _plain(value: float) -> float | None:
    return None if not np.isfinite(value) else float(f"{value:.4g}")


def main(argv: list[str]) -> int:
    """Draw and write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--each", type=int, default=40)
    options = parser.parse_args(argv)
    for case in cases(options.seed, options.each):
        sys.stdout.buffer.write(msgspec.json.encode(case) + b"\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
