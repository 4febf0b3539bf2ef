"""One TOML file into one typed record, with errors that name file, line and key.

``tomllib`` forgets where a key stood, and ``msgspec`` names a key by its path (``$.rows[1].max_seconds``); this module
puts the two together again by looking for the key's line in the text.
"""

from __future__ import annotations

import copy
import re
import tomllib
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from opsroom.errors import ConfigError

T = TypeVar("T")

# Patterns as text: they are compiled when something is wrong, not at each start.
_PATH = r"`\$((?:\.[\w-]+|\[\d+\]|\[\.\.\.\])*)`"
_SOME = "..."
_UNKNOWN = r"unknown field `([^`]+)`"
_HEADER = r"^\s*(\[\[?)\s*([^\]]+?)\s*\]\]?\s*(?:#.*)?$"
_KEY = r"""^\s*((?:[\w-]+|"[^"]*"|'[^']*')(?:\s*\.\s*(?:[\w-]+|"[^"]*"|'[^']*'))*)\s*="""


def load(path: Path, type_: type[T]) -> T:
    """Read ``path`` as ``type_`` (a msgspec Struct that forbids unknown fields).

    Raises:
        ConfigError: the file cannot be read, is not TOML, or holds a wrong key or value.
    """
    return parse(read(path), type_, str(path))


def read(path: Path) -> str:
    """The text of ``path``; raises ConfigError where there is none."""
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise ConfigError(f"{path} cannot be read: {reason}", "Name another file with --config or --policy") from error


def parse(text: str, type_: type[T], name: str) -> T:
    """The same for a text that is already here; ``name`` stands for the file in errors."""
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{name} is not TOML: {error}", "Correct that line") from error
    except RecursionError as error:
        raise ConfigError(f"{name} is nested beyond reading", "Write it flatter") from error
    try:
        return msgspec.convert(data, type_)
    except msgspec.ValidationError as error:
        raise ConfigError(*_sentence(name, text, str(error), _path(data, type_, str(error)))) from error


def _path(data: dict[str, Any], type_: type[Any], error: str) -> list[str | int]:
    """Where ``error`` is. msgspec does not tell which key of a table of tables it means: the one that errs alone."""
    found = re.search(_PATH, error)
    path = _split(found.group(1)) if found else []
    for at, part in enumerate(path):
        if part != _SOME:
            continue
        for key in _at(data, path[:at]):
            alone = copy.deepcopy(data)
            table = _at(alone, path[:at])
            for other in [other for other in table if other != key]:
                del table[other]
            try:
                msgspec.convert(alone, type_)
            except msgspec.ValidationError as again:
                if str(again) == error:
                    path[at], data = key, alone
                    break
    return path


def _at(data: Any, path: list[str | int]) -> dict[str, Any]:
    for part in path:
        data = data[part]
    return data if isinstance(data, dict) else {}


def _sentence(name: str, text: str, error: str, path: list[str | int]) -> tuple[str, str]:
    unknown = re.search(_UNKNOWN, error)
    if unknown:
        path.append(unknown.group(1))
    line = line_of(text, path)
    where = f"{name}:{line}" if line else name
    key = ".".join(str(part) for part in path) or "the file"
    if unknown:
        return f"{where}: {key} is not a setting", "Remove it or correct its spelling"
    what = error.split(" - at ")[0].rstrip(".")
    return f"{where}: {key}: {what[:1].lower()}{what[1:]}", "Correct that value"


def _split(path: str) -> list[str | int]:
    found = re.findall(r"\.([\w-]+)|\[(\d+)\]|\[(\.\.\.)\]", path)
    return [name or some or int(index) for name, index, some in found]


def line_of(text: str, path: list[Any]) -> int | None:
    """1-based line at which the key ``path`` stands (or the nearest table above it); None for the whole file."""
    best: int | None = None
    depth = 0
    table: list[str | int] = []
    arrays: dict[str, int] = {}
    for number, line in enumerate(text.splitlines(), 1):
        header = re.match(_HEADER, line)
        if header:
            names = _names(header.group(2))
            if header.group(1) == "[[":
                arrays[".".join(names)] = arrays.get(".".join(names), -1) + 1
            table = _indexed(names, arrays)
            at = table
        else:
            key = re.match(_KEY, line)
            if not key:
                continue
            at = table + list(_names(key.group(1)))
        common = _common(at, path)
        if common == len(at) and common > depth:
            best, depth = number, common
    return best


def _names(dotted: str) -> list[str]:
    return [part.strip().strip("\"'") for part in dotted.split(".")]


def _indexed(names: list[str], arrays: dict[str, int]) -> list[str | int]:
    parts: list[str | int] = []
    for index, name in enumerate(names):
        parts.append(name)
        dotted = ".".join(names[: index + 1])
        if dotted in arrays:
            parts.append(arrays[dotted])
    return parts


def _common(at: list[str | int], path: list[Any]) -> int:
    count = 0
    for left, right in zip(at, path, strict=False):
        if left != right:
            break
        count += 1
    return count
