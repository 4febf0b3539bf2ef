"""Release everything that the queue holds: works without worker and feed, from the marks on the workloads alone.

A kill switch must not strand what is held, so this needs nothing but the right to patch. Each object is released by
the same deed as any other; what has changed meanwhile is looked at again or refused on its own.
"""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator, Iterable, Sequence

import msgspec

from opsroom.delivery import raw
from opsroom.delivery.deliver import carry_out
from opsroom.delivery.doors import Raw, Reader
from opsroom.delivery.hands import Hands
from opsroom.delivery.kinds import KINDS
from opsroom.delivery.prepare import prepare
from opsroom.domain.clean import clean
from opsroom.domain.deed import Deed, Intent, Precondition, Target, Verb
from opsroom.domain.marks import CANARY_OF, QUEUE
from opsroom.domain.rollout import Engine, Shape, Uid
from opsroom.errors import Gone, OpsroomError
from opsroom.kube.served import absent

PAGE = "500"
"""Objects in one answer."""


class Unread(msgspec.Struct, frozen=True, kw_only=True):
    """A place that could not be looked at: what is held there is not known."""

    plural: str
    namespace: str
    """Empty: all of them."""
    error: OpsroomError


class Held(msgspec.Struct, frozen=True, kw_only=True):
    """What bears the queue's mark, and where nobody could look for it."""

    targets: tuple[Target, ...] = ()
    unread: tuple[Unread, ...] = ()


async def held_targets(reader: Reader, namespaces: Sequence[str] = ()) -> Held:
    """Everything that bears the queue's mark, in ``namespaces`` (none: in all).

    One kind that is forbidden must not strand the others: it is told in ``unread``. Never raises ``OpsroomError``;
    kinds that are not installed are passed over.
    """
    found: list[Target] = []
    unread: list[Unread] = []
    for engine, kind in KINDS.items():
        for name in namespaces or [""]:
            place = f"namespaces/{name}/" if name else ""
            try:
                async for one in _marked(reader, f"/apis/{kind.api}/{place}{kind.plural}"):
                    found.append(_target(one, engine))  # noqa: PERF401 - what was read before an error counts
            except OpsroomError as error:
                if isinstance(error, Gone) and await absent(reader, f"/apis/{kind.api}/{kind.plural}"):
                    continue
                unread.append(Unread(plural=kind.plural, namespace=name, error=error))
    return Held(targets=tuple(found), unread=tuple(unread))


async def _marked(reader: Reader, path: str) -> AsyncIterator[Raw]:
    """What bears the queue's mark at ``path``, page by page: a fleet is larger than one answer should be."""
    token = ""
    while True:
        params = {"limit": PAGE, **({"continue": token} if token else {})}
        answer: Raw = await reader.get(path, dict, params)
        for one in raw.items(answer, "items"):
            if raw.annotation(one, QUEUE):
                yield one
        token = raw.text(answer, "metadata", "continue")
        if not token:
            return


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


async def release_all(hands: Hands, actor: str, targets: Iterable[Target], reason: str = "") -> AsyncIterator[Deed]:
    """Release ``targets``, one after the other; yields the last state of each deed, whatever became of the others."""
    for target in targets:
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
