"""Other processes of ours: how they are started, and how they end.

Children are started as ``python -m opsroom ...`` with the interpreter that runs here. They get no terminal (standard
input is empty, standard error goes to a log), so that nothing of theirs is ever drawn over the screen.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from opsroom.config.private_file import opener

STOP_SECONDS = 5.0
"""How long a child may take to end after SIGTERM before it is killed."""


def command(*words: str) -> list[str]:
    """The command line of one of our own commands.

    ``-P``: else ``-m`` would import what happens to lie in the current folder, with the caller's credentials.
    """
    return [sys.executable, "-P", "-m", "opsroom", *words]


def start(
    words: Sequence[str],
    log: Path,
    *,
    environment: Mapping[str, str] | None = None,
    output: bool = False,
    detached: bool = False,
) -> subprocess.Popen[str]:
    """Start one of our commands.

    ``output`` gives its standard output as a pipe of lines; ``detached`` lets it live on when this terminal closes.

    Raises:
        OSError: the log cannot be opened or the process cannot be started.
    """
    log.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with open(log, "ab", buffering=0, opener=opener) as errors:
        return subprocess.Popen(  # noqa: S603 - our own command with our own words
            command(*words),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE if output else errors,
            stderr=errors,
            env={**os.environ, **(environment or {})},
            text=True,
            start_new_session=detached,
        )


def stop(children: Sequence[subprocess.Popen[str]]) -> None:
    """End ``children``: SIGTERM to all, then SIGKILL to those that do not go."""
    for child in children:
        with contextlib.suppress(ProcessLookupError):
            child.terminate()
    for child in children:
        try:
            child.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()
        if child.stdout is not None:
            child.stdout.close()


def last_words(log: Path, limit: int = 300) -> str:
    """The last line a child wrote to its log, for the sentence that says why it died; empty when there is none."""
    try:
        lines = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
    except OSError:
        return ""
    return lines[-1][-limit:] if lines else ""
