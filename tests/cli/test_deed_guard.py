"""What a typed deed is refused for."""

from __future__ import annotations

import io

import msgspec
import pytest

from opsroom.cli.deeds import ask, busy, what
from opsroom.domain.board import Right
from opsroom.domain.deed import Deed, DeedState, Intent, Precondition, Target, Verb
from opsroom.domain.offer import offer
from opsroom.domain.rollout import Engine, Shape, Uid
from opsroom.errors import NotPermitted, OpsroomError
from opsroom.feed.frames import Picture
from tests.ui.scenes import NOW, all_rows, room

INTENT = Intent(
    id="i",
    verb=Verb.ROLL_BACK,
    target=Target(uid=Uid("u"), engine=Engine.ARGO, shape=Shape.CANARY, namespace="shop", name="cart"),
    precondition=Precondition(canary_hash="new"),
    actor="ada",
    at=0.0,
)


@pytest.mark.parametrize(
    ("state", "age", "locked"),
    [
        (DeedState.JOURNALLED, 5.0, True),
        (DeedState.JOURNALLED, 61.0, False),
        (DeedState.ACCEPTED, 61.0, False),
        (DeedState.SEEN, 61.0, True),
        (DeedState.SEEN, 1801.0, False),
        (DeedState.UNKNOWN, 1.0, False),
        (DeedState.DONE, 1.0, False),
    ],
)
def test_a_deed_whose_process_was_killed_does_not_lock_the_rollout(state: DeedState, age: float, locked: bool) -> None:
    assert busy(Deed(intent=INTENT, state=state, at=100.0), 100.0 + age) is locked


def test_what_a_person_confirms_is_what_they_read(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    answer = io.StringIO("yes\n")
    monkeypatch.setattr(answer, "isatty", lambda: True)
    monkeypatch.setattr("sys.stdin", answer)
    ask("hold shop/\x1b[2K\rpromote cart")
    assert capsys.readouterr().err == "hold shop/?[2K?promote cart\nType yes to do it: "


def test_a_missing_right_ends_in_the_exit_code_of_one() -> None:
    flagged = next(r for r in all_rows(NOW) if r.flag is not None and offer(r.rollout, Verb.PROMOTE).effect)
    picture = Picture(seq=1, room=room(NOW))
    row = msgspec.structs.replace(flagged, deed=None, may_promote=Right(allowed=False, missing="patch rollouts/status"))
    with pytest.raises(NotPermitted, match="patch rollouts/status") as missing:
        what(picture, row, Verb.PROMOTE, force=False, now=NOW)
    assert missing.value.exit_code == 4
    with pytest.raises(OpsroomError) as unflagged:
        what(picture, msgspec.structs.replace(row, flag=None), Verb.PROMOTE, force=False, now=NOW)
    assert unflagged.value.exit_code == 1


@pytest.mark.parametrize("verb", [Verb.PROMOTE, Verb.ROLL_BACK])
def test_a_picture_that_has_grown_old_by_now_is_nothing_to_promote_on(verb: Verb) -> None:
    picture = Picture(seq=1, room=room(NOW))
    flagged = next(r for r in all_rows(NOW) if r.flag is not None and offer(r.rollout, Verb.PROMOTE).effect)
    row = msgspec.structs.replace(
        flagged, deed=None, may_promote=Right(allowed=True), may_roll_back=Right(allowed=True)
    )
    assert what(picture, row, verb, force=False, now=NOW - 3600.0)
    if verb is Verb.ROLL_BACK:
        assert what(picture, row, verb, force=False, now=NOW + 3600.0)
        return
    with pytest.raises(OpsroomError, match=r"old|stale|ago|behind"):
        what(picture, row, verb, force=False, now=NOW + 3600.0)
