"""Right before an automatic deed: the freeze as it is now, and limits that no change of decider empties."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opsroom.control.memory import Act, Memory
from opsroom.domain.board import Mode
from opsroom.domain.deed import Refusal, Verb
from opsroom.errors import Gone, OpsroomError, Unreachable
from opsroom.worker.clearing import Clearing
from opsroom.worker.outside import Outside
from opsroom.worker.rails import SharedRails, counted, read, written
from opsroom.worker.sharing import Sharing
from opsroom.worker.situation import Situation

NOW = 1_750_000_000.0


class Lease:
    """A Lease of which only the notes matter."""

    def __init__(self, acts: str = "") -> None:
        self.held, self.transitions, self.acts, self.writable, self.error = True, 3, acts, True, ""

    def note(self, acts: str) -> None:
        self.told = acts

    async def noted(self) -> bool:
        return self.writable


class Maps:
    """A reader of ConfigMaps: one answer, or an error."""

    def __init__(self, answer: dict[str, Any] | OpsroomError) -> None:
        self.answer = answer

    async def get(self, _path: str, _type: type, _params: Any = None) -> Any:
        if isinstance(self.answer, OpsroomError):
            raise self.answer
        return self.answer


def room(lease: Lease) -> Outside:
    outside = Outside("", "", (), mode=Mode.AUTO, read_only=False)
    outside.lease = lease  # type: ignore[assignment]
    outside.writer = SimpleNamespace()  # type: ignore[assignment]
    return outside


FROZEN = {"data": {"by": "ada", "since": "1"}}


@pytest.mark.parametrize(
    ("answer", "writable", "held", "refusal"),
    [
        (Gone("no map"), True, True, None),
        (FROZEN, True, True, Refusal.FROZEN),
        ({"data": None}, True, True, Refusal.FROZEN),
        (Unreachable("nobody answers"), True, True, Refusal.UNREACHABLE),
        (Gone("no map"), False, True, Refusal.UNREACHABLE),
        # Without the Lease the guard refuses, and says so.
        (Gone("no map"), False, False, None),
    ],
)
def test_nothing_is_sent_unless_the_freeze_was_read_and_the_deed_is_counted(
    answer: Any, writable: bool, held: bool, refusal: Refusal | None
) -> None:
    lease = Lease()
    lease.writable, lease.held = writable, held
    sharing = Sharing(room(lease), lambda: NOW)
    no = asyncio.run(Clearing(Maps(answer), lease, sharing)())  # type: ignore[arg-type]
    assert (None if no is None else no.refusal) is refusal
    assert (sharing.freeze is not None) is (refusal is Refusal.FROZEN)


verbs = st.sampled_from([Verb.PROMOTE, Verb.ROLL_BACK])
acts = st.lists(st.builds(Act, at=st.floats(0, 2e9), verb=verbs), max_size=8)


@given(acts)
def test_what_is_written_on_the_lease_reads_the_same(found: list[Act]) -> None:
    assert sorted(read(written(tuple(found))), key=repr) == sorted(found, key=repr)


@given(st.text() | st.sampled_from(['{"promote": ["x"]}', '{"dance": [1]}', "[]", '{"promote": [NaN]}']))
def test_any_text_reads_as_some_acts(text: str) -> None:
    assert isinstance(read(text), tuple)


def test_the_next_decider_counts_what_the_one_before_it_did_and_nothing_twice() -> None:
    own, theirs = Act(at=NOW - 5, verb=Verb.PROMOTE), Act(at=NOW - 3, verb=Verb.ROLL_BACK)
    lease = Lease(written((own, theirs, theirs)))
    rails, situation = SharedRails(room(lease)), Situation(memory=Memory(acts=(own,)))
    rails.tell(situation)
    assert not hasattr(lease, "told")
    rails.take_over(situation)
    assert situation.memory.acts == (own, theirs, theirs)
    situation.memory = counted(situation.memory, (Act(at=NOW, verb=Verb.PROMOTE),))
    rails.take_over(situation)
    rails.tell(situation)
    assert len(read(lease.told)) == len(situation.memory.acts) == 4
    lease.transitions, lease.acts = 5, written((Act(at=NOW + 1, verb=Verb.PROMOTE),))
    rails.take_over(situation)
    assert len(situation.memory.acts) == 5
