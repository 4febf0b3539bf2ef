# ruff: noqa: T201 - a bench prints its figures
"""The terminal side beside a bare Textual app, in the same run: ``python -m tests.bench.bench_terminal``.

Everything runs in a real pty of 120x40; the feed is a process of its own. ``--rows 1000,10000`` and ``--runs 7`` are
the defaults; ``--only start,memory,idle,hold,busy,slow`` leaves parts out. Figures only, nothing is asserted: times
mean something only beside each other. The issue's bounds are printed beside the figures.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from opsroom.view.order import Wish, arrange, uids
from tests.bench.byte_floor import Picture, floor, picture
from tests.bench.fleet_feed import fleet
from tests.bench.pty_probe import LINES, Probe, line_of

PARTS = ("start", "idle", "hold", "busy", "slow")
RATE, HOLD_SECONDS = 30.0, 4.0
SLOW_BYTES, SLOW_RATE = 32_000, 15.0
_WORDS = re.compile(rb"\x1b(?:\[[^@-~]*[@-~]|[^\[])|[\s\x00-\x1f]")
_ROW = re.compile(r"^>.{2} {2}svc-(\d{5})")


@dataclass(slots=True)
class Starts:
    """What repeated starts of one command took; seconds and MiB."""

    painted: list[float] = field(default_factory=list)
    usable: list[float] = field(default_factory=list)
    left: list[float] = field(default_factory=list)
    resident: list[float] = field(default_factory=list)
    share: list[float] = field(default_factory=list)
    sent: list[float] = field(default_factory=list)
    """Bytes until it was usable."""

    def take(self, command: Sequence[str], home: Path, word: bytes, settle: float) -> None:
        """One more start."""
        probe = Probe(command, environment(home))
        probe.start()
        try:
            probe.until(lambda data: word in data)
            self.painted.append(_painted(probe) - probe.began)
            self.usable.append(probe.reads[-1][0] - probe.began)
            self.sent.append(float(sum(len(data) for _, data in probe.reads)))
            probe.pump(time.monotonic() + settle)
            resident, share = probe.memory()
            self.resident.append(resident)
            self.share.append(share)
            self.left.append(probe.leave())
        finally:
            probe.close()


def _painted(probe: Probe) -> float:
    """When the first glyph came."""
    seen = b""
    for at, data in probe.reads:
        seen += data
        if _WORDS.sub(b"", seen):
            return at
    raise AssertionError("nothing was painted")


def environment(home: Path) -> dict[str, str]:
    """A terminal with 24-bit colour and a home without settings."""
    kept = {name: os.environ[name] for name in ("PATH", "PYTHONPATH", "VIRTUAL_ENV") if name in os.environ}
    own = {"HOME": str(home), "XDG_RUNTIME_DIR": str(home), "TERM": "xterm-256color", "COLORTERM": "truecolor"}
    return {**kept, **own, "LC_ALL": "C.UTF-8"}


@contextlib.contextmanager
def process(*words: str) -> Iterator[None]:
    """A process of the bench's own that says when it is ready."""
    command = [sys.executable, "-m", *words]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as started:
        assert started.stdout is not None
        try:
            started.stdout.readline()
            yield
        finally:
            started.kill()


