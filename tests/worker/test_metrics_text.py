"""/metrics can be read by Prometheus, whatever the names."""

from __future__ import annotations

import re
import shutil
import subprocess

import pytest

from opsroom.domain.board import Room, Row
from opsroom.domain.decision import Flag, FlagReason
from opsroom.domain.freshness import SourceState
from opsroom.domain.rollout import Engine, Phase, Revision, Rollout, Shape, Uid
from opsroom.domain.verdict import Verdict, VerdictState
from opsroom.worker.metrics import Tally, exposition

LINE = re.compile(r'^opsroom_[a-z_]+(\{([a-z_]+="([^"\\\n]|\\["\\n])*",?)*\})? [-+0-9.e]+$')


def text() -> str:
    rollout = Rollout(
        uid=Uid("u"),
        engine=Engine.ARGO,
        shape=Shape.CANARY,
        namespace='a"b\\c\nd',
        name="cart",
        phase=Phase.PROGRESSING,
        canary=Revision(hash="new"),
    )
    row = Row(
        rollout=rollout,
        verdict=Verdict(uid=Uid("u"), at=1.0, state=VerdictState.UNDECIDED, score=0.5),
        flag=Flag(reason=FlagReason.NO_DATA, since=1.0),
    )
    prometheus = SourceState(name="prometheus", interval=10.0, at=99.0)
    room = Room(at=100.0, sources=(SourceState(name="kube", interval=10.0, at=90.0, error="down"), prometheus))
    tally = Tally()
    tally.tick(0.25)
    tally.tick(0.5)
    tally.decisions["promote"] += 1
    tally.gates["rollback", "no_roll_back"] += 1
    tally.deeds["promote", "done"] += 1
    tally.source_errors["kube"] += 1
    return exposition(room, [row], tally, 3, 101.5)


def test_every_line_is_a_comment_or_a_sample() -> None:
    for line in text().splitlines():
        assert line.startswith("# ") or LINE.match(line), line


@pytest.mark.parametrize(
    "line",
    [
        "opsroom_ticks_total 2.0",
        "opsroom_tick_seconds_max 0.5",
        "opsroom_feed_viewers 3.0",
        "opsroom_feed_age_seconds 1.5",
        'opsroom_source_age_seconds{source="kube"} 11.5',
        'opsroom_source_down{source="kube"} 1.0',
        'opsroom_decisions_total{outcome="promote"} 1.0',
        'opsroom_deeds_total{verb="promote",state="done"} 1.0',
        'opsroom_deeds_total{verb="roll_back",state="failed"} 0.0',
        'opsroom_source_errors_total{source="prometheus"} 0.0',
        "opsroom_errors_total 0.0",
        'opsroom_flagged{reason="no_data"} 1.0',
        'opsroom_score{namespace="a\\"b\\\\c\\nd",name="cart",engine="argo"} 0.5',
    ],
)
def test_what_is_known_is_told(line: str) -> None:
    assert line in text().splitlines()


@pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool is not installed")
def test_prometheus_own_checker_accepts_it() -> None:
    done = subprocess.run(
        ["promtool", "check", "metrics"], input=text(), capture_output=True, text=True, check=False, timeout=30
    )
    assert done.returncode == 0, done.stderr


def test_the_last_hour_counts_each_change_once_and_forgets_it() -> None:
    """Also of a rollout that moves again, or ended twice within the hour."""
    tally = Tally()
    for promoted, at in ((True, 0.0), (True, 1800.0), (False, 3000.0)):
        tally.end(promoted, at)
    assert tally.hour(3000.0) == (2, 1)
    assert tally.hour(4000.0) == (1, 1)
    assert (tally.promoted, tally.rolled_back) == (2, 1)
