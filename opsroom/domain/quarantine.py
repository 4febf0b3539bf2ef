"""The quarantine: versions that were rolled back automatically and must not come back by themselves.

One entry a rollout, the same in a decider's memory and in the cluster, where all deciders find it.
"""

from __future__ import annotations

import msgspec


class Quarantined(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A version that is not promoted again by automation, whoever applies it."""

    hash: str | None
    """None: any version, of an entry that nobody can read."""
    at: float
    """Epoch seconds of the roll back."""
    stable: str = ""
    """Hash of the stable revision then; the quarantine ends when another one has become stable."""
    rollout: str = ""
    """``namespace/name``, for people."""

    def covers(self, version: str) -> bool:
        """Whether ``version`` (a hash) is in quarantine."""
        return self.hash is None or self.hash == version
