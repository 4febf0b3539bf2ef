"""A person takes care of a flag: one key in a ConfigMap that every worker reads, whatever drives the rollout.

It does not stand on the workload, so it needs no right to patch that. The key is the workload's uid and the text names
the canary, so it speaks of nothing else; what is a week old is taken away by whoever writes next.
"""

from __future__ import annotations

import msgspec

from opsroom.delivery import raw
from opsroom.delivery.doors import Raw, Reader
from opsroom.delivery.plan import Need, Plan, Progress, Refused, Request, Sight
from opsroom.delivery.shared import ACKNOWLEDGED, NAMESPACE, Acknowledgement
from opsroom.domain.deed import Deed, DeedState, Effect, Intent
from opsroom.errors import Gone

KEPT_SECONDS = 7 * 86400.0

_MAPS = f"/api/v1/namespaces/{NAMESPACE}/configmaps"
_PATH = f"{_MAPS}/{ACKNOWLEDGED}"


class AcknowledgingEngine:
    """Writes and finds acknowledgements; ``Sight.target`` is the ConfigMap, empty where there is none."""

    async def look(self, reader: Reader, intent: Intent) -> Sight:
        """Read the map."""
        try:
            found: Raw = await reader.get(_PATH, dict)
        except Gone:
            found = {}
        return Sight(target=found)

    def plan(self, sight: Sight, intent: Intent) -> Plan | Refused:
        """One merge patch of one key; two people who take two flags at once do not meet."""
        data: dict[str, str | None] = {
            uid: None for uid, text in raw.table(sight.target, "data").items() if _old(text, intent.at)
        }
        data[intent.target.uid] = _mark(intent)
        new = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": ACKNOWLEDGED, "namespace": NAMESPACE}}
        request = Request(
            path=_PATH,
            body={"data": data},
            need=Need(group="", resource="configmaps", namespace=NAMESPACE, name=ACKNOWLEDGED),
            collection=_MAPS,
            new={**new, "data": {intent.target.uid: _mark(intent)}},
        )
        return Plan(effect=Effect.MARK, request=request)

    def outcome(self, sight: Sight, deed: Deed) -> Progress | None:
        """Done when it is stored."""
        stored = raw.table(sight.target, "data").get(deed.intent.target.uid) == _mark(deed.intent)
        return Progress(state=DeedState.DONE) if stored else None


def _mark(intent: Intent) -> str:
    mark = Acknowledgement(by=intent.actor, at=intent.at, hash=intent.precondition.canary_hash)
    return msgspec.json.encode(mark).decode()


def _old(text: object, now: float) -> bool:
    """Whether nobody can mean it any more; what cannot be read is left to whoever wrote it."""
    try:
        return msgspec.json.decode(text if isinstance(text, str) else "", type=Acknowledgement).at < now - KEPT_SECONDS
    except msgspec.MsgspecError:
        return False
