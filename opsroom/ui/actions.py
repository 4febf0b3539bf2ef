"""The one table of actions: keys, key bar, help, palette and the check of own keymaps are all made from it.

``r d u ctrl+d ctrl+k`` change nothing anywhere: they are reflexes from k9s, vim, less and tmux, and each has an outage
on record (tui-anchors 3.1). Guarded actions are on ``p`` and ``x``, which are neighbours on no common keyboard.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

import msgspec
from textual.binding import Binding, BindingType


class Place(StrEnum):
    """Where an action works."""

    BOARD = "board"
    DETAIL = "detail"
    PAGE = "page"
    """Help, sources, journal, events."""


BOTH = frozenset({Place.BOARD, Place.DETAIL})
ALL = frozenset(Place)
BOARD = frozenset({Place.BOARD})


class Action(msgspec.Struct, frozen=True):
    """One thing a key does."""

    id: str
    keys: str
    """Textual's names, separated by commas."""
    does: str
    """Name of the ``action_…`` method, with arguments."""
    word: str
    """For the key bar."""
    help: str
    places: frozenset[Place] = BOTH
    guarded: bool = False
    """It changes the world, and goes through the guard."""
    bar: int = 0
    """Place in the key bar, 1 first; 0: not there."""
    shown: str = ""
    """How the key is written where its name would not do."""
    replay: bool = False
    """Only while a recording is shown; before the others in the key bar then."""
    several: bool = False
    """Only where several contexts are shown."""


ACTING = (
    Action("promote", "p", "deed('promote')", "promote", "let it go on by one step", BOTH, True, 1),
    Action("rollback", "x", "deed('roll_back')", "roll back", "give all traffic back to stable", BOTH, True, 2),
    Action("flag", "f", "mark('flag')", "flag", "flag it by hand: it stops going on by itself", BOTH, True),
    Action("acknowledge", "a", "mark('acknowledge')", "take it", "say that you take care of its flag", BOTH, True),
    Action("freeze_all", "exclamation_mark", "app.freeze_all", "", "twice: freeze automatic deeds, or thaw them", BOTH,
           True, shown="!"),
    Action("stop", "escape", "back", "stop", "stop what is armed; leave a page; clear the filter", ALL, shown="esc"),
    Action("confirm", "Y", "confirm", "", "do what is armed, where a second key is asked for", BOTH),
)  # fmt: skip

MOVING = (
    Action("down", "j,down", "move(1)", "down", "one rollout down", ALL),
    Action("up", "k,up", "move(-1)", "up", "one rollout up", ALL),
    Action("page_down", "pagedown,ctrl+f", "page(1)", "page down", "one page down", ALL, shown="pgdn"),
    Action("page_up", "pageup,ctrl+b", "page(-1)", "page up", "one page up", ALL, shown="pgup"),
    Action("first", "g,home", "edge(-1)", "first", "to the first rollout", ALL),
    Action("last", "G,end", "edge(1)", "last", "to the last rollout", ALL),
    Action("next", "n", "flagged(1)", "next flagged", "to the next flagged rollout", BOTH, bar=4),
    Action("previous", "N", "flagged(-1)", "previous flagged", "to the previous flagged rollout", BOTH),
    Action("next_context", "tab", "context(1)", "context", "to the next context of this board", BOTH, bar=5,
           several=True),
    Action("previous_context", "shift+tab", "context(-1)", "context before", "to the context before", BOTH,
           several=True),
)  # fmt: skip

LOOKING = (
    Action("open", "enter", "open", "detail", "everything about this rollout", BOARD, bar=3, shown="enter"),
    Action("events", "e", "app.show('events')", "events", "what happened, newest first", BOTH, bar=11),
    Action("logs", "l", "inside('logs')", "logs", "what its pods said last, canary beside stable", BOTH),
    Action("manifest", "y", "inside('manifest')", "yaml", "the object in the cluster; secrets are masked", BOTH),
    Action("copy", "c", "copy", "copy", "its name to the terminal's clipboard", BOTH),
    Action("url", "o", "url", "change", "open the address of its change; over SSH show it", BOTH),
    Action("queue", "Q", "app.show('queue')", "queue", "who waits for what, and until when", BOTH),
    Action("journal", "J", "app.show('journal')", "deeds", "who did what, and what came of it", BOTH, bar=13),
    Action("sources", "S", "app.show('sources')", "sources", "each source: its age, its last error", BOTH, bar=12),
)  # fmt: skip

