"""Opening the address of a change: in the browser of the machine a person sits at, and never over SSH.

The address comes from an annotation that anybody with an editor may have written, so only plain http and https
addresses are handed on, as one argument and without a shell. What it takes is imported when it is used: the board's
start asks ``opener``.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping

from opsroom.ui.notices import remote

Find = Callable[[str], str | None]


def _find(name: str) -> str | None:
    import shutil

    return shutil.which(name)


def opener(environment: Mapping[str, str], find: Find = _find, platform: str = sys.platform) -> str:
    """The program that opens addresses here; empty where there is none, or nobody would see its window."""
    if remote(environment):
        return ""
    if platform == "darwin":
        return find("open") or ""
    if environment.get("WSL_DISTRO_NAME"):
        return find("wslview") or ""
    return (find("xdg-open") or "") if environment.get("DISPLAY") or environment.get("WAYLAND_DISPLAY") else ""


def may_open(url: str) -> bool:
    """Whether ``url`` is an address of a web page and nothing else."""
    from urllib.parse import urlsplit

    if not url.isprintable() or any(char.isspace() for char in url):
        return False
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.hostname)


def open_page(program: str, url: str) -> bool:
    """Start ``program`` on ``url`` beside us; False where it cannot be started."""
    import subprocess
    import threading

    nothing = subprocess.DEVNULL
    try:
        started = subprocess.Popen(  # noqa: S603
            [program, url], stdin=nothing, stdout=nothing, stderr=nothing, start_new_session=True
        )
    except OSError:
        return False
    # A browser may run for as long as we do: somebody has to take its end, and must not keep us from ours.
    threading.Thread(target=started.wait, daemon=True).start()
    return True
