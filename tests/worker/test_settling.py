"""Who looks after what was left open: whoever decides ends it, others show it, and only where nobody else does."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from opsroom.delivery.journal import Entry, Journal
from opsroom.domain.board import Decider, Freeze, Mode
from opsroom.domain.deed import Deed, DeedState, Intent, Precondition, Target, Verb
from opsroom.domain.rollout import Engine, Shape, Uid
from opsroom.worker.settling import Settling
from opsroom.worker.situation import Situation


@pytest.mark.parametrize(
    ("may_act", "decider", "frozen", "known", "looked"),
    [
        (True, Decider(identity="me", me=True), False, True, "acts"),
        (True, Decider(identity="me", me=True), True, True, ""),
        (True, Decider(identity="me", me=True), False, False, ""),
        (False, Decider(identity="me", me=True), False, True, "shows"),
        (False, Decider(identity="other"), False, True, ""),
        (False, Decider(), False, True, "shows"),
        (False, Decider(), True, True, "shows"),
    ],
)
def test_whoever_decides_ends_it_and_others_show_it_where_nobody_does(
    tmp_path: Path, may_act: bool, decider: Decider, frozen: bool, known: bool, looked: str
) -> None:
    outside: Any = SimpleNamespace(
        identity="me",
        may_act=may_act,
        reader=object(),
        writer=object(),
        lease=SimpleNamespace(held=True),
        cluster=SimpleNamespace(listed=True),
        decider=lambda: decider,
    )
    sharing: Any = SimpleNamespace(freeze=Freeze(by="ada", since=1.0) if frozen else None, freeze_known=known)
    journal = Journal(tmp_path / "worker.jsonl", "w")
    automatic: Any = SimpleNamespace()
    settling = Settling(outside, sharing, automatic, journal, Situation, lambda _deed: None, Mode.AUTO)
    seen: list[str] = []

    class Leftovers:
        async def look(self, _situation: Any, _cluster: Any, hands: Any, _now: float) -> None:
            seen.append("shows" if hands is None else "acts")

    settling._leftovers = Leftovers()  # type: ignore[assignment]
    asyncio.run(settling.look())
    assert seen == ([looked] if looked else [])


def test_our_own_open_deeds_are_taken_up_once_and_never_those_that_this_process_follows(tmp_path: Path) -> None:
    outside: Any = SimpleNamespace(
        identity="me",
        may_act=True,
        reader=object(),
        writer=object(),
        lease=SimpleNamespace(held=True),
        cluster=None,
        decider=Decider,
    )
    followed: list[str] = []
    automatic: Any = SimpleNamespace(follow=lambda _uid, _states, intent: followed.append(intent.id))
    journal = Journal(tmp_path / "worker.jsonl", "me")
    journal.path.mkdir()
    sharing: Any = SimpleNamespace(freeze=None, freeze_known=True)
    settling = Settling(outside, sharing, automatic, journal, Situation, lambda _deed: None, Mode.AUTO)
    asyncio.run(settling.look())
    assert followed == [], "a journal that cannot be read ends nothing"
    journal.path.rmdir()
    target = Target(uid=Uid("u"), engine=Engine.ARGO, shape=Shape.CANARY, namespace="shop", name="cart")
    for actor in ("before", "me"):
        intent = Intent(
            id=actor,
            verb=Verb.PROMOTE,
            target=target,
            precondition=Precondition(canary_hash="new"),
            actor=actor,
            at=time.time(),
            automatic=True,
        )
        journal.write(Entry(at=intent.at, writer="", deed=Deed(intent=intent, state=DeedState.SENT, at=intent.at)))
    asyncio.run(settling.look())
    asyncio.run(settling.look())
    assert followed == ["before"]
