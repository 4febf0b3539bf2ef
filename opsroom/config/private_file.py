"""Files that only their owner may read, whatever the umask says: logs may quote what nobody else should know."""

from __future__ import annotations

import contextlib
import os


def opener(path: str, flags: int) -> int:
    """For ``open(..., opener=...)``; a file that was there before is closed to others as well, where it is ours."""
    handle = os.open(path, flags | os.O_CLOEXEC, 0o600)
    with contextlib.suppress(OSError):
        os.fchmod(handle, 0o600)
    return handle
