"""The steps of an Argo canary as domain steps.

Thousands of rollouts share a few plans, so a plan is read once and shared. Source: argo-rollouts
pkg/apis/rollouts/v1alpha1/types.go (CanaryStep).
"""

from __future__ import annotations

from functools import lru_cache

import msgspec

from opsroom.domain.clean import clean
from opsroom.domain.go_duration import go_seconds
from opsroom.domain.rollout import Step, StepKind

NOTHING = msgspec.Raw(b"null")


class PauseStep(msgspec.Struct, frozen=True, gc=False):
    """``pause``; without a duration until somebody promotes."""

    duration: str | int | None = None


class NamedStep(msgspec.Struct, frozen=True, gc=False):
    """A step of which only the name is shown."""

    name: str = ""


class CanaryStep(msgspec.Struct, frozen=True, rename="camel", gc=False):
    """One step; exactly one of these is set."""

    set_weight: int | None = None
    pause: PauseStep | None = None
    analysis: NamedStep | None = None
    experiment: NamedStep | None = None
    set_canary_scale: NamedStep | None = None
    set_header_route: NamedStep | None = None
    set_mirror_route: NamedStep | None = None
    plugin: NamedStep | None = None


_STEPS = msgspec.json.Decoder(tuple[CanaryStep, ...] | None, strict=False)


@lru_cache(maxsize=1024)
def plan(text: bytes) -> tuple[Step, ...]:
    """The steps in ``text`` (JSON).

    Raises:
        msgspec.ValidationError: they are no steps.
    """
    return tuple(_step(step) for step in _STEPS.decode(text) or ())


def _step(step: CanaryStep) -> Step:
    if step.set_weight is not None:
        return Step(kind=StepKind.WEIGHT, weight=step.set_weight)
    if step.pause is not None:
        return Step(kind=StepKind.PAUSE, seconds=seconds(step.pause.duration))
    for kind, named in (
        (StepKind.ANALYSIS, step.analysis),
        (StepKind.EXPERIMENT, step.experiment),
        (StepKind.SCALE, step.set_canary_scale),
        (StepKind.HEADER, step.set_header_route),
        (StepKind.MIRROR, step.set_mirror_route),
        (StepKind.PLUGIN, step.plugin),
    ):
        if named is not None:
            return Step(kind=kind, name=clean(named.name, 120))
    # A kind newer than we are: it still takes its place, or every later index would be wrong.
    return Step(kind=StepKind.PLUGIN)


def seconds(duration: str | int | None) -> float | None:
    """Length of a pause as Argo reads it: a number is seconds, text is a Go duration; None is without end."""
    if duration is None or isinstance(duration, int):
        return duration
    text = duration.strip()
    if text.isdecimal() and text.isascii():
        return float(text)
    return go_seconds(text)
