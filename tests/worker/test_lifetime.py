"""When a worker ends, and the files it reads again."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import time
from pathlib import Path

import pytest

from opsroom.domain.board import Right
from opsroom.domain.deed import Verb
from opsroom.domain.rollout import Engine, Pause, Phase, Revision, Rollout, Shape, Uid
from opsroom.errors import ConfigError
from opsroom.feed.published import Published
from opsroom.feed.server import FeedApp
from opsroom.worker.lifetime import after_last_viewer, with_parent
from opsroom.worker.log import Counting, log_to
from opsroom.worker.policy import PolicyInForce
from opsroom.worker.rights import ASK_SECONDS, Rights


def test_it_ends_when_its_parent_is_another_process() -> None:
    async def run() -> bool:
        stop = asyncio.Event()
        await asyncio.wait_for(with_parent(stop, os.getppid() + 1), 60)
        return stop.is_set()

    assert asyncio.run(run())


def test_it_goes_on_while_its_parent_lives() -> None:
    async def run() -> None:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(with_parent(asyncio.Event(), os.getppid()), 0.05)

    asyncio.run(run())


def test_it_ends_some_time_after_its_last_viewer_and_never_while_one_watches() -> None:
    async def run() -> None:
        stop, app = asyncio.Event(), FeedApp(Published(), metrics=str)
        app.viewers = 1
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(after_last_viewer(stop, app, 0.0), 0.05)
        app.viewers, app.last_left = 0, time.monotonic() - 10
        await asyncio.wait_for(after_last_viewer(stop, app, 5.0), 60)
        assert stop.is_set()

    asyncio.run(run())


def test_a_changed_policy_is_taken_and_a_broken_one_never_replaces_a_good_one(tmp_path: Path) -> None:
    path = tmp_path / "policy.toml"
    path.write_text("step = 5.0\n")
    policy = PolicyInForce(path)
    assert not policy.look()
    path.write_text("step = 15.0\n")
    assert policy.look()
    assert (policy.policy.step, policy.note) == (15.0, "")
    path.write_text("stepp = 1.0\n")
    assert not policy.look()
    assert policy.policy.step == 15.0
    assert "stepp" in policy.note
    path.write_text("step = 20.0\n")
    assert policy.look()
    assert (policy.policy.step, policy.note) == (20.0, "")


def test_a_worker_does_not_start_without_a_good_policy(tmp_path: Path) -> None:
    path = tmp_path / "policy.toml"
    path.write_text("step = 'soon'\n")
    with pytest.raises(ConfigError, match="step"):
        PolicyInForce(path)


def test_mistakes_of_our_own_are_counted_and_warnings_are_not() -> None:
    counting, root = Counting(), logging.getLogger()
    root.addHandler(counting)
    try:
        logging.getLogger("opsroom.test").warning("a source is away")
        logging.getLogger("opsroom.test").error("a mistake")
    finally:
        root.removeHandler(counting)
    assert counting.errors == 1


def test_the_log_is_json_lines_without_control_characters(tmp_path: Path) -> None:
    handler = log_to(tmp_path / "logs" / "worker.log")
    try:
        logging.getLogger("opsroom.test").warning("hello \x1b]52;c;evil\x07 %s", "world")
        try:
            raise ValueError("no")
        except ValueError:
            logging.getLogger("opsroom.test").exception("broke")
    finally:
        logging.getLogger().removeHandler(handler)
        logging.raiseExceptions = True
        handler.close()
    first, second = [json.loads(line) for line in (tmp_path / "logs" / "worker.log").read_text().splitlines()]
    assert first["text"] == "hello ]52;c;evil world"
    assert first["level"] == "warning"
    assert "ValueError: no" in second["trace"]


ROLLOUT = Rollout(
    uid=Uid("u"),
    engine=Engine.ARGO,
    shape=Shape.CANARY,
    namespace="shop",
    name="cart",
    phase=Phase.PAUSED,
    pause=Pause(step=True),
    stable=Revision(hash="old"),
    canary=Revision(hash="new"),
)


def test_rights_are_asked_once_a_namespace_and_again_when_they_are_old() -> None:
    asked: list[tuple[str, ...]] = []
    clock = [0.0]

    async def ask(*question: str) -> Right:
        asked.append(question)
        return Right(allowed=False, missing="patch rollouts/status")

    async def run() -> None:
        rights = Rights(lambda: clock[0])
        assert rights.of(ROLLOUT) == {}
        assert await rights.refresh([ROLLOUT, ROLLOUT], ask)
        assert asked == [("shop", "argoproj.io", "rollouts", "status", "patch")]
        assert rights.of(ROLLOUT)[Verb.PROMOTE].missing == "patch rollouts/status"
        assert not await rights.refresh([ROLLOUT], ask)
        assert len(asked) == 1
        clock[0] = ASK_SECONDS + 1
        assert not await rights.refresh([ROLLOUT], ask)
        assert len(asked) == 2

    asyncio.run(run())
