"""One rollout as the decider sees it at one tick."""

from __future__ import annotations

import msgspec

from opsroom.domain.decision import Flag
from opsroom.domain.deed import Deed
from opsroom.domain.rollout import Rollout
from opsroom.domain.verdict import Verdict


class Case(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Everything that a decision on one rollout may rest on."""

    rollout: Rollout
    verdict: Verdict | None = None
    flag: Flag | None = None
    """A flag that stands in the shared marks: of a person, or of the decider before this one."""
    deed: Deed | None = None
    """The last deed on this rollout that moves traffic, by anybody, as far as it is known."""
    queued: bool = False
    """The queue keeps it at a gate before its start: there is nothing to judge, and nobody to ask."""
