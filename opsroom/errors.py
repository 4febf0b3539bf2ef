"""Everything opsroom raises on purpose, and the exit code each ends in.

```text
OpsroomError                1
├── UsageError              2   wrong command line
├── ConfigError             2   a file, line and key that is wrong
├── WaitingError            3   something waits for a person
├── NotPermitted            4   the cluster (or read-only mode) says no
├── Unreachable             5   nobody answers: API server, Prometheus, feed
│   └── Unauthorized        4   it answers, and does not know us
├── Conflict                1   somebody else was faster
├── Gone                    1   the object does not exist (any more)
├── Rejected                1   the server understood and refused (422, 400)
├── OutcomeUnknown          1   sent, and no answer came: it may have happened
└── JournalError            1   the journal cannot be written
```

Each message is one sentence that names the thing and, in ``fix``, what to do. ``errors`` is for all rooms and imports
nothing of ours.
"""

from __future__ import annotations

EXIT_CODES = {
    0: "done",
    1: "failed",
    2: "wrong usage or configuration",
    3: "something waits for a person",
    4: "not permitted",
    5: "unreachable",
    130: "stopped by ctrl+c",
}
"""What every command's exit code means."""


class OpsroomError(Exception):
    """Base of the tree: a sentence for a person, and what to do about it."""

    exit_code = 1

    def __init__(self, message: str, fix: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.fix = fix

    def __str__(self) -> str:
        return f"{self.message}. {self.fix}" if self.fix else self.message


class UsageError(OpsroomError):
    """The command line makes no sense."""

    exit_code = 2


class ConfigError(OpsroomError):
    """A configuration file (or variable) is wrong."""

    exit_code = 2


class WaitingError(OpsroomError):
    """Something waits for a person."""

    exit_code = 3


class NotPermitted(OpsroomError):
    """HTTP 403, or read-only mode."""

    exit_code = 4


class Unreachable(OpsroomError):
    """Nobody answers, or what answers is out of order (HTTP 5xx, 429)."""

    exit_code = 5

    def __init__(self, message: str, fix: str = "", retry_after: float | None = None) -> None:
        super().__init__(message, fix)
        self.retry_after = retry_after


class Unauthorized(Unreachable):
    """HTTP 401: the credentials are missing, wrong or expired."""

    exit_code = 4


class Conflict(OpsroomError):
    """HTTP 409, or a failed test of a JSON patch: the object is not what it was."""


class Gone(OpsroomError):
    """HTTP 404 for an object."""


class Rejected(OpsroomError):
    """HTTP 400 or 422: understood and refused."""


class OutcomeUnknown(OpsroomError):
    """The request went out and no answer came (time-out, reset, 504)."""


class JournalError(OpsroomError):
    """The journal cannot be written or does not hold together."""
