"""Faults are raised until they can be seen, and only as far as that."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from opsroom.simulator.traffic.quality import HEALTHY, Fault, Quality, Size
from opsroom.simulator.traffic.service import draw_service
from opsroom.simulator.traffic.visibility import USUAL_SHARE, made_visible

SERVICE = replace(draw_service(np.random.default_rng(1), rate=100.0), error_share=0.003, spread=0.5)
SMALL_ERRORS = Quality(Fault.ERRORS, Size.SMALL, 0.002)
SMALL_LATENCY = Quality(Fault.LATENCY, Size.SMALL, 1.10)


def test_errors_of_little_traffic_stand_three_times_above_the_noise() -> None:
    seen = made_visible(SMALL_ERRORS, SERVICE, 45.0)
    n = 100.0 * USUAL_SHARE * 45.0
    assert seen.effect * n / math.sqrt(1.5 * (0.003 + seen.effect) * n) == pytest.approx(3.0)
    assert seen.size is Size.SMALL


def test_a_plain_fault_and_much_traffic_stay_as_they_were_drawn() -> None:
    busy = replace(SERVICE, rate=100_000.0)
    for quality in (SMALL_ERRORS, SMALL_LATENCY, HEALTHY, Quality(Fault.CPU, Size.SMALL, 1.2)):
        assert made_visible(quality, busy, 45.0) == quality
    assert made_visible(replace(SMALL_ERRORS, effect=0.2), SERVICE, 45.0).effect == 0.2


def test_latency_of_little_traffic_is_raised_within_reason() -> None:
    assert 1.2 < made_visible(SMALL_LATENCY, SERVICE, 45.0).effect < 2.0
    assert made_visible(SMALL_LATENCY, replace(SERVICE, rate=0.1), 45.0).effect == 4.0
