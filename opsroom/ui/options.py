"""What the command line tells the screens, in one frozen record."""

from __future__ import annotations

import getpass
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from opsroom.domain.deed import Effect, Verb
from opsroom.domain.offer import Offer
from opsroom.ui.notices import Notices
from opsroom.view.spark import Graphs

if TYPE_CHECKING:
    from opsroom.feed.record import Recorder
    from opsroom.feed.replay import Replay


def own_command(name: str) -> tuple[str, ...]:
    """One of our own commands: this interpreter, so that the child is the same opsroom."""
    return (sys.executable, "-P", "-m", "opsroom", name)


class Guard(msgspec.Struct, frozen=True):
    """What stands between a key and its deed."""

    promote: float = 3.0
    """Seconds to think again, 0 to 10; also before an undo, which sets out to something new."""
    roll_back: float = 1.0
    second_key: bool = False
    """Instead of a countdown a second, different key (``Y``) is asked for."""

    def seconds(self, wish: Offer) -> float:
        """The countdown before ``wish``: short towards safety, longer towards risk."""
        safe = wish.verb is Verb.ROLL_BACK and wish.effect is not Effect.UNDO
        return self.roll_back if safe else self.promote


class Options(msgspec.Struct, frozen=True):
    """Everything a screen needs to know before its first frame."""

    feed: str = ""
    """Address of the feed (``unix:PATH``, ``https://…``)."""
    namespaces: tuple[str, ...] = ()
    """No more than these of what the feed shows; all of it where there are none."""
    context: str = ""
    """What this board calls the context behind the feed, where it shows several; empty: as its worker does."""
    act: tuple[str, ...] = msgspec.field(default_factory=partial(own_command, "act"))
    """Command and arguments of a deed's child process."""
    freeze: tuple[str, ...] = msgspec.field(default_factory=partial(own_command, "freeze"))
    thaw: tuple[str, ...] = msgspec.field(default_factory=partial(own_command, "thaw"))
    """Commands and arguments that stop and resume automatic deeds."""
    show: tuple[str, ...] = ()
    """Command that shows the inside of a rollout (``opsroom show``); empty where there is no cluster to ask."""
    worker: Callable[[], str] = str
    """Says why the own worker is not there; empty while it is, and where the feed is somebody else's."""
    theme: str = "night"
    theme_folders: tuple[Path, ...] = ()
    """Folders with the person's own themes; they win over ours and are read again when they change."""
    graphs: Graphs | None = None
    """None: what the terminal can."""
    read_only: bool = False
    keymap: dict[str, str] = msgspec.field(default_factory=dict)
    """Keys by action id (``promote = "p"``), checked by ``config.keymap``."""
    guard: Guard = Guard()
    guards: dict[str, Guard] = msgspec.field(default_factory=dict)
    """By the name of the context, where one has its own."""
    actor: str = msgspec.field(default_factory=getpass.getuser)
    opener: str = ""
    """Program that opens the address of a change; empty: the address is shown."""
    bell: bool = False
    """Ring when a new flag calls for a person."""
    notices: Notices = Notices.OFF
    """Desktop notices at the same moments."""
    wall_quit: bool = False
    """``q`` and twice ``ctrl+c`` end the wall; False: passers-by may reach its keyboard."""
    recorder: Recorder | None = None
    """Writes down everything this screen sees."""
    replay: Replay | None = None
    """A recording instead of a feed; nothing can be done to the world then."""
    token: Callable[[], str] | None = None
    """Gives the bearer token for an https feed, at each attempt."""
