"""The real worker beside a loaded cluster, and the figures that tell how it bears it.

Everything is a process of its own, as in life: cluster, worker, and whoever watches.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from opsroom.domain.rollout import Rollout
from opsroom.feed.address import parse
from opsroom.feed.frames import Delta, Picture
from opsroom.feed.stream import EventReader, Line
from tests.feed.reading import read

HOME = Path(__file__).resolve().parents[2]
TICK = os.sysconf("SC_CLK_TCK")
KUBECONFIG = """apiVersion: v1
kind: Config
current-context: load
clusters: [{{name: load, cluster: {{server: "http://127.0.0.1:{port}"}}}}]
users: [{{name: load, user: {{token: load}}}}]
contexts: [{{name: load, context: {{cluster: load, user: load}}}}]
"""


@contextmanager
def process(*words: str, **environment: str) -> Iterator[subprocess.Popen[str]]:
    """A Python process of ours, killed at the end."""
    with subprocess.Popen(
        [sys.executable, "-m", *words], stdout=subprocess.PIPE, text=True, cwd=HOME, env={**os.environ, **environment}
    ) as one:
        try:
            yield one
        finally:
            one.kill()


@dataclass(frozen=True)
class Loaded:
    """A worker that watches."""

    pid: int
    address: str

    def resident(self) -> float:
        """MB."""
        told = Path(f"/proc/{self.pid}/status").read_text()
        found = re.search(r"VmRSS:\s+(\d+)", told)
        return int(found[1]) / 1e3 if found else 0.0

    def cpu(self) -> float:
        """Seconds used so far."""
        parts = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(parts[11]) + int(parts[12])) / TICK

    async def metrics(self) -> dict[str, float]:
        """``/metrics``, those without labels."""
        line = await Line.open(parse(self.address))
        await line.ask("/metrics", "", 10.0)
        text = b"".join([piece async for piece in line.body(10.0)]).decode()
        await line.close()
        return {name: float(value) for name, value in re.findall(r"^(opsroom_\w+) (\S+)$", text, re.MULTILINE)}


@asynccontextmanager
async def loaded(folder: Path, rollouts: int, running: int, events: float) -> AsyncIterator[Loaded]:
    """A worker on such a cluster, when it has made its first verdicts."""
    with process("tests.bench.loaded_cluster", str(rollouts), str(running), str(events)) as cluster:
        assert cluster.stdout is not None
        port = (await asyncio.to_thread(cluster.stdout.readline)).strip()
        kubeconfig, address = folder / "kubeconfig", f"unix:{folder}/feed.sock"
        kubeconfig.write_text(KUBECONFIG.format(port=port))
        kubeconfig.chmod(0o600)
        own = {"XDG_STATE_HOME": str(folder), "XDG_RUNTIME_DIR": str(folder), "XDG_CONFIG_HOME": str(folder)}
        words = ("--kubeconfig", str(kubeconfig), "--prometheus", f"http://127.0.0.1:{port}", "--listen", address)
        with process("opsroom", "worker", *words, **own) as worker:
            one = Loaded(worker.pid, address)
            while True:
                with contextlib.suppress(Exception):
                    if (await one.metrics()).get("opsroom_ticks_total", 0.0) >= 2:
                        break
                await asyncio.sleep(0.5)
            yield one


@dataclass
class Seen:
    """What one viewer saw."""

    late: list[float] = field(default_factory=list)
    """Seconds from when the event of a Rollout was due until its row was here."""
    gaps: list[float] = field(default_factory=list)
    """Seconds between two frames."""
    first: int = 0
    """Bytes of the first picture."""
    sizes: list[int] = field(default_factory=list)
    """Bytes of each later frame."""
    stamps: dict[str, str] = field(default_factory=dict)
    """The newest version of each Rollout that was seen."""

    def figures(self) -> dict[str, float]:
        """The few that count."""
        late, gaps, sizes = sorted(self.late), sorted(self.gaps), sorted(self.sizes)
        return {
            "rows_seen": len(late),
            "behind_p50_ms": round(at(late, 0.5) * 1000),
            "behind_p99_ms": round(at(late, 0.99) * 1000),
            "behind_worst_ms": round(at(late, 1.0) * 1000),
            "frame_gap_p50_ms": round(at(gaps, 0.5) * 1000),
            "frame_gap_worst_ms": round(at(gaps, 1.0) * 1000),
            "picture_KB": round(self.first / 1e3),
            "delta_p50_KB": round(at(sizes, 0.5) / 1e3),
            "delta_worst_KB": round(at(sizes, 1.0) / 1e3),
        }


def at(ordered: list[float] | list[int], share: float) -> float:
    """That quantile of sorted values; 0 of none."""
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else 0.0


async def watch(address: str, seconds: float, begin: float = 2.0) -> Seen:
    """Read a feed for so long; what comes in the first ``begin`` seconds is not counted."""
    seen, line, events = Seen(), await Line.open(parse(address)), EventReader()
    await line.ask("/feed", "", 10.0)
    opened = before = time.monotonic()
    size = 0
    async for piece in line.body(10.0):
        for data, _ in events.push(piece):
            frame = read(data) if data else None
            if isinstance(frame, Picture):
                seen.first += len(data)
                list(_news(frame, seen.stamps))
            if isinstance(frame, Delta):
                size += len(data)
                late = list(_news(frame, seen.stamps))
                if time.monotonic() - opened > begin:
                    seen.late += late
                if not frame.more and time.monotonic() - opened > begin:
                    seen.gaps.append(time.monotonic() - before)
                    seen.sizes.append(size)
                if not frame.more:
                    before, size = time.monotonic(), 0
        if time.monotonic() - opened > seconds + begin:
            break
    await line.close()
    return seen


def _news(frame: Picture | Delta, stamps: dict[str, str]) -> Iterator[float]:
    """How late each Rollout is that changed in the cluster; rows come for other reasons as well."""
    now = time.time()
    rollouts = [row.rollout for row in frame.rows]
    if isinstance(frame, Delta):
        rollouts += [change.rollout for change in frame.changes if isinstance(change.rollout, Rollout)]
    for rollout in rollouts:
        version = rollout.resource_version
        if stamps.get(rollout.uid, "1") != version:
            yield now - int(version) / 1e6
        stamps[rollout.uid] = version
