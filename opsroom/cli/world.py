"""The demo's world: a simulated cluster and a worker on it, kept running until the demo ends.

Both are ordinary processes on their ordinary path: the worker gets a kubeconfig, a Prometheus address and a policy
file, as it would for a real cluster. They die with their parent, so ``kill -9`` of the demo leaves nothing behind.
A worker that dies is started again: it keeps nothing that it cannot learn again.
"""

from __future__ import annotations

import contextlib
import shutil
import socket
import subprocess
import tempfile
import threading
import time
from pathlib import Path

import msgspec

from opsroom.cli.children import last_words, start, stop
from opsroom.config.policy_file import write_policy
from opsroom.domain.policy import Policy, PolicyRow
from opsroom.domain.queue_policy import LaneRule, Limit, QueuePolicy
from opsroom.errors import OpsroomError
from opsroom.view import own_worker

PACE = Policy(
    step=2.0,
    idle_cpu=0.02,
    rows=(
        PolicyRow(
            name="tier 1",
            match={"tier": "1"},
            person=True,
            min_seconds=10.0,
            max_seconds=100.0,
            unknown_seconds=45.0,
        ),
        PolicyRow(name="everything else", min_seconds=10.0, max_seconds=100.0, unknown_seconds=45.0),
    ),
)
"""For a world that is scraped every second and deploys every few: the same rules as everywhere, at its pace.

The most critical services are promoted by a person.
"""

SLOTS = 6


def pace(services: int) -> Policy:
    """The demo's policy, with a queue for so many services: half of them at once, of the most critical a quarter."""
    slots = max(SLOTS, services // 2)
    queue = QueuePolicy(
        slots=slots,
        limits=(Limit(name="tier 1", match={"tier": "1"}, slots=slots // 2),),
        lanes=(LaneRule(match={"tier": "3"}),),
        head_start=60.0,
        floor=max(1, slots * 2 // 3),
        halve_pause=60.0,
        recover_seconds=20.0,
        person_seconds=10.0,
        typical_seconds=60.0,
    )
    return msgspec.structs.replace(PACE, queue=queue)


LOOPBACK = "127.0.0.1"
RESTART_SECONDS = 1.0
YOUNG_SECONDS = 10.0
GIVE_UP_AFTER = 3
"""Deaths in a row, each within ``YOUNG_SECONDS`` of its start."""


class World:
    """A simulated cluster and a worker, in a folder of their own."""

    def __init__(
        self,
        *,
        seed: int,
        services: int,
        change_rate: float,
        wave: int = 0,
        policy: str = "",
        truth: bool = False,
    ) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="opsroom-demo-"))
        self.socket = self.folder / "worker.sock"
        self.kubeconfig = self.folder / "kubeconfig"
        self.truth = self.folder / "truth.jsonl"
        self.policy = Path(policy) if policy else self.folder / "policy.toml"
        if not policy:
            self.policy.write_text(write_policy(pace(services)), encoding="utf-8")
        self._sim_words = ["sim", "--seed", str(seed), "--services", str(services), "--change-rate", str(change_rate)]
        self._gates = f"{LOOPBACK}:{_free_port()}"
        self._sim_words += ["--gates", f"http://{self._gates}/opsroom"]
        self._sim_words += ["--dir", str(self.folder), "--die-with-parent"]
        self._sim_words += ["--hold", "--wave", str(wave)]
        self._sim_words += ["--truth", str(self.truth)] if truth else []
        self._children: list[subprocess.Popen[str]] = []
        self._stopping = threading.Event()
        self._keeper = threading.Thread(target=self._keep, name="demo-world", daemon=True)
        self.error = ""
        """Why the world could not be started; empty while all is well."""
        self._ended = ""

    @property
    def address(self) -> str:
        """Where the worker's feed will be."""
        return f"unix:{self.socket}"

    @property
    def said(self) -> str:
        """For the screen: why there is no worker at the moment."""
        return self.error or self._ended

    @property
    def environment(self) -> dict[str, str]:
        """For every process of the demo: journals and logs stay in the demo's folder."""
        return {"XDG_STATE_HOME": str(self.folder / "state")}

    def start(self) -> None:
        """Start in the background; the feed appears when it is ready."""
        self._keeper.start()

    def stop(self) -> None:
        """End both processes and wait for them; the folder stays until ``remove``."""
        self._stopping.set()
        stop(list(reversed(self._children)))
        if self._keeper.is_alive():
            self._keeper.join(2.0)

    def remove(self) -> None:
        """Delete the folder."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def log(self, name: str) -> Path:
        """The log of ``sim`` or ``worker``."""
        return self.folder / "state" / "opsroom" / f"{name}.log"

    def _keep(self) -> None:
        try:
            self._keep_worker(self._start_sim())
        except (OSError, OpsroomError) as error:
            self.error = str(error)

    def _keep_worker(self, prometheus: str) -> None:
        deaths = 0
        while not self._stopping.is_set():
            with contextlib.suppress(OSError):
                self.socket.unlink()
            began = time.monotonic()
            worker = start(self._worker_words(prometheus), self.log("worker"), environment=self.environment)
            self._children.append(worker)
            if self._stopping.is_set():
                worker.terminate()
            code = worker.wait()
            self._children.remove(worker)
            deaths = deaths + 1 if time.monotonic() - began < YOUNG_SECONDS else 0
            if deaths >= GIVE_UP_AFTER and not self._stopping.is_set():
                self.error = f"the worker does not stay alive: {last_words(self.log('worker'))}"
                return
            self._ended = own_worker.ended(code, "", RESTART_SECONDS)
            self._stopping.wait(RESTART_SECONDS)

    def _start_sim(self) -> str:
        sim = start(self._sim_words, self.log("sim"), environment=self.environment, output=True)
        self._children.append(sim)
        found: dict[str, str] = {}
        for line in sim.stdout or ():
            name, _, value = line.strip().partition("=")
            found[name] = value
            if {"KUBECONFIG", "PROMETHEUS_URL"} <= found.keys():
                self.kubeconfig = Path(found["KUBECONFIG"])
                return found["PROMETHEUS_URL"]
        raise OpsroomError(f"the simulated world ended: {last_words(self.log('sim'))}", f"See {self.log('sim')}")

    def _worker_words(self, prometheus: str) -> list[str]:
        words = ["worker", "--mode", "auto", "--kubeconfig", str(self.kubeconfig), "--prometheus", prometheus]
        words += ["--policy", str(self.policy), "--listen", self.address, "--gates", self._gates]
        return [*words, "--die-with-parent"]


def _free_port() -> int:
    """A port for the gates: world and worker must agree on it before either runs, and keep it over restarts."""
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        return int(probe.getsockname()[1])
