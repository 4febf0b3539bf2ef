"""A request rests on a fresh look, also where time went by since: a stopped process, a slow disk, a waiting person."""

from __future__ import annotations

from typing import Any

import pytest

from opsroom.delivery.journal import Entry
from opsroom.delivery.send import LOOK_KEEPS
from opsroom.domain.deed import DeedState, Verb

Sim = Any


@pytest.mark.parametrize(("seconds", "fresh"), [(LOOK_KEEPS - 1.0, False), (LOOK_KEEPS + 1.0, True), (-60.0, True)])
@pytest.mark.parametrize("automatic", [False, True])
def test_what_was_seen_too_long_ago_is_looked_at_again_before_anything_is_sent(
    seconds: float, fresh: bool, automatic: bool, sim: Sim
) -> None:
    sim.rollout()
    sim.set_image("rollouts", "cart", "registry/app:v2")
    sim.cluster.pass_time(30)
    write, moved = sim.journal.write, [0.0]

    def slow(entry: Entry) -> None:
        if not moved[0]:
            moved[0] = seconds
            sim.cluster.store.merge("rollouts", "shop", "cart", {"metadata": {"annotations": {"somebody": "was here"}}})
        write(entry)

    sim.journal.write = slow
    intent = sim.intent(Verb.ROLL_BACK, automatic=automatic, fencing=1 if automatic else None)
    deeds = sim.run(sim.deliver(intent, now=lambda: sim.clock() + moved[0]))
    assert deeds[-1].state is DeedState.DONE
    # A look that is still fresh enough may be behind: then the server refuses, and it is looked at again.
    assert len([path for path, _ in sim.writer.sent if "/cart" in path]) == (1 if fresh else 2)
