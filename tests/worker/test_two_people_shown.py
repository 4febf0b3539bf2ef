"""Two people, as the worker shows it: it promotes nothing itself, and an approval stands for one canary at one step."""

from __future__ import annotations

import asyncio

import msgspec
import pytest

from opsroom.control.case import Case
from opsroom.control.decide import decide
from opsroom.control.memory import Memory
from opsroom.domain.approval import APPROVAL_SECONDS, Approval
from opsroom.domain.board import Mode
from opsroom.domain.decision import FlagReason, Outcome
from opsroom.domain.policy import Policy, PolicyRow
from opsroom.domain.rollout import Engine, Pause, Phase, Revision, Rollout, Shape, Step, StepKind, Uid
from opsroom.domain.verdict import Evidence, Verdict, VerdictState
from opsroom.errors import Gone
from opsroom.worker.outside import Outside
from opsroom.worker.sharing import Sharing

NOW = 10_000.0
CART = Rollout(
    uid=Uid("u"),
    engine=Engine.ARGO,
    shape=Shape.CANARY,
    namespace="shop",
    name="cart",
    phase=Phase.PAUSED,
    labels={"tier": "0"},
    stable=Revision(hash="old", replicas=3, ready=3),
    canary=Revision(hash="new", replicas=1, ready=1),
    steps=(Step(kind=StepKind.WEIGHT, weight=20), Step(kind=StepKind.PAUSE), Step(kind=StepKind.WEIGHT, weight=50)),
    step=1,
    weight=20,
    pause=Pause(step=True, since=NOW - 900),
    started=NOW - 900,
)
FIRST = Approval(by="ada", at=NOW - 5, hash="new", step=1)


@pytest.mark.parametrize(("back", "two"), [(False, True), (False, False), (True, True)])
def test_the_worker_asks_people_to_promote_and_rolls_back_by_itself(back: bool, two: bool) -> None:
    rows = (PolicyRow(name="tier 0", match={"tier": "0"}, two_people=two, min_seconds=0.0), PolicyRow())
    score = 0.97 if back else 0.05
    evidence = Evidence(metric="error_rate", harm=score, requests=9000.0, steps=40)
    state = VerdictState.HARM if back else VerdictState.HEALTHY
    memory = Memory()
    for later in (0.0, 300.0):
        now = NOW + later
        verdict = Verdict(uid=CART.uid, at=now - 1, state=state, score=score, steps=40, evidence=(evidence,))
        case = Case(rollout=CART, verdict=verdict)
        (decision,), memory = decide([case], Policy(rows=rows), memory, now, may_act=True)
        if decision.outcome is not Outcome.WATCH:
            break
    if back:
        assert decision.outcome is Outcome.ROLL_BACK
    elif two:
        assert (decision.outcome, decision.flag, decision.detail) == (Outcome.FLAG, FlagReason.POLICY, "promote:row")
    else:
        assert decision.outcome is Outcome.PROMOTE


class Maps:
    """A cluster that holds one approval, and counts who looks for it."""

    def __init__(self, approval: Approval) -> None:
        self.data = {"u": msgspec.json.encode(approval).decode()}
        self.asked = 0
        self.read = asyncio.Event()

    async def get(self, path: str, type_: type[object], params: dict[str, str] | None = None) -> dict[str, object]:
        if not path.endswith("/opsroom-approved"):
            raise Gone(path)
        self.asked += 1
        self.read.set()
        return {"data": self.data}


def shown(approval: Approval, rollout: Rollout) -> Approval | None:
    async def run() -> Approval | None:
        outside, maps, changed = (
            Outside("", "", (), mode=Mode.OBSERVE, read_only=False),
            Maps(approval),
            asyncio.Event(),
        )
        outside.reader = maps  # type: ignore[assignment]
        outside.ready.set()
        sharing = Sharing(outside, lambda: NOW, approvals=lambda: True)
        running = asyncio.ensure_future(sharing.run(changed.set))
        await asyncio.wait_for(changed.wait(), 60)
        running.cancel()
        return sharing.approval(rollout)

    return asyncio.run(run())


def test_the_first_persons_approval_is_shown_to_the_second() -> None:
    assert shown(FIRST, CART) == FIRST


@pytest.mark.parametrize(
    ("approval", "rollout"),
    [
        (msgspec.structs.replace(FIRST, hash="other"), CART),
        (FIRST, msgspec.structs.replace(CART, step=2)),
        (FIRST, msgspec.structs.replace(CART, canary=None)),
        (msgspec.structs.replace(FIRST, at=NOW - APPROVAL_SECONDS - 1), CART),
        (msgspec.structs.replace(FIRST, hash=""), msgspec.structs.replace(CART, canary=Revision(hash=""))),
    ],
    ids=["another canary", "another step", "no canary", "too old", "no hash"],
)
def test_an_approval_of_anything_else_is_not_shown(approval: Approval, rollout: Rollout) -> None:
    assert shown(approval, rollout) is None


def test_nobody_looks_for_approvals_where_no_policy_asks_for_two() -> None:
    async def run() -> int:
        outside, maps = Outside("", "", (), mode=Mode.OBSERVE, read_only=False), Maps(FIRST)
        outside.reader = maps  # type: ignore[assignment]
        outside.ready.set()
        sharing = Sharing(outside, lambda: NOW)
        running = asyncio.ensure_future(sharing.run(lambda: None))
        while not sharing.freeze_known:  # noqa: ASYNC110 - a fact, not an event
            await asyncio.sleep(0)
        for _ in range(20):
            await asyncio.sleep(0)
        running.cancel()
        return maps.asked

    assert asyncio.run(run()) == 0
