"""An object as YAML, for reading: block style, and JSON's quoting (which is YAML's too) wherever it could matter."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

_PLAIN = re.compile(r"[A-Za-z_/(][A-Za-z0-9_./() +-]*")
_WORDS = frozenset({"true", "false", "yes", "no", "on", "off", "null", "y", "n"})


def yaml_text(value: Any) -> str:
    """The whole of ``value``, one line a scalar."""
    return "\n".join(_lines(value, 0))


def _lines(value: Any, depth: int) -> Iterator[str]:
    blank = "  " * depth
    if isinstance(value, dict) and value:
        for key, inner in value.items():
            if isinstance(inner, dict | list) and inner:
                yield f"{blank}{_scalar(key)}:"
                yield from _lines(inner, depth + 1)
            else:
                yield f"{blank}{_scalar(key)}: {_scalar(inner)}"
    elif isinstance(value, list) and value:
        for inner in value:
            if isinstance(inner, dict | list) and inner:
                first, *rest = _lines(inner, depth + 1)
                yield f"{blank}- {first.lstrip()}"
                yield from rest
            else:
                yield f"{blank}- {_scalar(inner)}"
    else:
        yield blank + _scalar(value)


def _scalar(value: Any) -> str:
    plain = isinstance(value, str) and _PLAIN.fullmatch(value) and value.lower() not in _WORDS
    if plain and not value.endswith(" "):
        return str(value)
    return json.dumps(value, ensure_ascii=False)
