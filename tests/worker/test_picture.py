"""Numbers and verdicts on their way into the feed."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from opsroom.domain.deed import Verb
from opsroom.domain.rollout import Engine, Phase, Revision, Rollout, Shape, Uid
from opsroom.domain.verdict import UnknownReason, Verdict, VerdictState
from opsroom.sources.aligned import Aligned
from opsroom.worker.course import Course
from opsroom.worker.picture import NO_PROMETHEUS, metrics_of, rounded, row_of, verdict_now

ROLLOUT = Rollout(
    uid=Uid("u"),
    engine=Engine.ARGO,
    shape=Shape.CANARY,
    namespace="shop",
    name="cart",
    phase=Phase.PROGRESSING,
    canary=Revision(hash="new"),
    stable=Revision(hash="old"),
)


@given(st.floats(allow_nan=False, allow_infinity=False, min_value=-1e200, max_value=1e200))
def test_rounding_keeps_four_digits(value: float) -> None:
    if 0 < abs(value) < 1e-200:
        return
    got = float(rounded(np.array([[value]]))[0, 0])
    assert math.isclose(got, value, rel_tol=5.1e-4)
    assert len(f"{got:.15g}".lstrip("-0.").replace(".", "").partition("e")[0].rstrip("0")) <= 4


def test_gaps_stay_gaps_and_requests_become_a_rate() -> None:
    nan = math.nan
    arm = np.array([[1.23456, nan, 3.0]])
    aligned = Aligned(
        uids=("u",),
        times=np.array([10.0, 20.0, 30.0]),
        step=10.0,
        metrics={"latency_p99": (arm, arm * 2)},
        requests=(np.array([[100.0, 50.0, nan]]), np.array([[10.0, 5.0, 0.0]])),
        errors=(arm, arm),
        started=np.array([0]),
        quantile_steps=2.0,
        concurrent=np.array([True]),
    )
    latency, requests = metrics_of(aligned)["u"]
    assert latency.baseline.values == (1.235, None, 3.0)
    assert latency.canary.values == (2.469, None, 6.0)
    assert (latency.canary.end, latency.canary.step) == (30.0, 10.0)
    assert requests.canary.values == (1.0, 0.5, 0.0)
    assert requests.baseline.values == (10.0, 5.0, None)


VERDICT = Verdict(uid=Uid("u"), at=100.0, state=VerdictState.HEALTHY, score=0.1, steps=9)
TOO_FEW = Verdict(uid=Uid("u"), at=100.0, state=VerdictState.UNKNOWN, unknown=UnknownReason.TOO_FEW_STEPS, steps=2)


@pytest.mark.parametrize(
    ("verdict", "error", "now", "want"),
    [
        (None, "", 100.0, None),
        (None, "down", 100.0, UnknownReason.SOURCE_DOWN),
        (None, NO_PROMETHEUS, 100.0, UnknownReason.NO_SOURCE),
        (VERDICT, "", 130.0, None),
        (VERDICT, "down", 130.0, None),
        (VERDICT, "", 170.0, UnknownReason.STALE),
        (VERDICT, "down", 170.0, UnknownReason.SOURCE_DOWN),
        (TOO_FEW, "", 170.0, None),
        (TOO_FEW, "down", 130.0, None),
        (TOO_FEW, "down", 170.0, UnknownReason.SOURCE_DOWN),
    ],
)
def test_an_old_score_says_nothing_any_more(
    verdict: Verdict | None, error: str, now: float, want: UnknownReason | None
) -> None:
    course = Course(ROLLOUT, verdict=verdict)
    shown = verdict_now(course, error, now, patience=60.0)
    if want is None:
        assert shown is verdict
    else:
        assert shown is not None
        assert (shown.state, shown.score, shown.unknown) == (VerdictState.UNKNOWN, None, want)


def test_a_row_offers_what_the_domain_offers() -> None:
    row = row_of(Course(ROLLOUT), None, (), {}, None)
    assert row.promote is not None
    assert row.roll_back is not None
    assert (row.promote.verb, row.roll_back.verb) == (Verb.PROMOTE, Verb.ROLL_BACK)
    assert row.roll_back.effect is not None
