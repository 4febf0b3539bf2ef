"""Leadership: two candidates, one Lease, clocks that do not agree, and a holder that was stopped."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from opsroom.delivery.lease import DURATION, RENEW_WITHIN, Lease
from opsroom.errors import OpsroomError, Unreachable

Sim = Any


class Cut:
    """A line to the API server that can be cut."""

    def __init__(self, inner: Any) -> None:
        self.inner = inner
        self.cut = False

    def __getattr__(self, name: str) -> Any:
        async def call(*words: Any, **more: Any) -> Any:
            if self.cut:
                raise Unreachable("cut")
            return await getattr(self.inner, name)(*words, **more)

        return call


class Two:
    """Two candidates with clocks of their own."""

    def __init__(self, sim: Sim) -> None:
        self.time = 1000.0
        self.lines = [Cut(sim.reader), Cut(sim.writer)]
        clock = lambda: self.time  # noqa: E731
        self.ada = Lease(self.lines[0], self.lines[1], "ada", clock=clock, now=sim.clock)
        # Bob's wall clock is an hour ahead, which must not matter.
        self.bob = Lease(sim.reader, sim.writer, "bob", clock=clock, now=lambda: sim.clock() + 3600.0)


@pytest.fixture
def two(sim: Sim) -> Two:
    """Nobody holds anything yet."""
    return Two(sim)


def test_the_first_one_takes_it_and_the_second_one_sees_who(sim: Sim, two: Two) -> None:
    async def main() -> None:
        await two.ada.step()
        await two.bob.step()

    sim.run(main())
    assert (two.ada.held, two.bob.held) == (True, False)
    assert two.bob.decider().identity == "ada"
    assert two.ada.decider().me
    spec = sim.cluster.store.get("leases", "opsroom", "opsroom-decider")["spec"]
    assert (spec["leaseTransitions"], spec["leaseDurationSeconds"]) == (0, DURATION)
    assert spec["renewTime"].endswith("Z")
    assert len(spec["renewTime"]) == len("2026-01-02T03:04:05.000000Z")


def test_a_holder_that_renews_keeps_it(sim: Sim, two: Two) -> None:
    async def main() -> None:
        for _ in range(20):
            await two.ada.step()
            await two.bob.step()
            two.time += 2.0
            sim.clock.move(sim.clock() + 2.0)

    sim.run(main())
    assert two.ada.held
    assert two.ada.transitions == 0


def test_a_holder_that_cannot_renew_stops_before_another_one_begins(sim: Sim, two: Two) -> None:
    overlap, gap = [], []

    async def main() -> None:
        await two.ada.step()
        two.lines[0].cut = two.lines[1].cut = True
        for _ in range(40):
            two.time += 0.5
            await two.ada.step()
            await two.bob.step()
            overlap.append(two.ada.held and two.bob.held)
            gap.append(not two.ada.held and not two.bob.held)

    sim.run(main())
    assert not any(overlap)
    assert gap.count(True) * 0.5 >= DURATION - RENEW_WITHIN - 0.5
    assert two.bob.held
    assert two.bob.transitions == 1


def test_a_stopped_process_that_is_resumed_knows_at_once(sim: Sim, two: Two) -> None:
    sim.run(two.ada.step())
    assert two.ada.held
    two.time += RENEW_WITHIN + 0.1
    assert not two.ada.held


def test_a_resumed_holder_finds_the_new_one_and_does_not_take_it_back(sim: Sim, two: Two) -> None:
    async def main() -> None:
        await two.ada.step()
        await two.bob.step()
        two.time += DURATION + 1
        await two.bob.step()
        await two.ada.step()

    sim.run(main())
    assert (two.ada.held, two.bob.held) == (False, True)
    assert two.ada.decider().identity == "bob"


def test_an_answer_that_took_long_does_not_lengthen_the_lease(sim: Sim, two: Two) -> None:
    class Slow(Cut):
        async def post(self, *words: Any) -> Any:
            answer = await self.inner.post(*words)
            two.time += 9.0
            return answer

    two.ada._writer = Slow(sim.writer)
    sim.run(two.ada.step())
    two.time += 1.5
    assert not two.ada.held


def test_release_lets_the_next_one_begin_at_once(sim: Sim, two: Two) -> None:
    async def main() -> None:
        await two.ada.step()
        await two.ada.release()
        await two.bob.step()

    sim.run(main())
    assert (two.ada.held, two.bob.held) == (False, True)
    assert two.bob.transitions == 1


def test_a_restart_under_the_same_name_is_a_new_holder(sim: Sim, two: Two) -> None:
    sim.run(two.ada.step())
    again = Lease(sim.reader, sim.writer, "ada", clock=lambda: two.time, now=sim.clock)
    sim.run(again.step())
    assert again.held
    assert again.transitions == 1


def test_two_that_find_it_free_at_once_do_not_both_get_it(sim: Sim, two: Two) -> None:
    async def main() -> None:
        await two.ada.step()
        await two.ada.release()
        await asyncio.gather(two.ada.step(), two.bob.step())

    sim.run(main())
    assert [two.ada.held, two.bob.held].count(True) == 1


def test_a_deleted_lease_is_made_anew(sim: Sim, two: Two) -> None:
    async def main() -> None:
        await two.ada.step()
        sim.cluster.store.delete("leases", "opsroom", "opsroom-decider")
        two.time += RENEW_WITHIN + 1
        await two.ada.step()

    sim.run(main())
    assert two.ada.held


def test_a_holder_whose_lease_is_deleted_holds_nothing_before_another_one_begins(sim: Sim, two: Two) -> None:
    async def main() -> None:
        await two.ada.step()
        sim.cluster.store.delete("leases", "opsroom", "opsroom-decider")
        two.time += 2.0
        await two.ada.step()
        await two.bob.step()

    sim.run(main())
    assert (two.ada.held, two.bob.held) == (False, True)


def test_why_it_fails_is_kept_for_people(sim: Sim, two: Two) -> None:
    two.lines[0].cut = True
    sim.run(two.ada.step())
    assert "cut" in two.ada.error
    assert not two.ada.held
    assert two.ada.decider().identity == ""


def test_an_observer_sees_the_holder_without_writing(sim: Sim, two: Two) -> None:
    async def main() -> None:
        await two.bob.watch()
        assert two.bob.decider().identity == ""
        await two.ada.step()
        await two.bob.watch()

    sim.run(main())
    assert two.bob.decider().identity == "ada"
    assert two.bob.changed.is_set()


def test_running_is_stepping_until_cancelled(sim: Sim, two: Two) -> None:
    waits: list[float] = []

    async def wait(seconds: float) -> None:
        waits.append(seconds)
        if len(waits) == 3:
            raise OpsroomError("enough")

    with pytest.raises(OpsroomError, match="enough"):
        sim.run(two.ada.run(wait))
    assert waits == [2.0, 2.0, 2.0]


def test_what_a_holder_has_done_stands_until_the_next_one_has_read_it(sim: Sim, two: Two) -> None:
    async def main() -> None:
        await two.ada.step()
        two.ada.note("ada's deeds")
        assert await two.ada.noted()
        two.time += DURATION + 1
        await two.bob.step()
        two.time += DURATION + 1
        await two.bob.step()
        assert (two.bob.held, two.bob.acts) == (True, "ada's deeds")
        two.time += 2.0
        await two.bob.step()
        assert two.bob.acts == "ada's deeds"
        two.bob.note("bob's deeds")
        assert await two.bob.noted()

    sim.run(main())
    lease = sim.cluster.store.get("leases", "opsroom", "opsroom-decider")
    assert lease["metadata"]["annotations"] == {"opsroom.dev/acts": "bob's deeds"}


def test_a_deed_is_not_counted_by_a_holder_who_cannot_write_it_down(sim: Sim, two: Two) -> None:
    async def main() -> list[bool]:
        await two.ada.step()
        two.ada.note("one deed")
        for line in two.lines:
            line.cut = True
        cut = await two.ada.noted()
        for line in two.lines:
            line.cut = False
        return [cut, await two.ada.noted()]

    assert sim.run(main()) == [False, True]


def test_a_renewal_and_a_count_at_the_same_moment_do_not_cost_the_lease(sim: Sim, two: Two) -> None:
    async def main() -> None:
        await two.ada.step()
        for number in range(20):
            two.ada.note(str(number))
            await asyncio.gather(two.ada.step(), two.ada.noted(), two.ada.step())
            assert two.ada.held
            assert two.ada.acts == str(number)

    sim.run(main())


def test_old_notes_of_ours_do_not_wipe_out_what_another_holder_did(sim: Sim, two: Two) -> None:
    async def main() -> None:
        await two.ada.step()
        two.ada.note("before")
        await two.ada.noted()
        two.time += DURATION + 1
        await two.bob.step()
        two.time += DURATION + 1
        await two.bob.step()
        two.bob.note("in between")
        await two.bob.noted()
        await two.bob.release()
        await two.ada.step()
        two.time += DURATION + 1
        await two.ada.step()
        assert (two.ada.held, two.ada.acts) == (True, "in between")

    sim.run(main())
