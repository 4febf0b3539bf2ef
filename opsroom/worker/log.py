"""The worker's log: JSON lines in a file that is turned over, never on the terminal.

The board may share our terminal's standard error, so nothing of ours is ever printed there.
"""

from __future__ import annotations

import logging
import logging.handlers
from io import TextIOWrapper
from pathlib import Path

import msgspec

from opsroom.config.private_file import opener
from opsroom.domain.masking import said, without_secrets

SIZE = 4 * 1024 * 1024
KEPT = 2


class JsonLines(logging.Formatter):
    """One record as one JSON object on one line."""

    def format(self, record: logging.LogRecord) -> str:
        """``at``, ``level``, ``from``, ``text``, and ``trace`` where there is one."""
        line: dict[str, object] = {
            "at": round(record.created, 3),
            "level": record.levelname.lower(),
            "from": record.name,
            "text": said(record.getMessage()),
        }
        if record.exc_info:
            line["trace"] = self.formatException(record.exc_info)
        # A traceback ends with the words of somebody else's library, which may quote what it was given.
        return without_secrets(msgspec.json.encode(line)).decode()


class _Private(logging.handlers.RotatingFileHandler):
    """Turned over by size; what a line quotes is for the owner's eyes."""

    def _open(self) -> TextIOWrapper:
        return open(self.baseFilename, self.mode, encoding=self.encoding, opener=opener)  # type: ignore[return-value]


class Counting(logging.Handler):
    """Counts the lines that tell of a mistake of ours."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.errors = 0

    def emit(self, record: logging.LogRecord) -> None:
        """One more."""
        self.errors += 1


def log_to(path: Path) -> logging.Handler:
    """Send the log of the whole process to ``path``; where that cannot be written, nowhere.

    Requests of the HTTP client are not logged: their addresses may hold what is nobody's business.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        handler: logging.Handler = _Private(path, maxBytes=SIZE, backupCount=KEPT, encoding="utf-8", delay=True)
    except OSError:
        handler = logging.NullHandler()
    handler.setFormatter(JsonLines())
    root = logging.getLogger()
    root.addHandler(handler)
    root.setLevel(logging.INFO)
    logging.raiseExceptions = False
    for name in ("httpx", "httpcore", "uvicorn", "asyncio"):
        logging.getLogger(name).setLevel(logging.WARNING)
    return handler
