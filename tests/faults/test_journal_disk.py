"""The journal's disk as a person's deed meets it: full, not there, torn, and killed at any moment."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import httpx
import msgspec
import pytest

from opsroom.delivery.journal import Entry, Journal, read, verify
from opsroom.domain.deed import DeedState, Refusal, Verb
from tests.faults.acting import PATIENCE, TAKEN, aborted, act, intent, start
from tests.faults.proxy import server_of
from tests.faults.stage import Sim

pytestmark = pytest.mark.timeout(300)


@pytest.fixture(params=["full", "read-only", "not there"])
def bad_disk(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A journal that cannot be written; we may be root, so a mode of 0500 would stop nobody."""
    if request.param == "full":
        return Path("/dev/full")
    if request.param == "read-only":
        # The kernel lets nobody make a file there, whether it is mounted read-only or not.
        return Path("/sys/journal.jsonl")
    (tmp_path / "file").write_text("")
    return tmp_path / "file" / "journal.jsonl"


def test_a_persons_roll_back_goes_ahead_and_says_that_it_is_not_journalled(quiet_sim: Sim, bad_disk: Path) -> None:
    states = act(quiet_sim, bad_disk, Verb.ROLL_BACK)
    assert states[-1].state is DeedState.DONE
    assert states[-1].detail == "not_journalled"
    target = states[-1].intent.target
    url = f"{server_of(quiet_sim.kubeconfig)}/api/v1/namespaces/{target.namespace}/events"
    events = httpx.get(url, params={"fieldSelector": f"involvedObject.uid={target.uid}"}, timeout=PATIENCE).json()[
        "items"
    ]
    ours = [event["message"] for event in events if event.get("reason") == "OpsroomRolledBack"]
    assert any("not_journalled" in message for message in ours)


def test_a_promotion_is_refused(quiet_sim: Sim, bad_disk: Path) -> None:
    (refused,) = act(quiet_sim, bad_disk, Verb.PROMOTE)
    TAKEN.discard(f"{refused.intent.target.uid} {refused.intent.precondition.canary_hash}")
    assert (refused.state, refused.refusal) == (DeedState.REFUSED, Refusal.JOURNAL)


def test_killed_at_any_moment_the_journal_holds_and_nothing_is_done_unjournalled(
    quiet_sim: Sim, tmp_path: Path
) -> None:
    dice, journal = random.Random(4), tmp_path / "journal.jsonl"  # noqa: S311 - repeatable on purpose
    for _ in range(2):
        wish = intent(quiet_sim, Verb.ROLL_BACK)
        process = start(quiet_sim, journal)
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(msgspec.json.encode(wish) + b"\ngo\n")
        process.stdin.flush()
        process.stdout.readline()
        time.sleep(dice.uniform(0.0, 0.05))
        process.send_signal(signal.SIGKILL)
        process.wait(60)
        process.stdin.close()
        process.stdout.close()
        journalled = any(entry.deed is not None and entry.deed.intent.id == wish.id for entry in read(journal))
        assert journalled or not aborted(quiet_sim, wish)
        assert all(fault.kind == "torn" for fault in verify(journal))


def test_a_disk_that_fills_in_the_middle_of_a_line_tears_only_that_line(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    code = f"""
import resource
from opsroom.delivery.journal import Entry, Journal
from opsroom.errors import JournalError
from pathlib import Path
journal = Journal(Path({str(path)!r}), "w")
journal.write(Entry(at=1.0, writer="", note="first"))
hard = resource.RLIM_INFINITY
resource.setrlimit(resource.RLIMIT_FSIZE, (journal.path.stat().st_size + 20, hard))
for _ in range(3):
    try:
        journal.write(Entry(at=2.0, writer="", note="second"))
        raise SystemExit("written on a full disk")
    except JournalError:
        pass
resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
journal.write(Entry(at=3.0, writer="", note="third"))
journal.write(Entry(at=4.0, writer="", note="fourth"))
"""
    subprocess.run([sys.executable, "-c", code], check=True)
    assert [entry.note for entry in read(path)] == ["first", "third", "fourth"]
    assert {fault.kind for fault in verify(path)} <= {"torn"}


def test_lines_of_two_writers_torn_by_a_crash_each_are_told_from_tampering(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    Journal(path, "a").write(Entry(at=1.0, writer="", note="one"))
    for writer in ("b", "c"):
        with path.open("ab") as file:
            file.write(json.dumps({"at": 2.0, "writer": writer}).encode()[:12])
        Journal(path, writer).write(Entry(at=3.0, writer="", note=writer))
    assert [entry.note for entry in read(path)] == ["one", "b", "c"]
    assert [fault.kind for fault in verify(path)] == ["torn", "torn"]
    assert os.stat(path).st_mode & 0o077 == 0
