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
    "act": "opsroom.cli.deeds",
    "judge": "opsroom.cli.processes",
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
