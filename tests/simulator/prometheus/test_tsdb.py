"""The store: what it keeps, for how long, and when a series has ended."""

from __future__ import annotations

import numpy as np
import pytest

from opsroom.simulator.prometheus.block import Block
from opsroom.simulator.prometheus.matchers import Matcher, Op
from opsroom.simulator.prometheus.tsdb import Tsdb

EVER = 2**60


def everything(tsdb: Tsdb, *matchers: Matcher) -> list[dict[str, str]]:
    return tsdb.labels(tsdb.select(matchers, -EVER, EVER)).rows()


def read(tsdb: Tsdb, number: int) -> Block:
    return tsdb.read(np.array([number]), -EVER, EVER)


def test_samples_come_back_with_their_times_in_milliseconds() -> None:
    tsdb = Tsdb()
    number = tsdb.series({"__name__": "m", "pod": "a"})
    tsdb.append(number, 1.5, 7.0)
    tsdb.append(number, 2.25, 8.0)
    block = read(tsdb, number)
    assert block.times.tolist() == [1500, 2250]
    assert block.values[:, 0].tolist() == [7.0, 8.0]
    assert block.complete


def test_a_series_has_one_number_and_empty_labels_do_not_count() -> None:
    tsdb = Tsdb()
    assert tsdb.series({"__name__": "m", "a": "1", "b": ""}) == tsdb.series({"a": "1", "__name__": "m"})


def test_a_time_before_the_newest_is_refused_unless_it_is_a_row() -> None:
    tsdb = Tsdb()
    one, other = tsdb.series({"__name__": "m"}), tsdb.series({"__name__": "n"})
    tsdb.append(one, 1.0, 1.0)
    tsdb.append(one, 3.0, 3.0)
    tsdb.append(other, 1.0, 5.0)
    assert read(tsdb, other).present[:, 0].tolist() == [True, False]
    with pytest.raises(ValueError, match="out of order"):
        tsdb.append(one, 2.0, 2.0)


def test_what_a_scrape_lacks_becomes_stale_once() -> None:
    tsdb = Tsdb()
    ids = np.array([tsdb.series({"__name__": "m", "pod": pod}) for pod in "ab"])
    tsdb.scrape(ids, 1.0, np.array([1.0, 2.0]))
    tsdb.scrape(ids[:1], 2.0, np.array([1.0]))
    tsdb.scrape(ids[:1], 3.0, np.array([1.0]))
    block = read(tsdb, int(ids[1]))
    assert block.stale[:, 0].tolist() == [False, True, False]
    assert block.present[:, 0].tolist() == [True, False, False]


def test_an_ordinary_nan_is_a_sample() -> None:
    tsdb = Tsdb()
    number = tsdb.series({"__name__": "m"})
    tsdb.append(number, 1.0, float("nan"))
    assert read(tsdb, number).present[0, 0]


def test_memory_is_bounded_by_the_retention_and_numbers_are_given_out_again() -> None:
    tsdb = Tsdb(retention_seconds=20, rows_per_chunk=5)
    most = 0
    for second in range(400):
        ids = np.array([tsdb.series({"__name__": "m", "pod": f"p{second // 10}-{n}"}) for n in range(3)])
        tsdb.scrape(ids, float(second), np.full(3, float(second)))
        if second % 10 == 9:
            tsdb.release(ids)
        most = max(most, int(ids.max()))
    assert most < 3 * 5
    block = tsdb.read(np.array([0]), -EVER, EVER)
    assert block.times[0] >= (399 - 20 - 5) * 1000
    assert {row["pod"] for row in everything(tsdb)} <= {f"p{n}-{m}" for n in range(36, 40) for m in range(3)}


def test_a_stretch_of_time_has_room_for_its_own_series_only() -> None:
    tsdb = Tsdb(retention_seconds=1e6, rows_per_chunk=10)
    for second in range(2000):
        ids = np.array([tsdb.series({"__name__": "m", "pod": f"p{second // 10}-{n}"}) for n in range(3)])
        tsdb.scrape(ids, float(second), np.full(3, float(second)))
    last = tsdb._chunks[-1]
    assert len(everything(tsdb)) == 600
    assert last.cells(0, 1, ids).tolist() == [[1990.0] * 3]
    assert last._data.shape[1] < 100, "wide as all series that ever were"


def test_a_number_given_out_again_shows_nothing_of_the_one_before() -> None:
    tsdb = Tsdb(retention_seconds=4, rows_per_chunk=2)
    old, clock = tsdb.series({"__name__": "old", "x": "1"}), tsdb.series({"__name__": "clock"})
    tsdb.append(old, 0.0, 1.0)
    tsdb.release([old])
    for second in range(1, 12):
        tsdb.append(clock, float(second), 1.0)
    new = tsdb.series({"__name__": "new"})
    assert new == old
    assert everything(tsdb) == [{"__name__": "clock"}]
    tsdb.append(new, 11.0, 5.0)
    assert read(tsdb, new).values[read(tsdb, new).present].tolist() == [5.0]
    assert {"__name__": "new"} in everything(tsdb)


def test_a_held_series_keeps_its_number_through_silence() -> None:
    tsdb = Tsdb(retention_seconds=4, rows_per_chunk=2)
    held, clock = tsdb.series({"__name__": "held"}), tsdb.series({"__name__": "clock"})
    tsdb.append(held, 0.0, 1.0)
    for second in range(1, 12):
        tsdb.append(clock, float(second), 1.0)
    assert tsdb.series({"__name__": "other"}) != held


@pytest.mark.parametrize(
    ("op", "value", "pods"),
    [
        (Op.EQUAL, "a1", ["a1"]),
        (Op.UNEQUAL, "a1", ["", "b1"]),
        (Op.MATCH, "a.|b.", ["a1", "b1"]),
        (Op.MATCH, "a", []),
        (Op.NO_MATCH, "a.*", ["", "b1"]),
        (Op.EQUAL, "", [""]),
        (Op.MATCH, ".*", ["", "a1", "b1"]),
        (Op.EQUAL, "never seen", []),
    ],
)
def test_matchers_are_anchored_and_a_missing_label_is_empty(op: Op, value: str, pods: list[str]) -> None:
    tsdb = Tsdb()
    for pod in ("a1", "b1", ""):
        tsdb.append(tsdb.series({"__name__": "m", "pod": pod}), 1.0, 1.0)
    assert sorted(row.get("pod", "") for row in everything(tsdb, Matcher("pod", op, value))) == pods


def test_more_series_than_at_first_thought_fit_into_a_chunk_that_has_begun() -> None:
    tsdb = Tsdb()
    tsdb.append(tsdb.series({"__name__": "first"}), 1.0, 1.0)
    ids = np.array([tsdb.series({"__name__": "m", "n": str(n)}) for n in range(2000)])
    tsdb.append_batch(ids, 1.0, np.arange(2000.0))
    assert tsdb.read(ids, 0, EVER).values[0].tolist() == list(range(2000))
