"""A whole worker on a Prometheus that gives half an answer: it rolls back what is harmful and promotes nothing."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from opsroom.domain.board import Row
from opsroom.domain.decision import Outcome
from opsroom.domain.deed import DeedState, Verb
from opsroom.domain.rollout import Phase
from opsroom.domain.verdict import VerdictState
from opsroom.simulator.serving import LoopbackServer

WARNING = "No StoreAPIs matched for this query"


class Thanos:
    """Hands every question to a Prometheus, and says of range queries that a store is missing."""

    def __init__(self, url: str) -> None:
        self.missing = True
        self.told = 0
        self._client = httpx.AsyncClient(base_url=url, timeout=60.0)
        app = Starlette(routes=[Route("/{path:path}", self._answer, methods=["GET", "POST"])])
        self._server = LoopbackServer(app, 0)

    async def __aenter__(self) -> str:
        await self._server.start()
        return self._server.url

    async def __aexit__(self, *_: object) -> None:
        await self._server.stop()
        await self._client.aclose()

    async def _answer(self, request: Request) -> Response:
        kind = request.headers.get("content-type", "")
        answer = await self._client.request(
            request.method,
            request.url.path,
            params=request.url.query,
            content=await request.body(),
            headers={"content-type": kind} if kind else {},
        )
        body = answer.content
        if self.missing and request.url.path.endswith("/query_range"):
            body = json.dumps({**answer.json(), "warnings": [WARNING]}).encode()
            self.told += 1
        return Response(body, answer.status_code, media_type="application/json")


@pytest.mark.timeout(300)
def test_nothing_is_promoted_on_half_an_answer_and_harm_is_still_rolled_back(
    world: Any, run_in_here: Any, fixed_judge: Any
) -> None:
    thanos = Thanos(world.prometheus)

    async def run() -> None:
        async with thanos as url, run_in_here(world.kubeconfig, url, "auto", fixed_judge) as worker:
            board = worker.client.board

            def resting() -> list[Row]:
                return [
                    row
                    for row in board.rows.values()
                    if row.rollout.phase is Phase.PAUSED
                    and row.verdict is not None
                    and row.rollout.pause is not None
                    and row.rollout.pause.step
                    and row.rollout.pause.until is None
                ]

            await worker.until(lambda: len(resting()) >= 2 and board.room is not None and board.room.decider.me)
            bad, good = (row.rollout.uid for row in resting()[:2])
            fixed_judge.scores |= {bad: 0.95, good: 0.05}

            def tried() -> bool:
                row = board.rows[good]
                assert row.deed is None or row.deed.intent.verb is not Verb.PROMOTE or not row.deed.intent.automatic
                # Healthy by its score, due for a promotion, and left alone for one reason.
                healthy = row.verdict is not None and row.verdict.state is VerdictState.HEALTHY
                left = row.decision is not None and row.decision.detail == "source_down"
                deed = board.rows[bad].deed
                rolled_back = deed is not None and deed.intent.verb is Verb.ROLL_BACK
                return healthy and left and rolled_back

            await worker.until(tried)
            decision = board.rows[good].decision
            assert decision is not None
            assert decision.outcome is Outcome.WATCH
            assert board.room is not None
            (said,) = [source.error for source in board.room.sources if source.name == "prometheus"]
            assert said.startswith("Partial answer from Prometheus")
            assert WARNING in said
            thanos.missing = False

            def promoted() -> bool:
                deed = board.rows[good].deed
                return deed is not None and deed.intent.verb is Verb.PROMOTE and deed.state is not DeedState.REFUSED

            await worker.until(promoted)

    asyncio.run(run())
    assert thanos.told
