"""The command line: one file a command, imported when it is called.

``import opsroom.cli`` costs an argument parser and no more: the board's first paint waits for it. Commands return an
exit code; every error that a person can cause is an ``OpsroomError`` and ends here as one sentence on standard error.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib import import_module

from opsroom.errors import OpsroomError

COMMANDS = {
    None: "opsroom.cli.board",
    "demo": "opsroom.cli.demo",
    "wall": "opsroom.cli.board",
    "worker": "opsroom.cli.processes",
    "sim": "opsroom.cli.processes",
    "ls": "opsroom.cli.looking",
    "show": "opsroom.cli.looking",
    "journal": "opsroom.cli.journal",
    "replay": "opsroom.cli.board",
    "promote": "opsroom.cli.deeds",
    "rollback": "opsroom.cli.deeds",
    "flag": "opsroom.cli.deeds",
    "hold": "opsroom.cli.queue",
    "release": "opsroom.cli.queue",
    "freeze": "opsroom.cli.queue",
    "thaw": "opsroom.cli.queue",
    "queue": "opsroom.cli.queue",
    "wait": "opsroom.cli.wait",
    "act": "opsroom.cli.deeds",
    "judge": "opsroom.cli.processes",
    "doctor": "opsroom.cli.doctor",
    "login": "opsroom.cli.login",
    "manifest": "opsroom.cli.manifest",
}
"""The module whose ``run(arguments) -> int`` does a command."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; the exit codes are those of ``errors`` (0 done, 3 something waits for a person)."""
    from opsroom.cli.parser import build

    try:
        arguments = build().parse_args(argv)
        return int(import_module(COMMANDS[arguments.command]).run(arguments))
    except OpsroomError as error:
        print(f"opsroom: {error}", file=sys.stderr)  # noqa: T201
        return error.exit_code
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        sys.stderr.close()
        return 0
    except Exception as error:
        return _unexpected(error)


def _unexpected(error: Exception) -> int:
    """A fault of ours: the traceback goes to a private file, a person gets one sentence."""
    import traceback

    from opsroom.config.paths import log_file

    file = log_file("crash")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("".join(traceback.format_exception(error)), encoding="utf-8")
        file.chmod(0o600)
        where = f"The details are in {file}"
    except OSError:
        where = "Its details could not be written down"
    print(f"opsroom: a fault of opsroom's own ({type(error).__name__}). {where}", file=sys.stderr)  # noqa: T201
    return 1
