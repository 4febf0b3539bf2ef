"""A figure that has just changed is marked, its usual noise is not."""

from __future__ import annotations

import msgspec
import pytest

from opsroom.domain.rollout import Phase
from opsroom.view import rows, trend
from opsroom.view.columns import Field, layout
from tests.ui.scenes import NOW, needing, rollout


@pytest.mark.parametrize(
    ("name", "values", "said"),
    [
        ("score", (0.4, 0.45), "+"),
        ("score", (0.4, 0.44), ""),
        ("score", (0.9, 0.2), "-"),
        ("score", (None, 0.9), ""),
        ("score", (0.9, None), ""),
        ("score", (0.9,), ""),
        ("error_rate", (0.001, 0.004), ""),
        ("error_rate", (0.001, 0.02), "+"),
        ("latency_p99", (200.0, 240.0), ""),
        ("latency_p99", (200.0, 250.0), "+"),
        ("latency_p99", (200.0, 100.0), "-"),
        ("latency_p99", (0.0, 100.0), ""),
        ("latency_p99", (0.0, 0.0), ""),
    ],
)
def test_the_mark_of_a_change(name: str, values: tuple[float | None, ...], said: str) -> None:
    assert trend.sign(name, values) == said


def test_the_mark_stands_right_after_the_figure_and_moves_nothing() -> None:
    row = msgspec.structs.replace(needing(NOW)[0], scores=(0.6, 0.94))
    calm = msgspec.structs.replace(row, scores=(0.94, 0.94))
    look = rows.Look(layout(80), NOW)
    marked, plain = rows.row_line(row, look).text, rows.row_line(calm, look).text
    assert "0.94+ " in marked
    assert len(marked) == len(plain)
    assert marked.replace("0.94+", "0.94 ") == plain


def test_what_is_over_is_not_marked() -> None:
    over = rollout("checkout-api", "payments", NOW, phase=Phase.HEALTHY, canary=None)
    row = msgspec.structs.replace(needing(NOW)[0], scores=(0.6, 0.94), rollout=over)
    assert rows.changed(row, Field.SCORE) == ""
