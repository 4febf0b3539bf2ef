"""Whole workers: on the simulated world, and where there is none."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest
import yaml

from opsroom.delivery.journal import Entry, read, verify
from opsroom.domain.board import Mode, Row
from opsroom.domain.deed import Deed, DeedState, Intent, Precondition, Target, Verb
from opsroom.domain.freshness import Freshness, freshness
from opsroom.domain.rollout import Engine, Phase, Shape, Uid
from opsroom.domain.verdict import UnknownReason
from opsroom.feed.client import FeedClient
from opsroom.feed.state import Board
from tests.ui import scenes

pytestmark = pytest.mark.timeout(300)

LEASE = "/apis/coordination.k8s.io/v1/namespaces/opsroom/leases/opsroom-decider"
REVIEWS = re.compile(r"/apis/(authorization|authentication)\.k8s\.io/")


def source(board: Board, name: str) -> str | None:
    """The error of a source; None while the source is not there."""
    states = board.room.sources if board.room is not None else ()
    return next((state.error for state in states if state.name == name), None)


def test_the_feed_is_up_and_says_what_is_wrong_before_anything_answers(run_in_here: Any, tmp_path: Path) -> None:
    async def run() -> None:
        async with run_in_here(tmp_path / "no-such-kubeconfig") as worker:
            board = worker.client.board
            await worker.until(lambda: board.room is not None)
            await worker.until(lambda: bool(source(board, "kube")))
            assert "no-such-kubeconfig" in (source(board, "kube") or "")

    asyncio.run(run())


def test_a_prometheus_that_is_not_there_makes_unknown_and_nothing_else(world: Any, run_in_here: Any) -> None:
    async def run() -> None:
        async with run_in_here(world.kubeconfig, "http://127.0.0.1:9") as worker:
            board = worker.client.board

            def unknown() -> list[Row]:
                rows = [row for row in board.rows.values() if row.rollout.under_way and row.verdict is not None]
                return [r for r in rows if r.verdict and r.verdict.unknown is UnknownReason.SOURCE_DOWN]

            await worker.until(lambda: bool(unknown()) and bool(source(board, "prometheus")))
            assert source(board, "kube") == ""
            assert board.room is not None
            # The judge has an age like every other source, and the scenes that screens are looked at by have no others.
            states = {state.name: state for state in board.room.sources}
            assert list(states) == [state.name for state in scenes.room().sources]
            assert freshness(states["score"], board.room.at) is Freshness.FRESH
            # All are dated by one clock: what came from another one would be of this very moment, or of no time at all.
            ages = [board.room.at - (states[name].at or 0.0) for name in ("kube", "score")]
            assert all(0.0 < age < 60.0 for age in ages), ages

    asyncio.run(run())


def test_an_observer_shows_everything_and_writes_nothing(
    world: Any,
    run_in_here: Any,
    recording_proxy: Callable[[int], AbstractAsyncContextManager[Any]],
    tmp_path: Path,
) -> None:
    requests = asyncio.run(_watched(world, run_in_here, recording_proxy, tmp_path, read_only=False))
    written = [(method, path) for method, path in requests if method != "GET" and not REVIEWS.search(path)]
    assert written == []
    assert any(method == "POST" for method, _ in requests), "rights were never asked"


def test_a_read_only_worker_sends_nothing_but_get(
    world: Any,
    run_in_here: Any,
    recording_proxy: Callable[[int], AbstractAsyncContextManager[Any]],
    tmp_path: Path,
) -> None:
    requests = asyncio.run(_watched(world, run_in_here, recording_proxy, tmp_path, read_only=True))
    assert {method for method, _ in requests} == {"GET"}


async def _watched(
    world: Any, run_in_here: Any, recording_proxy: Any, tmp_path: Path, *, read_only: bool
) -> list[tuple[str, str]]:
    """Every request of an observer that was watched until it had shown all it can."""
    text = world.kubeconfig.read_text()
    port = re.search(r"server\W+https?://[^:]+:(\d+)", text)
    assert port is not None
    async with recording_proxy(int(port[1])) as recorded:
        config = tmp_path / "kubeconfig"
        config.write_text(text.replace(f":{port[1]}", f":{recorded.port}"))
        async with run_in_here(config, world.prometheus, read_only=read_only) as worker:
            board = worker.client.board

            def all_shown() -> bool:
                running = [row for row in board.rows.values() if row.rollout.under_way]
                scored = any(row.verdict is not None and row.metrics for row in running)
                asked = any(row.may_roll_back.allowed is not None for row in running)
                return scored and (asked or read_only)

            await worker.until(all_shown)
            room = board.room
            assert room is not None
            assert (room.mode, room.read_only) == (Mode.OBSERVE, read_only)
            if read_only:
                assert all(row.may_roll_back.allowed is None for row in board.rows.values())
        return list(recorded.requests)


def test_what_is_harmful_is_rolled_back_and_what_is_healthy_is_promoted(
    world: Any, run_in_here: Any, fixed_judge: Any, tmp_path: Path
) -> None:
    async def run() -> None:
        async with run_in_here(world.kubeconfig, world.prometheus, "auto", fixed_judge) as worker:
            board = worker.client.board

            def resting() -> list[Row]:
                return [r for r in board.rows.values() if r.rollout.phase is Phase.PAUSED and r.verdict is not None]

            await worker.until(lambda: len(resting()) >= 2 and board.room is not None and board.room.decider.me)
            bad, good = (row.rollout for row in resting()[:2])
            fixed_judge.scores |= {bad.uid: 0.95, good.uid: 0.05}
            states: dict[str, set[DeedState]] = {bad.uid: set(), good.uid: set()}

            def ended() -> bool:
                for uid, seen in states.items():
                    deed = board.rows[uid].deed
                    if deed is not None:
                        seen.add(deed.state)
                # Its controller has reacted; a promotion is done only when all pods are, which is not ours to test.
                return all(seen & {DeedState.SEEN, DeedState.DONE} for seen in states.values())

            await worker.until(ended)
            await worker.until(lambda: board.rows[bad.uid].result == "rolled_back")
            # An abort is in force at once; the traffic follows as soon as its controller comes to it.
            await worker.until(lambda: board.rows[bad.uid].rollout.weight == 0)
            deed = board.rows[good.uid].deed
            assert deed is not None
            assert (deed.intent.verb, deed.intent.automatic) == (Verb.PROMOTE, True)

    asyncio.run(run())
    (journal,) = (tmp_path / "state" / "opsroom" / "journal").glob("*.jsonl")
    assert verify(journal) == []
    verbs = {e.deed.intent.verb for e in read(journal) if e.deed is not None and e.deed.state is DeedState.JOURNALLED}
    assert {Verb.PROMOTE, Verb.ROLL_BACK} <= verbs
    assert any(entry.decision is not None for entry in read(journal))


def test_a_worker_that_ends_gives_the_lease_to_the_next_one(world: Any, run_in_here: Any, fixed_judge: Any) -> None:
    def holder() -> str:
        server = yaml.safe_load(world.kubeconfig.read_text())["clusters"][0]["cluster"]["server"]
        return str(httpx.get(server + LEASE, timeout=60.0).json()["spec"]["holderIdentity"])

    async def run() -> None:
        for _ in range(2):
            async with run_in_here(world.kubeconfig, world.prometheus, "advise", fixed_judge) as worker:
                board = worker.client.board
                await worker.until(lambda board=board: board.room is not None and board.room.decider.me)
                assert await asyncio.to_thread(holder)
            # Nobody has to wait until it runs out.
            assert await asyncio.to_thread(holder) == ""

    asyncio.run(run())


def start(arguments: list[str], state: Path) -> subprocess.Popen[bytes]:
    """A worker as a process of its own."""
    return subprocess.Popen(
        [sys.executable, "-m", "opsroom.worker", *arguments],
        env={**os.environ, "XDG_STATE_HOME": str(state)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_a_signal_ends_it_cleanly_and_silently(tmp_path: Path, number: signal.Signals) -> None:
    path = tmp_path / "worker.sock"
    process = start(["--listen", f"unix:{path}", "--kubeconfig", str(tmp_path / "none")], tmp_path)
    try:

        async def live() -> None:
            client = FeedClient(f"unix:{path}")
            async with asyncio.timeout(90):
                async for _ in client:
                    if client.board.room is not None:
                        return

        asyncio.run(live())
        process.send_signal(number)
        output, _ = process.communicate(timeout=90)
    finally:
        process.kill()
        process.wait()
    assert process.returncode == 0
    assert output == b""
    assert not path.exists()
    (log,) = (tmp_path / "opsroom").glob("worker-*.log")
    said = [json.loads(line) for line in log.read_text().splitlines()]
    assert all({"at", "level", "from", "text"} <= set(line) for line in said)
    assert said[-1]["text"] == "ended"


def test_a_wrong_policy_is_one_sentence_and_no_worker(tmp_path: Path) -> None:
    policy = tmp_path / "policy.toml"
    policy.write_text("stepp = 3\n")
    process = start(["--listen", f"unix:{tmp_path}/worker.sock", "--policy", str(policy)], tmp_path)
    output, _ = process.communicate(timeout=90)
    assert process.returncode == 2
    assert b"stepp" in output
    assert b"Traceback" not in output


def test_metrics_are_served(run_in_here: Any, tmp_path: Path) -> None:
    async def run() -> bytes:
        async with run_in_here(tmp_path / "none") as worker:
            await worker.until(lambda: worker.client.board.room is not None)
            reader, writer = await asyncio.open_unix_connection(worker.client.address.path)
            writer.write(b"GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            body = await reader.read()
            writer.close()
            return body

    assert b"opsroom_ticks_total" in asyncio.run(run())


def test_deeds_on_other_clusters_are_not_shown_here(world: Any, run_in_here: Any, tmp_path: Path) -> None:
    """One user's workers for all clusters write into one folder."""

    def line(name: str, uid: str) -> bytes:
        target = Target(uid=Uid(uid), engine=Engine.ARGO, shape=Shape.CANARY, namespace="shop", name="cart")
        intent = Intent(
            id=name, verb=Verb.PROMOTE, target=target, precondition=Precondition(), actor="ada", at=1.0, automatic=True
        )
        return msgspec.json.encode(Entry(at=1.0, writer="w", deed=Deed(intent=intent, state=DeedState.DONE, at=1.0)))

    async def run() -> None:
        journal = tmp_path / "state" / "opsroom" / "journal" / "another.jsonl"
        journal.parent.mkdir(parents=True)
        journal.write_bytes(line("there", "elsewhere") + b"\n")
        async with run_in_here(world.kubeconfig) as worker:
            board = worker.client.board
            await worker.until(lambda: bool(board.rows))
            with journal.open("ab") as file:
                file.write(line("here", next(iter(board.rows))) + b"\n")
            await worker.until(lambda: board.room is not None and bool(board.room.deeds))
            assert board.room is not None
            assert [deed.intent.id for deed in board.room.deeds] == ["here"]

    asyncio.run(run())
