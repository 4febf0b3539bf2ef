"""Freeze windows: their three forms, zones, changes of the clock and mistakes."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from opsroom.domain.policy import Policy, out_of_bounds
from opsroom.domain.queue_policy import LaneRule, Limit, QueuePolicy
from opsroom.domain.window import Window, fault, open_until

BERLIN = ZoneInfo("Europe/Berlin")


def local(text: str) -> datetime:
    """A time without an offset, as a policy file has it."""
    return datetime.fromisoformat(text)


def at(text: str, zone: Any = UTC) -> float:
    """Epoch seconds of an ISO time in ``zone``."""
    return datetime.fromisoformat(text).replace(tzinfo=zone).timestamp()


def test_a_one_off_window_without_offset_is_in_its_zone() -> None:
    window = Window(name="x", zone="Europe/Berlin", starts=local("2026-12-24T12:00"), ends=local("2026-12-27T08:00"))
    assert open_until(window, at("2026-12-24T11:59", BERLIN)) is None
    assert open_until(window, at("2026-12-24T12:00", BERLIN)) == at("2026-12-27T08:00", BERLIN)
    assert open_until(window, at("2026-12-27T08:00", BERLIN)) is None


def test_a_weekly_window_over_midnight_ends_on_the_next_day() -> None:
    window = Window(name="x", days=("fri",), begin="16:00", end="06:00")
    assert open_until(window, at("2026-11-27T15:59")) is None
    assert open_until(window, at("2026-11-27T16:00")) == at("2026-11-28T06:00")
    assert open_until(window, at("2026-11-28T05:59")) == at("2026-11-28T06:00")
    assert open_until(window, at("2026-11-28T16:00")) is None


def test_a_cron_window_lasts_its_minutes() -> None:
    window = Window(name="x", cron="30 17 * * 5", minutes=60 * 60)
    assert open_until(window, at("2026-11-27T17:29")) is None
    assert open_until(window, at("2026-11-29T12:00")) == at("2026-11-30T05:30")
    assert open_until(window, at("2026-11-30T05:30")) is None


@pytest.mark.parametrize(
    ("cron", "moment", "is_open"),
    [
        ("*/15 * * * *", "2026-11-25T10:46", True),
        ("*/15 * * * *", "2026-11-25T10:56", False),
        ("0 8-10,14 * * *", "2026-11-25T14:05", True),
        ("0 8-10,14 * * *", "2026-11-25T11:05", False),
        ("0 0 1 1 *", "2027-01-01T00:05", True),
        ("0 0 1 1 *", "2027-02-01T00:05", False),
        ("0 12 13 * 5", "2026-11-13T12:01", True),
        ("0 12 13 * 5", "2026-11-20T12:01", True),
        ("0 12 13 * 5", "2026-11-19T12:01", False),
        ("0 12 * * 0", "2026-11-29T12:01", True),
        ("0 12 * * 7", "2026-11-29T12:01", True),
    ],
)
def test_cron_is_read_as_cron_reads_it(cron: str, moment: str, is_open: bool) -> None:
    assert (open_until(Window(name="x", cron=cron, minutes=10), at(moment)) is not None) is is_open


def test_overlapping_beginnings_end_with_the_last_one() -> None:
    window = Window(name="x", cron="0 * * * *", minutes=90)
    assert open_until(window, at("2026-11-25T10:20")) == at("2026-11-25T11:30")


def test_local_times_follow_the_change_of_the_clock() -> None:
    window = Window(name="x", zone="Europe/Berlin", days=("sat",), begin="22:00", end="06:00")
    # The night of 24 October 2026 has nine hours between 22:00 and 06:00.
    begin, end = at("2026-10-24T22:00", BERLIN), at("2026-10-25T06:00", BERLIN)
    assert end - begin == 9 * 3600
    assert open_until(window, begin) == end
    assert open_until(window, end - 1) == end


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({}, "give either"),
        ({"cron": "* * * *", "minutes": 5}, "five fields"),
        ({"cron": "61 * * * *", "minutes": 5}, "outside 0 to 59"),
        ({"cron": "a * * * *", "minutes": 5}, "no cron field"),
        ({"cron": "*/0 * * * *", "minutes": 5}, "outside"),
        ({"cron": "* * * * *"}, "minutes must be"),
        ({"cron": "* * * * *", "minutes": 5, "days": ("mon",)}, "give either"),
        ({"days": ("friday",), "begin": "10:00", "end": "11:00"}, "days are"),
        ({"days": ("fri",), "begin": "25:00", "end": "11:00"}, "no time of day"),
        ({"days": ("fri",), "begin": "10:00", "end": ""}, "no time of day"),
        ({"starts": local("2026-01-01")}, "both"),
        ({"starts": local("2026-01-02"), "ends": local("2026-01-01")}, "before it ends"),
        ({"cron": "0 0 * * *", "minutes": 5, "zone": "Europe/Atlantis"}, "time zone"),
    ],
)
def test_a_window_that_makes_no_sense_says_why(fields: dict[str, Any], words: str) -> None:
    assert words in fault(Window(name="x", **fields))


def test_the_policy_names_what_is_wrong_with_the_queue() -> None:
    queue = QueuePolicy(
        slots=-1,
        limits=(Limit(name="service", slots=0),),
        lanes=(LaneRule(match={}, lane="hotfix"),),
        windows=(Window(name="w"),),
    )
    keys = [key for key, _words in out_of_bounds(Policy(queue=queue))]
    assert keys == ["queue: slots", "queue: limits", "queue: limits", "queue: lanes", "queue: windows"]
    assert out_of_bounds(Policy()) == []
