"""``kill -9`` of the screen: what is armed dies with it, what was sent is finished and journalled without it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import msgspec
import pytest

from opsroom.delivery.journal import read, verify
from opsroom.domain.deed import DeedState, Verb
from tests.faults.acting import PATIENCE, aborted, command, intent
from tests.faults.stage import Sim

pytestmark = pytest.mark.timeout(300)

SCREEN = """
import asyncio, sys
import msgspec
from opsroom.domain.deed import DeedState, Intent
from opsroom.ui.child import Child

async def main():
    intent = msgspec.json.decode(sys.stdin.readline(), type=Intent)
    child = Child.start(sys.argv[2:], intent)
    async for deed in child.deeds():
        if deed.state is DeedState.JOURNALLED and sys.argv[1] == "go":
            child.say(b"go")
        print(deed.state.value, flush=True)

asyncio.run(main())
"""


@pytest.mark.parametrize(("word", "last"), [("wait", DeedState.CANCELLED), ("go", DeedState.DONE)])
def test_what_is_armed_dies_with_the_screen_and_what_was_sent_does_not(
    word: str, last: DeedState, quiet_sim: Sim, tmp_path: Path
) -> None:
    wish, journal = intent(quiet_sim, Verb.ROLL_BACK), tmp_path / "journal.jsonl"
    words = [sys.executable, "-c", SCREEN, word, *command(quiet_sim, journal)]
    screen = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert screen.stdin is not None
    assert screen.stdout is not None
    screen.stdin.write(msgspec.json.encode(wish).decode() + "\n")
    screen.stdin.flush()
    seen = ""
    while seen != ("sent" if word == "go" else "journalled"):
        seen = screen.stdout.readline().strip()
        assert seen, "opsroom act ended"
    os.kill(screen.pid, signal.SIGKILL)
    screen.wait(PATIENCE)
    for pipe in (screen.stdin, screen.stdout):
        pipe.close()

    def states() -> list[DeedState]:
        return [entry.deed.state for entry in read(journal) if entry.deed is not None]

    limit = time.monotonic() + PATIENCE
    while not states()[-1].settled and time.monotonic() < limit:
        time.sleep(0.05)
    assert states()[-1] is last
    assert verify(journal) == []
    assert aborted(quiet_sim, wish) is (word == "go")
