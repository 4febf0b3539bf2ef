"""Release everything that the queue holds: works without worker and feed, from the marks on the workloads alone.

A kill switch must not strand what is held, so this needs nothing but the right to patch. Each object is released by
the same deed as any other; what has changed meanwhile is looked at again or refused on its own.
"""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator, Sequence

from opsroom.delivery import raw
from opsroom.delivery.deliver import Hands, carry_out, prepare
from opsroom.delivery.doors import Raw, Reader
from opsroom.domain.clean import clean
from opsroom.domain.deed import Deed, Intent, Precondition, Target, Verb
from opsroom.domain.marks import CANARY_OF, QUEUE
from opsroom.domain.rollout import Engine, Shape, Uid
from opsroom.errors import Gone

_KINDS = (
    ("argoproj.io/v1alpha1", "rollouts", Engine.ARGO),
    ("apps/v1", "deployments", Engine.DEPLOYMENT),
    ("flagger.app/v1beta1", "canaries", Engine.FLAGGER),
)


async def held_targets(reader: Reader, namespaces: Sequence[str] = ()) -> list[Target]:
    """Everything that bears the queue's mark, in ``namespaces`` (none: in all).

    Raises:
        NotPermitted, Unreachable, Unauthorized: as the reader does. Kinds that are not installed are passed over.
    """
    found: list[Target] = []
    for group, plural, engine in _KINDS:
        for place in [f"namespaces/{name}/{plural}" for name in namespaces] or [plural]:
            try:
                answer: Raw = await reader.get(f"/apis/{group}/{place}", dict)
            except Gone:
                continue
            marked = (one for one in raw.items(answer, "items") if raw.annotation(one, QUEUE))
            found.extend(_target(one, engine) for one in marked)
    return found


def _target(one: Raw, engine: Engine) -> Target:
    blue_green = bool(raw.table(one, "spec", "strategy", "blueGreen"))
    shape = Shape.BLUE_GREEN if blue_green else Shape.CANARY
    if engine is Engine.DEPLOYMENT:
        named = raw.annotation(one, CANARY_OF) or raw.text(one, "metadata", "labels", CANARY_OF)
        shape = Shape.PAIR if named else Shape.ROLLING
    return Target(
        uid=Uid(raw.text(one, "metadata", "uid")),
        engine=engine,
        shape=shape,
        namespace=clean(raw.text(one, "metadata", "namespace")),
        name=clean(raw.text(one, "metadata", "name")),
    )


async def release_all(
    hands: Hands, actor: str, reason: str = "", namespaces: Sequence[str] = ()
) -> AsyncIterator[Deed]:
    """Release what is held, one after the other; yields the last state of each deed."""
    for target in await held_targets(hands.reader, namespaces):
        intent = Intent(
            id=uuid.uuid4().hex,
            verb=Verb.RELEASE,
            target=target,
            precondition=Precondition(),
            actor=actor,
            at=hands.now(),
            reason=reason,
        )
        ready = await prepare(intent, hands)
        if isinstance(ready, Deed):
            yield ready
            continue
        last = ready.deed
        async for later in carry_out(ready, hands):
            last = later
        yield last
