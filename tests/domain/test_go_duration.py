"""Durations of Go: what its parser takes is the same number of seconds here, anything else is none."""

from __future__ import annotations

import pytest

from opsroom.domain.flagger import INTERVAL, interval_of
from opsroom.domain.go_duration import go_seconds


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("10s", 10.0),
        ("1h30m", 5400.0),
        ("1.5m", 90.0),
        ("250ms", 0.25),
        ("2h0m0.5s", 7200.5),
        ("90", None),
        ("", None),
        ("10 s", None),
        ("soon", None),
        ("10s!", None),
    ],
)
def test_seconds_of_a_go_duration(text: str, seconds: float | None) -> None:
    assert go_seconds(text) == seconds
    assert interval_of(text) == (INTERVAL if seconds is None else seconds)
