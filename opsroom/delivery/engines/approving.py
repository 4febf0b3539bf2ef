"""The first of two people agrees that a rollout goes on: one key in a ConfigMap that every worker reads.

As an acknowledgement it does not stand on the workload, and speaks of one canary only. Of two people who approve at
the same moment the later write stands; each of them then sees the other's name, or their own, and one more ``p`` acts.
"""

from __future__ import annotations

from functools import partial

import msgspec

from opsroom.delivery.doors import Reader
from opsroom.delivery.engines.shared_map import SharedMap
from opsroom.delivery.plan import Plan, Progress, Refused, Sight
from opsroom.delivery.shared import APPROVED, approval
from opsroom.domain.approval import APPROVAL_SECONDS, Approval
from opsroom.domain.deed import Deed, DeedState, Intent, Verb

_MAP = SharedMap(APPROVED)


class ApprovingEngine:
    """Writes and finds approvals; ``Sight.target`` is the ConfigMap."""

    async def look(self, reader: Reader, intent: Intent) -> Sight:
        """Read the map."""
        return await _MAP.look(reader)

    def plan(self, sight: Sight, intent: Intent) -> Plan | Refused:
        """One key; approvals that are for nothing any more go with it."""
        text = msgspec.json.encode(_approval(intent)).decode()
        return _MAP.plan(sight, intent.target.uid, text, partial(_old, now=intent.at))

    def outcome(self, sight: Sight, deed: Deed) -> Progress | None:
        """Done when an approval of the same is stored, be it that of somebody who was later by a moment."""
        stored, wanted = approval(_MAP.text(sight, deed.intent.target.uid)), _approval(deed.intent)
        if stored is None or (stored.hash, stored.step, stored.verb) != (wanted.hash, wanted.step, wanted.verb):
            return None
        return Progress(state=DeedState.DONE)


def _approval(intent: Intent) -> Approval:
    seen = intent.precondition
    verb = intent.approves or Verb.PROMOTE
    return Approval(by=intent.actor, at=intent.at, hash=seen.canary_hash, step=seen.step, verb=verb)


def _old(text: object, now: float) -> bool:
    found = approval(text)
    return found is not None and found.at < now - APPROVAL_SECONDS
