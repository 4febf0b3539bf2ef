"""What a worker reads of the cluster's own facts: what was never read is not absent, what is broken not good."""

from __future__ import annotations

import asyncio
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from opsroom.domain.board import Mode
from opsroom.domain.queue import QueueState
from opsroom.errors import NotPermitted, OpsroomError, Unreachable
from opsroom.worker.outside import KEEPS, Outside
from opsroom.worker.policy import PolicyInForce
from opsroom.worker.standing import FACTS, LOOK_SECONDS, NEEDED, OF_INSTALLATION, Standing


def test_the_clusters_policy_wins_and_a_broken_one_leaves_the_last_good_one(tmp_path: Path) -> None:
    file, told = tmp_path / "policy.toml", list[str | None]([None])
    file.write_text("step = 5.0\n")
    policy = PolicyInForce(file, lambda: told[0])
    assert policy.policy.step == 5.0
    told[0] = "step = 7.0\n"
    assert policy.look()
    assert (policy.policy.step, policy.note) == (7.0, "")
    for broken in ("stepp = 1\n", "step = -1.0\n", "  "):
        told[0] = broken
        assert not policy.look()
        assert policy.policy.step == 7.0
        assert "ConfigMap opsroom/opsroom-policy" in policy.note
    told[0] = None
    assert policy.look()
    assert (policy.policy.step, policy.note) == (5.0, "")


def test_a_clusters_policy_that_never_was_a_good_one_is_not_replaced_by_the_files() -> None:
    told: list[str | None] = [None]
    policy = PolicyInForce(None, lambda: told[-1])
    sure = []
    for text in (None, "stepp = 1\n", "step = 7.0\n", "stepp = 1\n", None):
        told.append(text)
        policy.look()
        sure.append(policy.sure)
    # Rules that nobody here could ever read are no rules of ours; after a good one the last good one is the cluster's.
    assert sure == [True, False, True, True, True]
    assert policy.note == ""


class Answers:
    """A reader that says what it is told to, or raises it."""

    def __init__(self) -> None:
        self.answers: dict[str, Any] = {}

    async def get(self, path: str, type_: type[Any], params: dict[str, str] | None = None) -> Any:
        found = self.answers.get(path.rsplit("/", 1)[-1], Unreachable("no"))
        if isinstance(found, Exception):
            raise found
        return found


def test_what_cannot_be_read_leaves_what_was_read_before() -> None:
    clock = [0.0]
    standing, reader = Standing(Outside("", "", (), mode=Mode.OBSERVE, read_only=True), lambda: clock[0]), Answers()
    asyncio.run(standing.look(reader))  # type: ignore[arg-type]
    assert not standing.known
    reader.answers |= {
        "opsroom-queue": {"data": {"state": "paused"}},
        "opsroom-hold": {"data": {}},
        "opsroom-quarantine": {"data": {}},
        "opsroom-policy": {"data": {"policy.toml": "step = 3.0"}},
        "namespaces": {"items": [{"metadata": {"name": "shop"}}]},
    }
    assert asyncio.run(standing.look(reader))  # type: ignore[arg-type]
    assert (standing.known, standing.state, standing.switch) == (True, QueueState.PAUSED, True)
    assert (standing.policy, standing.enabled) == ("step = 3.0", frozenset({"shop"}))
    clock[0] = 100.0
    reader.answers = dict.fromkeys(reader.answers, NotPermitted("no"))
    assert not asyncio.run(standing.look(reader))  # type: ignore[arg-type]
    assert standing.state is QueueState.PAUSED


def test_every_fact_is_kept_where_it_is_looked_for() -> None:
    standing = Standing(Outside("", "", (), mode=Mode.AUTO, read_only=False))
    assert {kept for kept, _every, _read in FACTS.values()} <= vars(standing).keys()
    assert FACTS.keys() >= NEEDED | OF_INSTALLATION


