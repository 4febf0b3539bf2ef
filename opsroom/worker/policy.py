"""The policy in force: read again when its file changes; a broken file never replaces a good policy."""

from __future__ import annotations

from pathlib import Path

from opsroom.config.policy_file import load_policy
from opsroom.domain.policy import Policy
from opsroom.errors import ConfigError


class PolicyInForce:
    """Keeps the last good policy.

    Raises:
        ConfigError: there is no good one to begin with.
    """

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self.policy: Policy = load_policy(path)
        self.note = ""
        """Why the last good policy is still in force; empty when the newest one is."""
        self._seen = self._stamp()

    def look(self) -> bool:
        """Read the file again if it changed; True when another policy is in force afterwards."""
        stamp = self._stamp()
        if stamp == self._seen:
            return False
        self._seen = stamp
        try:
            policy = load_policy(self._path)
        except ConfigError as error:
            self.note = str(error)
            return False
        self.note = ""
        changed, self.policy = policy != self.policy, policy
        return changed

    def _stamp(self) -> tuple[int, int]:
        if self._path is None:
            return 0, 0
        try:
            status = self._path.stat()
        except OSError:
            return -1, -1
        return status.st_mtime_ns, status.st_size
