"""Read-only as processes: with an admin's kubeconfig, a worker, commands and a board with every key send only GETs."""

from __future__ import annotations

import asyncio
import json
import os
import pty
import subprocess
import sys
import time
from pathlib import Path

import pytest

from opsroom.feed.client import FeedClient
from tests.faults import secrets
from tests.faults.proxy import server_of
from tests.faults.record import Record
from tests.faults.stage import Player, Sim
from tests.faults.weather import Schedule, Weather

PATIENCE = 90.0
"""Seconds; for a machine that does other things meanwhile."""

COMMANDS = (
    ["ls", "-o", "json"],
    ["show", "NAME", "-o", "json"],
    ["rollback", "NAME", "--yes"],
    ["promote", "NAME", "--yes"],
    ["freeze"],
    ["journal", "-o", "json"],
    ["show", "NAME", "--logs"],
    ["show", "default/canary-env", "--manifest"],
    ["doctor", "-o", "json"],
)
KEYS = b"jjpxf!ahrRuduPXFA\x04\x0b \r/a\r\x1b:?\x1bjpxjpxjpx"


@pytest.mark.timeout(600)
def test_read_only_sends_only_get_and_nothing_written_or_shown_holds_a_secret(quiet_sim: Sim, tmp_path: Path) -> None:
    async def run() -> Record:
        record = Record()
        weather = Weather(Schedule(seed=1, seconds=0))
        player = Player("one", tmp_path, quiet_sim, weather, record, mode="observe", extra=("--read-only",))
        await asyncio.to_thread(secrets.plant_in_cluster, server_of(quiet_sim.kubeconfig))
        await player.open()
        try:
            await _shown(player)
            common = ["--kubeconfig", str(player.kubeconfig), "--feed", player.address, "--read-only"]
            common += ["--prometheus", player.prometheus.url]
            name = await asyncio.to_thread(_first, common, player)
            for words in COMMANDS:
                told = await asyncio.to_thread(_run, [word.replace("NAME", name) for word in words] + common, player)
                found.extend(secrets.leaks([(" ".join(words), told.encode())]))
                said[words[0], words[-1]] = told
            recording = ["--record", str(tmp_path / "seen.rec")]
            drawn = await asyncio.to_thread(_board, common + recording, player)
            assert b"read-only" in drawn.lower(), "no board was drawn, or it does not say what it is"
            found.extend(secrets.leaks([("the screen", drawn)]))
            found.extend(secrets.leaks([("/metrics", await _metrics(player))]))
            assert player.process is not None
            found.extend(secrets.leaks(secrets.visible_to_all(player.process.pid)))
        finally:
            await player.close()
        return record

    found: list[str] = []
    said: dict[tuple[str, str], str] = {}
    record = asyncio.run(run())
    assert "(masked)" in said["show", "--manifest"]
    assert " GET /" in said["show", "--logs"]
    assert '"prometheus"' in said["doctor", "json"]
    found += secrets.leaks(secrets.written(tmp_path, [tmp_path / "kubeconfig", tmp_path / "prometheus-token"]))
    assert found == []
    assert b'"picture"' in secrets.readable(tmp_path / "seen.rec"), "nothing was recorded"
    methods = {method for _, method in record.methods}
    # Prometheus itself is asked by POST where it allows that: it has nothing that a query could change.
    kube = {call.method for call in record.calls}
    assert kube <= {"GET"}, [(call.method, call.path) for call in record.calls if call.method != "GET"]
    assert "GET" in methods


async def _shown(player: Player) -> None:
    client = FeedClient(player.address)
    async with asyncio.timeout(PATIENCE):
        async for _ in client:
            if any(row.verdict is not None for row in client.board.rows.values()):
                return


async def _metrics(player: Player) -> bytes:
    reader, writer = await asyncio.open_unix_connection(player.socket)
    writer.write(b"GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
    async with asyncio.timeout(PATIENCE):
        said = await reader.read()
    writer.close()
    assert b"opsroom_ticks_total" in said
    return said


def _environment(player: Player) -> dict[str, str]:
    folders = {"XDG_STATE_HOME": str(player.state), "XDG_RUNTIME_DIR": str(player.folder)}
    folders["PROMETHEUS_TOKEN_FILE"] = str(player.planted[1])
    return {**os.environ, **folders, "XDG_CONFIG_HOME": str(player.folder), "TERM": "xterm-256color"}


def _run(words: list[str], player: Player) -> str:
    command = [sys.executable, "-m", "opsroom", *words]
    done = subprocess.run(command, capture_output=True, env=_environment(player), timeout=PATIENCE, check=False)
    assert b"Traceback" not in done.stderr, done.stderr.decode()
    return (done.stdout + done.stderr).decode()


def _first(common: list[str], player: Player) -> str:
    rows = json.loads(_run(["ls", *common, "-o", "json"], player))["rows"]
    rollout = rows[0]["rollout"]
    return f"{rollout['namespace']}/{rollout['name']}"


def _board(common: list[str], player: Player) -> bytes:
    """Press every key on a board, one after the other, as a person would; what it drew."""
    drawn = bytearray()
    near, far = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "opsroom", *common], stdin=far, stdout=far, stderr=far, env=_environment(player)
    )
    os.close(far)
    os.set_blocking(near, False)
    limit = time.monotonic() + PATIENCE
    keys = [KEYS[index : index + 1] for index in range(len(KEYS))]
    while keys and time.monotonic() < limit:
        try:
            drawn += os.read(near, 1 << 16)
        except BlockingIOError:
            if b"read-only" in drawn.lower():
                os.write(near, keys.pop(0))
            time.sleep(0.06)
        except OSError:
            break
    process.terminate()
    limit = time.monotonic() + PATIENCE
    while process.poll() is None:
        if time.monotonic() > limit:
            process.kill()
            raise AssertionError("the board did not end when it was told to")
        try:
            os.read(near, 1 << 16)
        except BlockingIOError:
            time.sleep(0.02)
        except OSError:
            process.wait(60)
    os.close(near)
    return bytes(drawn)
