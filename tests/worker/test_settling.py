"""Who looks after what was left open: whoever decides ends it, others show it, and only where nobody else does."""

from __future__ import annotations

import asyncio
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from opsroom.delivery.journal import Journal
from opsroom.domain.board import Decider, Freeze, Mode
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
