"""The difference between two versions of one row, and how to apply it.

At each step a running canary's verdict changes, while of its series of sixty values only the newest two or three do.
Sending the whole row would be ten kilobytes a rollout a step; the difference is one. It must not know who asks for
it: ``difference`` and ``applied`` are pure, and ``applied(old, difference(old, new)) == new`` for all rows.
"""

from __future__ import annotations

import msgspec
from msgspec import UNSET, UnsetType

from opsroom.domain.approval import Approval
from opsroom.domain.board import Happening, Right, Row
from opsroom.domain.decision import Decision, Flag
from opsroom.domain.deed import Deed
from opsroom.domain.offer import Offer
from opsroom.domain.queue import QueueEntry
from opsroom.domain.rollout import Rollout, Uid
from opsroom.domain.series import Metric, Series
from opsroom.domain.verdict import Verdict

Values = tuple[float | None, ...]


class Shift(msgspec.Struct, frozen=True, array_like=True):
    """How a run of values moved on: ``drop`` off the front, keep the next ``keep``, then ``tail``."""

    drop: int
    keep: int
    tail: Values


class MetricShift(msgspec.Struct, frozen=True, array_like=True):
    """One metric's two arms moved on; ``ends`` are the new end times of canary and baseline."""

    name: str
    ends: tuple[float, float]
    canary: Shift
    baseline: Shift


class RowChange(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The fields of one row that changed; absent means unchanged."""

    uid: Uid
    rollout: Rollout | UnsetType = UNSET
    verdict: Verdict | UnsetType | None = UNSET
    flag: Flag | UnsetType | None = UNSET
    decision: Decision | UnsetType | None = UNSET
    promote: Offer | UnsetType | None = UNSET
    roll_back: Offer | UnsetType | None = UNSET
    may_promote: Right | UnsetType = UNSET
    may_roll_back: Right | UnsetType = UNSET
    metrics: tuple[Metric, ...] | UnsetType = UNSET
    shifts: tuple[MetricShift, ...] | UnsetType = UNSET
    """In place of ``metrics`` when names, steps and order are as they were."""
    scores: Shift | UnsetType = UNSET
    queue: QueueEntry | UnsetType | None = UNSET
    deed: Deed | UnsetType | None = UNSET
    happenings: tuple[Happening, ...] | UnsetType = UNSET
    finished: float | UnsetType | None = UNSET
    result: str | UnsetType = UNSET
    two_people: bool | UnsetType = UNSET
    approval: Approval | UnsetType | None = UNSET


_WHOLE = tuple(name for name in Row.__struct_fields__ if name not in ("metrics", "scores"))


def difference(old: Row, new: Row) -> RowChange:
    """What turns ``old`` into ``new`` (two versions of the same rollout)."""
    changed: dict[str, object] = {}
    for name in _WHOLE:
        value = getattr(new, name)
        before = getattr(old, name)
        if value is not before and value != before:
            changed[name] = value
    if old.scores != new.scores:
        changed["scores"] = shift(old.scores, new.scores)
    if old.metrics != new.metrics:
        shifts = _metric_shifts(old.metrics, new.metrics)
        if shifts is None:
            changed["metrics"] = new.metrics
        else:
            changed["shifts"] = shifts
    return RowChange(uid=new.rollout.uid, **changed)  # type: ignore[arg-type]


def applied(old: Row, change: RowChange) -> Row:
    """``old`` with ``change`` made to it.

    Raises:
        ValueError: the change does not fit this row.
    """
    fields: dict[str, object] = {}
    for name in _WHOLE:
        value = getattr(change, name)
        if value is not UNSET:
            fields[name] = value
    if change.scores is not UNSET:
        fields["scores"] = shifted(old.scores, change.scores)
    if change.metrics is not UNSET:
        fields["metrics"] = change.metrics
    elif change.shifts is not UNSET:
        fields["metrics"] = _shifted_metrics(old.metrics, change.shifts)
    return msgspec.structs.replace(old, **fields)


def shift(old: Values, new: Values) -> Shift:
    """The cheapest shift that makes ``new`` out of ``old``: steps pass, so few drops need to be tried."""
    best = Shift(len(old), 0, new)
    for drop in range(min(4, len(old))):
        keep = 0
        for a, b in zip(old[drop:], new, strict=False):
            if a != b:
                break
            keep += 1
        if keep > best.keep:
            best = Shift(drop, keep, new[keep:])
    return best


def shifted(old: Values, by: Shift) -> Values:
    """Apply a shift.

    Raises:
        ValueError: ``old`` is shorter than the shift says.
    """
    if by.drop < 0 or by.keep < 0 or by.drop + by.keep > len(old):
        raise ValueError("a shift that does not fit its series")
    return old[by.drop : by.drop + by.keep] + by.tail


def _metric_shifts(old: tuple[Metric, ...], new: tuple[Metric, ...]) -> tuple[MetricShift, ...] | None:
    if [_frame(m) for m in old] != [_frame(m) for m in new]:
        return None
    return tuple(
        MetricShift(
            after.name,
            (after.canary.end, after.baseline.end),
            shift(before.canary.values, after.canary.values),
            shift(before.baseline.values, after.baseline.values),
        )
        for before, after in zip(old, new, strict=True)
    )


def _frame(metric: Metric) -> tuple[str, float, float]:
    return metric.name, metric.canary.step, metric.baseline.step


def _shifted_metrics(old: tuple[Metric, ...], shifts: tuple[MetricShift, ...]) -> tuple[Metric, ...]:
    if [m.name for m in old] != [s.name for s in shifts]:
        raise ValueError("shifts of other metrics than the row has")
    return tuple(
        Metric(
            name=m.name,
            canary=Series(s.ends[0], m.canary.step, shifted(m.canary.values, s.canary)),
            baseline=Series(s.ends[1], m.baseline.step, shifted(m.baseline.values, s.baseline)),
        )
        for m, s in zip(old, shifts, strict=True)
    )
