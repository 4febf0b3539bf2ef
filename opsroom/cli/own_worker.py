"""Which feed this user's screens and scripts read, and the worker behind it.

Order: ``--feed``, the configured feed, else the user's own worker for this context, which is started when none runs.
One own worker serves a user and a context; it holds a lock file and ends 60 s after its last viewer. A worker that
was started for another cluster, or by the version before an upgrade, must never be taken for this one, so its socket's
name holds everything that decides what it looks at and how it judges.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import re
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec

from opsroom import __version__
from opsroom.cli.children import last_words, start
from opsroom.cli.keeping import Keeper
from opsroom.config import paths
from opsroom.config.settings import Settings
from opsroom.domain.clean import clean
from opsroom.errors import Unreachable

LINGER_SECONDS = 60.0
WORDS_LIMIT = 160
START_SECONDS = 15.0
"""Until the socket of a worker that was just started must answer."""

_CURRENT = re.compile(
    rb"""^(?:[ \t]+(?="))?["']?current-context["']?[ \t]*:[ \t]*(["']?)([^"'\r\n]+?)\1[ \t]*,?(?:[ \t]\#.*)?\r?$""",
    re.MULTILINE,
)


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
    return settings.feed or begun(arguments, settings)[0]


def begun(arguments: argparse.Namespace, settings: Settings) -> tuple[str, Keeper]:
    """The own worker's feed, and who looks after that worker from now on (not before ``Keeper.begin``).

    Raises:
        Unreachable: it cannot be started.
        ConfigError: it would not start with this policy.
    """
    key = identity(settings)
    path = paths.worker_socket(key)
    log = own_log(path)
    words = ["worker", *common_words(arguments, settings), "--listen", f"unix:{path}"]
    words += ["--linger", str(LINGER_SECONDS), "--own", key]
    keeper = Keeper(
        lambda: start(words, log, detached=True), lambda: answers(path), lambda: clean(last_words(log), WORDS_LIMIT)
    )
    if not answers(path):
        if settings.policy:
            # Else its death is all there is to see, and that only after all the time that a start may take.
            from opsroom.config.policy_file import load_policy

            load_policy(Path(settings.policy).expanduser())
        try:
            keeper.child = start(words, log, detached=True)
        except OSError as error:
            raise Unreachable(f"the worker cannot be started: {error}", f"Look into {log.parent}") from error
    return f"unix:{path}", keeper


@contextlib.contextmanager
def kept(arguments: argparse.Namespace, settings: Settings) -> Iterator[tuple[str, Callable[[], str]]]:
    """The feed for a screen, and what there is to say of its worker; an own worker is kept alive meanwhile.

    Raises:
        Unreachable: the own worker cannot be started.
    """
    if settings.feed:
        yield settings.feed, str
        return
    where, keeper = begun(arguments, settings)
    keeper.begin()
    try:
        yield where, lambda: keeper.said
    finally:
        keeper.stop()


def pinned(settings: Settings) -> Settings:
    """``settings`` with the context that is the current one now.

    A screen stays open for days: whoever switches the current context in another window must not thereby send this
    screen's deeds, or its worker when it is started again, to another cluster.
    """
    return settings if settings.context else msgspec.structs.replace(settings, context=current_context(settings))


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
            said = last_words(own_log(path))
            raise Unreachable(
                f"no worker answers at {path}" + (f"; its last words: {said}" if said else ""),
                f"Look into {own_log(path)}",
            )
        time.sleep(0.05)


def own_log(path: Path) -> Path:
    """What the own worker behind the socket ``path`` writes on standard error: its last words must not be another's."""
    return paths.log_file(f"own-{path.stem}")


def identity(settings: Settings) -> str:
    """Everything that decides what an own worker looks at and how it judges, as one line."""
    return "|".join(
        (
            __version__,
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
                return found.group(2).decode(errors="replace")
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
