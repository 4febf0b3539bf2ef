"""What a viewer gets, however slow it is, is the newest picture."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from opsroom.domain.board import Room, Row
from opsroom.domain.decision import Flag, FlagReason
from opsroom.domain.deed import Deed, DeedState, Intent, Precondition, Target, Verb
from opsroom.domain.queue import Lane, Queue, QueueEntry
from opsroom.domain.rollout import Engine, Shape, Uid
from opsroom.errors import Unreachable
from opsroom.feed import published as module
from opsroom.feed.frames import PART_ROWS, PROTOCOL, Beat, Delta, Hello, Picture, SealedDelta, decode, encode, opened
from opsroom.feed.published import Published, Viewer
from opsroom.feed.state import Board
from tests.feed.reading import read

EVERYBODY = Viewer()

pictures = st.lists(st.dictionaries(st.integers(0, 5), st.integers(0, 2), max_size=6), min_size=1, max_size=12)


def catch_up(board: Board, published: Published, viewer: Viewer = EVERYBODY, now: float = 0.0) -> None:
    for data in published.frames_since(board.seq, viewer):
        frame = read(data)
        assert isinstance(frame, Picture | Delta)
        board.apply(frame, now)


@settings(deadline=None)
@given(pictures, st.lists(st.booleans(), min_size=12, max_size=12))
def test_deltas_add_up_to_the_picture_for_fast_and_slow_viewers(
    make_row: Callable[..., Row], looks: list[dict[int, int]], slow_looks: list[bool]
) -> None:
    published, fast, slow = Published(), Board(), Board()
    for at, (look, slow_takes) in enumerate(zip(looks, slow_looks, strict=False)):
        published.publish(Room(at=float(at)), [make_row(n, w, big=True) for n, w in look.items()])
        catch_up(fast, published)
        if slow_takes:
            catch_up(slow, published)
    catch_up(slow, published)
    truth = msgspec.json.decode(published.picture(EVERYBODY), type=Picture)
    want = {row.rollout.uid: row for row in truth.rows}
    assert fast.rows == want
    assert slow.rows == want
    assert fast.room == slow.room == truth.room


@settings(deadline=None)
@given(pictures)
def test_what_a_board_says_has_changed_is_what_changed(
    make_row: Callable[..., Row], looks: list[dict[int, int]]
) -> None:
    published, board, drawn = Published(), Board(), dict[Uid, Row]()
    for at, look in enumerate(looks):
        published.publish(Room(at=float(at)), [make_row(n, w) for n, w in look.items()])
        catch_up(board, published)
        news = board.take()
        for uid in news.gone:
            drawn.pop(uid, None)
        drawn.update({uid: board.rows[uid] for uid in news.changed})
        assert drawn == board.rows
        assert not board.take()


def test_a_row_that_is_the_same_is_not_sent_again(make_row: Callable[..., Row]) -> None:
    published = Published()
    published.publish(Room(at=1.0), [make_row(n) for n in range(9)])
    published.publish(Room(at=2.0), [make_row(n, 7 if n == 4 else 0) for n in range(9)])
    (data,) = published.frames_since(1, EVERYBODY)
    frame = read(data)
    assert isinstance(frame, Delta)
    assert [change.uid for change in frame.changes] == ["uid-4"]
    assert not frame.rows


def test_one_step_of_a_row_is_a_tenth_of_the_row(make_row: Callable[..., Row]) -> None:
    published = Published()
    published.publish(Room(at=1.0), [make_row(n, big=True) for n in range(50)])
    whole = len(next(iter(published.frames_since(0, EVERYBODY))))
    published.publish(Room(at=2.0), [make_row(n, 1, big=True) for n in range(50)])
    assert len(next(iter(published.frames_since(1, EVERYBODY)))) < whole / 5


def test_viewers_at_the_same_sequence_share_the_encoded_frame(make_row: Callable[..., Row]) -> None:
    published = Published()
    published.publish(Room(at=1.0), [make_row(1)])
    one, other = (list(published.frames_since(0, Viewer(name=name))) for name in "ab")
    assert one[0] is other[0]


def test_a_picture_that_is_taken_slowly_is_whole_and_of_its_own_moment(make_row: Callable[..., Row]) -> None:
    published, slow, quick = Published(), Board(), Board()
    published.publish(Room(at=1.0), [make_row(n) for n in range(PART_ROWS * 2 + 1)])
    taken = iter(published.frames_since(0, EVERYBODY))
    for board, frames in ((slow, [next(taken)]), (quick, published.frames_since(0, EVERYBODY)), (slow, taken)):
        for frame in map(read, frames):
            assert isinstance(frame, Picture)
            assert frame.seq == 1
            board.apply(frame, 0.0)
        published.publish(Room(at=2.0), [make_row(n, 7) for n in range(3)])
    assert slow.rows == quick.rows
    assert len(slow.rows) == PART_ROWS * 2 + 1


def test_a_large_picture_comes_in_parts_and_is_shown_when_whole(make_row: Callable[..., Row]) -> None:
    published, board = Published(), Board()
    published.publish(Room(at=1.0), [make_row(n) for n in range(PART_ROWS * 2 + 1)])
    parts = [read(data) for data in published.frames_since(0, EVERYBODY)]
    assert len(parts) == 3
    shown = []
    for part in parts:
        assert isinstance(part, Picture)
        shown.append((board.apply(part, 0.0), len(board.rows)))
    assert shown == [(False, 0), (False, 0), (True, PART_ROWS * 2 + 1)]


def test_an_eager_viewer_sees_the_loudest_rows_of_the_first_picture_while_the_others_come(
    make_row: Callable[..., Row],
) -> None:
    published, board = Published(), Board(eager=True)
    quiet = [make_row(n) for n in range(PART_ROWS * 2)]
    loud = msgspec.structs.replace(make_row(9_999), flag=Flag(reason=FlagReason.POLICY, since=1.0))
    published.publish(Room(at=1.0), [*quiet, loud])
    parts = [read(data) for data in published.frames_since(0, EVERYBODY)]
    shown, changed = [], set[Uid]()
    for part in parts:
        assert isinstance(part, Picture)
        shown.append((board.apply(part, 0.0), len(board.rows), board.filling))
        assert loud.rollout.uid in board.rows
        changed |= board.take().changed
    assert shown == [(True, PART_ROWS, True), (True, PART_ROWS * 2, True), (True, PART_ROWS * 2 + 1, False)]
    assert changed == set(board.rows)
    assert board.rows[loud.rollout.uid] == loud


def test_a_first_picture_that_broke_off_is_replaced_as_a_whole(make_row: Callable[..., Row]) -> None:
    board = Board(eager=True)
    board.apply(Picture(seq=1, room=Room(at=1.0), rows=(make_row(1), make_row(2)), more=True), 0.0)
    board.restart()
    board.apply(Picture(seq=5, room=Room(at=2.0), rows=(make_row(2),), more=True), 1.0)
    assert (set(board.rows), board.filling) == ({"uid-1", "uid-2"}, True)
    board.apply(Picture(seq=5, room=Room(at=2.0), rows=(make_row(3),)), 1.0)
    assert (set(board.rows), board.filling) == ({"uid-2", "uid-3"}, False)
    assert board.take().gone == {"uid-1"}


def test_a_viewer_that_missed_more_departures_than_are_kept_gets_a_picture(
    make_row: Callable[..., Row], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "GONE_KEPT", 2)
    published, board = Published(), Board()
    published.publish(Room(at=1.0), [make_row(n) for n in range(5)])
    catch_up(board, published)
    published.publish(Room(at=2.0), [make_row(4)])
    catch_up(board, published)
    assert set(board.rows) == {"uid-4"}
    assert board.take().gone == {"uid-0", "uid-1", "uid-2", "uid-3"}


def test_a_viewer_of_one_namespace_learns_nothing_of_another(make_row: Callable[..., Row]) -> None:
    def deed(namespace: str) -> Deed:
        target = Target(
            uid=Uid("u"), engine=Engine.ARGO, shape=Shape.CANARY, namespace=namespace, name=f"name-{namespace}"
        )
        intent = Intent(id="i", verb=Verb.PROMOTE, target=target, precondition=Precondition(), actor="a", at=0.0)
        return Deed(intent=intent, state=DeedState.DONE, at=0.0)

    queue = Queue(entries=tuple(QueueEntry(uid=Uid(f"uid-{n}"), lane=Lane.NORMAL, since=0.0) for n in (1, 2)))
    room = Room(at=1.0, deeds=(deed("shop"), deed("bank")), queue=queue)
    published = Published()
    rows = [make_row(1, namespace="shop"), make_row(2, namespace="bank")]
    published.publish(room, rows)
    published.publish(msgspec.structs.replace(room, at=2.0), rows[:1])
    teller = Viewer(namespaces=frozenset({"bank"}))
    clerk = Viewer(namespaces=frozenset({"shop"}))
    for since in (0, 1):
        data = b"".join(published.frames_since(since, clerk)) + published.picture(clerk)
        assert b"bank" not in data
        assert b"uid-2" not in data
        assert b"uid-1" not in b"".join(published.frames_since(since, teller))


def test_a_delta_that_leaves_something_out_is_refused() -> None:
    board = Board()
    board.apply(Picture(seq=3, room=Room(at=1.0)), 0.0)
    with pytest.raises(Unreachable, match="left something out"):
        board.apply(Delta(seq=6, since=5, room=Room(at=2.0)), 0.0)


def test_half_a_picture_is_never_shown() -> None:
    board = Board()
    board.apply(Picture(seq=3, room=Room(at=1.0), more=True), 0.0)
    with pytest.raises(Unreachable, match="broke off"):
        board.apply(Delta(seq=4, since=3, room=Room(at=2.0)), 0.0)
    assert board.room is None


def test_the_age_grows_while_nothing_is_heard_and_a_beat_does_not_hide_a_stuck_loop() -> None:
    board = Board()
    assert board.age(0.0) is None
    board.apply(Picture(seq=1, room=Room(at=1000.0)), 50.0)
    assert board.age(51.5) == pytest.approx(1.5)
    board.hear(Beat(at=1004.0, looked=1000.0), 54.0)
    assert board.age(54.5) == pytest.approx(4.5)
    board.hear(Beat(at=1006.0, looked=1006.0), 56.0)
    assert board.age(56.0) == pytest.approx(0.0)


def test_a_new_worker_with_another_clock_is_believed() -> None:
    board = Board()
    board.apply(Picture(seq=9, room=Room(at=5000.0)), 10.0)
    board.restart()
    board.apply(Picture(seq=1, room=Room(at=1000.0)), 20.0)
    assert board.worker_now(21.0) == pytest.approx(1001.0)
    assert board.age(21.0) == pytest.approx(1.0)


@pytest.mark.parametrize("by", [-3600.0, -8.0, 3600.0])
@pytest.mark.parametrize("first", ["beat", "picture"])
def test_a_worker_whose_clock_is_set_is_followed_at_once(by: float, first: str) -> None:
    board = Board()
    board.apply(Picture(seq=1, room=Room(at=5000.0)), 10.0)
    board.hear(Beat(at=5002.0, looked=5000.0), 12.0)
    if first == "beat":
        board.hear(Beat(at=5004.0 + by, looked=5003.5 + by), 14.0)
    else:
        board.apply(Picture(seq=2, room=Room(at=5004.0 + by)), 14.0)
    assert board.worker_now(15.0) == pytest.approx(5005.0 + by)
    assert board.age(15.0) == pytest.approx(1.5 if first == "beat" else 1.0)


def test_a_frame_that_waited_is_no_clock_set_back() -> None:
    board = Board()
    board.apply(Picture(seq=1, room=Room(at=5000.0)), 10.0)
    board.hear(Beat(at=5030.0, looked=5029.0), 40.0)
    board.apply(Picture(seq=2, room=Room(at=5010.0)), 41.0)
    assert board.worker_now(41.0) == pytest.approx(5031.0)


def test_a_frame_is_read_in_parts_that_add_up(make_row: Callable[..., Row]) -> None:
    published, board = Published(), Board()
    published.publish(Room(at=1.0), [make_row(n) for n in range(9)])
    catch_up(board, published)
    published.publish(Room(at=2.0), [make_row(n, 1) for n in range(2, 14)])
    (data,) = published.frames_since(1, EVERYBODY)
    frame = decode(data)
    assert isinstance(frame, SealedDelta)
    parts = [part for part in opened(frame, most=3) if isinstance(part, Delta)]
    assert [(len(part.rows), len(part.changes), len(part.gone)) for part in parts] == [
        (3, 0, 2),
        (2, 1, 0),
        (0, 3, 0),
        (0, 3, 0),
    ]
    assert [board.apply(part, 0.0) for part in parts] == [False, False, False, True]
    assert board.rows == {f"uid-{n}": make_row(n, 1) for n in range(2, 14)}
    assert board.latest == tuple(parts)


def test_a_number_too_large_for_any_row_is_refused_in_a_sentence(make_row: Callable[..., Row]) -> None:
    row = make_row(1)
    large = msgspec.structs.replace(row, rollout=msgspec.structs.replace(row.rollout, weight=2**64))
    with pytest.raises(Unreachable, match=r"not a frame \(can.t serialize ints"):
        read(encode(Picture(seq=1, room=Room(at=1.0), rows=(large,))))


def test_another_protocol_is_named_in_one_sentence() -> None:
    with pytest.raises(Unreachable, match=rf"protocol 99 \(opsroom 9\.9\), this opsroom {PROTOCOL}"):
        decode(encode(Hello(protocol=99, version="9.9")))


@given(st.binary(max_size=200))
def test_garbage_is_an_error_with_a_sentence(data: bytes) -> None:
    with pytest.raises(Unreachable, match=r"not a frame|protocol"):
        read(data)
