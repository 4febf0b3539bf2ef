"""What holds for every test: generated cases are the same in each run, and no test fails because a machine is slow."""

from __future__ import annotations

from hypothesis import HealthCheck, settings

# ``--hypothesis-profile=default`` looks for new cases, by hand.
settings.register_profile(
    "suite", deadline=None, derandomize=True, database=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("suite")
