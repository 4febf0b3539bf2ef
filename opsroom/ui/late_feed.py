"""A feed client that is imported when it is first read: after the first frame, for the frame does not need it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from typing import TYPE_CHECKING

from opsroom.errors import OpsroomError
from opsroom.feed.frames import Delta, Picture
from opsroom.feed.state import Board, Link, LinkState

if TYPE_CHECKING:
    from opsroom.feed.client import FeedClient
    from opsroom.feed.record import Recorder


class LateFeed:
    """Has the face of ``FeedClient``; connecting until it is read."""

    def __init__(
        self,
        address: str,
        token: Callable[[], str] | None,
        clock: Callable[[], float],
        recorder: Recorder | None = None,
        namespaces: Sequence[str] = (),
    ) -> None:
        self._address = address
        self._token = token
        self._clock = clock
        self._board = Board()
        self._link = Link(LinkState.CONNECTING, clock())
        self._client: FeedClient | None = None
        self._recorder = recorder
        self._namespaces = namespaces
        self.unrecorded = ""
        """Why the recording ended before the screen did; empty while all is well."""

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

        self._client = FeedClient(
            self._address, self._token, clock=self._clock, eager=True, namespaces=self._namespaces
        )
        self._client.board.recorded = self._recorder is not None
        async for told in self._client:
            if isinstance(told, Picture | Delta) and not self._client.board.filling:
                self._record(self._client.board)
            yield told

    def _record(self, board: Board) -> None:
        """A full disk ends the recording, never the screen."""
        if self._recorder is None:
            return
        try:
            self._recorder.note(board)
        except OpsroomError as error:
            self._recorder, self.unrecorded = None, str(error)
