"""Sentences: every code has one, and they say what the fact sheets ask for."""

from __future__ import annotations

import msgspec
import pytest

from opsroom.domain.board import Freeze, Happening
from opsroom.domain.decision import FlagReason
from opsroom.domain.deed import DeedState, Effect, Refusal, Verb
from opsroom.domain.freshness import SourceState
from opsroom.domain.offer import Offer, offer
from opsroom.domain.rollout import Engine, Phase, Revision, Shape
from opsroom.domain.verdict import UnknownReason
from opsroom.view import ages, effects, evidence, header, marks, words
from opsroom.view.header import Status
from opsroom.view.order import Wish
from tests.ui.scenes import NOW, all_rows, deed, failing, needing, rollout, room, slow


@pytest.mark.parametrize("why", list(Refusal))
def test_every_refusal_is_one_sentence(why: Refusal) -> None:
    said = words.refusal(why, Verb.PROMOTE, rollout("checkout-api", "payments", NOW))
    assert said.endswith(".")
    assert "{" not in said


@pytest.mark.parametrize("reason", list(FlagReason))
def test_every_flag_has_a_cause_and_a_short_word(reason: FlagReason) -> None:
    assert words.FLAG[reason]
    assert 0 < len(marks.REASON[reason]) <= 13


@pytest.mark.parametrize("reason", list(UnknownReason))
def test_every_unknown_has_a_cause(reason: UnknownReason) -> None:
    assert words.UNKNOWN[reason]


@pytest.mark.parametrize("effect", list(Effect))
def test_every_effect_says_what_it_does_and_no_two_say_the_same(effect: Effect) -> None:
    here = rollout("checkout-api", "payments", NOW)
    said = {each: effects.effect(Offer(verb=Verb.PROMOTE, effect=each), here) for each in Effect}
    assert said[effect]
    assert [text for each, text in said.items() if each is not effect].count(said[effect]) == 0


@pytest.mark.parametrize("state", list(DeedState))
def test_every_state_of_a_deed_is_a_sentence_naming_the_rollout(state: DeedState) -> None:
    done = deed("geo-api", NOW, Verb.ROLL_BACK, state, 5)
    assert "geo-api" in effects.deed(done, NOW)
    assert marks.DEED[state]


def test_a_refused_deed_names_the_missing_right_once() -> None:
    done = deed("geo-api", NOW, Verb.ROLL_BACK, DeedState.REFUSED, 5)
    said = effects.deed(msgspec.structs.replace(done, refusal=Refusal.NO_RIGHT, detail="patch rollouts/status"), NOW)
    assert said.count("patch rollouts/status") == 1


def test_evidence_reads_as_the_example_of_the_design() -> None:
    row = needing(NOW)[0]
    fast = msgspec.structs.replace(row, metrics=row.metrics[:3])
    said = evidence.sentence(slow(NOW, 0.97, 1900, 412), fast, NOW)
    assert said == "p99 1.9 s against 0.4 s for 6 min, 12,400 requests"
    assert evidence.sentence(failing(NOW, 0.9, 0.071, 0.003), row, NOW).endswith("requests/s")


@pytest.mark.parametrize(
    ("kind", "text", "said"),
    [
        ("deed", "roll_back:done", "rolled back"),
        ("deed", "roll_back:accepted", "roll back: accepted"),
        ("deed", "promote:refused:stale_feed", "promote: refused, stale feed"),
        ("decision", "flag:person", "flagged: a person asked"),
        ("decision", "roll_back", "decided to roll back"),
        ("event", "roll_back:done", "roll_back:done"),
        ("deed", "of:another:kind", "of:another:kind"),
    ],
)
def test_codes_of_news_become_words_and_foreign_words_stay(kind: str, text: str, said: str) -> None:
    assert words.news(Happening(at=NOW, kind=kind, text=text)) == said


def test_a_mild_difference_has_no_since() -> None:
    assert " for " not in evidence.sentence(slow(NOW, 0.2, 230, 200), needing(NOW)[0], NOW)


def test_promote_names_every_step_until_it_stands_still_again() -> None:
    here = needing(NOW)[0].rollout
    assert effects.effect(offer(here, Verb.PROMOTE), here) == "goes on to step 5/7: 50%, analysis, 100%"


