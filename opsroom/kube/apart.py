"""Run the resolving of credentials apart from us: no terminal, no standard input, a time limit, nothing left behind."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys

import msgspec

from opsroom.domain.clean import clean
from opsroom.errors import ConfigError, Unauthorized
from opsroom.kube.endpoint import Endpoint
from opsroom.kube.resolve import Resolved, Trouble

RESOLVE_SECONDS = 20.0
"""A credential plugin that needs longer is waiting for a person who cannot answer it here."""


async def resolve_apart(kubeconfig: str, context: str, seconds: float = RESOLVE_SECONDS) -> Endpoint:
    """Run ``opsroom.kube.resolve`` in its own session without terminal or input, for at most ``seconds``.

    Raises:
        ConfigError: kubeconfig or context cannot be used.
        Unauthorized: the credential plugin failed, or took too long.
    """
    child = await asyncio.create_subprocess_exec(
        sys.executable,
        # Not from the folder we happen to stand in: it may hold a yaml.py of somebody else.
        "-P",
        "-m",
        "opsroom.kube.resolve",
        kubeconfig,
        context,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        start_new_session=True,
    )
    try:
        # Not wait_for: until Python 3.12 it forgets that we were cancelled when the answer comes at that very moment.
        async with asyncio.timeout(seconds):
            output, noise = await child.communicate()
    except TimeoutError:
        message = f"The credentials of context {clean(context) or '(current)'} did not come within {seconds:.0f} s"
        raise Unauthorized(message, "Log in with the tool that made this context; it cannot ask you here") from None
    finally:
        # Also when we are cancelled: the plugin is a grandchild, so the whole session goes.
        if child.returncode is None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(child.pid, signal.SIGKILL)
            await child.wait()
    try:
        answer: Resolved | Trouble = msgspec.json.decode(output, type=Resolved | Trouble)
    except (msgspec.MsgspecError, RecursionError):
        last = clean(noise.decode(errors="replace").strip().rpartition("\n")[2], 200)
        raise ConfigError(f"The kubeconfig could not be read: {last}", "Compare it with kubectl config view") from None
    if isinstance(answer, Resolved):
        return answer.endpoint
    if answer.credentials:
        raise Unauthorized(answer.message, answer.fix)
    raise ConfigError(answer.message, answer.fix)
