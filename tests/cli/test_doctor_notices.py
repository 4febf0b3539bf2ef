"""``opsroom doctor`` on notices: whether any leave this machine, without ever naming where to."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

from opsroom.cli.doctor_findings import Status
from opsroom.cli.doctor_here import _notices

ADDRESS = "slack://T0KEN/a/b"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    made = tmp_path / "addresses"
    made.write_text(f"{ADDRESS}\n")
    made.chmod(0o600)
    return made


def test_addresses_are_counted_and_never_shown(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: object())
    found = _notices({"APPRISE_TOKEN_FILE": str(file)})
    assert (found.status, found.detail) == (Status.OK, "1 address, sent by the worker through Apprise")
    assert "T0KEN" not in repr(found)


def test_addresses_without_apprise_are_a_warning_with_the_fix(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    found = _notices({"APPRISE_TOKEN_FILE": str(file)})
    assert found.status is Status.WARN
    assert "pip install 'opsroom[apprise]'" in found.fix


def test_a_file_that_others_can_read_is_a_failure(file: Path) -> None:
    file.chmod(0o644)
    found = _notices({"APPRISE_TOKEN_FILE": str(file)})
    assert found.status is Status.FAIL
    assert "chmod 600" in found.fix
