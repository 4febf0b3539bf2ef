"""A board whose own worker dies says so at once, never shows what the dead one may do, and gets another one."""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.terminal.screen import Terminal

KUBECONFIG = """apiVersion: v1
kind: Config
current-context: nowhere
clusters: [{name: c, cluster: {server: "http://127.0.0.1:9"}}]
users: [{name: u, user: {token: t}}]
contexts: [{name: nowhere, context: {cluster: c, user: u}}]
"""


class Board(Terminal):
    """The real command, on a cluster that does not answer: its worker runs all the same."""

    program = "opsroom"


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    (tmp_path / "config").write_text(KUBECONFIG)
    (tmp_path / "config").chmod(0o600)
    yield tmp_path
    for process in workers(tmp_path):
        with contextlib.suppress(ProcessLookupError):
            os.kill(process, signal.SIGKILL)


def board(folder: Path, *words: str) -> Board:
    places = {name: str(folder) for name in ("HOME", "XDG_RUNTIME_DIR", "XDG_STATE_HOME", "XDG_CONFIG_HOME")}
    return Board(200, 30, "--kubeconfig", str(folder / "config"), *words, **places)


def workers(folder: Path) -> list[int]:
    found = {}
    for entry in Path("/proc").iterdir():
        with contextlib.suppress(OSError):
            if entry.name.isdigit() and str(folder).encode() in (entry / "cmdline").read_bytes():
                words = (entry / "cmdline").read_bytes().split(b"\0")
                state, parent = (entry / "stat").read_text().rpartition(")")[2].split()[:2]
                if b"worker" in words and state != "Z":
                    found[int(entry.name)] = int(parent)
    # A child that a worker has just forked still has its words.
    return [process for process, parent in found.items() if parent not in found]


def test_a_killed_worker_is_said_to_be_lost_and_replaced(folder: Path) -> None:
    terminal = board(folder)
    try:
        terminal.shows("OBSERVE")
        (worker,) = workers(folder)
        os.kill(worker, signal.SIGKILL)
        terminal.until(lambda: "LOST" in terminal.text and "OBSERVE" not in terminal.text, "the loss")
        assert "FEED LOST" in terminal.text
        terminal.until(lambda: "OBSERVE" in terminal.text and "LOST" not in terminal.text, "another worker")
        (another,) = workers(folder)
        assert another != worker
        terminal.type("q")
        assert terminal.end() == 0
    finally:
        terminal.close()


def test_a_policy_that_no_worker_can_run_with_ends_the_board_in_a_sentence(folder: Path) -> None:
    (folder / "policy.toml").write_text("stepp = 1.0\n")
    terminal = board(folder, "--policy", str(folder / "policy.toml"))
    try:
        terminal.shows("stepp is not a setting")
        assert terminal.end() == 2
        assert workers(folder) == []
    finally:
        terminal.close()