def test_roll_back_says_which_kind_it_is() -> None:
    here = needing(NOW)[0].rollout
    assert "(abort; the spec still names v2.31.0)" in effects.effect(offer(here, Verb.ROLL_BACK), here)
    owned = msgspec.structs.replace(here, owner="argocd")
    assert "argocd still asks for v2.31.0" in effects.effect(offer(owned, Verb.ROLL_BACK), owned)
    pair = msgspec.structs.replace(here, engine=Engine.DEPLOYMENT, shape=Shape.PAIR)
    assert "never touched" in effects.effect(offer(pair, Verb.ROLL_BACK), pair)
    finished = msgspec.structs.replace(here, phase=Phase.HEALTHY, canary=None)
    assert "(undo)" in effects.effect(offer(finished, Verb.ROLL_BACK), finished)


def test_an_old_source_says_so_in_words() -> None:
    def said(ago: float | None) -> str:
        source = SourceState(name="prometheus", interval=10.0, at=None if ago is None else NOW - ago)
        return ages.age_text(source, NOW)

    assert said(4) == "prom 4s"
    assert said(25) == "prom 25s?"
    assert said(48) == "prom stale 48s"
    assert said(None) == "prom never"


def test_the_loudest_thing_about_the_picture_is_said_first() -> None:
    frozen = room(NOW, freeze=Freeze(by="kim", since=NOW - 240, reason="incident 31"))
    assert header.notice(frozen, Status(now=NOW)) == "FREEZE by kim for 4m 00s, no automatic deeds: incident 31"
    lost = Status(now=NOW, lost="nobody listens", lost_for=72.0)
    assert header.notice(frozen, lost) == "FEED LOST 1m 12s: nobody listens; the last picture stays"
    assert header.notice(frozen, lost, 40) == "FEED LOST 1m 12s: nobody listens"
    assert header.notice(None, Status(now=NOW, connecting=True)) == "connecting to the worker"
    assert header.notice(None, Status(now=NOW, lost="nobody listens", lost_for=0.2)) == "connecting to the worker"
    assert header.notice(None, Status(now=NOW, lost="nobody listens", lost_for=9.0)).startswith("NO FEED for 9s")
    assert header.notice(room(NOW), Status(now=NOW)) == ""
    assert header.notice(room(NOW), Status(now=NOW, so_far=400)).startswith("reading the picture: 400 rollouts so far")


def test_the_mode_is_never_cut_off_at_80_columns() -> None:
    text = header.top(room(NOW, context="prod-eu-west-1"), Status(now=NOW, feed_age=1.0), 80).text
    assert "AUTO" in text
    assert "READ-ONLY" in header.top(room(NOW), Status(now=NOW, feed_age=1.0, read_only=True), 80).text
    assert len(text) == 80


def test_many_sources_and_a_long_context_leave_mode_and_troubles_in_sight() -> None:
    many = tuple(SourceState(name=f"kube-{name}", interval=2.0, at=NOW - 1) for name in "abcdefghij")
    late = SourceState(name="prometheus", interval=10.0, at=NOW - 300)
    here = room(NOW, context="gke_company-prod_europe-west1_cluster-with-a-name", sources=(*many, late))
    for cells in (60, 80, 120):
        text = header.top(here, Status(now=NOW, feed_age=1.0), cells).text
        assert len(text) == cells
        for words_ in ("AUTO", "prom stale 5m", "feed 1s"):
            assert words_ in text


def test_a_flag_by_a_person_names_the_person() -> None:
    row = needing(NOW)[0]
    assert row.flag is not None
    asked = msgspec.structs.replace(row, flag=msgspec.structs.replace(row.flag, reason=FlagReason.PERSON, by="kim"))
    assert words.flag(asked) == "kim asked for a person"


def test_an_empty_list_before_the_cluster_was_read_is_no_calm() -> None:
    unread = room(NOW, sources=(SourceState(name="kube", interval=10.0),))
    for wish in (Wish(), Wish(flagged_only=True)):
        assert header.emptiness(unread, Status(now=NOW, wish=wish)) == "The worker has not read the cluster yet."
        assert "not read" not in header.emptiness(room(NOW), Status(now=NOW, wish=wish))


def test_half_way_through_a_promotion_no_version_is_called_untouched() -> None:
    revision = Revision(hash="b", version="v2")
    pair = msgspec.structs.replace(all_rows(NOW)[0].rollout, engine=Engine.DEPLOYMENT, shape=Shape.PAIR)
    half = msgspec.structs.replace(pair, stable=revision, canary=msgspec.structs.replace(revision, hash="c"))
    wish = Offer(verb=Verb.ROLL_BACK, effect=Effect.SCALE_DOWN)
    assert effects.effect(wish, half) == "scales the canary to 0; stable has v2 already"
    assert "never touched" in effects.effect(wish, pair)
