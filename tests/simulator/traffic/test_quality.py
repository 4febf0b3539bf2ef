"""The hidden qualities: their shares, their sizes, and that a seed decides them."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from opsroom.simulator.traffic.quality import EFFECTS, Fault, Quality, Size, Truth, draw_quality

MANY = 6000
FLOORS = {Fault.LATENCY: 1.10, Fault.RAMP: 1.10, Fault.CPU: 1.20, Fault.ERRORS: 0.002, Fault.LEAK: 0.01}


def drawn(share: float, many: int = MANY) -> list[Quality]:
    rng = np.random.default_rng(11)
    return [draw_quality(rng, share) for _ in range(many)]


@pytest.mark.parametrize("share", [0.0, 0.05, 0.35, 0.5])
def test_the_asked_share_is_faulty_and_the_rest_is_healthy(share: float) -> None:
    truths = Counter(quality.truth for quality in drawn(share))
    assert truths[Truth.HEALTHY] / MANY == pytest.approx(1 - share, abs=0.02)
    assert truths[Truth.UNKNOWABLE] <= truths[Truth.BAD] * 0.15


def test_more_than_half_faulty_is_refused() -> None:
    with pytest.raises(ValueError, match="half"):
        draw_quality(np.random.default_rng(0), 0.51)


def test_a_third_each_is_small_medium_and_large() -> None:
    sizes = Counter(quality.size for quality in drawn(0.5) if quality.size)
    for size in Size:
        assert sizes[size] / sizes.total() == pytest.approx(1 / 3, abs=0.035)


def test_effects_lie_within_their_size_and_never_below_the_floor() -> None:
    seen = set()
    for quality in drawn(0.5):
        if quality.size is None:
            continue
        low, high = EFFECTS[quality.fault][quality.size]
        assert low <= quality.effect <= high
        assert quality.effect >= FLOORS[quality.fault]
        seen.add((quality.fault, quality.size))
    assert seen == {(fault, size) for fault in EFFECTS for size in Size}


def test_a_blip_is_healthy_and_lasts_one_to_three_steps() -> None:
    blips = [quality for quality in drawn(0.0) if quality.fault is Fault.BLIP]
    assert {blip.duration for blip in blips} == {2.0, 4.0, 6.0}
    assert all(blip.truth is Truth.HEALTHY and blip.effect > 1.2 for blip in blips)


def test_every_kind_occurs() -> None:
    assert {quality.fault for quality in drawn(0.5)} == set(Fault)


def test_a_seed_decides() -> None:
    assert drawn(0.35, 50) == drawn(0.35, 50)