def test_what_was_read_long_ago_is_kept_and_not_known() -> None:
    clock = [0.0]
    standing, reader = Standing(Outside("", "", (), mode=Mode.AUTO, read_only=False), lambda: clock[0]), Answers()
    reader.answers = {name: {"data": {"state": "paused"}} for name in NAMES}
    reader.answers["opsroom-quarantine"] = {}
    asyncio.run(standing.look(reader))  # type: ignore[arg-type]
    reader.answers.pop("opsroom-queue")
    known = []
    for clock[0] in (LOOK_SECONDS, KEEPS, LOOK_SECONDS + KEEPS + 1.0):
        asyncio.run(standing.look(reader))  # type: ignore[arg-type]
        known.append((standing.known, standing.state, standing.error))
    assert known[0][0] is known[1][0] is True
    assert known[2] == (False, QueueState.PAUSED, "no")
    reader.answers["opsroom-queue"] = {}
    assert asyncio.run(standing.look(reader))  # type: ignore[arg-type]
    assert (standing.known, standing.state, standing.error) == (True, QueueState.RUNNING, "")


def test_one_hanging_fact_and_a_hanging_authorizer_make_no_other_fact_old(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("opsroom.worker.standing.ANSWER_SECONDS", 0.02)
    monkeypatch.setattr("opsroom.worker.standing.LOOK_SECONDS", 0.01)
    clock, asked = [0.0], [0, 0]

    class Hanging(Answers):
        async def get(self, path: str, type_: type[Any], params: dict[str, str] | None = None) -> Any:
            asked[0] += path.endswith("opsroom-queue")
            if path.endswith("opsroom-policy"):
                await asyncio.Event().wait()
            return await super().get(path, type_, params)

    async def post(_path: str, _body: Any) -> Any:
        asked[1] += 1
        await asyncio.Event().wait()

    async def run() -> tuple[str, bool]:
        outside = Outside("", "", (), mode=Mode.AUTO, read_only=False)
        standing, reader = Standing(outside, lambda: clock[0]), Hanging()
        reader.answers = {name: {} for name in NAMES}
        outside.reader, outside.writer = reader, SimpleNamespace(post=post)  # type: ignore[assignment]
        outside.ready.set()
        standing.may_jump("ada", "shop")
        reading = asyncio.ensure_future(standing.run(lambda: None))
        async with asyncio.timeout(20.0):
            while asked[0] < 3 or not asked[1]:
                clock[0] += 1.0
                await asyncio.sleep(0.01)
        reading.cancel()
        await asyncio.gather(reading, return_exceptions=True)
        return standing.error, standing.counts.keys() >= NEEDED - {"policy"}

    error, others = asyncio.run(run())
    assert ("did not say within" in error, "policy" in error, others) == (True, True, True)


def test_a_right_that_was_there_is_asked_for_again_at_the_usual_pace() -> None:
    clock = [0.0]
    standing, reader = Standing(Outside("", "", (), mode=Mode.AUTO, read_only=False), lambda: clock[0]), Answers()
    reader.answers = {name: {} for name in NAMES}
    asyncio.run(standing.look(reader))  # type: ignore[arg-type]
    unknown = []
    for turn in range(30):
        clock[0] += LOOK_SECONDS
        # An API server that starts knows no rights for a moment.
        reader.answers = {name: NotPermitted("no") if turn == 1 else {} for name in NAMES}
        asyncio.run(standing.look(reader))  # type: ignore[arg-type]
        unknown += [] if standing.known else [clock[0]]
    assert unknown == []


NAMES = ("opsroom-queue", "opsroom-hold", "namespaces", "opsroom-quarantine", "opsroom-policy")


@pytest.mark.parametrize("missing", NAMES)
@pytest.mark.parametrize("problem", [Unreachable("away"), NotPermitted("no")])
def test_what_was_never_read_is_not_taken_for_absent(missing: str, problem: OpsroomError) -> None:
    standing, reader = Standing(Outside("", "", (), mode=Mode.AUTO, read_only=False)), Answers()
    reader.answers = {name: {} for name in NAMES} | {missing: problem}
    asyncio.run(standing.look(reader))  # type: ignore[arg-type]
    forbidden_list = missing == "namespaces" and isinstance(problem, NotPermitted)
    assert standing.known is forbidden_list, "whoever may not list namespaces works without them"
    assert standing.error == ("" if forbidden_list else str(problem))
