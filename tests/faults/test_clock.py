"""A wall clock that is set back or forward, and a machine that slept: nothing old looks new, nothing waits for ever."""

from __future__ import annotations

import asyncio
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

NOW = 1_000_000.0


@pytest.mark.parametrize("hours", [-1, 1])
def test_a_verdict_from_before_the_clock_was_set_says_nothing(hours: int) -> None:
    verdict = Verdict(uid=Uid("u"), at=NOW, state=VerdictState.HEALTHY, score=0.05)
    assert unknown(verdict, NOW + 5.0, 2.0) == ""
    assert unknown(verdict, NOW + 3600.0 * hours, 2.0) == UnknownReason.STALE


def test_an_answer_of_the_future_has_no_age() -> None:
    state = SourceState(name="kube", interval=10.0, at=NOW)
    assert SetClock().dated(state, NOW + 3.0).at == NOW
    assert SetClock().dated(state, NOW - 3600.0).at is None


@pytest.mark.parametrize("by", [-3600.0, -30.0, 30.0, 3600.0])
def test_what_was_dated_before_the_clock_was_set_has_no_age_until_it_is_learned_anew(by: float) -> None:
    steady = [50.0]
    clock, state = SetClock(lambda: steady[0]), SourceState(name="kube", interval=10.0, at=NOW)
    assert not clock.look(NOW, [state])
    steady[0] += 100.0
    assert clock.look(NOW + 100.0 + by, [state])
    assert clock.dated(state, NOW + 100.0 + by).at is None
    steady[0] += 2.0
    now = NOW + 102.0 + by
    assert not clock.look(now, [state])
    assert clock.dated(state, now).at is None
    again = SourceState(name="kube", interval=10.0, at=now - 1.0)
    assert clock.dated(again, now).at == now - 1.0


def test_sleeping_and_slewing_are_no_setting() -> None:
    steady = [50.0]
    clock, state = SetClock(lambda: steady[0]), SourceState(name="kube", interval=10.0, at=NOW)
    clock.look(NOW, [state])
    steady[0] += 3600.0
    assert not clock.look(NOW + 3600.5, [state])
    assert clock.dated(state, NOW + 3600.5).at == NOW


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
