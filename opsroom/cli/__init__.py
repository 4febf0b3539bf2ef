"""The command line: one file a command, imported when it is called.

``import opsroom.cli`` costs next to nothing: the first paint of the board waits for it, and comes before the argument
parser is imported. Commands return an exit code; every error that a person can cause is an ``OpsroomError`` and ends
here as one sentence on standard error.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib import import_module

from opsroom.errors import OpsroomError, UsageError

COMMANDS = {
    None: "opsroom.cli.board",
    "demo": "opsroom.cli.demo",
    "wall": "opsroom.cli.wall",
    "worker": "opsroom.cli.processes",
    "sim": "opsroom.cli.processes",
    "ls": "opsroom.cli.looking",
    "show": "opsroom.cli.looking",
    "journal": "opsroom.cli.journal",
    "replay": "opsroom.cli.replay",
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
    "learn": "opsroom.cli.processes",
    "doctor": "opsroom.cli.doctor",
    "login": "opsroom.cli.login",
    "manifest": "opsroom.cli.manifest",
    "completion": "opsroom.cli.completion",
}
"""The module whose ``run(arguments) -> int`` does a command."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; the exit codes are those of ``errors`` (0 done, 3 something waits for a person)."""
    try:
        screen = _first_paint() if argv is None else None
        from opsroom.cli.parser import build

        arguments = build(board=screen == "board").parse_args(argv)
        _texts(vars(arguments))
        return int(import_module(COMMANDS[arguments.command]).run(arguments))
    except OpsroomError as error:
        _end_splash()
        from opsroom.domain.clean import clean

        # What was read or answered may be quoted in it.
        print(f"opsroom: {clean(error, 2000)}", file=sys.stderr)  # noqa: T201
        return error.exit_code
    except KeyboardInterrupt:
        _end_splash()
        return 130
    except BrokenPipeError:
        sys.stderr.close()
        return 0
    except Exception as error:
        _end_splash()
        return _unexpected(error)


def _texts(given: dict[str, object]) -> None:
    """What a person typed goes into JSON, onto screens and into other people's journals.

    Raises:
        UsageError: an argument holds bytes that are no text.
    """
    if given.get("reason"):
        from opsroom.domain.clean import clean

        given["reason"] = clean(given["reason"])
    for name, value in given.items():
        for one in value if isinstance(value, list) else (value,):
            if isinstance(one, str) and any("\ud800" <= sign <= "\udfff" for sign in one):
                raise UsageError(f"{name.replace('_', '-')} is no text in UTF-8", "Write it in the terminal's encoding")


def _first_paint() -> str | None:
    """Show the splash where the words say that a screen will be drawn; what follows imports for a long time.

    Until the app has painted, nothing is collected: everything that is imported stays, and looking through it again
    and again would cost a tenth of the start.
    """
    import gc

    from opsroom.cli.peek import screen_of

    command = screen_of(sys.argv[1:])
    if command is not None:
        from opsroom.ui.splash import splash

        splash(command)
        gc.disable()
    return command


def _end_splash() -> None:
    """Give the terminal back before a sentence is written to it."""
    splash = sys.modules.get("opsroom.ui.splash")
    if splash is not None:
        splash.end()


def _unexpected(error: Exception) -> int:
    """A fault of ours: the traceback goes to a private file, a person gets one sentence."""
    import os
    import traceback

    from opsroom.config.paths import log_file
    from opsroom.domain.masking import without_secrets

    file = log_file("crash")
    # A message of somebody else's library may quote what it was given.
    words = without_secrets("".join(traceback.format_exception(error)).encode(errors="replace"))
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.unlink(missing_ok=True)
        with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600), "wb") as written:
            written.write(words)
        where = f"The details are in {file}"
    except OSError:
        where = "Its details could not be written down"
    print(f"opsroom: a fault of opsroom's own ({type(error).__name__}). {where}", file=sys.stderr)  # noqa: T201
    return 1
