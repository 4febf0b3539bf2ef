"""News made short: one deed is one line with how it ended, however many states and Events told of it.

A deed is told several times: decided, journalled, sent, accepted, seen, done, and once more as an Event that we write
for others. What was told before its last state, and told elsewhere, is left out here; the journal has all of it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple

import msgspec

from opsroom.domain.board import Happening
from opsroom.domain.deed import DeedState, Verb

NEAR = 60.0
"""Seconds around a deed within which an Event of the same verb speaks of it."""

SOON = 15.0
"""Seconds after a decision within which a deed of the same verb carries it out."""

_COURSE = (DeedState.ARMED, DeedState.JOURNALLED, DeedState.SENT, DeedState.ACCEPTED, DeedState.SEEN, DeedState.UNKNOWN)
_RANK = {state: _COURSE.index(state) if state in _COURSE else len(_COURSE) for state in DeedState}
"""How far along a deed is; all its ends are equally far."""

_STATES = {state.value: state for state in DeedState}
_VERBS = {verb.value: verb for verb in Verb}

_EVENT = re.compile(r"Opsroom[A-Za-z]+: ([a-z_]+) \([a-z_-]+\) by (\S+): ([a-z_]+)(?:; (.*))?", re.DOTALL)
"""The Event of a deed, as ``delivery.notice`` writes it."""


class Told(NamedTuple):
    """A happening that speaks of a deed."""

    verb: Verb
    state: DeedState


def short(happenings: Iterable[Happening]) -> list[Happening]:
    """``happenings`` (newest first) with each deed once, in its last state; our Events become deeds."""
    items = [(item, _deed(item)) for item in happenings]
    ours = [(item.at, told.verb) for item, told in items if told is not None]
    lowest: dict[tuple[Verb, str], int] = {}
    listed: list[Happening] = []
    for item, told in items:
        if told is None:
            event = _event(item)
            if event is None:
                decided = _VERBS.get(item.text) if item.kind == "decision" else None
                if decided is None or not any(verb is decided and item.at <= at <= item.at + SOON for at, verb in ours):
                    listed.append(item)
                continue
            item, told = event, _deed(event)
            if told is None or any(verb is told.verb and abs(at - item.at) <= NEAR for at, verb in ours):
                continue
        key, rank = (told.verb, item.by), _RANK[told.state]
        if rank >= lowest.get(key, 0) or key not in lowest:
            listed.append(item)
        lowest[key] = rank
    return listed


def _deed(item: Happening) -> Told | None:
    verb, _, rest = item.text.partition(":")
    state = rest.partition(":")[0]
    if item.kind != "deed" or verb not in _VERBS or state not in _STATES:
        return None
    return Told(_VERBS[verb], _STATES[state])


def _event(item: Happening) -> Happening | None:
    """The deed that an Event of ours tells of."""
    found = _EVENT.fullmatch(item.text) if item.kind == "event" else None
    if found is None or found[1] not in _VERBS or found[3] not in _STATES:
        return None
    more = f":{found[4]}" if found[4] else ""
    return msgspec.structs.replace(item, kind="deed", text=f"{found[1]}:{found[3]}{more}", by=found[2])
