"""The kill switches where something is forbidden or broken: the rest still comes about, and what did not is named."""

from __future__ import annotations

import argparse
import contextlib
from collections.abc import AsyncIterator
from typing import Any

import pytest

from opsroom.cli import queue
from opsroom.cli.door import OpenDoor
from opsroom.config.settings import Settings
from opsroom.delivery.release_all import held_targets
from opsroom.delivery.shared import queue_on, read_freeze
from opsroom.domain.deed import Verb
from opsroom.domain.rollout import Shape
from opsroom.errors import JournalError, NotPermitted, OutcomeUnknown

Sim = Any


class Refusing:
    """A reader or a writer to whom some paths are forbidden."""

    def __init__(self, inner: Any, *forbidden: str) -> None:
        self.inner, self.forbidden = inner, forbidden

    def _look(self, path: str) -> None:
        if any(word in path for word in self.forbidden):
            raise NotPermitted(f"{path} is forbidden")

    async def get(self, path: str, *rest: Any) -> Any:
        self._look(path)
        return await self.inner.get(path, *rest)

    async def patch(self, path: str, body: Any, *, content_type: str) -> Any:
        self._look(path)
        return await self.inner.patch(path, body, content_type=content_type)

    async def post(self, path: str, body: Any) -> Any:
        self._look(path)
        return await self.inner.post(path, body)

    async def delete(self, path: str) -> Any:
        self._look(path)
        return await self.inner.delete(path)


@pytest.fixture
def opened(sim: Sim, monkeypatch: pytest.MonkeyPatch) -> OpenDoor:
    """What the commands find behind the door: two held workloads, and a switch that is on."""
    sim.rollout()
    sim.deployment("pay")
    for name, shape in (("cart", Shape.CANARY), ("pay", Shape.ROLLING)):
        sim.run(sim.deliver(sim.intent(Verb.HOLD, name, shape)))
    sim.run(queue_on(sim.writer))
    door = OpenDoor(sim.hands(), sim.writer, "ada")

    @contextlib.asynccontextmanager
    async def open_(_settings: Settings) -> AsyncIterator[OpenDoor]:
        yield door

    monkeypatch.setattr(queue, "opened", open_)
    monkeypatch.setattr(queue, "settings_for", lambda _arguments: Settings(namespaces=("shop",)))
    return door


def command(*words: str) -> argparse.Namespace:
    found = {"command": words[0], "what": "off", "all": True, "name": "", "yes": True, "reason": "a test"}
    return argparse.Namespace(**found)


def held(sim: Sim, resource: str, name: str) -> bool:
    return "opsroom.dev/queue" in sim.get(resource, name)["metadata"]["annotations"]


def put(door: object, **changes: Any) -> None:
    for name, value in changes.items():
        target = door.hands if isinstance(door, OpenDoor) and name == "reader" else door
        object.__setattr__(target, name, value)


@pytest.mark.parametrize("words", [("release",), ("queue",)])
def test_one_forbidden_kind_strands_nothing_else_and_is_named(
    sim: Sim, opened: OpenDoor, words: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    put(opened, reader=Refusing(sim.reader, "argoproj.io"))
    assert queue.run(command(*words)) == NotPermitted.exit_code
    assert (held(sim, "deployments", "pay"), held(sim, "rollouts", "cart")) == (False, True)
    said = capsys.readouterr()
    assert "rollouts in" in said.err
    assert "what is held there stays" in said.err
    assert "Done: release pay" in said.out


def test_a_release_that_is_refused_is_told_and_the_next_one_is_done(
    sim: Sim, opened: OpenDoor, capsys: pytest.CaptureFixture[str]
) -> None:
    put(opened.hands, writer=Refusing(sim.writer, "/rollouts/"))
    assert queue.run(command("release")) == NotPermitted.exit_code
    assert (held(sim, "deployments", "pay"), held(sim, "rollouts", "cart")) == (False, True)
    assert "1 of 2 are not known to go on" in capsys.readouterr().err


def test_whoever_may_not_touch_the_switch_still_releases_what_is_held(
    sim: Sim, opened: OpenDoor, capsys: pytest.CaptureFixture[str]
) -> None:
    put(opened, writer=Refusing(sim.writer, "configmaps"))
    assert queue.run(command("queue")) == NotPermitted.exit_code
    assert (held(sim, "deployments", "pay"), held(sim, "rollouts", "cart")) == (False, False)
    assert "could not be switched off" in capsys.readouterr().err


def test_whoever_may_look_only_in_some_namespaces_releases_what_is_there(sim: Sim, opened: OpenDoor) -> None:
    class Narrow(Refusing):
        def _look(self, path: str) -> None:
            if "/namespaces/" not in path:
                raise NotPermitted(f"{path} is forbidden")

    put(opened, reader=Narrow(sim.reader))
    assert queue.run(command("queue")) == NotPermitted.exit_code
    assert (held(sim, "deployments", "pay"), held(sim, "rollouts", "cart")) == (False, False)


def test_a_name_that_could_not_be_looked_for_is_not_said_to_be_free(sim: Sim, opened: OpenDoor) -> None:
    put(opened, reader=Refusing(sim.reader, "argoproj.io"))
    asked = command("release")
    asked.all, asked.name = False, "cart"
    with pytest.raises(NotPermitted, match="as far as could be seen"):
        queue.run(asked)


def test_a_fleet_is_read_page_by_page(sim: Sim, opened: OpenDoor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("opsroom.delivery.release_all.PAGE", "1")
    sim.deployment("cart-two")
    sim.run(sim.deliver(sim.intent(Verb.HOLD, "cart-two", Shape.ROLLING)))
    found = sim.run(held_targets(sim.reader))
    assert sorted(one.name for one in found.targets) == ["cart", "cart-two", "pay"]
    assert [one.plural for one in found.unread] == []


def test_one_is_released_by_name_and_the_other_stays(
    sim: Sim, opened: OpenDoor, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = command("release")
    asked.all, asked.name = False, "shop/pay"
    assert queue.run(asked) == 0
    assert (held(sim, "deployments", "pay"), held(sim, "rollouts", "cart")) == (False, True)
    assert "Done: release pay" in capsys.readouterr().out
    assert {entry.deed.intent.actor for entry in sim.journal.entries[-2:]} == {"ada"}


def test_a_release_of_which_nobody_knows_is_told_as_such(
    sim: Sim, opened: OpenDoor, capsys: pytest.CaptureFixture[str]
) -> None:
    class Lost(Refusing):
        def _look(self, path: str) -> None:
            if path.endswith("/pay"):
                raise OutcomeUnknown("sent, and no answer came")

    asked = command("release")
    asked.all, asked.name = False, "shop/pay"
    put(opened.hands, writer=Lost(sim.writer))
    assert queue.run(asked) == 1
    assert "Not known: release pay" in capsys.readouterr().out


def test_a_freeze_goes_ahead_without_a_journal_and_says_so(
    sim: Sim, opened: OpenDoor, capsys: pytest.CaptureFixture[str]
) -> None:
    sim.journal.broken = JournalError("the disk is full")
    assert queue.run(command("freeze")) == 0
    assert sim.run(read_freeze(sim.reader)) is not None
    said = capsys.readouterr()
    assert said.out.startswith("Frozen")
    assert "not journalled: the disk is full" in said.err