ARRANGING = (
    Action("filter", "slash", "filter", "filter", "filter: text, label:key=value, !not", BOARD, bar=5, shown="/"),
    Action("only_flagged", "F", "only_flagged", "only flagged", "only what waits for a person", BOARD, bar=8),
    Action("sort", "s", "sort", "sort", "sort by severity, score, name, age", BOARD, bar=9),
    Action("wide", "w", "wide", "wide", "the list alone, with every namespace", BOARD),
    Action("freeze", "space", "hold", "stop picture", "stop the picture (data go on); again to go on", ALL, bar=10),
    Action("theme", "T", "app.theme", "theme", "next theme", ALL),
    Action("refresh", "ctrl+r", "repaint", "repaint", "paint the whole screen again", ALL),
    Action("help", "question_mark,f1", "app.show('help')", "help", "every key and mark", ALL, bar=99, shown="?"),
    Action("palette", "colon,ctrl+p", "app.palette", "command", "find an action by its name", BOTH, bar=98, shown=":"),
    Action("quit", "q", "leave", "quit", "leave; deeds that were sent go on", ALL, bar=97),
)  # fmt: skip

REPLAYING = (
    Action("step", "full_stop", "play('step')", "step", "one picture further", ALL, bar=2, shown=".", replay=True),
    Action("step_back", "comma", "play('step_back')", "back", "one picture back", ALL, shown=",", replay=True),
    Action("later", "right", "play('seek', 10)", "+10 s", "ten seconds further", ALL, bar=4, replay=True),
    Action("earlier", "left", "play('seek', -10)", "-10 s", "ten seconds back", ALL, bar=3, replay=True),
    Action("much_later", "greater_than_sign", "play('seek', 60)", "+1 m", "a minute further", ALL, bar=6, shown=">",
           replay=True),
    Action("much_earlier", "less_than_sign", "play('seek', -60)", "-1 m", "a minute back", ALL, bar=5, shown="<",
           replay=True),
    Action("faster", "plus,equals_sign", "play('faster')", "faster", "twice as fast", ALL, bar=7, shown="+",
           replay=True),
    Action("slower", "minus", "play('slower')", "slower", "half as fast", ALL, bar=8, shown="-", replay=True),
)  # fmt: skip

UNBOUND = (
    Action("unbound", "r,d,u,ctrl+d,ctrl+k", "unbound", "", "nothing, on purpose: roll back is x", BOTH),
)  # fmt: skip

SECTIONS = {
    "Keys that act": ACTING,
    "Keys that move": MOVING,
    "Keys that look into something": LOOKING,
    "Keys for the screen": ARRANGING,
    "Keys of a recording": REPLAYING,
    "Keys left alone": UNBOUND,
}
"""As the help page has them."""

ACTIONS = tuple(action for section in SECTIONS.values() for action in section)


def keys_of(action: Action, keymap: Mapping[str, str]) -> str:
    """The keys in force for ``action``."""
    return keymap.get(action.id, action.keys)


def bindings(place: Place) -> list[BindingType]:
    """The bindings of a screen; never with priority, which would fire under a dialog."""
    return [
        Binding(action.keys, action.does, action.help, show=False, id=action.id)
        for action in ACTIONS
        if place in action.places
    ]


def key_name(action: Action, keymap: Mapping[str, str]) -> str:
    """How the first key is written for people."""
    keys = keys_of(action, keymap)
    if keys == action.keys and action.shown:
        return action.shown
    first = keys.split(",")[0]
    return {"slash": "/", "question_mark": "?", "colon": ":", "escape": "esc"}.get(first, first)


def default_keys() -> dict[str, str]:
    """Keys by action id, for the check of an own keymap."""
    return {action.id: action.keys for action in ACTIONS}


GUARDED = frozenset(action.id for action in ACTIONS if action.guarded)
"""Ids of the actions that change something."""
