"""After a deed: what came of it, why not, and how it is taken back."""

from __future__ import annotations

import re

import msgspec
import pytest

from opsroom.domain.deed import DeedState, Effect, Refusal, Verb
from opsroom.view import effects, journal_line, words
from tests.ui.scenes import NOW, deed, rollout

ROLLOUT = rollout("geo-api", "edge", NOW)
ONLY_KEYS = (Refusal.JUST_MOVED, Refusal.LATE, Refusal.UNFOCUSED, Refusal.TOO_FAST, Refusal.STALLED)


@pytest.mark.parametrize("effect", [effect for effect in Effect if effect is not Effect.MARK])
def test_every_deed_that_moves_something_says_how_it_is_taken_back(effect: Effect) -> None:
    done = msgspec.structs.replace(deed("geo-api", NOW, Verb.PROMOTE, DeedState.DONE, 5), effect=effect)
    assert effects.TAKEN_BACK[effect] in effects.deed(done, NOW)


@pytest.mark.parametrize("effect", list(Effect))
def test_who_typed_a_command_is_told_no_keys(effect: Effect) -> None:
    done = msgspec.structs.replace(deed("geo-api", NOW, Verb.PROMOTE, DeedState.DONE, 5), effect=effect)
    said = effects.deed(done, NOW, typed=True)
    assert "press" not in said
    way_back = effects.TAKEN_BACK.get(effect, "")
    assert ("opsroom rollback edge/geo-api" in said) is ("press" in way_back)


@pytest.mark.parametrize("why", list(Refusal))
def test_who_is_refused_a_command_is_told_no_keys(why: Refusal) -> None:
    said = words.refusal(why, Verb.PROMOTE, ROLLOUT, typed=True)
    # What only a key can run into is never said of a command.
    assert why in ONLY_KEYS or not re.search(r"press|\besc\b|; f ", said)


@pytest.mark.parametrize(
    "state", [state for state in DeedState if state not in (DeedState.ARMED, DeedState.CANCELLED, DeedState.REFUSED)]
)
def test_a_deed_that_is_not_journalled_never_looks_as_if_it_were(state: DeedState) -> None:
    loose = msgspec.structs.replace(deed("geo-api", NOW, Verb.ROLL_BACK, state, 5), detail="not_journalled")
    said = effects.deed(loose, NOW)
    assert "not journalled" in said.lower()
    assert not said.startswith("Journalled")


def test_a_deed_that_failed_says_why_and_promises_nothing() -> None:
    failed = deed("geo-api", NOW, Verb.PROMOTE, DeedState.FAILED, 5)
    failed = msgspec.structs.replace(failed, effect=Effect.NEXT_STEP, detail="progress deadline exceeded")
    assert effects.deed(failed, NOW) == "Failed: promote geo-api. progress deadline exceeded."


def test_an_approval_says_that_a_second_person_is_missing() -> None:
    done = deed("geo-api", NOW, Verb.APPROVE, DeedState.DONE, 5)
    said = effects.deed(msgspec.structs.replace(done, effect=Effect.MARK), NOW)
    assert said.startswith("Done: approve geo-api")
    assert "a second person has to press p" in said


def test_the_same_person_again_is_told_who_is_missing() -> None:
    refused = deed("geo-api", NOW, Verb.PROMOTE, DeedState.REFUSED, 5)
    said = effects.deed(msgspec.structs.replace(refused, refusal=Refusal.SAME_PERSON), NOW)
    assert "You approved geo-api already; a second person has to press p." in said


def test_the_journal_names_both_people() -> None:
    done = deed("geo-api", NOW, Verb.PROMOTE, DeedState.DONE, 5, actor="bob")
    both = msgspec.structs.replace(done, intent=msgspec.structs.replace(done.intent, approved_by="ada"))
    line = journal_line.of_deed(NOW, both, "edge/geo-api")
    assert "bob" in line
    assert "approved by ada" in line
    assert "approved by ada" in effects.deed(both, NOW)


def test_what_became_of_a_roll_back_fits_the_narrowest_board() -> None:
    done = deed("checkout-api", NOW, Verb.ROLL_BACK, DeedState.DONE, 5)
    assert effects.deed(done, NOW) == "Done: roll back checkout-api in 2 s; a new version or a retry starts it again."


@pytest.mark.parametrize(
    ("detail", "words"),
    [
        ("", "it was sent, and no answer came"),
        ("not_journalled", "it was sent, and no answer came"),
        ("not_seen", "it was accepted and its controller has not reacted"),
        ("cut_off", "it was begun, and whoever began it is not there any more"),
    ],
)
def test_what_is_not_known_of_a_deed_is_said_for_what_it_is(detail: str, words: str) -> None:
    left = msgspec.structs.replace(deed("geo-api", NOW, Verb.PROMOTE, DeedState.UNKNOWN, 5), detail=detail)
    assert f"; {words}; the cluster will show" in effects.deed(left, NOW)
