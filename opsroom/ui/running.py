"""From the command to the running app and back: checks the terminal, makes the feed client, reports a crash.

A crash leaves one sentence on the terminal; its traceback, without local variables, goes to a private file.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from opsroom.clock import awake_or_not
from opsroom.ui import driver, terminal
from opsroom.ui.late_feed import LateFeed
from opsroom.ui.options import Options

if TYPE_CHECKING:
    from opsroom.ui.room_app import RoomApp

TURN_SECONDS = 0.0005
"""For how long a thread may keep the interpreter while another one waits for it (Python's own is 5 ms): a frame that is
ready must not wait for what the app does next."""


def run(kind: type[RoomApp], options: Options, *others: Options) -> int:
    """Run an app on this terminal until it ends; returns the exit code.

    Raises:
        UsageError: this terminal cannot show a screen. ConfigError: no such theme.
    """
    terminal.need_screen()
    found = terminal.look_at(os.environ)
    terminal.prepare(os.environ)
    sys.setswitchinterval(TURN_SECONDS)
    feed = options.replay or _feed(options)
    beside = [(each, _feed(each)) for each in others]
    app = kind(options, feed, driver_class=driver.choose(os.environ), found=found, others=beside)
    app.run(mouse=False)
    if app.crash:
        return _report(app.crash)
    return app.return_code or 0


def run_served(options: Options) -> int:
    """Run the wall behind ``textual-serve``: its packets on standard output instead of a screen."""
    from textual.drivers.web_driver import WebDriver

    from opsroom.ui.app import WallApp

    size = [os.environ.get(name, "") for name in ("COLUMNS", "ROWS")]
    terminal.prepare(os.environ)
    os.environ.update({name: text for name, text in zip(("COLUMNS", "ROWS"), size, strict=True) if text.isdecimal()})
    feed = _feed(options)
    browser = terminal.Terminal(colourless=False, sixteen=False, unicode=True)
    app = WallApp(options, feed, driver_class=WebDriver, found=browser)
    app.run(mouse=False)
    return _report(app.crash) if app.crash else app.return_code or 0


def _feed(options: Options) -> LateFeed:
    return LateFeed(options.feed, options.token, awake_or_not, options.recorder, options.namespaces)


def _report(crash: str) -> int:
    from opsroom.config.paths import state_folder
    from opsroom.domain.masking import without_secrets

    path = state_folder() / "crash.txt"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with open(descriptor, "w", encoding="utf-8") as file:
            file.write(without_secrets(crash.encode(errors="replace")).decode())
        where = f"; {path} says where"
    except OSError:
        where = ""
    last = crash.strip().splitlines()[-1].split(":")[0]
    print(f"opsroom: the screen ended by an error of its own ({last}){where}. Start it again", file=sys.stderr)  # noqa: T201
    return 1
