"""What all workers and operators share: ConfigMaps in the namespace ``opsroom``, and the decider's mark on workloads.

Freeze, acknowledgement and quarantine do not stand on the workloads, so they need no right to patch those and
survive an undo. The hold's parameter map is the queue's off switch: without it the admission policy holds nothing.
The mark of the decider is written when what it says changes, never for a new score.
"""

from __future__ import annotations

import msgspec

from opsroom.delivery import raw
from opsroom.delivery.doors import MERGE, Now, Raw, Reader, Writer
from opsroom.delivery.kinds import path_of
from opsroom.domain.approval import Approval
from opsroom.domain.board import Freeze
from opsroom.domain.clean import clean
from opsroom.domain.deed import target_of
from opsroom.domain.marks import VERDICT, VerdictMark
from opsroom.domain.rollout import Rollout
from opsroom.errors import Conflict, Gone
from opsroom.kube.failures import NotServed

NAMESPACE = "opsroom"
FREEZE = "opsroom-freeze"
ACKNOWLEDGED = "opsroom-acknowledged"
APPROVED = "opsroom-approved"
QUARANTINE = "opsroom-quarantine"
HOLD = "opsroom-hold"

MAPS = f"/api/v1/namespaces/{NAMESPACE}/configmaps"


class Acknowledgement(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A person has seen a flag and deals with it."""

    by: str
    at: float
    hash: str
    """Of the canary it speaks of."""


async def read_map(reader: Reader, name: str) -> dict[str, str] | None:
    """The data of a ConfigMap of ours; None when it does not exist.

    Raises:
        NotPermitted, Unreachable, Unauthorized: as the reader does.
    """
    try:
        found: Raw = await reader.get(f"{MAPS}/{name}", dict)
    except NotServed:
        raise  # not the map is missing, but the server out of order: no freeze is over for that
    except Gone:
        return None
    data = raw.table(found, "data")
    return {key: text for key, text in data.items() if isinstance(text, str)}


async def write_map(writer: Writer, name: str, data: dict[str, str | None]) -> None:
    """Set keys of a ConfigMap (None removes one), and make the map where there is none.

    Raises:
        as the writer does.
    """
    try:
        await writer.patch(f"{MAPS}/{name}", {"data": data}, content_type=MERGE)
    except Gone:
        present = {key: text for key, text in data.items() if text is not None}
        body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "namespace": NAMESPACE}}
        try:
            await writer.post(MAPS, {**body, "data": present})
        except Conflict:
            await writer.patch(f"{MAPS}/{name}", {"data": data}, content_type=MERGE)


async def remove_map(writer: Writer, name: str) -> bool:
    """Delete a ConfigMap of ours; False when there was none."""
    try:
        await writer.delete(f"{MAPS}/{name}")
    except Gone:
        return False
    return True


async def read_freeze(reader: Reader) -> Freeze | None:
    """The freeze in force, or None. A map that cannot be read as one still freezes: somebody meant it."""
    data = await read_map(reader, FREEZE)
    if data is None:
        return None
    try:
        since = float(data.get("since", ""))
    except ValueError:
        since = 0.0
    return Freeze(by=clean(data.get("by", "")), since=since, reason=clean(data.get("reason", "")))


async def freeze(writer: Writer, by: str, reason: str, now: Now) -> None:
    """Stop automatic deeds for everybody."""
    await write_map(writer, FREEZE, {"by": by, "since": f"{now():.3f}", "reason": reason})


async def freeze_too(writer: Writer, standing: Freeze, by: str, reason: str) -> None:
    """Add a reason to the freeze that stands; who froze first and since when stays."""
    added = f"{by}: {reason}"
    if reason and added not in standing.reason:
        await write_map(writer, FREEZE, {"reason": "; ".join(part for part in (standing.reason, added) if part)})


async def thaw(writer: Writer) -> bool:
    """Resume automatic deeds; False when nothing was frozen."""
    return await remove_map(writer, FREEZE)


async def queue_off(writer: Writer) -> bool:
    """Nothing is held at admission any more; False when nothing was."""
    return await remove_map(writer, HOLD)


async def queue_on(writer: Writer) -> None:
    """The admission policy holds new rollouts again."""
    await write_map(writer, HOLD, {"mode": "hold"})


async def read_acknowledged(reader: Reader) -> dict[str, Acknowledgement]:
    """Every acknowledgement, by uid; what cannot be read is passed over."""
    data = await read_map(reader, ACKNOWLEDGED) or {}
    found: dict[str, Acknowledgement] = {}
    for uid, text in data.items():
        try:
            mark = msgspec.json.decode(text, type=Acknowledgement)
        except (msgspec.MsgspecError, RecursionError):
            continue
        found[uid] = msgspec.structs.replace(mark, by=clean(mark.by))
    return found


async def read_approved(reader: Reader) -> dict[str, Approval]:
    """Every approval of a first person, by uid; what cannot be read is passed over."""
    data = await read_map(reader, APPROVED) or {}
    return {uid: found for uid, text in data.items() if (found := approval(text)) is not None}


def approval(text: object) -> Approval | None:
    """One approval as it is stored, its name cleaned; None for anything else."""
    try:
        found = msgspec.json.decode(text if isinstance(text, str) else "", type=Approval)
    except (msgspec.MsgspecError, RecursionError):
        return None
    return msgspec.structs.replace(found, by=clean(found.by))


async def write_verdict(writer: Writer, rollout: Rollout, mark: VerdictMark, standing: VerdictMark | None) -> bool:
    """Put the decider's mark on the workload where it says something else than the ``standing`` one.

    Valid only for the object as it was seen: after a ``Conflict`` the next tick tries again.

    Raises:
        Conflict, NotPermitted, Gone, Unreachable: as the writer does.
    """
    if standing == mark:
        return False
    body = {
        "metadata": {
            "resourceVersion": rollout.resource_version,
            "annotations": {VERDICT: msgspec.json.encode(mark).decode()},
        }
    }
    await writer.patch(path_of(target_of(rollout)), body, content_type=MERGE)
    return True