@dataclass(slots=True)
class Bench:
    """One fleet on one board."""

    home: Path
    rows: int

    @property
    def board(self) -> list[str]:
        """The command under test, as a person types it where it is installed."""
        script = Path(sys.executable).with_name("opsroom")
        command = [sys.executable, str(script)] if script.exists() else [sys.executable, "-m", "opsroom"]
        return [*command, "--feed", f"unix:{self.home}/feed.sock"]

    @contextlib.contextmanager
    def shown(self, limit: int = 0) -> Iterator[Probe]:
        """A board that has come to rest."""
        probe = Probe(self.board, environment(self.home))
        probe.start()
        try:
            probe.until(lambda data: b"svc-0" in data)
            probe.pump(time.monotonic() + 2.0 + self.rows / 5_000)
            probe.limit = limit
            yield probe
        finally:
            probe.close()

    def start(self, runs: int) -> None:
        """Start and quit, in turn with the bare app."""
        bare, board = Starts(), Starts()
        for turn in range(runs + 1):
            settle = 2.0 + self.rows / 5_000
            bare.take([sys.executable, str(Path(__file__).with_name("bare_app.py"))], self.home, b"hello", 0.3)
            board.take(self.board, self.home, b"svc-0", settle)
            if not turn:
                bare, board = Starts(), Starts()
        self._ratio("something on the screen", board.painted, bare.painted, 0.2, 1000, "ms")
        self._ratio("usable board", board.usable, bare.usable, 1.3, 1000, "ms")
        self._ratio("quit", board.left, bare.left, 1.5, 1000, "ms")
        self._ratio("memory (resident)", board.resident, bare.resident, 1.5, 1, "MiB")
        self._ratio("memory (proportional)", board.share, bare.share, 1.5, 1, "MiB")
        self._ratio("bytes to the first board", board.sent, bare.sent, 1.1, 1, "B")

    def _ratio(self, what: str, ours: list[float], bare: list[float], bound: float, unit: float, name: str) -> None:
        a, b = statistics.median(ours), statistics.median(bare)
        lowest = min(ours) / min(bare)
        figures = f"{a * unit:.0f} {name} against {b * unit:.0f}, of the lowest {lowest:.2f}"
        self.say(what, f"{a / b:.2f}", f"{bound}", figures)

    def say(self, what: str, figure: str, bound: str, more: str = "") -> None:
        """One line of the report."""
        print(f"{self.rows:>6} rows  {what:<34} {figure:>8}  (asked: {bound})  {more}", flush=True)

    def idle(self, seconds: float = 8.0) -> None:
        """Nobody presses a key."""
        with self.shown() as probe:
            since, cpu = time.monotonic(), probe.cpu()
            probe.pump(since + seconds)
            spent = probe.cpu() - cpu
            probe.leave()
        sent, least = probe.bytes_since(since), _least(probe, since, since + seconds)
        sent = sum(len(data) for at, data in probe.reads if since < at <= since + seconds)
        self.say("idle: bytes over the floor", f"{sent / max(1, least):.2f}", "1.15", f"{sent / seconds:.0f} B/s")
        self.say("idle: processor", f"{spent / seconds:.1%}", "-")

    def hold(self, what: str = "key held at 30/s: p95", rate: float = RATE, limit: int = 0, bound: str = "35") -> float:
        """A key held down; returns the 95th percentile in ms."""
        with self.shown(limit) as probe:
            since, cpu = time.monotonic(), probe.cpu()
            probe.hold(b"j", rate, HOLD_SECONDS)
            spent, until = probe.cpu() - cpu, time.monotonic()
            probe.leave()
        late = sorted(self._late(probe))
        middle, high, worst = late[len(late) // 2], late[int(len(late) * 0.95)], late[-1]
        self.say(
            what,
            f"{high:.0f} ms",
            bound,
            f"median {middle:.0f}, worst {worst:.0f}, processor {spent / HOLD_SECONDS:.0%}",
        )
        if not limit:
            sent = sum(len(data) for at, data in probe.reads if since < at <= until)
            least = _least(probe, since, until)
            self.say(
                "  scrolling: bytes over the floor",
                f"{sent / max(1, least):.2f}",
                "1.1",
                f"{sent / HOLD_SECONDS:.0f} B/s",
            )
        return high

    def _late(self, probe: Probe) -> list[float]:
        """Milliseconds from each key until the cursor was that far down."""
        order = uids(arrange(fleet(self.rows, 1e9), Wish()))
        place = {int(uid[-5:]): at for at, uid in enumerate(order)}
        found: list[float] = []
        start: int | None = None
        for at, screen in probe.screens():
            number = next((int(m[1]) for y in range(LINES) if (m := _ROW.match(line_of(screen, y)))), None)
            if number is None:
                continue
            start = place[number] if start is None else start
            while len(found) < len(probe.keys) and place[number] - start > len(found) and at > probe.keys[len(found)]:
                found.append((at - probe.keys[len(found)]) * 1000)
        if len(found) < len(probe.keys):
            print(f"        {len(probe.keys) - len(found)} of {len(probe.keys)} keys were never seen to act")
        return found


def _least(probe: Probe, since: float, until: float) -> int:
    """The floor of all frames of a span."""
    before: Picture | None = None
    spent, style = 0, None
    for at, screen in probe.screens():
        if at > until:
            break
        after = picture(screen) if at > since - 3.0 else None
        if at > since and before is not None and after is not None:
            cost, style = floor(before, after, style)
            spent += cost
        before = after
    return spent


def main() -> None:
    """Measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", default="1000,10000")
    parser.add_argument("--runs", type=int, default=7)
    parser.add_argument("--only", default=",".join(PARTS))
    asked = parser.parse_args()
    only = asked.only.split(",")
    print(f"load before: {os.getloadavg()[0]:.1f} on {os.cpu_count()} processors")
    for rows in map(int, asked.rows.split(",")):
        with tempfile.TemporaryDirectory() as folder:
            bench = Bench(Path(folder), rows)
            with process("tests.bench.fleet_feed", f"unix:{folder}/feed.sock", str(rows)):
                _measure(bench, only, asked.runs)


def _measure(bench: Bench, only: Sequence[str], runs: int) -> None:
    if "start" in only:
        bench.start(runs)
    if "idle" in only:
        bench.idle()
    quiet = bench.hold() if "hold" in only or "busy" in only else 0.0
    if "busy" in only:
        with process("tests.bench.busy_judge"):
            busy = bench.hold("key held, worker busy: p95", bound="see next")
        bench.say("  busy over quiet", f"{busy / quiet:.2f}", "1.5")
    if "slow" in only:
        bench.hold("key held at 15/s, 32 kB/s: p95", SLOW_RATE, SLOW_BYTES, "1000")


if __name__ == "__main__":
    main()
