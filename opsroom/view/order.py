"""Groups, order and filter of the board: what stands above what.

Within a group the order follows facts that do not flicker (severity, then time), never the raw score: a list that
shuffles with every sample cannot be read. Must not know the cursor; holding a re-sort is the screen's business.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from enum import StrEnum
from functools import cache
from itertools import groupby
from typing import NamedTuple

import msgspec

from opsroom.domain.board import Row, Severity
from opsroom.domain.queue import Lane
from opsroom.domain.rollout import Phase, Uid


class Group(StrEnum):
    """Sections of the board, from top to bottom."""

    NEEDS_YOU = "needs you"
    MOVING = "moving"
    QUEUED = "queued"
    DONE = "done"


class Sort(StrEnum):
    """Order within a group."""

    SEVERITY = "severity"
    SCORE = "score"
    NAME = "name"
    AGE = "age"


class Wish(msgspec.Struct, frozen=True):
    """What the person at the board wants to see."""

    text: str = ""
    """Words of ``/``: text, ``label:key=value`` and ``!not``, all of which must hold."""
    flagged_only: bool = False
    sort: Sort = Sort.SEVERITY


class Kind(NamedTuple):
    """What a row counts as in the header."""

    group: Group
    severity: Severity


Standing = str
"""The group's number, then the place within it: one text that sorts, for there is one for each row."""


class Heading(msgspec.Struct, frozen=True):
    """A line of the list that is no rollout: a group's heading, a blank line where ``count`` is 0."""

    group: Group
    count: int = 0


Entry = Heading | Uid
"""One line of the list."""

_NUMBER = {group: str(number) for number, group in enumerate(Group)}
_GROUP = {number: group for group, number in _NUMBER.items()}

_FAR = 1e10
"""Epoch seconds that are never reached: the newest comes first where times are counted back from it."""


_LANES = {Lane.ROLLBACK: 6, Lane.HOTFIX: 7, Lane.NORMAL: 8, Lane.BATCH: 9}
"""Behind what is held but has no place in the queue, which is ordered by its severity."""


def group_of(row: Row) -> Group:
    """The section a row belongs to."""
    if row.flag is not None:
        return Group.NEEDS_YOU
    if row.waits:
        return Group.QUEUED
    if row.rollout.under_way or row.rollout.phase is Phase.UNKNOWN:
        return Group.MOVING
    return Group.DONE


def standing(row: Row, wish: Wish, matches: Callable[[Row], bool]) -> Standing | None:
    """Where a row stands: it moves on the board exactly when this changes. None: the filter hides it."""
    if (row.flag is None and wish.flagged_only) or not matches(row):
        return None
    group = group_of(row)
    return f"{_NUMBER[group]}{_key(row, group, wish.sort)}{row.rollout.key}"


def entries(standings: Mapping[Uid, Standing], roomy: bool = False) -> list[Entry]:
    """The list from top to bottom: a heading for each group that is not empty, a blank line between if ``roomy``."""
    listed: list[Entry] = []
    # By uid first: two workloads of different kinds may have the same name.
    ordered = sorted(sorted(standings), key=standings.__getitem__)
    for number, members in groupby(ordered, lambda uid: standings[uid][0]):
        found = list(members)
        if roomy and listed:
            listed.append(Heading(_GROUP[number]))
        listed.append(Heading(_GROUP[number], len(found)))
        listed.extend(found)
    return listed


def uids(listed: Iterable[Entry]) -> list[Uid]:
    """The rollouts of a list from top to bottom."""
    return [entry for entry in listed if not isinstance(entry, Heading)]


def arrange(rows: Iterable[Row], wish: Wish) -> list[Entry]:
    """The whole list at once."""
    matches = matcher(wish.text)
    found = ((row.rollout.uid, standing(row, wish, matches)) for row in rows)
    return entries({uid: place for uid, place in found if place is not None})


def _key(row: Row, group: Group, sort: Sort) -> str:
    """What comes before the name in the order of a group, as text that sorts."""
    if sort is Sort.NAME:
        return ""
    if sort is Sort.SCORE:
        score = row.verdict.score if row.verdict else None
        return "none" if score is None else f"{1.0 - score:.9f}"
    if sort is Sort.AGE:
        return _text(_since(row))
    if group is Group.QUEUED and row.queue is not None:
        return f"{_LANES[row.queue.lane]}{row.queue.position:09}"
    loudest = Severity.CRITICAL - row.severity
    if group is Group.DONE:
        return f"{loudest}{_text(_FAR - (row.finished or 0.0))}"
    return f"{loudest}{_text(_since(row))}"


def _text(seconds: float) -> str:
    """Epoch seconds to the millisecond, as text that sorts."""
    return f"{seconds:015.3f}"


def _since(row: Row) -> float:
    return row.flag.since if row.flag else row.rollout.started or row.finished or 0.0


def matcher(text: str) -> Callable[[Row], bool]:
    """A test for the words of a filter; an empty one lets all rows pass."""
    words = text.lower().split()

    def matches(row: Row) -> bool:
        return all(_holds(row, word.removeprefix("!")) is not word.startswith("!") for word in words if word != "!")

    return matches


def _holds(row: Row, word: str) -> bool:
    rollout = row.rollout
    if word.startswith("label:"):
        wanted = word.removeprefix("label:")
        labels = [(key.lower(), value.lower()) for key, value in rollout.labels.items()]
        return any(wanted in (f"{key}={value}", key, value) for key, value in labels)
    revisions = [found.version for found in (rollout.canary, rollout.stable) if found is not None]
    return any(word in text.lower() for text in (rollout.key, rollout.change.author, *revisions))


def kind(row: Row) -> Kind:
    """Where a row stands and how loud it is: the header counts the same groups as the list shows."""
    return _kind(group_of(row), row.severity)


_kind = cache(Kind)
"""One object a kind: there is one for each row."""


def counts(rows: Iterable[Row]) -> Counter[Kind]:
    """How many rows there are of each kind."""
    return Counter(kind(row) for row in rows)
