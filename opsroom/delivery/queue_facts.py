"""What the queue needs of the cluster: its state, the quarantine, who may jump it, and whether admission holds.

All of it stands in ConfigMaps of the namespace ``opsroom`` or is asked of the API server, so every worker sees the
same queue and none of it is lost with a worker.
"""

from __future__ import annotations

import msgspec

from opsroom.delivery import raw
from opsroom.delivery.doors import Raw, Reader, Writer
from opsroom.delivery.shared import HOLD, NAMESPACE, QUARANTINE, read_map, write_map
from opsroom.domain.marks import QUEUE as ENABLED
from opsroom.domain.quarantine import Quarantined
from opsroom.domain.queue import QueueState
from opsroom.errors import Gone

QUEUE = "opsroom-queue"
POLICY = "opsroom-policy"
POLICY_KEY = "policy.toml"
POLICY_NAME = f"ConfigMap {NAMESPACE}/{POLICY}"
"""What stands for a file's name in what is said about it."""

_ADMISSION = "/apis/admissionregistration.k8s.io/v1"
_REVIEWS = "/apis/authorization.k8s.io/v1/subjectaccessreviews"


async def read_state(reader: Reader) -> QueueState:
    """What the queue as a whole does; running where nobody said, paused where somebody said something unknown."""
    said = (await read_map(reader, QUEUE) or {}).get("state", "")
    try:
        return QueueState(said) if said else QueueState.RUNNING
    except ValueError:
        # Typed by hand, and surely not to let everything start.
        return QueueState.PAUSED


async def write_state(writer: Writer, state: QueueState, by: str) -> None:
    """Run, pause, drain or freeze the queue. Switching it off is ``shared.queue_off``."""
    await write_map(writer, QUEUE, {"state": state.value, "by": by})


async def read_quarantine(reader: Reader) -> dict[str, Quarantined]:
    """Quarantined versions by uid; of an entry that cannot be read any version is."""
    data = await read_map(reader, QUARANTINE) or {}
    found: dict[str, Quarantined] = {}
    for uid, text in data.items():
        try:
            found[uid] = msgspec.json.decode(text, type=Quarantined)
        except (msgspec.MsgspecError, RecursionError):
            found[uid] = Quarantined(hash=None, at=0.0)
    return found


async def write_quarantine(writer: Writer, changes: dict[str, Quarantined | None]) -> None:
    """Put versions into quarantine; None lifts one."""
    data = {uid: None if one is None else msgspec.json.encode(one).decode() for uid, one in changes.items()}
    await write_map(writer, QUARANTINE, data)


async def read_policy(reader: Reader) -> str | None:
    """The text of the cluster's own policy; None where there is none, empty where its key is missing."""
    data = await read_map(reader, POLICY)
    return None if data is None else data.get(POLICY_KEY, "")


async def enabled_namespaces(reader: Reader) -> frozenset[str]:
    """The namespaces that take part in the queue.

    Raises:
        NotPermitted, Unreachable: nobody would say.
    """
    answer: Raw = await reader.get("/api/v1/namespaces", dict, {"labelSelector": f"{ENABLED}=enabled"})
    return frozenset(raw.text(one, "metadata", "name") for one in raw.items(answer, "items"))


async def switched_on(reader: Reader) -> bool:
    """Whether anything is to be held at all: the parameter map of the hold is the switch for every kind of hold."""
    return await read_map(reader, HOLD) is not None


async def installed(reader: Reader) -> bool:
    """Whether the admission policy and its binding are there.

    Raises:
        NotPermitted, Unreachable: nobody would say.
    """
    try:
        for path in (
            f"{_ADMISSION}/mutatingadmissionpolicies/{HOLD}",
            f"{_ADMISSION}/mutatingadmissionpolicybindings/{HOLD}",
        ):
            await reader.get(path, dict)
    except Gone:
        return False
    return True


async def may_jump(writer: Writer, user: str, namespace: str) -> bool:
    """Whether ``user`` has the right ``create hotfixes.opsroom.dev``, a virtual resource in RBAC.

    Raises:
        NotPermitted: we may not ask for others (``create subjectaccessreviews``).
    """
    attributes = {"namespace": namespace, "verb": "create", "group": "opsroom.dev", "resource": "hotfixes"}
    body: Raw = {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SubjectAccessReview",
        "spec": {"user": user, "resourceAttributes": attributes},
    }
    return raw.flag(await writer.post(_REVIEWS, body), "status", "allowed")
