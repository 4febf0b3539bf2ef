"""Every page of every screen drawn for one board, without a terminal: what must hold whatever a feed says."""

from __future__ import annotations

from collections.abc import Iterator

from opsroom.feed.state import Board
from opsroom.view import detail, dossier, header, news_pages, order, plain, queue_page, rows, sources_page, wall
from opsroom.view.columns import layout
from opsroom.view.line import Line
from opsroom.view.spark import Graphs
from opsroom.view.wall_tiles import Wall

SIZES = ((60, 20), (160, 50))


def draw(board: Board) -> Iterator[str]:
    """The text of every line of every page."""
    room, shown, now = board.room, list(board.rows.values()), board.worker_now(1.0)
    assert room is not None
    for cells, height in SIZES:
        for one in _pages(board, cells, height):
            yield one.text
    yield plain.plain_board(room, shown, now, True)
    yield queue_page.plain_queue(room, shown, now)
    for row in shown:
        yield plain.plain_row(room, row, now)


def _pages(board: Board, cells: int, height: int) -> Iterator[Line]:
    room, shown, now = board.room, list(board.rows.values()), board.worker_now(1.0)
    status = header.Status(now=now, feed_age=board.age(1.0), shown=len(shown))
    yield header.top(room, status, cells)
    yield header.second(room, order.counts(shown), status, cells)
    for sort in order.Sort:
        order.arrange(shown, order.Wish(sort=sort))
    graphs = Graphs.BLOCK if cells < 100 else Graphs.BRAILLE
    size = detail.Pane(cells, height, now, graphs)
    for row in shown:
        yield rows.row_line(row, rows.Look(layout(cells), now, graphs))
        yield from detail.pane(row, size)
        yield from dossier.dossier(row, size)
    yield from wall.wall(room, shown, status, Wall(cells, height, now, graphs))
    yield from sources_page.sources_page(room, shown, status, cells)
    yield from queue_page.queue_page(room, shown, now, cells)
    yield from news_pages.journal_page(room, now, cells)
    yield from news_pages.events_page(shown, shown[0] if shown else None, now, cells)
