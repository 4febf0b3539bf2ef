"""One key of one of our ConfigMaps: what people tell each other of a rollout without touching its workload.

The key is the workload's uid. A merge patch of one key, so that two people who write at once do not meet; what is old
goes with the next write. What the text means is the engine's.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from opsroom.delivery import raw
from opsroom.delivery.doors import Raw, Reader
from opsroom.delivery.plan import Need, Plan, Request, Sight
from opsroom.delivery.shared import MAPS, NAMESPACE
from opsroom.domain.deed import Effect
from opsroom.domain.rollout import Uid
from opsroom.errors import Gone


@dataclass(frozen=True, slots=True)
class SharedMap:
    """The ConfigMap of that name; in a ``Sight`` of it the target is empty where there is none."""

    name: str

    async def look(self, reader: Reader) -> Sight:
        """Read it."""
        try:
            found: Raw = await reader.get(f"{MAPS}/{self.name}", dict)
        except Gone:
            found = {}
        return Sight(target=found)

    def text(self, sight: Sight, uid: Uid) -> object:
        """What stands there for ``uid``; None for nothing."""
        return raw.table(sight.target, "data").get(uid)

    def plan(self, sight: Sight, uid: Uid, text: str, old: Callable[[object], bool]) -> Plan:
        """Put ``text`` there for ``uid``, and take away what ``old`` says is for nothing any more."""
        data: dict[str, str | None] = {
            key: None for key, former in raw.table(sight.target, "data").items() if old(former)
        }
        data[uid] = text
        new = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": self.name, "namespace": NAMESPACE}}
        request = Request(
            path=f"{MAPS}/{self.name}",
            body={"data": data},
            need=Need(group="", resource="configmaps", namespace=NAMESPACE, name=self.name),
            collection=MAPS,
            new={**new, "data": {uid: text}},
        )
        return Plan(effect=Effect.MARK, request=request)
