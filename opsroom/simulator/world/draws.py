"""Random draws keyed by what they are for, so that the order of events changes none of them.

Every draw is a function of (seed, purpose, name, number). It knows nothing of what is drawn.
"""

from __future__ import annotations

import hashlib
import random


def key_number(*key: object) -> int:
    """A 64-bit number from any key; the same key gives the same number on every machine."""
    text = "\x1f".join(str(part) for part in key)
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8])


def drawer(*key: object) -> random.Random:
    """A generator of its own for this key."""
    return random.Random(key_number(*key))  # noqa: S311 - a simulation, not a secret
