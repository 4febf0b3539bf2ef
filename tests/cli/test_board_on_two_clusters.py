"""One board on two simulated clusters of the same names, a worker for each: a deed is done in the one shown only."""

from __future__ import annotations

import asyncio
import json
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace
from textual.pilot import Pilot

from opsroom.cli import board
from opsroom.cli.options import board_settings
from opsroom.cli.own_worker import begun, common_words
from opsroom.cli.parser import build
from opsroom.clock import awake_or_not
from opsroom.domain.board import Row
from opsroom.domain.deed import Verb
from opsroom.domain.rollout import Engine, Phase
from opsroom.ui.app import BoardApp
from opsroom.ui.context import Context
from opsroom.ui.late_feed import LateFeed
from opsroom.ui.options import Options
from tests.cli.simulated import PATIENCE, Simulated
from tests.ui.stage import HERE

NAMES = ("prod-eu", "prod-us")


def merged(worlds: list[Simulated], folder: Path) -> dict[str, str]:
    """One kubeconfig with both as contexts, the settings with the Prometheus of each; returns each API's address."""
    config: dict[str, Any] = {"apiVersion": "v1", "kind": "Config", "clusters": [], "users": [], "contexts": []}
    settings, servers = "", {}
    for name, world in zip(NAMES, worlds, strict=True):
        one = json.loads(Path(world.environment["KUBECONFIG"]).read_text())
        config["clusters"].append({"name": name, "cluster": one["clusters"][0]["cluster"]})
        config["users"].append({"name": name, "user": one["users"][0]["user"]})
        config["contexts"].append({"name": name, "context": {"cluster": name, "user": name}})
        settings += f'[contexts.{name}.prometheus]\nurl = "{world.environment["OPSROOM_PROMETHEUS"]}"\n'
        servers[name] = one["clusters"][0]["cluster"]["server"]
    (folder / "kubeconfig").write_text(json.dumps(config))
    (folder / "opsroom.toml").write_text(settings)
    return servers


@contextmanager
def watched(line: list[str]) -> Iterator[list[Options]]:
    """What ``opsroom LINE`` would show, each context with a worker that ends with this."""
    arguments = build(board=True).parse_args(line)
    found = []
    with ExitStack() as stack:
        for settings in board_settings(arguments):
            where, keeper = begun(arguments, settings)
            assert keeper.child is not None
            stack.callback(keeper.child.wait)
            stack.callback(keeper.child.terminate)  # type: ignore[attr-defined]
            one = board._options(where, common_words(arguments, settings), settings, str)
            found.append(replace(one, context=settings.context))
        yield found


async def until(pilot: Pilot[int], holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE):
        while not holds():
            await pilot.pause(0.05)


async def insist(pilot: Pilot[int], key: str, holds: Callable[[], bool]) -> None:
    """Press again where a slow machine made the guard refuse: a key that came late, a countdown that stood still."""
    async with asyncio.timeout(PATIENCE):
        while not holds():
            await pilot.press(key)
            for _ in range(50):
                await pilot.pause(0.05)
                if holds():
                    return


def paused(context: Context) -> Row | None:
    rows = (context.sight.rows.glance(uid) for uid in context.sight.rows)
    found = (row for row in rows if row.rollout.engine is Engine.ARGO and row.rollout.phase is Phase.PAUSED)
    return next(found, None)


def aborted(server: str, row: Row) -> bool:
    path = f"{server}/apis/argoproj.io/v1alpha1/namespaces/{row.rollout.namespace}/rollouts/{row.rollout.name}"
    with urllib.request.urlopen(path) as answer:  # noqa: S310 - the simulated API server
        return bool(json.load(answer)["status"].get("abort"))


def test_a_roll_back_is_done_in_the_context_that_is_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in ("XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_RUNTIME_DIR", "HOME"):
        monkeypatch.setenv(variable, str(tmp_path))
    for variable in ("OPSROOM_CONTEXT", "OPSROOM_PROMETHEUS", "OPSROOM_FEED"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "kubeconfig"))
    with ExitStack() as stack:
        worlds = []
        for name in NAMES:
            (tmp_path / name).mkdir()
            worlds.append(Simulated(tmp_path / name, "--seed", "1", "--services", "3"))
            stack.callback(worlds[-1].close)
        servers = merged(worlds, tmp_path)
        line = ["--config", str(tmp_path / "opsroom.toml"), "--context", NAMES[0], "--context", NAMES[1]]
        options = stack.enter_context(watched(line))
        asyncio.run(rolled_back(options, servers))


async def rolled_back(options: list[Options], servers: dict[str, str]) -> None:
    first, second = ((one, LateFeed(one.feed, None, awake_or_not)) for one in options)
    app = BoardApp(*first, found=HERE, others=[second])
    async with app.run_test(size=(140, 40)) as pilot:
        eu, us = app.contexts.all
        await until(pilot, lambda: paused(eu) is not None and paused(us) is not None)
        await pilot.press("tab")
        row = paused(us)
        assert row is not None
        us.sight.select(row.rollout.uid)
        us.sight.touched = True
        await insist(pilot, "f", lambda: row.rollout.uid in us.sight.census.flags)
        await insist(pilot, "x", lambda: aborted(servers["prod-us"], row))
        last = us.deeds.last
        assert last is not None
        assert last.intent.verb is Verb.ROLL_BACK
        assert not aborted(servers["prod-eu"], row)
        assert eu.deeds.last is None
