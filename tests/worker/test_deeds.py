"""Deeds: ours as tasks, people's from their journals."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest

from opsroom.delivery.generations import generations
from opsroom.delivery.journal import Entry, Journal
from opsroom.domain.decision import Decision, Outcome
from opsroom.domain.deed import Deed, DeedState, Effect, Intent, Precondition, Refusal, Target, Verb
from opsroom.domain.rollout import Engine, Phase, Revision, Rollout, Shape, Uid
from opsroom.domain.verdict import Verdict, VerdictState
from opsroom.worker.automatic import Automatic, intent_of
from opsroom.worker.deeds import SHOWN, Deeds, Journals


def intent(name: str, uid: str = "u") -> Intent:
    return Intent(
        id=name,
        verb=Verb.PROMOTE,
        target=Target(uid=Uid(uid), engine=Engine.ARGO, shape=Shape.CANARY, namespace="n", name="r"),
        precondition=Precondition(canary_hash="new"),
        actor="me",
        at=1.0,
        automatic=True,
    )


def deed(name: str, state: DeedState = DeedState.SENT, at: float = 1.0) -> Deed:
    return Deed(intent=intent(name), state=state, at=at)


def test_an_intent_says_what_was_true_when_it_was_decided() -> None:
    rollout = Rollout(
        uid=Uid("u"),
        engine=Engine.ARGO,
        shape=Shape.CANARY,
        namespace="n",
        name="r",
        phase=Phase.PAUSED,
        stable=Revision(hash="old"),
        canary=Revision(hash="new"),
        step=3,
    )
    decision = Decision(uid=Uid("u"), outcome=Outcome.ROLL_BACK, at=100.0, score=0.9, row="shop")
    verdict = Verdict(uid=Uid("u"), at=90.0, state=VerdictState.HARM, score=0.9)
    made = intent_of(decision, rollout, verdict, "worker-1", 7)
    assert (made.verb, made.precondition) == (
        Verb.ROLL_BACK,
        Precondition(canary_hash="new", stable_hash="old", step=3, effect=Effect.ABORT),
    )
    assert (made.automatic, made.fencing, made.score, made.score_age, made.row) == (True, 7, 0.9, 10.0, "shop")


def test_one_deed_at_a_time_for_a_rollout() -> None:
    async def run() -> list[tuple[str, DeedState, Refusal | None]]:
        told: list[Deed] = []
        go = asyncio.Event()

        async def carry(wish: Intent) -> AsyncIterator[Deed]:
            yield Deed(intent=wish, state=DeedState.SENT, at=1.0)
            await go.wait()
            yield Deed(intent=wish, state=DeedState.DONE, at=2.0)

        automatic = Automatic(carry, told.append, lambda: 1.0)
        for name, uid in (("a", "u"), ("b", "u"), ("c", "v")):
            automatic.begin(intent(name, uid))
        go.set()
        await automatic.close()
        assert automatic.busy == 0
        return [(one.intent.id, one.state, one.refusal) for one in told]

    assert sorted(asyncio.run(run())) == [
        ("a", DeedState.DONE, None),
        ("a", DeedState.SENT, None),
        ("b", DeedState.REFUSED, Refusal.BUSY),
        ("c", DeedState.DONE, None),
        ("c", DeedState.SENT, None),
    ]


@pytest.mark.parametrize(
    ("states", "last"),
    [
        ([], DeedState.FAILED),
        ([DeedState.JOURNALLED], DeedState.UNKNOWN),
        ([DeedState.JOURNALLED, DeedState.SENT], DeedState.UNKNOWN),
    ],
)
def test_a_fault_of_ours_never_leaves_a_deed_without_an_end(states: list[DeedState], last: DeedState) -> None:
    async def run() -> Deed:
        told: list[Deed] = []

        async def carry(wish: Intent) -> AsyncIterator[Deed]:
            for state in states:
                yield Deed(intent=wish, state=state, at=1.0)
            raise ZeroDivisionError

        automatic = Automatic(carry, told.append, lambda: 1.0)
        automatic.begin(intent("a"))
        await automatic.close()
        return told[-1]

    assert asyncio.run(run()).state is last


def test_the_end_of_a_settled_deed_does_not_make_room_for_a_second_one() -> None:
    async def run() -> list[tuple[str, DeedState]]:
        told: list[Deed] = []

        async def brief() -> AsyncIterator[Deed]:
            yield deed("old", DeedState.DONE)

        async def carry(wish: Intent) -> AsyncIterator[Deed]:
            await asyncio.sleep(3600)
            yield Deed(intent=wish, state=DeedState.DONE, at=2.0)

        automatic = Automatic(carry, told.append, lambda: 1.0)
        automatic.follow(Uid("u"), brief(), intent("old"))
        automatic.follow(Uid("u"), carry(intent("a")), intent("a"))
        for _ in range(5):
            await asyncio.sleep(0)
        automatic.begin(intent("b"))
        for task in asyncio.all_tasks() - {asyncio.current_task()}:
            task.cancel()
        await automatic.close()
        return [(one.intent.id, one.state) for one in told]

    assert asyncio.run(run()) == [("old", DeedState.DONE), ("b", DeedState.REFUSED)]


def test_two_deeds_of_one_rollout_are_both_looked_after() -> None:
    async def run() -> int:
        async def endless(wish: Intent) -> AsyncIterator[Deed]:
            await asyncio.sleep(3600)
            yield Deed(intent=wish, state=DeedState.DONE, at=2.0)

        automatic = Automatic(endless, lambda _deed: None, lambda: 1.0)
        for name in ("settled", "new"):
            automatic.follow(Uid("u"), endless(intent(name)), intent(name))
        await asyncio.sleep(0)
        under_way = automatic.busy
        for task in asyncio.all_tasks() - {asyncio.current_task()}:
            task.cancel()
        await automatic.close()
        return under_way

    assert asyncio.run(run()) == 2


def test_one_line_a_deed_newest_first_and_not_too_many() -> None:
    deeds = Deeds()
    for number in range(SHOWN + 5):
        deeds.note(deed(str(number)))
    deeds.note(deed(str(SHOWN), DeedState.DONE))
    assert len(deeds.latest) == SHOWN
    assert deeds.latest[0].intent.id == str(SHOWN + 4)
    assert {one.intent.id: one.state for one in deeds.latest}[str(SHOWN)] is DeedState.DONE


def test_newest_first_is_by_the_time_that_is_shown() -> None:
    """A deed that took long ended after those that were begun later: its line says when it ended."""
    deeds = Deeds()
    for number, at in ((1, 10.0), (2, 12.0), (1, 27.0)):
        deeds.note(msgspec.structs.replace(deed(str(number)), at=at))
    assert [one.intent.id for one in deeds.latest] == ["1", "2"]


def test_peoples_journals_are_followed_and_our_own_is_not(tmp_path: Path) -> None:
    own, theirs = tmp_path / "worker.jsonl", tmp_path / "ali.jsonl"
    journals = Journals(tmp_path, own)
    assert journals.news() == []
    Journal(own, "w").write(Entry(at=1.0, writer="w", deed=deed("ours")))
    Journal(theirs, "ali").write(Entry(at=1.0, writer="ali", deed=deed("first")))
    assert [one.intent.id for one in journals.news()] == ["first"]
    assert journals.news() == []
    with theirs.open("ab") as file:
        file.write(b"garbage\n")
    Journal(theirs, "ali").write(Entry(at=2.0, writer="ali", deed=deed("second")))
    with theirs.open("ab") as file:
        file.write(b'{"at":3')
    assert [one.intent.id for one in journals.news()] == ["second"]
    assert Journals(tmp_path / "missing", own).news() == []


def test_a_half_written_line_is_read_when_it_is_whole(tmp_path: Path) -> None:
    path, journals = tmp_path / "ali.jsonl", Journals(tmp_path, tmp_path / "own.jsonl")
    Journal(tmp_path / "whole.txt", "ali").write(Entry(at=1.0, writer="ali", deed=deed("first")))
    line = (tmp_path / "whole.txt").read_bytes()
    path.write_bytes(line[:40])
    assert journals.news() == []
    path.write_bytes(line)
    assert [one.intent.id for one in journals.news()] == ["first"]


def test_a_persons_journal_is_followed_into_its_next_file(tmp_path: Path) -> None:
    own, theirs = tmp_path / "worker.jsonl", tmp_path / "ali.jsonl"
    followed, ali = Journals(tmp_path, own), Journal(theirs, "ali", 1500)
    seen: list[str] = []
    for number in range(12):
        for part in ("a", "b", "c"):
            ali.write(Entry(at=float(number), writer="ali", deed=deed(f"{number}{part}", at=float(number))))
        seen += [one.intent.id for one in followed.news()]
    assert len(generations(theirs)) > 4
    assert seen == [f"{number}{part}" for number in range(12) for part in ("a", "b", "c")]
