"""A fault of ours: one sentence for the person, the details in a private file, and no secret in either."""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from opsroom.cli import COMMANDS, main
from opsroom.config.secrets import Secret
from opsroom.ui.running import _report

PLANTED = "canary-crash-5ca1ab1e"


def command(arguments: Any) -> int:
    secret = Secret(PLANTED)
    headers = {"Authorization": f"Bearer {PLANTED}"}
    try:
        raise ValueError(f"invalid URL https://bot:{PLANTED}@prom.test with {headers} and {secret!r}")
    except ValueError as error:
        raise RuntimeError(f"cannot ask {secret} with password={PLANTED}") from error


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    module = ModuleType("opsroom_faulty_command")
    module.run = command  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, module.__name__, module)
    monkeypatch.setitem(COMMANDS, "journal", module.__name__)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    return tmp_path


def test_a_fault_leaves_no_secret_behind(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["journal"]) == 1
    told = capsys.readouterr()
    (file,) = [path for path in folder.rglob("*") if path.is_file()]
    text = file.read_text()
    assert "RuntimeError" in told.err
    assert str(file) in told.err
    assert len(told.err.splitlines()) == 1
    assert "in command" in text, "the traceback is of no use"
    assert PLANTED not in text + told.out + told.err


def test_the_file_was_never_open_to_others(folder: Path) -> None:
    main(["journal"])
    (file,) = [path for path in folder.rglob("*") if path.is_file()]
    file.write_text("older")
    file.chmod(0o644)
    main(["journal"])
    assert file.stat().st_mode & 0o777 == 0o600
    assert "older" not in file.read_text()


def test_a_screen_that_broke_off_leaves_no_secret_behind(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert _report(f"Traceback\n  in paint\nValueError: https://bot:{PLANTED}@x, password={PLANTED}\n") == 1
    (file,) = [path for path in folder.rglob("*") if path.is_file()]
    told = capsys.readouterr()
    assert "in paint" in file.read_text()
    assert PLANTED not in file.read_text() + told.out + told.err
    assert file.stat().st_mode & 0o777 == 0o600
