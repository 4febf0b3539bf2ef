"""Which of two people somebody is: the first, whose ``p`` becomes an approval, or the second, whose ``p`` acts.

Asked after the promotion itself was looked at and would be accepted, so that nobody approves what cannot be done. Names
are those by which the API server knows people; without one nobody can be told from anybody else, and it is refused.
"""

from __future__ import annotations

import msgspec

from opsroom.delivery.doors import Now, Reader
from opsroom.delivery.plan import Refused
from opsroom.delivery.shared import read_approved
from opsroom.domain.approval import covers
from opsroom.domain.deed import Intent, Refusal, Verb


async def turn(intent: Intent, user: str, reader: Reader, now: Now) -> Intent | Refused:
    """What the promotion ``intent`` is for ``user``: itself with the first person's name, or an approval.

    Raises:
        NotPermitted, Unreachable, Unauthorized: the approvals cannot be read.
    """
    if not user:
        return Refused(refusal=Refusal.UNNAMED)
    if not intent.precondition.canary_hash:
        return Refused(refusal=Refusal.NOT_OBSERVED)
    first = (await read_approved(reader)).get(intent.target.uid)
    if first is None or not covers(first, intent, now()):
        return msgspec.structs.replace(intent, verb=Verb.APPROVE, approves=intent.verb)
    if first.by == user:
        return Refused(refusal=Refusal.SAME_PERSON)
    return msgspec.structs.replace(intent, approved_by=first.by)
