"""The policy in force: the cluster's own, else the file's; a broken one never replaces a good one.

The ConfigMap ``opsroom-policy`` (key ``policy.toml``) wins over a local file, so that everybody who decides in a
cluster decides by the same rules. Both are read again when they change.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from opsroom.config.policy_file import load_policy, parse_policy
from opsroom.delivery.queue_facts import POLICY_KEY, POLICY_NAME
from opsroom.domain.clean import clean
from opsroom.domain.policy import Policy
from opsroom.errors import ConfigError


def _none() -> None:
    return None


class PolicyInForce:
    """Keeps the last good policy.

    Raises:
        ConfigError: there is no good one to begin with.
    """

    def __init__(self, path: Path | None, told: Callable[[], str | None] = _none) -> None:
        """``told`` gives the text of the cluster's own policy as it was last read, None where there is none."""
        self._path = path
        self.policy: Policy = load_policy(path)
        self.note = ""
        """Why the last good policy is still in force; empty when the newest one is."""
        self.sure = True
        """False while the cluster has a policy of its own of which none was ever good: its rules are not known here."""
        self._told = told
        self._text: str | None = None
        self._of_file, self._file_note = self.policy, ""
        self._seen = self._stamp()

    def look(self) -> bool:
        """Read again what changed; True when another policy is in force afterwards."""
        text, stamp = self._told(), self._stamp()
        if stamp == self._seen and text == self._text:
            return False
        before = self.policy
        if stamp != self._seen:
            self._seen = stamp
            self._read_file()
        if text is None:
            self.policy, self.note, self.sure = self._of_file, self._file_note, True
        elif text != self._text:
            self._take(text)
        self._text = text
        return self.policy != before

    def _read_file(self) -> None:
        try:
            self._of_file, self._file_note = load_policy(self._path), ""
        except ConfigError as error:
            self._file_note = clean(error)

    def _take(self, text: str) -> None:
        """The cluster's own policy; a broken one leaves what is in force."""
        try:
            if not text.strip():
                raise ConfigError(f"{POLICY_NAME} holds no policy", f"Put it under the key {POLICY_KEY}")
            self.policy, self.note = parse_policy(text, f"{POLICY_NAME}:{POLICY_KEY}"), ""
            self.sure = True
        except ConfigError as error:
            self.note = clean(error)
            self.sure = self.sure and self._text is not None

    def _stamp(self) -> tuple[int, int]:
        if self._path is None:
            return 0, 0
        try:
            status = self._path.stat()
        except OSError:
            return -1, -1
        return status.st_mtime_ns, status.st_size
