"""The processes of a trial: a simulated world, workers behind fault proxies, and what /proc says of them."""

from __future__ import annotations

import asyncio
import contextlib
import os
import resource
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

from opsroom.config.policy_file import write_policy
from opsroom.domain.policy import WINDOW_MIN, Policy, PolicyRow, Rails
from tests.faults import secrets
from tests.faults.proxy import FaultProxy, server_of, through
from tests.faults.record import Record
from tests.faults.weather import Side, Weather

STEP = 2.0
POLICY = Policy(
    step=STEP,
    rails=Rails(window=WINDOW_MIN),
    rows=(PolicyRow(min_seconds=4.0, max_seconds=60.0, unknown_seconds=45.0),),
)
"""Quick, so that a minute holds many deeds; all else as everywhere."""

AFTER_SETTING = 15.0
"""Seconds after which no picture is about that any more."""

PAGE = os.sysconf("SC_PAGE_SIZE")


@dataclass(frozen=True, slots=True)
class Sim:
    """A running simulated cluster with its Prometheus."""

    kubeconfig: Path
    prometheus: str
    process: subprocess.Popen[str]

    def stop(self) -> None:
        """End it."""
        self.process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(5)
        self.process.kill()
        self.process.wait()
        if self.process.stdout is not None:
            self.process.stdout.close()


def start_sim(folder: Path, seed: int, services: int = 12, change_rate: float = 300.0) -> Sim:
    """Start a simulated world; returns when it answers."""
    folder.mkdir(parents=True, exist_ok=True)
    words = ["--seed", str(seed), "--services", str(services), "--change-rate", f"{change_rate:g}"]
    process = subprocess.Popen(
        [sys.executable, "-m", "opsroom.simulator", *words, "--dir", str(folder), "--die-with-parent"],
        stdout=subprocess.PIPE,
        text=True,
        cwd=folder,
    )
    told: dict[str, str] = {}
    for line in process.stdout or ():
        name, _, value = line.strip().partition("=")
        told[name] = value
        if {"KUBECONFIG", "PROMETHEUS_URL"} <= told.keys():
            return Sim(Path(told["KUBECONFIG"]), told["PROMETHEUS_URL"], process)
    raise AssertionError("the simulated world did not start")


@dataclass
class Player:
    """One worker process and its two proxies."""

    name: str
    folder: Path
    sim: Sim
    weather: Weather
    record: Record
    mode: str = "auto"
    extra: tuple[str, ...] = ()
    environment: dict[str, str] = field(default_factory=dict)
    process: subprocess.Popen[bytes] | None = None
    started: float = 0.0
    stopped_until: float = 0.0
    set_at: float = 0.0
    """When its wall clock was last set."""
    skews: list[float] = field(default_factory=lambda: [0.0])
    """By how many seconds its wall clock has been wrong at some time."""

    def __post_init__(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        self.socket = self.folder / "w.sock"
        self.state = self.folder / "state"
        self.kube = FaultProxy(self.name, Side.KUBE, server_of(self.sim.kubeconfig), self.weather, self.record)
        self.prometheus = FaultProxy(self.name, Side.PROMETHEUS, self.sim.prometheus, self.weather, self.record)
        self.policy = self.folder / "policy.toml"
        self.policy.write_text(write_policy(POLICY), encoding="utf-8")
        self.clock = self.folder / "clock"

    @property
    def address(self) -> str:
        """Of its feed."""
        return f"unix:{self.socket}"

    @property
    def journal(self) -> Path:
        """The only journal of this player; it need not exist."""
        return next((self.state / "opsroom" / "journal").glob("*.jsonl"), self.state / "none.jsonl")

    async def open(self) -> None:
        """Start the proxies, write the kubeconfig, start the worker."""
        await self.kube.start()
        await self.prometheus.start()
        self.kubeconfig = through(self.sim.kubeconfig, self.kube.url, self.folder / "kubeconfig")
        secrets.plant(self.kubeconfig)
        self.planted = (self.kubeconfig, secrets.token_file(self.folder))
        self.start()

    def words(self) -> list[str]:
        """The worker's command line."""
        words = ["-m", "tests.faults.skewed", "worker", "--mode", self.mode, "--kubeconfig", str(self.kubeconfig)]
        words += ["--prometheus", self.prometheus.url, "--policy", str(self.policy), "--listen", self.address]
        return [sys.executable, *words, "--die-with-parent", *self.extra]

    def start(self) -> None:
        """Start the worker (again)."""
        with contextlib.suppress(FileNotFoundError):
            self.socket.unlink()
        environment = {**os.environ, "XDG_STATE_HOME": str(self.state), "XDG_RUNTIME_DIR": str(self.folder)}
        environment = {**environment, "TRIAL_CLOCK": str(self.clock), "TRIAL_JUDGE": "eager", **self.environment}
        environment["PROMETHEUS_TOKEN_FILE"] = str(self.planted[1])
        with (self.folder / "output").open("ab") as output:
            self.process = subprocess.Popen(self.words(), env=environment, stdout=output, stderr=output)
        self.started = time.time()

    async def close(self) -> None:
        """End the worker and its proxies."""
        if self.process is not None:
            self.process.send_signal(signal.SIGCONT)
            self.process.terminate()
            for _ in range(100):
                if self.process.poll() is not None:
                    break
                await asyncio.sleep(0.05)
            self.process.kill()
            self.process.wait()
        await self.kube.stop()
        await self.prometheus.stop()

    def disk(self, full: bool) -> None:
        """Fill the worker's disk, or free it: with a size limit of one byte no file of it can grow."""
        hard = resource.RLIM_INFINITY
        assert self.process is not None
        with contextlib.suppress(ProcessLookupError):
            resource.prlimit(self.process.pid, resource.RLIMIT_FSIZE, (1 if full else hard, hard))

    @property
    def skewed(self) -> bool:
        """Whether its wall clock is not this machine's, or was not a moment ago."""
        return self.skews[-1] != 0.0 or time.time() < self.set_at + AFTER_SETTING

    def set_clock(self, by: float) -> None:
        """Let its wall clock be wrong by so many seconds."""
        self.set_at = time.time()
        self.skews.append(by)
        new = self.clock.with_suffix(".new")
        new.write_text(str(by))
        new.replace(self.clock)

    def kill(self) -> None:
        """``kill -9``."""
        assert self.process is not None
        self.process.kill()
        self.process.wait()

    @property
    def memory(self) -> float:
        """Resident MB; 0 when it is not there."""
        try:
            pages = Path(f"/proc/{self._pid}/statm").read_text().split()[1]
        except (OSError, IndexError):
            return 0.0
        return int(pages) * PAGE / 1e6

    @property
    def files(self) -> int:
        """Open file descriptors."""
        try:
            return len(os.listdir(f"/proc/{self._pid}/fd"))
        except OSError:
            return 0

    @property
    def _pid(self) -> int:
        return self.process.pid if self.process is not None else 0
