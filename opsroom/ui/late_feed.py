"""A feed client that is imported when it is first read: after the first frame, for the frame does not need it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import TYPE_CHECKING

from opsroom.feed.state import Board, Link, LinkState

if TYPE_CHECKING:
    from opsroom.feed.client import FeedClient


class LateFeed:
    """Has the face of ``FeedClient``; connecting until it is read."""

    def __init__(self, address: str, token: Callable[[], str] | None, clock: Callable[[], float]) -> None:
        self._address = address
        self._token = token
        self._clock = clock
        self._board = Board()
        self._link = Link(LinkState.CONNECTING, clock())
        self._client: FeedClient | None = None

    @property
    def board(self) -> Board:
        """The newest picture."""
        return self._board if self._client is None else self._client.board

    @property
    def link(self) -> Link:
        """How the line to the worker is."""
        return self._link if self._client is None else self._client.link

    async def __aiter__(self) -> AsyncIterator[object]:
        """What the client hears."""
        from opsroom.feed.client import FeedClient

        self._client = FeedClient(self._address, self._token, clock=self._clock)
        async for told in self._client:
            yield told
