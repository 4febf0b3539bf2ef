"""What others left open, in a worker: shown once, taken up only by who decides, and never while somebody is at it."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest

from opsroom.delivery.hands import Hands
from opsroom.delivery.plan import Progress
from opsroom.domain.deed import Deed, DeedState, Effect, Intent, Precondition, Target, Verb
from opsroom.domain.marks import DeedMark, Marks
from opsroom.domain.rollout import Engine, Phase, Revision, Rollout, Shape, Uid
from opsroom.errors import Unreachable
from opsroom.worker import leftovers as module
from opsroom.worker.course import Course
from opsroom.worker.leftovers import AGAIN, QUIET, Leftovers
from opsroom.worker.situation import Situation

NOW = 1_750_000_000.0
UID = Uid("u")
MARK = DeedMark(id="i", verb=Verb.PROMOTE, effect=Effect.TAKE_TEMPLATE, by="ada", at=NOW - QUIET - 1, hash="new")
ROLLOUT = Rollout(
    uid=UID,
    engine=Engine.DEPLOYMENT,
    shape=Shape.PAIR,
    namespace="shop",
    name="pay",
    phase=Phase.PAUSED,
    stable=Revision(hash="old"),
    canary=Revision(hash="new"),
    started=NOW - 600,
)


class Room:
    """A worker of which only the leftovers work."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, mark: DeedMark | None = MARK, **rollout: Any) -> None:
        self.told: list[Deed] = []
        self.followed: list[str] = []
        self.busy = False
        self.ends: bool | Exception = False
        self.progress: Progress | None = None
        automatic = SimpleNamespace(
            at_work=lambda _uid: self.busy, follow=lambda _uid, _states, intent: self.followed.append(intent.id)
        )
        self.leftovers = Leftovers(automatic, self.told.append)  # type: ignore[arg-type]
        self.situation = Situation()
        self.situation.courses[UID] = Course(msgspec.structs.replace(ROLLOUT, **rollout))
        self.cluster = SimpleNamespace(marks=lambda _uid: Marks(deed=mark))
        self.hands: Hands | None = SimpleNamespace(now=lambda: NOW)  # type: ignore[assignment]
        self.now = NOW

        async def only_ends(_deed: Deed, _hands: Hands) -> bool:
            if isinstance(self.ends, Exception):
                raise self.ends
            return self.ends

        async def shown(_deed: Deed, _hands: Hands) -> Progress | None:
            return self.progress

        monkeypatch.setattr(module, "only_ends", only_ends)
        monkeypatch.setattr(module, "shown", shown)
        monkeypatch.setattr(module, "settle", lambda deed, _hands: deed)

    def look(self, seconds: float = 0.0) -> tuple[int, list[str]]:
        self.now += seconds
        asyncio.run(self.leftovers.look(self.situation, self.cluster, self.hands, self.now))  # type: ignore[arg-type]
        return len(self.told), self.followed


def test_a_rollout_that_goes_while_another_is_asked_about_stops_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    room = Room(monkeypatch)
    room.situation.courses[Uid("v")] = Course(msgspec.structs.replace(ROLLOUT, uid=Uid("v")))

    async def only_ends(_deed: Deed, _hands: Hands) -> bool:
        room.situation.courses.pop(Uid("v"), None)
        return True

    monkeypatch.setattr(module, "only_ends", only_ends)
    assert room.look() == (0, ["i"])


def test_what_only_has_to_be_ended_is_ended_and_tried_again_now_and_then(monkeypatch: pytest.MonkeyPatch) -> None:
    room = Room(monkeypatch)
    room.ends = True
    assert room.look() == (0, ["i"])
    assert room.look(10.0) == (0, ["i"])
    assert room.look(AGAIN) == (0, ["i", "i"])


def test_the_rest_is_shown_once_as_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    room = Room(monkeypatch)
    assert room.look() == (1, [])
    assert room.look(AGAIN + 1) == (1, [])
    deed = room.told[0]
    assert (deed.state, deed.intent.actor, deed.intent.precondition.canary_hash) == (DeedState.UNKNOWN, "ada", "new")


