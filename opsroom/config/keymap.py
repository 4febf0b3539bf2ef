"""Own keys by action id, checked before the first screen: Textual itself accepts nonsense in silence.

Refused are unknown ids, empty keys, one key for two actions, and keys that hands know as motions of vim, less, tmux
or k9s on an action that changes something (``r d u ctrl+d ctrl+k``: every one of them has an outage on record).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from opsroom.config.toml_file import line_of
from opsroom.errors import ConfigError

_MOTIONS = (
    "h j k l g G r d u up down left right pageup pagedown home end space enter tab escape backspace "
    "ctrl+a ctrl+b ctrl+c ctrl+d ctrl+k ctrl+q ctrl+s ctrl+u"
)
MOTIONS = frozenset(_MOTIONS.split())
"""Never for an action that changes something."""

_KEY = re.compile(r"^(?:(?:ctrl|shift|alt)\+)*(?:[a-z_]+[a-z0-9_]*|[^\s,])$")


def check_keymap(
    own: Mapping[str, str], default: Mapping[str, str], guarded: frozenset[str], file: str
) -> dict[str, str]:
    """``default`` with ``own`` laid over it; both map action ids to keys separated by commas.

    ``guarded`` are the ids whose action changes something.

    Raises:
        ConfigError: naming ``file``, line and the action.
    """
    merged = dict(default)
    for action, keys in own.items():
        if action not in default:
            raise _wrong(file, action, "is not an action", f"Actions are {', '.join(sorted(default))}")
        for key in keys.split(","):
            if not _KEY.match(key):
                raise _wrong(file, action, f"{key!r} is not a key", "Write keys as p, ctrl+r or f5")
            if action in guarded and key in MOTIONS:
                raise _wrong(file, action, f"{key} is a motion or reflex key", "Take another key for it")
        merged[action] = keys
    taken: dict[str, str] = {}
    for action, keys in merged.items():
        for key in keys.split(","):
            other = taken.setdefault(key, action)
            if other != action:
                named = action if action in own else other
                raise _wrong(
                    file, named, f"{key} is also the key of {other if named == action else action}", "Take another"
                )
    return merged


def _wrong(file: str, action: str, what: str, fix: str) -> ConfigError:
    try:
        line = line_of(Path(file).read_text(encoding="utf-8"), ["screen", "keymap", *action.split(".")])
    except (OSError, UnicodeDecodeError):
        line = None
    where = f"{file}:{line}" if line else file
    return ConfigError(f"{where}: keymap {action}: {what}", fix)
