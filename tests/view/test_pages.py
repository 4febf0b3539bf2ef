"""The pages about the room: nothing that explains something is cut at any width."""

from __future__ import annotations

import msgspec
import pytest

from opsroom.domain.board import Right
from opsroom.domain.deed import DeedState, Refusal, Verb
from opsroom.domain.queue import Lane, Queue, QueueEntry, QueueState, WaitReason
from opsroom.domain.rollout import Uid
from opsroom.view import news_pages, queue_page, queue_words, sources_page
from opsroom.view.deed_row import deed_row
from opsroom.view.header import Status
from opsroom.view.line import Line
from tests.ui.scenes import NOW, all_rows, deed, moving, queued, room

WIDTHS = [60, 80, 100, 120, 200]


def flat(lines: list[Line]) -> str:
    return " ".join(" ".join(line.text for line in lines).split())


@pytest.mark.parametrize("cells", WIDTHS)
def test_the_reason_why_something_waits_is_never_cut(cells: int) -> None:
    entry = QueueEntry(
        uid=Uid("uid-notify-mailer"),
        lane=Lane.BATCH,
        since=NOW - 60,
        why=WaitReason.SLOT,
        waits_for="team payments",
        held_by=Uid("uid-media-proxy"),
        until=NOW + 425,
        eta_p50=NOW + 425,
        eta_p90=NOW + 1900,
        superseded="v2.44.3",
        late_pods=2,
    )
    rows = [msgspec.structs.replace(queued(NOW)[0], queue=entry), *all_rows()]
    lines = queue_page.queue_page(room(), rows, NOW, cells)
    said = flat(lines)
    assert queue_words.sentence(entry, NOW, queue_words.names(rows)) in said
    assert "took the place of v2.44.3" in said
    assert all(line.width <= cells for line in lines)
    for name in ("notify-mailer v2.31.0", "pricing-engine v2.31.0", "media-proxy v2.31.0"):
        assert name in said


@pytest.mark.parametrize("state", [QueueState.PAUSED, QueueState.DRAINING])
def test_a_queue_in_which_no_namespace_takes_part_promises_nothing(state: QueueState) -> None:
    alone = Queue(state=state, nobody=True, hold_missing=True)
    for said in (queue_words.state(alone), queue_words.notice(room(queue=alone))):
        assert "no namespace takes part" in said
        assert "late" not in said
    assert "no namespace" not in queue_words.notice(room(queue=Queue(state=state)))
    assert "no namespace" not in queue_words.state(Queue(nobody=True))


def test_slots_are_drawn_one_sign_each() -> None:
    queue = Queue(limit=4, full_limit=6, running=3)
    assert "slots ###.xx" in flat(queue_page.queue_page(room(queue=queue), (), NOW, 80))


@pytest.mark.parametrize("cells", WIDTHS)
@pytest.mark.parametrize("state", list(DeedState))
def test_how_a_deed_ended_is_on_its_line(cells: int, state: DeedState) -> None:
    long = deed("a-rollout-with-a-name-that-is-really-very-long-indeed", NOW, Verb.ROLL_BACK, state, 30)
    line = deed_row(long, cells)
    assert line.width <= cells
    assert line.pieces[-1].text.strip()


@pytest.mark.parametrize("cells", WIDTHS)
def test_why_a_deed_was_refused_is_told_whole(cells: int) -> None:
    refused = msgspec.structs.replace(
        deed("geo-api", NOW, Verb.ROLL_BACK, DeedState.REFUSED, 30), refusal=Refusal.NO_RIGHT, detail="patch rollouts"
    )
    lines = news_pages.journal_page(room(deeds=(refused,)), NOW, cells)
    assert "You may not roll back geo-api: the right to patch rollouts is missing." in flat(lines)
    assert all(line.width <= cells for line in lines)


@pytest.mark.parametrize("cells", WIDTHS)
def test_events_are_told_whole(cells: int) -> None:
    lines = news_pages.events_page(all_rows(), all_rows()[0], NOW, cells)
    assert "AnalysisRun checkout-api-7d4f9-3 inconclusive" in flat(lines)
    assert all(line.width <= cells for line in lines)


@pytest.mark.parametrize("cells", WIDTHS)
def test_sources_say_what_may_be_done_and_which_right_is_missing(cells: int) -> None:
    no = Right(allowed=False, missing="patch rollouts/status")
    rows = [msgspec.structs.replace(row, may_promote=no, may_roll_back=Right(allowed=True)) for row in all_rows()]
    said = flat(sources_page.sources_page(room(), rows, Status(now=NOW), cells))
    assert "promote not allowed: patch rollouts/status, on 15 rollouts" in said
    assert "roll back allowed, on 15 rollouts" in said


@pytest.mark.parametrize("cells", [80, 120, 200])
def test_who_runs_says_when_it_ends_if_it_takes_as_long_as_usual(cells: int) -> None:
    def runs(ends: float) -> str:
        row = moving(NOW)[1]
        assert row.queue is not None
        entry = msgspec.structs.replace(row.queue, eta_p50=ends)
        return flat(queue_page.queue_page(room(), [msgspec.structs.replace(row, queue=entry)], NOW, cells))

    assert "ENDS IN" in runs(NOW + 425)
    assert "31m 7m" in runs(NOW + 425)
    assert "31m late" in runs(NOW - 5)


def test_what_each_sign_of_the_slots_means_is_said() -> None:
    queue = Queue(limit=4, full_limit=6, running=3)
    said = flat(queue_page.queue_page(room(queue=queue), (), NOW, 80))
    assert "# in use . free x taken away after roll backs" in said


def test_why_the_worker_released_or_held_is_said_in_words_beside_the_deed_where_that_fits() -> None:
    done = deed("geo-api", NOW, Verb.RELEASE, DeedState.DONE, 5, automatic=True)
    done = msgspec.structs.replace(done, intent=msgspec.structs.replace(done.intent, reason="admitted"))
    here = room(deeds=(done,))
    wide = [line.text for line in news_pages.journal_page(here, NOW, 120)]
    assert any("edge/geo-api" in text and text.endswith("done in 2 s  (a slot was free)") for text in wide)
    assert "(a slot was free)" in flat(news_pages.journal_page(here, NOW, 60))
