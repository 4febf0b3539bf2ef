"""A workload as it stands in the cluster, for reading: what may be a secret is masked before anybody sees it.

Only the workload itself is read, never a Secret. Literal values of environment variables are masked whatever their
name, for names lie; so are words after a flag that speaks of a secret. The last applied configuration would say all
of it again, and managed fields are noise.
"""

from __future__ import annotations

import re
from typing import Any

from opsroom.domain import masking
from opsroom.domain.clean import clean
from opsroom.domain.masking import MASK
from opsroom.kube.reader import Reader

LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"

_SECRET = re.compile(r"pass(word|wd|phrase)?|secret|token|credential|api[-_]?key|private[-_]?key|bearer", re.IGNORECASE)
_DEPTH = 64


async def manifest(reader: Reader, path: str) -> dict[str, Any]:
    """The object at ``path``, cleaned and masked.

    Raises:
        Gone, NotPermitted, Unauthorized, Unreachable: as the reader does.
    """
    found: dict[str, Any] = await reader.get(path, dict)
    meta = found.get("metadata")
    if isinstance(meta, dict):
        meta.pop("managedFields", None)
        notes = meta.get("annotations")
        if isinstance(notes, dict):
            notes.pop(LAST_APPLIED, None)
    safe: dict[str, Any] = masked(found)
    return safe


def masked(value: Any, key: str = "", depth: int = 0) -> Any:
    """``value`` with cleaned texts and masked secrets, at any depth."""
    if depth > _DEPTH:
        return "..."
    if isinstance(value, dict):
        return {clean(name, 253): masked(inner, name, depth + 1) for name, inner in value.items()}
    if isinstance(value, list):
        if key == "env":
            return [_variable(one, depth) for one in value]
        return _words(value, depth) if key in ("args", "command") else [masked(one, "", depth + 1) for one in value]
    if isinstance(value, str):
        if key and _SECRET.search(key) and key not in ("secretName", "tokenExpirationSeconds"):
            return MASK
        return masking.said(value, 2000)
    return value


def _variable(one: Any, depth: int) -> Any:
    """An environment variable: where its value comes from may be seen, the value may not."""
    if not isinstance(one, dict):
        return MASK
    return {name: MASK if name == "value" else masked(inner, "", depth + 1) for name, inner in one.items()}


def _words(words: list[Any], depth: int) -> list[Any]:
    """A command line: ``--token=x``, ``--token x`` and ``TOKEN=x`` lose their value."""
    shown: list[Any] = []
    hide = False
    for word in words:
        text = clean(word, 2000)
        name, equals, _ = text.partition("=")
        speaks = bool(_SECRET.search(name))
        shown.append(MASK if hide else f"{name}={MASK}" if speaks and equals else masked(text, "", depth + 1))
        hide = speaks and not equals and not hide and name.startswith("-")
    return shown
