"""`label_replace` and `label_join`, applied once to each distinct label value.

Source: prometheus/promql/functions.go (2.42) and Go's regexp.Expand for `$1` and `${name}` in a replacement.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np

from opsroom.simulator.prometheus.arrays import Ints
from opsroom.simulator.prometheus.failures import BadData, ExecutionError
from opsroom.simulator.prometheus.matchers import pattern
from opsroom.simulator.prometheus.values import Vector, joined

_REFERENCE = re.compile(r"\$(?:\$|\{(\w+)\}|(\w+))")
_LABEL_NAME = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")


def label_replace(vector: Vector, target: str, replacement: str, source: str, expression: str) -> Vector:
    """Set `target` where the whole of `source` matches; raises ExecutionError for a bad name or expression."""
    try:
        compiled = pattern(expression)
    except BadData as cause:
        raise ExecutionError(f"invalid regular expression in label_replace(): {expression}") from cause
    _check_name(target, "label_replace")

    def change(text: str) -> str:
        found = compiled.fullmatch(text)
        # A text that cannot be a label value marks "no match: leave the target alone".
        return _expanded(replacement, found) if found else _UNTOUCHED

    changed = vector.labels.texts.map(vector.labels.column(source), change)
    untouched = vector.labels.texts.code(_UNTOUCHED)
    codes: Ints = np.where(changed == untouched, vector.labels.column(target), changed)
    return joined(Vector(vector.labels.put(target, codes), vector.values, vector.present))


def label_join(vector: Vector, target: str, separator: str, sources: Sequence[str]) -> Vector:
    """Set `target` to the values of `sources` with `separator` between them."""
    _check_name(target, "label_join")
    texts = vector.labels.texts
    columns = [vector.labels.column(source).tolist() for source in sources]
    rows = zip(*columns, strict=True) if columns else iter([()] * vector.labels.size)
    codes = [texts.code(separator.join(texts.text(code) for code in row)) for row in rows]
    labels = vector.labels.put(target, np.array(codes, dtype=np.int64))
    return joined(Vector(labels, vector.values, vector.present))


_UNTOUCHED = "\x00untouched"


def _check_name(name: str, function: str) -> None:
    if not _LABEL_NAME.fullmatch(name):
        raise ExecutionError(f"invalid destination label name in {function}(): {name}")


def _expanded(replacement: str, found: re.Match[str]) -> str:
    def value(reference: re.Match[str]) -> str:
        name = reference[1] or reference[2]
        if name is None:
            return "$"
        try:
            return found[int(name) if name.isdigit() else name] or ""
        except (IndexError, KeyError):
            return ""

    return _REFERENCE.sub(value, replacement)
