"""What workers share through the cluster."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec
import pytest

from opsroom.domain.board import Mode
from opsroom.domain.decision import Flag, FlagReason
from opsroom.domain.marks import VERDICT, Marks, VerdictMark
from opsroom.domain.rollout import Engine, Phase, Revision, Rollout, Shape, Uid
from opsroom.errors import Conflict, Gone, Unreachable
from opsroom.worker import sharing as module
from opsroom.worker.outside import Outside
from opsroom.worker.sharing import RETRY_SECONDS, Sharing

ROLLOUT = Rollout(
    uid=Uid("u"),
    engine=Engine.ARGO,
    shape=Shape.CANARY,
    namespace="shop",
    name="cart",
    phase=Phase.PAUSED,
    canary=Revision(hash="new"),
    resource_version="7",
)
FLAG = Flag(reason=FlagReason.INCONCLUSIVE, since=5.0, detail="score")
STANDING = VerdictMark(hash="new", outcome="flag", flag=FlagReason.INCONCLUSIVE, since=5.0, detail="score")


class Cluster:
    """Answers reads with ``maps`` and keeps what was written."""

    def __init__(self) -> None:
        self.maps: dict[str, dict[str, str]] = {}
        self.error: Exception | None = None
        self.written: list[tuple[str, VerdictMark]] = []
        self.failed = asyncio.Event()

    async def get(self, path: str, type_: Any, params: Any = None) -> Any:
        if self.error is not None:
            self.failed.set()
            raise self.error
        name = path.rpartition("/")[2]
        if name not in self.maps:
            raise Gone(name)
        return {"data": self.maps[name]}

    async def patch(self, path: str, body: Any, *, content_type: str = "") -> Any:
        if self.error is not None:
            raise self.error
        assert body["metadata"]["resourceVersion"] == "7"
        mark = msgspec.json.decode(body["metadata"]["annotations"][VERDICT], type=VerdictMark)
        self.written.append((path, mark))
        return {}


class Lease:
    def __init__(self, held: bool) -> None:
        self.held = held
        self.transitions = 3


def connected(held: bool = True) -> tuple[Outside, Cluster]:
    outside, cluster = Outside("", "", (), mode=Mode.AUTO, read_only=False), Cluster()
    outside.reader = outside.writer = cluster  # type: ignore[assignment]
    outside.lease = Lease(held)  # type: ignore[assignment]
    outside.ready.set()
    return outside, cluster


def written(flag: Flag | None, standing: VerdictMark | None, *, held: bool = True) -> list[VerdictMark]:
    async def run() -> list[VerdictMark]:
        outside, cluster = connected(held)
        sharing = Sharing(outside, lambda: 100.0)
        for _ in range(3):
            sharing.write_flags([(ROLLOUT, flag, Marks(verdict=standing))])
            await asyncio.sleep(0)
        await asyncio.sleep(0)
        await sharing.close()
        return [mark for _, mark in cluster.written]

    return asyncio.run(run())


def test_a_flag_is_written_once_with_the_deciders_number() -> None:
    (mark,) = written(FLAG, None)
    assert (mark.hash, mark.flag, mark.since, mark.detail) == ("new", FlagReason.INCONCLUSIVE, 5.0, "score")
    assert mark.transitions == 3
    assert mark.decider


@pytest.mark.parametrize(
    ("flag", "standing", "held"),
    [
        (FLAG, STANDING, True),
        (FLAG, None, False),
        (None, None, True),
        (None, msgspec.structs.replace(STANDING, hash="older"), True),
        (None, VerdictMark(hash="new", outcome="watch"), True),
        (Flag(reason=FlagReason.PERSON, since=1.0, by="ali"), None, True),
    ],
)
def test_nothing_is_written_without_need_or_lease(flag: Flag | None, standing: VerdictMark | None, held: bool) -> None:
    assert written(flag, standing, held=held) == []


def test_a_flag_that_was_lifted_is_taken_off() -> None:
    (mark,) = written(None, STANDING)
    assert (mark.hash, mark.flag) == ("new", None)


def test_a_write_that_failed_is_tried_again_later() -> None:
    async def run() -> list[int]:
        outside, cluster = connected()
        now = [100.0]
        sharing = Sharing(outside, lambda: now[0])
        counts = []
        cluster.error = Conflict("somebody else was faster")
        for later in (0.0, 1.0, RETRY_SECONDS + 1):
            now[0] = 100.0 + later
            sharing.write_flags([(ROLLOUT, FLAG, Marks())])
            for _ in range(3):
                await asyncio.sleep(0)
            cluster.error = None
            counts.append(len(cluster.written))
        await sharing.close()
        return counts

    assert asyncio.run(run()) == [0, 0, 1]


def test_a_freeze_does_not_end_because_the_cluster_is_out_of_reach(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LOOK_SECONDS", 0.001)

    async def run() -> None:
        outside, cluster = connected()
        sharing, changed = Sharing(outside, lambda: 100.0), asyncio.Event()
        cluster.maps["opsroom-freeze"] = {"by": "ali", "since": "7", "reason": "sale"}
        cluster.maps["opsroom-acknowledged"] = {"u": '{"by":"bo","at":8,"hash":"new"}', "x": "garbage"}

        def by() -> str:
            return "" if sharing.freeze is None else sharing.freeze.by

        running = asyncio.ensure_future(sharing.run(changed.set))
        async with asyncio.timeout(60):
            await changed.wait()
            assert by() == "ali"
            seen = sharing.seen_by(Uid("u"), "new", FLAG)
            assert seen is not None
            assert (seen.acknowledged_by, seen.acknowledged_at) == ("bo", 8.0)
            assert sharing.seen_by(Uid("u"), "newer", FLAG) is FLAG
            cluster.error = Unreachable("gone")
            changed.clear()
            await cluster.failed.wait()
            await asyncio.sleep(0)
            assert not changed.is_set()
            assert by() == "ali"
            cluster.error = None
            del cluster.maps["opsroom-freeze"]
            await changed.wait()
            assert by() == ""
        running.cancel()

    asyncio.run(run())
