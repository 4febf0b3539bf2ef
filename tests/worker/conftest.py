"""A simulated world as a process, and workers on it in this one."""

from __future__ import annotations

import asyncio
import contextlib
import re
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from opsroom.analysis.window import Window
from opsroom.config.settings import Prometheus, Settings
from opsroom.domain.rollout import Uid
from opsroom.domain.verdict import PROMOTE_BELOW, ROLL_BACK_ABOVE, Evidence, Verdict, VerdictState
from opsroom.feed.client import FeedClient
from opsroom.worker.main import WorkerOptions, run_worker
from opsroom.worker.score import Judging

REQUEST = re.compile(rb"(?:^|\r\n)(GET|POST|PUT|PATCH|DELETE|HEAD|OPTIONS) (\S+) HTTP/1\.1\r\n")


@dataclass(frozen=True)
class World:
    """A running simulated cluster with its Prometheus."""

    kubeconfig: Path
    prometheus: str


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("world")
    words = ["--seed", "7", "--services", "20", "--change-rate", "400", "--dir", str(folder), "--die-with-parent"]
    process = subprocess.Popen(
        [sys.executable, "-m", "opsroom.simulator", *words], stdout=subprocess.PIPE, text=True, cwd=folder
    )
    assert process.stdout is not None
    told: dict[str, str] = {}
    for line in process.stdout:
        name, _, value = line.strip().partition("=")
        told[name] = value
        if "PROMETHEUS_URL" in told and "KUBECONFIG" in told:
            break
    yield World(Path(told["KUBECONFIG"]), told["PROMETHEUS_URL"])
    process.terminate()
    process.wait(60)
    process.stdout.close()


@dataclass
class FixedJudge:
    """Says what the test wants it to say of each canary."""

    scores: dict[str, float] = field(default_factory=dict)
    """By uid; 0.5 for all others."""

    def verdicts(self, window: Window, now: float) -> list[Verdict]:
        return [self._one(uid, now) for uid in window.uids]

    def _one(self, uid: str, now: float) -> Verdict:
        score = self.scores.get(uid, 0.5)
        state = VerdictState.UNDECIDED
        if score > ROLL_BACK_ABOVE:
            state = VerdictState.HARM
        elif score < PROMOTE_BELOW:
            state = VerdictState.HEALTHY
        evidence = Evidence(metric="error_rate", harm=score, requests=1000.0, steps=9)
        return Verdict(uid=Uid(uid), at=now, state=state, score=score, steps=9, evidence=(evidence,))


@pytest.fixture
def fixed_judge() -> FixedJudge:
    return FixedJudge()


@dataclass(frozen=True)
class Running:
    """A worker that runs in this process."""

    client: FeedClient
    task: asyncio.Future[int]

    async def until(self, true: Callable[[], bool], seconds: float = 90.0) -> None:
        """Follow the feed until ``true``."""
        async with asyncio.timeout(seconds):
            async for _ in self.client:
                if true():
                    return


RunWorker = Callable[..., AbstractAsyncContextManager[Running]]

POLICY = """step = 1.0
[[rows]]
min_seconds = 0.0
max_seconds = 600.0
"""


@pytest.fixture
def run_in_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> RunWorker:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    policy = tmp_path / "policy.toml"
    policy.write_text(POLICY)

    @asynccontextmanager
    async def running(
        kubeconfig: Path,
        prometheus: str = "",
        mode: str = "observe",
        judge: Judging | None = None,
        read_only: bool = False,
        gates: str = "",
    ) -> AsyncIterator[Running]:
        address = f"unix:{tmp_path}/worker.sock"
        settings = Settings(
            kubeconfig=str(kubeconfig),
            policy=str(policy),
            read_only=read_only,
            prometheus=Prometheus(url=prometheus),
        )
        options = WorkerOptions(settings=settings, mode=mode, listen=address, nice=0, gates=gates)
        task = asyncio.ensure_future(run_worker(options, judge=judge))
        try:
            yield Running(FeedClient(address), task)
        finally:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task

    return running


@dataclass
class Recorded:
    """Every request that passed, as (method, path)."""

    port: int
    requests: list[tuple[str, str]] = field(default_factory=list)


@pytest.fixture
def recording_proxy() -> Callable[[int], AbstractAsyncContextManager[Recorded]]:
    @asynccontextmanager
    async def opened(port: int) -> AsyncIterator[Recorded]:
        tasks: set[asyncio.Future[None]] = set()

        async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, note: bool) -> None:
            with contextlib.suppress(OSError):
                while data := await reader.read(65536):
                    if note:
                        found = REQUEST.findall(data)
                        recorded.requests += [(method.decode(), path.decode()) for method, path in found]
                    writer.write(data)
                    await writer.drain()
            writer.close()

        async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", port)
            for one in (pump(reader, far_writer, True), pump(far_reader, writer, False)):
                tasks.add(asyncio.ensure_future(one))

        server = await asyncio.start_server(accept, "127.0.0.1", 0)
        recorded = Recorded(server.sockets[0].getsockname()[1])
        try:
            yield recorded
        finally:
            server.close()
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    return opened
