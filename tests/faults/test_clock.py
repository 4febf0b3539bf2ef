"""A wall clock that is set back or forward, and a machine that slept: nothing old looks new, nothing waits for ever."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest

from opsroom.clock import awake_or_not
from opsroom.control.grounds import unknown
from opsroom.domain.board import Mode
from opsroom.domain.freshness import SourceState
from opsroom.domain.rollout import Uid
from opsroom.domain.verdict import UnknownReason, Verdict, VerdictState
from opsroom.errors import Gone, NotPermitted, OpsroomError, Unreachable
from opsroom.worker.outside import KEEPS, Outside
from opsroom.worker.set_clock import SetClock
from opsroom.worker.sharing import Sharing
from opsroom.worker.situation import Situation
from opsroom.worker.source_states import SourceStates

NOW = 1_000_000.0


@pytest.mark.parametrize("hours", [-1, 1])
def test_a_verdict_from_before_the_clock_was_set_says_nothing(hours: int) -> None:
    verdict = Verdict(uid=Uid("u"), at=NOW, state=VerdictState.HEALTHY, score=0.05)
    assert unknown(verdict, NOW + 5.0, 2.0) == ""
    assert unknown(verdict, NOW + 3600.0 * hours, 2.0) == UnknownReason.STALE


@pytest.mark.parametrize("by", [-3600.0, -30.0, 0.0, 30.0, 3600.0])
def test_what_was_heard_keeps_its_age_whoever_sets_the_clock(by: float) -> None:
    steady = [150.0]
    kube = SourceState(name="kube", interval=10.0, at=50.0)
    outside = SimpleNamespace(states=lambda: (kube,))
    states = SourceStates(outside, lambda: steady[0])  # type: ignore[arg-type]
    now = NOW + by
    told = {state.name: state for state in states.all(now, Situation(judged=140.0), 10.0)}
    assert (told["kube"].at, told["score"].at) == (now - 100.0, now - 10.0)


@pytest.mark.parametrize("by", [-3600.0, -30.0, 30.0, 3600.0])
def test_a_clock_that_was_set_is_noticed_once(by: float) -> None:
    steady = [50.0]
    clock = SetClock(lambda: steady[0])
    noticed = []
    for elapsed, set_by in ((0.0, 0.0), (100.0, by), (2.0, by), (3600.0, by + 0.5)):
        steady[0] += elapsed
        noticed.append(clock.look(NOW + steady[0] + set_by))
    # A machine that slept, and a clock that is slewed, are no set clock.
    assert noticed == [False, True, False, False]


def test_the_lease_is_counted_on_a_clock_that_goes_on_while_the_machine_sleeps() -> None:
    before = awake_or_not()
    with open("/proc/uptime", encoding="ascii") as file:
        uptime = float(file.read().split()[0])
    # /proc/uptime has two digits.
    assert before - 0.02 <= uptime <= awake_or_not() + 0.02


class Maps:
    """A reader whose ConfigMaps answer, or do not."""

    def __init__(self) -> None:
        self.error: OpsroomError = Gone("none")
        self.asked = 0

    async def get(self, path: str, type_: Any, params: Any = None) -> Any:
        self.asked += 1
        raise self.error


def test_the_freeze_is_unknown_before_the_first_look_and_after_long_silence() -> None:
    async def run() -> None:
        now = [0.0]
        outside = Outside("", "", (), mode=Mode.AUTO, read_only=False)
        maps = Maps()
        outside.reader = maps  # type: ignore[assignment]
        sharing = Sharing(outside, lambda: NOW, clock=lambda: now[0])
        assert not sharing.freeze_known
        maps.error = NotPermitted("no")
        assert not await _look(sharing, maps)
        maps.error = Gone("no such map: nothing is frozen")
        assert await _look(sharing, maps)
        maps.error = Unreachable("away")
        assert await _look(sharing, maps)
        now[0] = KEEPS + 1.0
        assert not await _look(sharing, maps)
        assert "away" in sharing.error

    asyncio.run(run())


async def _look(sharing: Sharing, maps: Maps) -> bool:
    """One look of ``sharing``; whether it knows about the freeze afterwards."""
    sharing._outside.ready.set()
    before = maps.asked
    task = asyncio.ensure_future(sharing.run(lambda: None))
    while maps.asked == before:  # noqa: ASYNC110 - nothing is told
        await asyncio.sleep(0)
    for _ in range(5):
        # Nothing in it waits for anything: the rest of the look comes at once.
        await asyncio.sleep(0)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    return sharing.freeze_known
