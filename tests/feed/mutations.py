"""JSON that was tampered with: for fuzzing what reads it. The draws are hypothesis', so every failure shrinks."""

from __future__ import annotations

import copy
from typing import Any

from hypothesis import strategies as st

ODD: tuple[Any, ...] = (
    None,
    True,
    0,
    -1,
    7,
    2**31,
    2**63 - 1,
    -(2**63),
    2**70,
    0.5,
    -0.5,
    1e-300,
    1e300,
    -1e300,
    "",
    "uid-1",
    "\x1b[2J\x1b]0;x\x07",
    "\u202eabc\u200b",
    "x" * 3000,
    "e\u0301" * 200,
    [],
    {},
    [[]],
    [None],
    {"type": "delta"},
)
"""Values in the place of others: of another type, beyond every bound, or not for terminals."""

changes = st.lists(
    st.tuples(st.integers(0, 10**6), st.sampled_from(("put", "put", "put", "drop", "twice")), st.sampled_from(ODD)),
    min_size=1,
    max_size=4,
)
"""(which place, what is done there, the value put there)."""


def places(document: Any) -> list[tuple[Any, Any]]:
    """Every (container, key) in ``document``, in order."""
    found: list[tuple[Any, Any]] = []
    waiting = [document]
    while waiting:
        at = waiting.pop()
        keys = list(at) if isinstance(at, dict) else range(len(at))
        for key in keys:
            found.append((at, key))
            if isinstance(at[key], dict | list):
                waiting.append(at[key])
    return found


def tampered(document: Any, wishes: list[tuple[int, str, Any]]) -> Any:
    """A copy of ``document`` with ``wishes`` done to it."""
    document = copy.deepcopy(document)
    for number, what, value in wishes:
        there = places(document)
        if not there:
            break
        container, key = there[number % len(there)]
        if what == "drop":
            del container[key]
        elif what == "twice" and isinstance(container, list):
            container.insert(key, copy.deepcopy(container[key]))
        else:
            container[key] = copy.deepcopy(value)
    return document
