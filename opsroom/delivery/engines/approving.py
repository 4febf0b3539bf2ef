"""The first of two people agrees that a rollout goes on: one key in a ConfigMap that every worker reads.

As an acknowledgement it does not stand on the workload, and speaks of one canary only. Of two people who approve at
the same moment the later write stands; each of them then sees the other's name, or their own, and one more ``p`` acts.
"""

from __future__ import annotations

import msgspec

from opsroom.delivery import raw
from opsroom.delivery.doors import Raw, Reader
from opsroom.delivery.plan import Need, Plan, Progress, Refused, Request, Sight
from opsroom.delivery.shared import APPROVED, NAMESPACE, approval
from opsroom.domain.approval import APPROVAL_SECONDS, Approval
from opsroom.domain.deed import Deed, DeedState, Effect, Intent, Verb
from opsroom.errors import Gone

_MAPS = f"/api/v1/namespaces/{NAMESPACE}/configmaps"
_PATH = f"{_MAPS}/{APPROVED}"


class ApprovingEngine:
    """Writes and finds approvals; ``Sight.target`` is the ConfigMap, empty where there is none."""

    async def look(self, reader: Reader, intent: Intent) -> Sight:
        """Read the map."""
        try:
            found: Raw = await reader.get(_PATH, dict)
        except Gone:
            found = {}
        return Sight(target=found)

    def plan(self, sight: Sight, intent: Intent) -> Plan | Refused:
        """One merge patch of one key; approvals that are for nothing any more go with it."""
        data: dict[str, str | None] = {
            uid: None
            for uid, text in raw.table(sight.target, "data").items()
            if (found := approval(text)) is not None and found.at < intent.at - APPROVAL_SECONDS
        }
        text = msgspec.json.encode(_approval(intent)).decode()
        data[intent.target.uid] = text
        new = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": APPROVED, "namespace": NAMESPACE}}
        request = Request(
            path=_PATH,
            body={"data": data},
            need=Need(group="", resource="configmaps", namespace=NAMESPACE, name=APPROVED),
            collection=_MAPS,
            new={**new, "data": {intent.target.uid: text}},
        )
        return Plan(effect=Effect.MARK, request=request)

    def outcome(self, sight: Sight, deed: Deed) -> Progress | None:
        """Done when an approval of the same is stored, be it that of somebody who was later by a moment."""
        stored, wanted = approval(raw.table(sight.target, "data").get(deed.intent.target.uid)), _approval(deed.intent)
        if stored is None or (stored.hash, stored.step, stored.verb) != (wanted.hash, wanted.step, wanted.verb):
            return None
        return Progress(state=DeedState.DONE)


def _approval(intent: Intent) -> Approval:
    seen = intent.precondition
    verb = intent.approves or Verb.PROMOTE
    return Approval(by=intent.actor, at=intent.at, hash=seen.canary_hash, step=seen.step, verb=verb)
