"""``opsroom login``: a token into the keyring of this machine, asked for without showing it.

At a terminal it is typed without echo, else it is one line on standard input; it stands in no argument, no variable,
no file of ours. Machines without a keyring (most bastions) are told what to use instead before anybody types.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from typing import TextIO

from opsroom.config.secrets import Secret, keyring_name, store, variable_of
from opsroom.errors import OpsroomError, UsageError

LIMIT = 16 * 1024
"""Characters; whoever pipes a file in by mistake is told so."""


def run(arguments: argparse.Namespace) -> int:
    """Ask and store.

    Raises:
        OpsroomError: this machine has no usable keyring. UsageError: what came is no token.
    """
    target = named(arguments.target, arguments.server)
    if not keyring_name():
        raise no_keyring(target)
    secret = read_secret(target, sys.stdin)
    name = store(target, secret)
    sys.stdout.write(f"stored the token for {target} in {name}\n")
    return 0


def named(target: str, server: str) -> str:
    """The name of the token for ``target``, or for one server of its kind: ``prometheus@prom.eu:9090``.

    Raises:
        UsageError: ``server`` is none.
    """
    if not server:
        return target
    if target not in ("prometheus", "feed"):
        raise UsageError(f"{target} has no server of its own", "Leave --server out")
    if not server.isprintable() or any(sign in server for sign in "/@ "):
        raise UsageError("--server takes HOST or HOST:PORT as in its URL", "For example --server prom.eu:9090")
    return f"{target}@{server}"


def no_keyring(target: str) -> OpsroomError:
    """What a headless machine is told."""
    return OpsroomError(
        "this machine has no usable keyring (no Secret Service answers here)",
        f"Write the token to a file of mode 0600 and name it in {variable_of(target)}",
    )


def read_secret(target: str, source: TextIO, ask: Callable[[str], str] | None = None) -> Secret:
    """The token from ``source``; at a terminal ``ask`` (getpass) reads it without echo.

    Raises:
        UsageError: nothing came, or something that is no token. The message never holds what came.
    """
    try:
        if source.isatty():
            import getpass

            value = (ask or getpass.getpass)(f"Token for {target} (it is not shown): ")
        else:
            value = source.read(LIMIT + 1)
    except (EOFError, UnicodeDecodeError):
        value = ""
    value = value.strip()
    if not value:
        raise UsageError("no token came", f"Type it, or pipe it: opsroom login {target} < FILE")
    if len(value) > LIMIT or not value.isprintable() or " " in value:
        raise UsageError("what came is no token", "A token is one line without spaces")
    return Secret(value)
