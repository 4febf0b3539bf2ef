"""Which feed this user's screens and scripts read, and the worker behind it.

Order: ``--feed``, the configured feed, else the user's own worker for this context, which is started when none runs.
One own worker serves a user and a context; it holds a lock file and ends 60 s after its last viewer. A worker that
was started for another cluster must never be taken for this one, so its socket's name holds everything that decides
what it looks at.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import re
import socket
import time
from pathlib import Path

from opsroom.cli.children import last_words, start
from opsroom.config import paths
from opsroom.config.settings import Settings
from opsroom.errors import Unreachable

LINGER_SECONDS = 60.0
START_SECONDS = 15.0
"""Until the socket of a worker that was just started must answer."""

_CURRENT = re.compile(rb"""^["']?current-context["']?\s*:\s*["']?([^"'\s#]+)""", re.MULTILINE)


def common_words(arguments: argparse.Namespace, settings: Settings) -> list[str]:
    """The common options as words, for a child that has to look at the same cluster."""
    words = ["--config", settings.path] if getattr(arguments, "config", None) else []
    for option, value in (
        ("--kubeconfig", settings.kubeconfig),
        ("--context", settings.context),
        ("--prometheus", settings.prometheus.url),
        ("--policy", settings.policy),
    ):
        words += [option, value] if value else []
    for namespace in settings.namespaces:
        words += ["--namespace", namespace]
    return words + (["--read-only"] if settings.read_only else [])


def address(arguments: argparse.Namespace, settings: Settings) -> str:
    """The feed's address; starts the own worker when it is needed and none runs.

    Raises:
        Unreachable: the own worker cannot be started.
    """
    if settings.feed:
        return settings.feed
    key = identity(settings)
    path = paths.worker_socket(key)
    if not answers(path):
        log = paths.log_file("worker")
        words = ["worker", *common_words(arguments, settings), "--listen", f"unix:{path}"]
        try:
            start([*words, "--linger", str(LINGER_SECONDS), "--own", key], log, detached=True)
        except OSError as error:
            raise Unreachable(f"the worker cannot be started: {error}", f"Look into {log.parent}") from error
    return f"unix:{path}"


def wait_for(where: str, seconds: float = START_SECONDS) -> None:
    """Wait until the own worker at ``where`` answers.

    Raises:
        Unreachable: it does not, with the last words of its log.
    """
    path = Path(where.removeprefix("unix:"))
    if not where.startswith("unix:"):
        return
    end = time.monotonic() + seconds
    while not answers(path):
        if time.monotonic() > end:
            if path.parent != paths.worker_socket("").parent:
                raise Unreachable(f"no worker answers at {path}", "Start it there, or leave --feed out")
            said = last_words(paths.log_file("worker"))
            raise Unreachable(
                f"no worker answers at {path}" + (f"; its last words: {said}" if said else ""),
                f"Look into {paths.log_file('worker')}",
            )
        time.sleep(0.05)


def identity(settings: Settings) -> str:
    """Everything that decides what an own worker looks at, as one line."""
    return "|".join(
        (
            ":".join(str(file) for file in kubeconfigs(settings)),
            settings.context or current_context(settings),
            ",".join(settings.namespaces),
            settings.prometheus.url,
            settings.policy,
            "read-only" if settings.read_only else "",
        )
    )


def kubeconfigs(settings: Settings) -> list[Path]:
    """The kubeconfig files, in kubectl's order: ``--kubeconfig``, ``KUBECONFIG`` (several), ``~/.kube/config``."""
    if settings.kubeconfig:
        return [Path(settings.kubeconfig).expanduser().absolute()]
    named = [part for part in os.environ.get("KUBECONFIG", "").split(os.pathsep) if part]
    return [Path(part).expanduser().absolute() for part in named] or [Path.home() / ".kube" / "config"]


def current_context(settings: Settings) -> str:
    """The current context's name, read without a YAML parser (the board's start waits for it); empty if unknown."""
    for file in kubeconfigs(settings):
        with contextlib.suppress(OSError):
            found = _CURRENT.search(file.read_bytes())
            if found:
                return found.group(1).decode(errors="replace")
    return ""


def answers(path: Path) -> bool:
    """Whether somebody listens at the unix socket ``path``."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(1.0)
        try:
            probe.connect(str(path))
        except OSError:
            return False
    return True
