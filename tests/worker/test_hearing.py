"""What people on this machine have done is heard from their journals: all of it, but of this cluster only."""

from __future__ import annotations

import asyncio
import time
from types import SimpleNamespace

import pytest

from opsroom.domain.board import Mode
from opsroom.domain.deed import Deed, DeedState, Intent, Precondition, Target, Verb
from opsroom.domain.rollout import Engine, Shape, Uid
from opsroom.feed.published import Published
from opsroom.worker import loop as module
from opsroom.worker.loop import Loop
from opsroom.worker.outside import Outside
from opsroom.worker.policy import PolicyInForce
from opsroom.worker.quarantine import SharedQuarantine
from opsroom.worker.queueing import Queueing
from opsroom.worker.rights import Rights
from opsroom.worker.sharing import Sharing
from opsroom.worker.standing import Standing


def deed(uid: str) -> Deed:
    target = Target(uid=Uid(uid), engine=Engine.ARGO, shape=Shape.CANARY, namespace="shop", name="cart")
    intent = Intent(id=uid, verb=Verb.PROMOTE, target=target, precondition=Precondition(), actor="ada", at=1.0)
    return Deed(intent=intent, state=DeedState.SENT, at=1.0)


def test_a_worker_hears_of_the_deeds_of_people_on_its_own_cluster_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "HEAR", 0.001)
    outside = Outside("", "", (), mode=Mode.OBSERVE, read_only=True)
    standing, sharing = Standing(outside), Sharing(outside, time.time)
    loop = Loop(
        outside,
        PolicyInForce(None),
        Published(),
        Rights(time.monotonic),
        sharing,
        Queueing(outside, sharing, standing, SharedQuarantine(outside, standing), lambda _intent: None),
        mode=Mode.OBSERVE,
        read_only=True,
        namespaces=(),
        act=lambda *_: None,
        decided=lambda *_: None,
    )
    here, elsewhere = deed("here"), deed("elsewhere")
    outside.cluster = SimpleNamespace(  # type: ignore[assignment]
        listed=False, rollouts=lambda: [SimpleNamespace(uid="here")]
    )

    async def run() -> None:
        asked = asyncio.Event()

        def news() -> list[Deed]:
            running.call_soon_threadsafe(asked.set)
            return [here, elsewhere]

        running = asyncio.get_running_loop()
        hearing = asyncio.ensure_future(loop.hear(news))
        await asyncio.sleep(0)
        assert not asked.is_set(), "before the list is whole nobody knows what is here"
        outside.cluster.listed = True  # type: ignore[misc, union-attr]
        async with asyncio.timeout(60):
            await loop.wake.wait()
        hearing.cancel()
        await asyncio.gather(hearing, return_exceptions=True)

    asyncio.run(run())
    assert [one.intent.id for one in loop.situation.deeds.latest] == ["here"]