def test_where_nobody_decides_it_is_shown_and_not_touched(monkeypatch: pytest.MonkeyPatch) -> None:
    room = Room(monkeypatch)
    room.ends, room.hands = True, None
    assert room.look() == (1, [])


def test_a_server_that_does_not_answer_is_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    room = Room(monkeypatch)
    room.ends = Unreachable("away")
    assert room.look() == (0, [])
    room.ends = True
    assert room.look(AGAIN + 1) == (0, ["i"])


def ended_deed() -> Deed:
    target = Target(uid=UID, engine=Engine.DEPLOYMENT, shape=Shape.PAIR, namespace="shop", name="pay")
    intent = Intent(id="i", verb=Verb.PROMOTE, target=target, precondition=Precondition(), actor="ada", at=MARK.at)
    return Deed(intent=intent, state=DeedState.DONE, at=NOW)


def test_what_goes_on_by_itself_is_left_to_whoever_began_it(monkeypatch: pytest.MonkeyPatch) -> None:
    room = Room(monkeypatch)
    room.progress = Progress(state=DeedState.SEEN)
    assert room.look() == (0, [])
    room.ends = True
    assert room.look(AGAIN + 1) == (0, ["i"])


def test_what_has_come_to_its_end_is_told_as_that(monkeypatch: pytest.MonkeyPatch) -> None:
    room = Room(monkeypatch)
    room.progress = Progress(state=DeedState.FAILED, detail="superseded")
    assert room.look() == (1, [])
    assert (room.told[0].state, room.told[0].detail) == (DeedState.FAILED, "superseded")


@pytest.mark.parametrize(
    ("state", "age", "told"),
    [
        (DeedState.ACCEPTED, QUIET + 1, 1),
        (DeedState.JOURNALLED, QUIET + 1, 1),
        (DeedState.ACCEPTED, QUIET - 1, 0),
        (DeedState.UNKNOWN, QUIET + 1, 0),
        (DeedState.DONE, QUIET + 1, 0),
        (DeedState.SEEN, 7200.0, 0),
    ],
)
def test_an_open_line_in_the_journal_of_a_dead_hand_does_not_lock_the_rollout(
    monkeypatch: pytest.MonkeyPatch, state: DeedState, age: float, told: int
) -> None:
    room = Room(monkeypatch, None)
    room.situation.deeds.note(msgspec.structs.replace(ended_deed(), state=state, at=NOW - age))
    assert room.look() == (told, [])
    assert [deed.state for deed in room.told] == [DeedState.UNKNOWN] * told


@pytest.mark.parametrize("why", ["young", "other canary", "former run", "very old", "over", "busy", "ended", "no mark"])
def test_what_is_not_left_over_is_left_alone(monkeypatch: pytest.MonkeyPatch, why: str) -> None:
    changes: dict[str, Any] = {}
    mark: DeedMark | None = MARK
    if why == "young":
        mark = msgspec.structs.replace(MARK, at=NOW - QUIET + 5)
    elif why == "very old":
        mark = msgspec.structs.replace(MARK, at=NOW - 7200)
        changes["started"] = NOW - 9000
    elif why == "no mark":
        mark = None
    elif why == "other canary":
        changes["canary"] = Revision(hash="newer")
    elif why == "former run":
        changes["started"] = NOW - 10
    elif why == "over":
        changes["phase"] = Phase.ABORTED
    room = Room(monkeypatch, mark, **changes)
    room.ends, room.busy = True, why == "busy"
    if why == "ended":
        room.situation.deeds.note(ended_deed())
    assert room.look() == (0, [])


def test_a_skipped_analysis_is_taken_back_however_long_ago_and_when_all_is_over(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    mark = msgspec.structs.replace(MARK, effect=Effect.SKIP_ANALYSIS, at=NOW - 86_400)
    room = Room(monkeypatch, mark, phase=Phase.HEALTHY, canary=None)
    assert room.look() == (0, [])
    room.ends = True
    assert room.look(AGAIN + 1) == (0, ["i"])
