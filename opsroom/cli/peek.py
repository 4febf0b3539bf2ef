"""A look at the command line before there is a parser: will this run draw a screen?

The parser and what it imports cost more than the first frame itself. So a glance at the words decides whether the
splash is shown; whenever a word is not surely understood the answer is no, and the parser speaks first.
"""

from __future__ import annotations

from collections.abc import Sequence

COMMON = frozenset({"--config", "--kubeconfig", "--context", "-n", "--namespace", "--prometheus", "--feed", "--policy"})
VALUED = COMMON | {"--record", "--seed", "--services", "--change-rate", "--wave", "--speed"}
"""Options that are followed by a value, of all commands that draw."""

BARE = frozenset({"--read-only", "--allow-quit"})
SCREENS = frozenset({"demo", "wall", "replay"})


def screen_of(words: Sequence[str]) -> str | None:
    """The command that will draw (``board`` where none is named); None where none will, or nobody can tell yet."""
    command = ""
    files = 0
    rest = iter(words)
    for word in rest:
        name, equals, _ = word.partition("=")
        if word in BARE or (equals and name in VALUED and name.startswith("--")):
            continue
        if word in VALUED:
            if next(rest, "-").startswith("-"):
                return None
        elif not word.startswith("-") and command == "replay" and not files:
            files = 1
        elif not command and word in SCREENS:
            command = word
        else:
            return None
    if command == "replay" and not files:
        return None
    return command or "board"
