"""What holds for every deed: the journal first, the Lease before each request, crashes settled by state."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from opsroom.delivery.deliver import carry_out
from opsroom.delivery.follow import watch_over
from opsroom.delivery.plan import Progress, Refused
from opsroom.delivery.prepare import prepare
from opsroom.delivery.send import OVERTAKEN
from opsroom.delivery.settle import NEVER_SENT, open_deeds, settle
from opsroom.delivery.shared import read_freeze
from opsroom.domain.board import Right
from opsroom.domain.deed import Deed, DeedState, Intent, Refusal, Verb
from opsroom.domain.rollout import Engine, Shape
from opsroom.errors import Conflict, JournalError, NotPermitted, Unreachable
from opsroom.kube.failures import NotServed

Sim = Any


class Killed(BaseException):
    """``kill -9``: nothing of ours runs after it."""


def canary(sim: Sim) -> None:
    """``cart`` with v2 at the first pause."""
    sim.rollout()
    sim.set_image("rollouts", "cart", "registry/app:v2")
    sim.cluster.pass_time(30)


def events(sim: Sim) -> list[dict[str, Any]]:
    """Events of ours."""
    found = sim.cluster.store.list("events", "shop")
    return [
        event for event in found if event.get("source", {}).get("component") == "opsroom" or "opsroom" in str(event)
    ]


def test_an_unwritable_journal_refuses_promotions_and_automatic_deeds(sim: Sim) -> None:
    canary(sim)
    sim.journal.broken = JournalError("disk full")
    assert sim.run(sim.deliver(sim.intent(Verb.PROMOTE)))[-1].refusal is Refusal.JOURNAL
    automatic = sim.intent(Verb.ROLL_BACK, automatic=True, fencing=1)
    assert sim.run(sim.deliver(automatic))[-1].refusal is Refusal.JOURNAL
    assert sim.writer.sent == []


def test_a_persons_roll_back_goes_ahead_without_journal_and_leaves_an_event(sim: Sim) -> None:
    canary(sim)
    sim.journal.broken = JournalError("disk full")
    deeds = sim.run(sim.deliver(sim.intent(Verb.ROLL_BACK)))
    assert deeds[-1].state is DeedState.DONE
    assert {deed.detail for deed in deeds} == {"not_journalled"}
    told = [event["message"] for event in events(sim)]
    assert "roll_back (abort) by ada: begun; not_journalled" in told
    assert not any(": journalled" in message for message in told)


def test_a_full_disk_strands_nothing_that_is_held(sim: Sim) -> None:
    sim.rollout()
    assert sim.run(sim.deliver(sim.intent(Verb.HOLD)))[-1].state is DeedState.DONE
    sim.journal.broken = JournalError("disk full")
    released = sim.run(sim.deliver(sim.intent(Verb.RELEASE)))[-1]
    assert (released.state, released.detail) == (DeedState.DONE, "not_journalled")
    assert "opsroom.dev/queue" not in sim.get("rollouts", "cart")["metadata"]["annotations"]


def test_nothing_is_sent_before_the_journal_has_the_first_line(sim: Sim) -> None:
    canary(sim)
    seen: list[list[str]] = []
    sim.writer.before.append(lambda _path: seen.append(list(sim.journal.states)))
    sim.run(sim.deliver(sim.intent(Verb.PROMOTE)))
    assert seen == [["journalled"]]


def test_an_automatic_deed_without_the_lease_sends_nothing(sim: Sim) -> None:
    canary(sim)
    intent = sim.intent(Verb.PROMOTE, automatic=True, fencing=3)
    deeds = sim.run(sim.deliver(intent, guard=lambda: False))
    assert (deeds[-1].refusal, deeds[-1].detail) == (Refusal.CONFLICT, "not_decider")
    assert sim.writer.sent == []


def test_an_automatic_promotion_that_could_not_be_sent_in_time_is_dropped_and_a_roll_back_is_not(sim: Sim) -> None:
    canary(sim)
    for verb, sent in ((Verb.PROMOTE, 0), (Verb.ROLL_BACK, 1)):
        intent = sim.intent(verb, automatic=True, fencing=3)
        old = msgspec.structs.replace(intent, at=intent.at - OVERTAKEN - 1)
        deeds = sim.run(sim.deliver(old, guard=lambda: True))
        assert (deeds[-1].state is DeedState.REFUSED, len(sim.writer.sent) > 0) == (not sent, bool(sent))
        if not sent:
            assert (deeds[-1].refusal, deeds[-1].detail) == (Refusal.CHANGED, "overtaken")


def test_a_decider_that_loses_the_lease_half_way_stops_there(sim: Sim) -> None:
    sim.pair()
    answers = iter([True, False])
    intent = sim.intent(Verb.PROMOTE, "pay-canary", Shape.PAIR, automatic=True, fencing=3)
    deeds = sim.run(sim.deliver(intent, guard=lambda: next(answers, False)))
    assert (deeds[-1].state, deeds[-1].detail) == (DeedState.FAILED, "half_done:mark:not_decider")
    assert len(sim.writer.sent) == 1


def test_writes_name_the_decider_and_its_lease_transition(sim: Sim) -> None:
    sim.pair()
    intent = sim.intent(Verb.ROLL_BACK, "pay-canary", Shape.PAIR, automatic=True, fencing=3, actor="worker-1")
    sim.run(sim.deliver(intent))
    assert sim.get("deployments", "pay-canary")["metadata"]["annotations"]["opsroom.dev/by"] == "worker-1#3"


def test_a_missing_right_is_found_before_anything_is_sent(sim: Sim) -> None:
    canary(sim)

    async def may(_space: str, _group: str, resource: str, sub: str, verb: str) -> Right:
        return Right(allowed=False, missing=f"{verb} {resource}/{sub}")

    ready = sim.run(prepare(sim.intent(Verb.PROMOTE), sim.hands(may=may)))
    assert isinstance(ready, Deed)
    assert (ready.refusal, ready.detail) == (Refusal.NO_RIGHT, "patch rollouts/status")
    assert sim.journal.states == []


def test_a_deed_goes_ahead_where_nobody_says_what_is_allowed(sim: Sim) -> None:
    """The request itself is the last word: a review that may not be asked must not stop a roll back."""
    canary(sim)

    async def may(*_question: str) -> Right:
        raise NotPermitted("no reviews for you")

    ready = sim.run(prepare(sim.intent(Verb.ROLL_BACK), sim.hands(may=may)))
    assert not isinstance(ready, Deed)


@pytest.mark.parametrize(
    ("error", "refusal"),
    [(NotPermitted("no"), Refusal.NO_RIGHT), (Unreachable("no"), Refusal.UNREACHABLE)],
)
def test_a_request_that_is_refused_ends_the_deed_with_the_reason(sim: Sim, error: Exception, refusal: Refusal) -> None:
    canary(sim)

    def fail(_path: str) -> None:
        raise error

    sim.writer.before.append(fail)
    deeds = sim.run(sim.deliver(sim.intent(Verb.PROMOTE)))
    assert (deeds[-1].state, deeds[-1].refusal) == (DeedState.REFUSED, refusal)
    assert sim.journal.states == ["journalled", "refused"]


def test_an_object_of_another_engine_is_not_taken_for_it(sim: Sim) -> None:
    canary(sim)
    intent = sim.intent(Verb.PROMOTE)
    target = msgspec.structs.replace(intent.target, engine=Engine.FLAGGER)
    deeds = sim.run(sim.deliver(msgspec.structs.replace(intent, target=target)))
    assert deeds[-1].refusal is Refusal.GONE


class Undiscovered:
    """A reader whose discovery does not name one resource."""

    def __init__(self, inner: Any, resource: str) -> None:
        self.inner, self.resource = inner, resource

    async def get(self, path: str, type_: Any, params: Any = None) -> Any:
        found = await self.inner.get(path, type_, params)
        if path != "/apis/argoproj.io/v1alpha1":
            return found
        kept = tuple(one for one in found.resources if one.name != self.resource)
        assert len(kept) < len(found.resources)
        return msgspec.structs.replace(found, resources=kept)


def no_status(path: str) -> None:
    if path.endswith("/status"):
        raise NotServed("not served")


def test_a_status_subresource_that_is_away_for_a_moment_does_not_change_the_request(sim: Sim) -> None:
    canary(sim)
    sim.writer.before.append(no_status)
    deed = sim.run(sim.deliver(sim.intent(Verb.PROMOTE)))[-1]
    assert (deed.refusal, sim.writer.sent) == (Refusal.UNREACHABLE, [])


def test_a_kind_that_is_away_for_a_moment_is_not_the_end_of_a_deed(sim: Sim) -> None:
    canary(sim)
    looks: list[str] = []

    class Away(Undiscovered):
        async def get(self, path: str, type_: Any, params: Any = None) -> Any:
            if path.endswith("/rollouts/cart") and sim.writer.sent:
                looks.append(path)
                if len(looks) < 4:
                    raise NotServed("the server could not find the requested resource")
            return await self.inner.get(path, type_, params)

    sim.reader = Away(sim.reader, "")
    assert sim.run(sim.deliver(sim.intent(Verb.PROMOTE)))[-1].state is DeedState.DONE
    assert len(looks) >= 4


def test_a_deed_on_a_kind_that_is_away_does_not_say_that_the_object_is_gone(sim: Sim) -> None:
    canary(sim)
    intent = sim.intent(Verb.ROLL_BACK)

    class Away(Undiscovered):
        async def get(self, path: str, type_: Any, params: Any = None) -> Any:
            raise NotServed("the server could not find the requested resource")

    sim.reader = Away(sim.reader, "")
    assert sim.run(sim.deliver(intent))[-1].refusal is Refusal.UNREACHABLE
    with pytest.raises(NotServed):
        sim.run(read_freeze(sim.reader))


def test_a_crd_without_status_subresource_gets_the_unified_patch(sim: Sim) -> None:
    canary(sim)
    sim.reader = Undiscovered(sim.reader, "rollouts/status")
    sim.writer.before.append(no_status)
    sim.run(sim.deliver(sim.intent(Verb.PROMOTE), patience=1.0))
    path, body = sim.writer.sent[0]
    assert path.endswith("/rollouts/cart")
    assert body["spec"] == {"paused": False}
    assert body["status"] == {"pauseConditions": None}


async def killed_at(sim: Sim, intent: Intent, *, before: int | None = None, after: int | None = None) -> None:
    """Deliver ``intent`` in a process that dies around its n-th request."""

    def die(_path: str) -> None:
        raise Killed

    if before is not None:
        sim.writer.before = [lambda _path: None] * before + [die]
    if after is not None:
        sim.writer.after = [lambda _path: None] * after + [die]
    with pytest.raises(Killed):
        await sim.deliver(intent)
    sim.writer.before, sim.writer.after = [], []


def settled(sim: Sim) -> list[Deed]:
    """What the next worker makes of the journal."""
    (deed,) = open_deeds(sim.journal.entries, sim.clock())

    async def main() -> list[Deed]:
        return [state async for state in settle(deed, sim.hands(patience=15.0))]

    found: list[Deed] = sim.run(main())
    return found


def test_killed_after_the_journal_line_the_deed_counts_as_never_sent(sim: Sim) -> None:
    canary(sim)
    sim.run(killed_at(sim, sim.intent(Verb.PROMOTE), before=0))
    last = settled(sim)[-1]
    assert (last.state, last.detail) == (DeedState.CANCELLED, NEVER_SENT)
    assert sim.writer.sent == []
    assert open_deeds(sim.journal.entries, sim.clock()) == []


def test_killed_after_the_request_the_deed_is_found_done_and_not_sent_again(sim: Sim) -> None:
    canary(sim)
    sim.run(killed_at(sim, sim.intent(Verb.PROMOTE), after=0))
    sim.cluster.pass_time(30)
    assert settled(sim)[-1].state is DeedState.DONE
    assert len(sim.writer.sent) == 1
    assert sim.get("rollouts", "cart")["status"]["currentStepIndex"] == 3


@pytest.mark.parametrize("request_number", [0, 1, 2])
@pytest.mark.parametrize("when", ["before", "after"])
def test_a_pair_promotion_killed_anywhere_is_finished_once_or_never_begun(
    sim: Sim, when: str, request_number: int
) -> None:
    sim.pair()
    intent = sim.intent(Verb.PROMOTE, "pay-canary", Shape.PAIR)
    sim.run(killed_at(sim, intent, **{when: request_number}))
    sim.cluster.pass_time(20)
    last = settled(sim)[-1]
    image = sim.get("deployments", "pay")["spec"]["template"]["spec"]["containers"][0]["image"]
    if (when, request_number) == ("before", 0):
        assert (last.state, image) == (DeedState.CANCELLED, "registry/app:v1")
        return
    assert (last.state, image) == (DeedState.DONE, "registry/app:v2")
    assert sim.get("deployments", "pay-canary")["spec"]["replicas"] == 0
    assert len(sim.writer.sent) == 3


def test_killed_during_a_revert_it_is_settled_by_state(sim: Sim) -> None:
    sim.deployment("pay")
    sim.set_image("deployments", "pay", "registry/app:v2")
    sim.cluster.pass_time(1)
    sim.change("deployments", "pay", spec={"paused": True})
    sim.cluster.pass_time(20)
    sim.run(killed_at(sim, sim.intent(Verb.ROLL_BACK, "pay", Shape.ROLLING), after=0))
    assert settled(sim)[-1].state is DeedState.DONE
    assert len(sim.writer.sent) == 1


def test_two_operators_at_once_one_wins_and_the_other_is_told_who(sim: Sim) -> None:
    canary(sim)

    async def both() -> list[Deed]:
        first = await prepare(sim.intent(Verb.PROMOTE, actor="ada"), sim.hands())
        second = await prepare(sim.intent(Verb.ROLL_BACK, actor="bob"), sim.hands())
        assert not isinstance(first, Deed)
        assert not isinstance(second, Deed)
        return [[deed async for deed in carry_out(ready, sim.hands())][-1] for ready in (second, first)]

    back, promoted = sim.run(both())
    assert back.state is DeedState.DONE
    assert (promoted.state, promoted.refusal) == (DeedState.REFUSED, Refusal.CHANGED)
    assert promoted.detail == "step, by bob"


class Script:
    """An engine that reports one state a look, the last one for ever."""

    def __init__(self, *states: DeedState) -> None:
        self.states = list(states)

    async def look(self, _reader: Any, _intent: Intent) -> Any:
        return None

    def outcome(self, _sight: Any, _deed: Deed) -> Progress:
        return Progress(state=self.states.pop(0) if len(self.states) > 1 else self.states[0])


def test_what_its_controller_has_seen_is_followed_although_it_is_scaled_meanwhile(sim: Sim) -> None:
    """A spec that an autoscaler wrote is unobserved for a moment, long after a deed's first minute."""
    sim.rollout()
    states = [DeedState.SEEN] * 60 + [DeedState.ACCEPTED] * 2 + [DeedState.SEEN] * 2 + [DeedState.DONE]
    deed = Deed(intent=sim.intent(Verb.ROLL_BACK), state=DeedState.ACCEPTED, at=sim.clock())

    script: Any = Script(*states)

    async def follow() -> list[DeedState]:
        return [later.state async for later in watch_over(script, deed, sim.hands())]

    assert sim.run(follow()) == [DeedState.SEEN, DeedState.DONE]


