"""What programs may import from the package root."""

from __future__ import annotations

import subprocess
import sys

import pytest

import opsroom


def test_the_one_public_function_is_loaded_when_it_is_asked_for() -> None:
    code = (
        "import sys, opsroom; before = 'numpy' in sys.modules; f = opsroom.analyze_canary_metrics; "
        "print(before, callable(f), 'numpy' in sys.modules)"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.split() == ["False", "True", "True"]


def test_any_other_name_is_an_ordinary_attribute_error() -> None:
    with pytest.raises(AttributeError, match="nonsense"):
        _ = opsroom.nonsense
