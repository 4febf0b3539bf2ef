"""``opsroom replay FILE``: a recording in the screens that saw it, or a copy of it for strangers.

Nothing in a recording can be acted on.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from msgspec.structs import replace

from opsroom.cli.board import first_frame, screen_options
from opsroom.errors import UsageError

FASTEST = 1000.0


def run(arguments: argparse.Namespace) -> int:
    """Show the recording until it is left, or copy it without names.

    Raises:
        RecordingError: the file cannot be read or is no recording, or the copy cannot be written.
    """
    if arguments.mask:
        from opsroom.feed.shared_copy import shared_copy

        frames = shared_copy(Path(arguments.file), Path(arguments.mask))
        print(f"{arguments.mask}: {frames} frames without names; look at it once before you pass it on")  # noqa: T201
        return 0
    if not 0 < arguments.speed <= FASTEST:
        raise UsageError("--speed takes a factor above 0, up to 1000", "For example: opsroom replay FILE --speed 4")
    with first_frame("replay"):
        from opsroom.cli.options import settings_for
        from opsroom.feed.replay import Replay
        from opsroom.ui.app import run_board

        replay = Replay(Path(arguments.file), arguments.speed)
        return run_board(replace(screen_options(settings_for(arguments)), replay=replay, read_only=True))
