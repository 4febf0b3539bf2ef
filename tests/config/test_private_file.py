"""Logs are their owner's alone, whatever the umask says and whatever an older version left."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from opsroom.cli.children import start, stop
from opsroom.worker.log import log_to


@pytest.fixture(autouse=True)
def _open_hand() -> Iterator[None]:
    before = os.umask(0)
    yield
    os.umask(before)


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


def test_the_log_of_a_child_is_private(tmp_path: Path) -> None:
    old, new = tmp_path / "old.log", tmp_path / "state" / "new.log"
    old.write_text("of an older version")
    children = [start(["--version"], log) for log in (old, new)]
    for child in children:
        assert child.wait(60) == 0
    stop(children)
    assert (mode(old), mode(new), mode(new.parent)) == (0o600, 0o600, 0o700)
    assert old.read_text().startswith("of an older version")


def test_the_log_of_the_worker_is_private_also_when_it_is_turned_over_and_holds_no_secret(tmp_path: Path) -> None:
    path = tmp_path / "state" / "worker.log"
    root = logging.getLogger()
    level, raising = root.level, logging.raiseExceptions
    handler = log_to(path)
    try:
        assert isinstance(handler, logging.handlers.RotatingFileHandler)
        logging.getLogger("opsroom").warning("one")
        handler.doRollover()
        try:
            raise ValueError("https://ada:hunter2@prom.test is no URL")
        except ValueError:
            logging.getLogger("opsroom").exception("asked with token=hunter2")
    finally:
        root.removeHandler(handler)
        handler.close()
        root.setLevel(level)
        logging.raiseExceptions = raising
    assert "hunter2" not in path.read_text()
    assert "Traceback" in path.read_text()
    files = sorted(path.parent.iterdir())
    assert [file.name for file in files] == ["worker.log", "worker.log.1"]
    assert {mode(file) for file in files} == {0o600}
