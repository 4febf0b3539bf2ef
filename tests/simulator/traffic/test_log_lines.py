"""Log lines of simulated pods: they follow what the pod does and do not change once written."""

from __future__ import annotations

import numpy as np

from opsroom.simulator.traffic.fleet import Pod
from opsroom.simulator.traffic.quality import Fault, Quality, Size
from opsroom.simulator.traffic.service import draw_service
from opsroom.simulator.traffic.traffic import Traffic

START = 1_700_000_000.0


def world() -> Traffic:
    traffic = Traffic(4, incident_gap=1e9)
    traffic.add_service("shop", "cart", draw_service(np.random.default_rng(4), rate=500.0))
    traffic.add_version("new", Quality(Fault.ERRORS, Size.LARGE, 0.2))
    pods = [Pod("shop", f"cart-{v}-1", "cart", v, 0.5, True, START - 999) for v in ("old", "new")]
    for second in range(30):
        traffic.step(START + second, pods)
    return traffic


def errors(lines: list[tuple[float, str]]) -> float:
    return sum(" ERROR " in line for _, line in lines) / len(lines)


def test_the_share_of_error_lines_follows_the_pod() -> None:
    traffic = world()
    assert errors(traffic.log_lines("shop", "cart-new-1")) > 0.15
    assert errors(traffic.log_lines("shop", "cart-old-1")) < 0.1


def test_lines_are_the_same_when_asked_again_and_come_in_order() -> None:
    traffic = world()
    lines = traffic.log_lines("shop", "cart-new-1")
    assert lines == traffic.log_lines("shop", "cart-new-1")
    assert [at for at, _ in lines] == sorted(at for at, _ in lines)
    assert lines[0][1].startswith("2023-11-14T22:13:")


def test_since_and_limit_cut_what_was_seen() -> None:
    traffic = world()
    lines = traffic.log_lines("shop", "cart-new-1")
    assert traffic.log_lines("shop", "cart-new-1", limit=5) == lines[-5:]
    assert traffic.log_lines("shop", "cart-new-1", since=START + 28.5) == [
        one for one in lines if one[0] > START + 28.5
    ]
    assert traffic.log_lines("shop", "nobody") == []