@pytest.mark.parametrize("verb", [Verb.FLAG, Verb.HOLD])
def test_a_mark_that_the_line_has_sent_twice_stands_and_is_not_written_again(sim: Sim, verb: Verb) -> None:
    canary(sim)

    def twice(_path: str) -> None:
        raise Conflict("the object has been modified")

    sim.writer.after.append(twice)
    deeds = sim.run(sim.deliver(sim.intent(verb)))
    assert deeds[-1].state is DeedState.DONE
    assert len(sim.writer.sent) == 1


def test_an_automatic_deed_asks_what_is_in_its_way_right_before_its_request(sim: Sim) -> None:
    canary(sim)
    asked: list[int] = []

    async def clear() -> Refused | None:
        asked.append(len(sim.writer.sent))
        return Refused(refusal=Refusal.FROZEN, detail="ada")

    automatic = sim.intent(Verb.ROLL_BACK, automatic=True, fencing=3)
    deeds = sim.run(sim.deliver(automatic, guard=lambda: True, clear=clear))
    assert (deeds[-1].state, deeds[-1].refusal) == (DeedState.REFUSED, Refusal.FROZEN)
    assert (asked, sim.writer.sent, sim.journal.states) == ([0], [], ["journalled", "refused"])
    assert sim.run(sim.deliver(sim.intent(Verb.ROLL_BACK), clear=clear))[-1].state is DeedState.DONE
    assert asked == [0]


def test_the_lease_that_is_lost_while_the_freeze_is_read_is_lost_in_time(sim: Sim) -> None:
    canary(sim)
    held = [True]

    async def clear() -> Refused | None:
        held[0] = False
        return None

    automatic = sim.intent(Verb.ROLL_BACK, automatic=True, fencing=3)
    deeds = sim.run(sim.deliver(automatic, guard=lambda: held[0], clear=clear))
    assert (deeds[-1].refusal, deeds[-1].detail) == (Refusal.CONFLICT, "not_decider")
    assert sim.writer.sent == []
