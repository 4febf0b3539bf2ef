"""A person takes care of a flag: one key in a ConfigMap that every worker reads, whatever drives the rollout.

It does not stand on the workload, so it needs no right to patch that. The text names the canary, so it speaks of
nothing else; what is a week old is taken away by whoever writes next.
"""

from __future__ import annotations

from functools import partial

import msgspec

from opsroom.delivery.doors import Reader
from opsroom.delivery.engines.shared_map import SharedMap
from opsroom.delivery.plan import Plan, Progress, Refused, Sight
from opsroom.delivery.shared import ACKNOWLEDGED, Acknowledgement
from opsroom.domain.deed import Deed, DeedState, Intent

KEPT_SECONDS = 7 * 86400.0

_MAP = SharedMap(ACKNOWLEDGED)


class AcknowledgingEngine:
    """Writes and finds acknowledgements; ``Sight.target`` is the ConfigMap."""

    async def look(self, reader: Reader, intent: Intent) -> Sight:
        """Read the map."""
        return await _MAP.look(reader)

    def plan(self, sight: Sight, intent: Intent) -> Plan | Refused:
        """One key."""
        return _MAP.plan(sight, intent.target.uid, _mark(intent), partial(_old, now=intent.at))

    def outcome(self, sight: Sight, deed: Deed) -> Progress | None:
        """Done when it is stored."""
        stored = _MAP.text(sight, deed.intent.target.uid) == _mark(deed.intent)
        return Progress(state=DeedState.DONE) if stored else None


def _mark(intent: Intent) -> str:
    mark = Acknowledgement(by=intent.actor, at=intent.at, hash=intent.precondition.canary_hash)
    return msgspec.json.encode(mark).decode()


def _old(text: object, now: float) -> bool:
    """Whether nobody can mean it any more; what cannot be read is left to whoever wrote it."""
    try:
        return msgspec.json.decode(text if isinstance(text, str) else "", type=Acknowledgement).at < now - KEPT_SECONDS
    except (msgspec.MsgspecError, RecursionError):
        return False
