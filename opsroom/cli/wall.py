"""``opsroom wall``: the read-only display, on this terminal or, with ``--serve``, in browsers.

It draws a feed and needs no kubeconfig where ``--feed`` names one; else its own worker runs ``--read-only``.
"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from msgspec.structs import replace

from opsroom.errors import UsageError

if TYPE_CHECKING:
    from opsroom.config.settings import Settings
    from opsroom.ui.options import Options


def run(arguments: argparse.Namespace) -> int:
    """Show or serve the wall until it is ended."""
    if arguments.serve:
        return _serve(arguments)
    if arguments.served:
        return _served(arguments)
    from opsroom.cli.board import first_frame

    with first_frame("wall"):
        from opsroom.cli.own_worker import kept
        from opsroom.ui.app import run_wall

        with kept(arguments, _settings(arguments)) as (where, said):
            return run_wall(replace(_options(arguments, where), worker=said, wall_quit=arguments.allow_quit))


def _options(arguments: argparse.Namespace, where: str) -> Options:
    from opsroom.cli.board import screen_options
    from opsroom.cli.feed_token import feed_token

    settings = _settings(arguments)
    return replace(screen_options(settings), feed=where, token=feed_token(where, settings), read_only=True)


def _settings(arguments: argparse.Namespace) -> Settings:
    """Its own worker may not write either."""
    from opsroom.cli.options import settings_for
    from opsroom.cli.own_worker import pinned

    return pinned(replace(settings_for(arguments), read_only=True))


def _serve(arguments: argparse.Namespace) -> int:
    from opsroom.cli.children import command
    from opsroom.cli.own_worker import common_words, kept
    from opsroom.ui.served import serve

    host, port = host_and_port(arguments.serve)
    settings = _settings(arguments)
    with kept(arguments, settings) as (where, _):
        serve(command("wall", *common_words(arguments, settings), "--feed", where, "--served"), host, port)
    return 0


def _served(arguments: argparse.Namespace) -> int:
    """One wall behind a browser's page; it speaks Textual's web protocol instead of drawing on a terminal."""
    from opsroom.ui.running import run_served

    return run_served(_options(arguments, _settings(arguments).feed))


def host_and_port(text: str) -> tuple[str, int]:
    """``HOST:PORT``, ``[::1]:PORT`` or ``:PORT`` (this machine only).

    Raises:
        UsageError: it is neither.
    """
    host, colon, port = text.rpartition(":")
    if not colon or not port.isdecimal() or not 0 < int(port) < 65536 or (":" in host and not host.startswith("[")):
        raise UsageError(f"{text!r} is no HOST:PORT", "For example: opsroom wall --serve localhost:8000")
    return host.strip("[]") or "localhost", int(port)
