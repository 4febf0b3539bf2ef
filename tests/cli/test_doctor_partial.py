"""``doctor`` says of a query that is answered in part that nothing will be promoted on it."""

from __future__ import annotations

import asyncio

import httpx
import pytest

from opsroom.cli.doctor_prometheus import _asked
from opsroom.sources.asking import Address, RangeQueries
from opsroom.sources.queries import Plan


@pytest.mark.parametrize(("beside", "status"), [({"warnings": ["store away"]}, "warn"), ({"infos": ["a word"]}, "ok")])
def test_a_partial_answer_is_a_warning(beside: dict[str, list[str]], status: str) -> None:
    data = {"resultType": "matrix", "result": [{"metric": {"rs": "cart-1"}, "values": [[0, "1"]]}]}
    answer = httpx.Response(200, json={"status": "success", "data": data, **beside})

    async def ask() -> tuple[str, str]:
        asking = RangeQueries(Address("http://prom.test"), transport=httpx.MockTransport(lambda _: answer))
        found = await _asked(asking, "errors", "up", Plan(preset=None, metrics=frozenset()), frozenset({"cart-1"}))
        await asking.aclose()
        return found.status.value, found.detail

    said, detail = asyncio.run(ask())
    assert said == status
    assert ("store away" in detail) is (status == "warn")
