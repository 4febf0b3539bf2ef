"""Many viewers that read their feed as fast as it comes and look at nothing: ``python -m tests.bench.crowd FEED N``."""

from __future__ import annotations

import asyncio
import sys

from opsroom.feed.address import parse
from opsroom.feed.stream import Line


async def reads(address: str) -> None:
    """One of them, until the feed ends."""
    line = await Line.open(parse(address))
    await line.ask("/feed", "", 60.0)
    async for _ in line.body(60.0):
        pass


async def crowd(address: str, number: int) -> None:
    """All of them."""
    await asyncio.gather(*(reads(address) for _ in range(number)))


if __name__ == "__main__":
    asyncio.run(crowd(sys.argv[1], int(sys.argv[2])))
