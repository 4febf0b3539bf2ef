"""The picture that the feed carries, made of what every room has said.

Numbers are rounded to four digits here: nobody sees more, and they travel to every viewer at every step. The offers
are asked of the domain, so that board, script and worker refuse the same things.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np

from opsroom.domain.board import Happening, Right, Row
from opsroom.domain.deed import Verb
from opsroom.domain.offer import Offer, offer
from opsroom.domain.queue import QueueEntry
from opsroom.domain.rollout import Rollout
from opsroom.domain.series import Metric, Series
from opsroom.domain.verdict import UnknownReason, Verdict, VerdictState
from opsroom.sources.aligned import Aligned, Arms, Floats
from opsroom.worker.course import HAPPENINGS_KEPT, Course

NO_PROMETHEUS = "No Prometheus is configured. Name one with --prometheus URL or under [prometheus] in the settings"
"""What stands in the place of a metrics source where nobody has named one."""

STEPS_SHOWN = 60
DIGITS = 4

UNASKED = Right()


def rounded(values: Floats, digits: int = DIGITS) -> Floats:
    """``values`` with so many significant digits; NaN and infinities stay what they are."""
    with np.errstate(divide="ignore", invalid="ignore"):
        size = np.floor(np.log10(np.abs(values)))
    places = digits - 1 - np.where(np.isfinite(size), size, 0.0)
    # Dividing by an exact power of ten gives the float nearest to the decimal, multiplying by its inverse does not.
    up, down = 10.0 ** np.clip(places, 0, 300), 10.0 ** np.clip(-places, 0, 300)
    result: Floats = np.round(values * up / down) / up * down
    return result


def metrics_of(aligned: Aligned) -> dict[str, tuple[Metric, ...]]:
    """Each rollout's series for the feed, by uid; requests as a rate per second."""
    if len(aligned.times) == 0:
        return {}
    end, step = float(aligned.times[-1]), aligned.step
    requests = (aligned.requests[0] / step, aligned.requests[1] / step)
    named: list[tuple[str, Arms]] = [*aligned.metrics.items(), ("requests", requests)]
    lists = [(name, _values(arms[0]), _values(arms[1])) for name, arms in named]
    return {
        uid: tuple(
            Metric(name=name, canary=Series(end, step, canary[row]), baseline=Series(end, step, baseline[row]))
            for name, baseline, canary in lists
        )
        for row, uid in enumerate(aligned.uids)
    }


def _values(arm: Floats) -> list[tuple[float | None, ...]]:
    shown = rounded(arm[:, -STEPS_SHOWN:])
    objects = shown.astype(object)
    objects[~np.isfinite(shown)] = None
    return [tuple(row) for row in objects.tolist()]


def verdict_now(course: Course, source_error: str, now: float, patience: float) -> Verdict | None:
    """The verdict as it may be shown at ``now``: one older than ``patience`` seconds says nothing any more."""
    verdict, rollout = course.verdict, course.rollout
    if not rollout.under_way:
        return verdict
    if verdict is None:
        if not source_error:
            return None
        return Verdict(uid=rollout.uid, at=now, state=VerdictState.UNKNOWN, unknown=_down(source_error))
    if abs(now - verdict.at) <= patience:
        return verdict
    if verdict.state is VerdictState.UNKNOWN and not source_error:
        # The judge still looks, and knows best why it cannot tell.
        return verdict
    reason = _down(source_error) if source_error else UnknownReason.STALE
    return Verdict(uid=rollout.uid, at=verdict.at, state=VerdictState.UNKNOWN, unknown=reason, steps=verdict.steps)


def _down(source_error: str) -> UnknownReason:
    return UnknownReason.NO_SOURCE if source_error == NO_PROMETHEUS else UnknownReason.SOURCE_DOWN


def row_of(
    course: Course,
    verdict: Verdict | None,
    events: Iterable[Happening],
    rights: Mapping[Verb, Right],
    queue: QueueEntry | None,
) -> Row:
    """One rollout's row."""
    rollout = course.rollout
    promote, roll_back = _offers(rollout)
    return Row(
        rollout=rollout,
        verdict=verdict,
        flag=course.flag,
        decision=course.decision,
        promote=promote,
        roll_back=roll_back,
        may_promote=rights.get(Verb.PROMOTE, UNASKED),
        may_roll_back=rights.get(Verb.ROLL_BACK, UNASKED),
        metrics=course.metrics,
        scores=tuple(course.scores),
        queue=queue,
        deed=course.deed,
        happenings=_newest_first([*events, *course.news]),
        finished=course.finished,
        result=course.result,
    )


def _offers(rollout: Rollout) -> tuple[Offer, Offer]:
    return offer(rollout, Verb.PROMOTE), offer(rollout, Verb.ROLL_BACK)


def _newest_first(happenings: list[Happening]) -> tuple[Happening, ...]:
    happenings.sort(key=lambda happening: happening.at, reverse=True)
    return tuple(happenings[:HAPPENINGS_KEPT])
