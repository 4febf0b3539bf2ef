"""A simulated cluster as a process of its own, and an empty home to run the commands from, as a person has them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

PATIENCE = 100.0
"""Seconds for anything, on however busy a machine."""


class Simulated:
    """One cluster; ``words`` are options of ``opsroom sim``."""

    def __init__(self, folder: Path, *words: str) -> None:
        self.folder = folder
        line = [sys.executable, "-m", "opsroom", "sim", *words, "--dir", str(folder / "sim"), "--die-with-parent"]
        self.process = subprocess.Popen(line, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        said = dict(self.process.stdout.readline().strip().split("=", 1) for _ in range(2))
        run = folder / "run"
        run.mkdir(mode=0o700)
        self.environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(folder),
            "XDG_RUNTIME_DIR": str(run),
            "KUBECONFIG": said["KUBECONFIG"],
            "OPSROOM_PROMETHEUS": said["PROMETHEUS_URL"],
        }

    def run(self, *words: str, **changes: str) -> subprocess.CompletedProcess[str]:
        """``opsroom WORDS`` with ``changes`` to the environment."""
        return subprocess.run(
            [sys.executable, "-m", "opsroom", *words],
            capture_output=True,
            text=True,
            env={**self.environment, **changes},
            stdin=subprocess.DEVNULL,
            timeout=PATIENCE,
            check=False,
        )

    def rows(self) -> list[dict[str, Any]]:
        """What ``ls`` shows; nothing while it cannot."""
        found: list[dict[str, Any]] = json.loads(self.run("ls", "-o", "json").stdout or '{"rows": []}')["rows"]
        return found

    def close(self) -> None:
        """End it."""
        self.process.terminate()
        self.process.wait(PATIENCE)
        if self.process.stdout is not None:
            self.process.stdout.close()


def until(holds: Callable[[], bool]) -> None:
    """Wait until ``holds``."""
    end = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < end, "it never came"
        time.sleep(0.2)
