"""What the queue needs of the cluster: its state, the quarantine, who may jump it, and whether admission holds.

All of it stands in ConfigMaps of the namespace ``opsroom`` or is asked of the API server, so every worker sees the
same queue and none of it is lost with a worker.
"""

from __future__ import annotations

import msgspec

from opsroom.delivery import raw
from opsroom.delivery.doors import Raw, Reader, Writer
from opsroom.delivery.shared import HOLD, QUARANTINE, read_map, write_map
from opsroom.domain.queue import QueueState
from opsroom.errors import Gone

QUEUE = "opsroom-queue"
_ADMISSION = "/apis/admissionregistration.k8s.io/v1"
_REVIEWS = "/apis/authorization.k8s.io/v1/subjectaccessreviews"


class Quarantine(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A version that was rolled back automatically."""

    hash: str
    at: float
    stable: str = ""
    """Hash of the stable revision then."""
    rollout: str = ""
    """``namespace/name``, for people."""


async def read_state(reader: Reader) -> QueueState:
    """What the queue as a whole does; running where nobody said, or said something unknown."""
    data = await read_map(reader, QUEUE) or {}
    try:
        return QueueState(data.get("state", ""))
    except ValueError:
        return QueueState.RUNNING


async def write_state(writer: Writer, state: QueueState, by: str) -> None:
    """Run, pause, drain or freeze the queue. Switching it off is ``shared.queue_off``."""
    await write_map(writer, QUEUE, {"state": state.value, "by": by})


async def read_quarantine(reader: Reader) -> dict[str, Quarantine]:
    """Quarantined versions by uid; what cannot be read is passed over."""
    data = await read_map(reader, QUARANTINE) or {}
    found: dict[str, Quarantine] = {}
    for uid, text in data.items():
        try:
            found[uid] = msgspec.json.decode(text, type=Quarantine)
        except msgspec.MsgspecError:
            continue
    return found


async def write_quarantine(writer: Writer, changes: dict[str, Quarantine | None]) -> None:
    """Put versions into quarantine; None lifts one."""
    data = {uid: None if one is None else msgspec.json.encode(one).decode() for uid, one in changes.items()}
    await write_map(writer, QUARANTINE, data)


async def holds_at_admission(reader: Reader) -> bool:
    """Whether the admission policy, its binding and its parameter map are all there.

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
    return await read_map(reader, HOLD) is not None


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
