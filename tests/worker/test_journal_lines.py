"""Decisions on their way to the journal: a disk that is full for a while costs no line, and is said for as long."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from opsroom.config.settings import Settings
from opsroom.delivery.journal import read
from opsroom.domain.board import Mode
from opsroom.domain.decision import Decision, FlagReason, Outcome
from opsroom.domain.rollout import Engine, Phase, Rollout, Shape, Uid
from opsroom.feed.published import Published
from opsroom.worker import work as module
from opsroom.worker.situation import JOURNAL
from opsroom.worker.work import Work

ROLLOUT = Rollout(
    uid=Uid("u"), engine=Engine.ARGO, shape=Shape.CANARY, namespace="shop", name="cart", phase=Phase.PAUSED
)


async def until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(60):
        while not true():  # noqa: ASYNC110 - a disk sets no event
            await asyncio.sleep(0.001)


def test_no_line_is_lost_while_the_disk_takes_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "WRITE_AGAIN", 0.001)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    path = tmp_path / "journal.jsonl"
    path.mkdir()

    async def run() -> None:
        work = Work(Settings(), Mode.ADVISE, path, Published())
        troubles = work.loop.situation.troubles
        for reason in (FlagReason.NO_DATA, FlagReason.INCONCLUSIVE):
            work._decided(Decision(uid=Uid("u"), outcome=Outcome.FLAG, at=1.0, flag=reason), ROLLOUT)
        writing = asyncio.ensure_future(work._write_lines())
        await until(lambda: JOURNAL in troubles)
        path.rmdir()
        await until(lambda: JOURNAL not in troubles and len(list(read(path))) == 2)
        writing.cancel()
        await asyncio.gather(writing, return_exceptions=True)

    asyncio.run(run())
    flags = [entry.decision.flag for entry in read(path) if entry.decision is not None]
    assert flags == [FlagReason.NO_DATA, FlagReason.INCONCLUSIVE]
