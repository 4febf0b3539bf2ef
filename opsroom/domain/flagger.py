"""What Flagger's numbers mean: which gates are ours, the plan of a Canary as steps, and where its run stands.

Flagger has no verb for people: it asks gates (webhooks) whether it may go on, once in each analysis interval. Its
status zeroes the weight while it waits for the promotion, so the step is found from phase and plan, never from the
weight alone. Watch, engine and gates all use these functions: a decision for a step must mean the same step to each.
Sources: fluxcd/flagger pkg/controller/scheduler.go (advanceCanary, nextStepWeight, maxWeight), pkg/canary/status.go.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from urllib.parse import urlsplit

import msgspec

from opsroom.domain.go_duration import go_seconds
from opsroom.domain.rollout import Step, StepKind

PATH = "opsroom"
"""A hook is ours when its URL's path ends in ``/opsroom/`` and the hook's own type: no list of addresses to keep."""

TOTAL = 100
INTERVAL = 60.0
"""Seconds between two ticks where the Canary does not say."""


class Gate(StrEnum):
    """The hooks that can be gates of ours, by Flagger's names."""

    ROLLOUT = "confirm-rollout"
    TRAFFIC = "confirm-traffic-increase"
    PROMOTION = "confirm-promotion"
    ROLLBACK = "rollback"


class CanaryPhase(StrEnum):
    """``status.phase`` of a Canary."""

    NONE = ""
    INITIALIZING = "Initializing"
    INITIALIZED = "Initialized"
    WAITING = "Waiting"
    PROGRESSING = "Progressing"
    WAITING_PROMOTION = "WaitingPromotion"
    PROMOTING = "Promoting"
    FINALISING = "Finalising"
    SUCCEEDED = "Succeeded"
    FAILED = "Failed"
    TERMINATING = "Terminating"
    TERMINATED = "Terminated"
    STRANGE = "?"
    """A phase newer than we are."""


RUNNING = frozenset((CanaryPhase.WAITING, CanaryPhase.PROGRESSING, CanaryPhase.WAITING_PROMOTION))
PROMOTING = frozenset((CanaryPhase.PROMOTING, CanaryPhase.FINALISING))
"""Nothing can stop a Canary here: neither gates nor the failure threshold are looked at (flagger#1588)."""

RESTING = frozenset((CanaryPhase.INITIALIZED, CanaryPhase.SUCCEEDED))


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """How a Canary is to go from nothing to all traffic."""

    own: frozenset[Gate] = frozenset()
    """Gates that opsroom answers."""
    asked: frozenset[str] = frozenset()
    """Types of all hooks, whoever answers them."""
    weights: tuple[int, ...] = ()
    """Percent of traffic, one after another; empty for A/B and blue-green."""
    iterations: int = 0
    interval: float = 60.0
    """Seconds between two ticks."""

    @property
    def first(self) -> int:
        """Index of the first step after the gate before the start."""
        return 1 if Gate.ROLLOUT in self.asked else 0

    def steps(self) -> tuple[Step, ...]:
        """The plan as steps: a pause without a length is one that a gate must end."""
        found = [Step(kind=StepKind.PAUSE, name=Gate.ROLLOUT.value)] if Gate.ROLLOUT in self.asked else []
        if self.iterations:
            names = (f"iteration {number + 1}/{self.iterations}" for number in range(self.iterations))
            found += [Step(kind=StepKind.ANALYSIS, name=name) for name in names]
            found.append(self._pause(Gate.PROMOTION))
        for weight in self.weights:
            last = weight == self.weights[-1]
            found.append(Step(kind=StepKind.WEIGHT, weight=weight))
            found.append(self._pause(Gate.TRAFFIC, Gate.PROMOTION) if last else self._pause(Gate.TRAFFIC))
        return tuple(found)

    def _pause(self, *gates: Gate) -> Step:
        gated = [gate.value for gate in gates if gate in self.asked]
        return Step(kind=StepKind.PAUSE, seconds=None if gated else self.interval, name=gated[0] if gated else "")


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """Where a Canary stands."""

    plan: Plan
    phase: CanaryPhase
    weight: int = 0
    """As in status: 0 while it waits for the promotion, whatever the mesh does."""
    iterations: int = 0
    revision: str = ""
    """What is under analysis, see ``revision_of``."""
    hash: str = ""
    """Pod template hash of the target, the only name of a version that waits for its start."""
    number: int = 0
    """Revision number of the target: another one for each change, even back to a former template. 0: not known."""
    since: float | None = None
    """Epoch seconds at which this phase began."""
    suspended: bool = False
    held: bool = False
    """The queue's mark stands on it."""

    @property
    def step(self) -> int:
        """0-based index into ``plan.steps()``; their number once it is being promoted, or over."""
        plan, total = self.plan, len(self.plan.steps())
        if self.phase is CanaryPhase.WAITING:
            return 0
        if self.phase is CanaryPhase.WAITING_PROMOTION:
            return max(0, total - 1)
        if self.phase is not CanaryPhase.PROGRESSING:
            return total
        if plan.iterations:
            return plan.first + min(max(0, self.iterations), plan.iterations)
        reached = sum(1 for weight in plan.weights if weight <= self.weight)
        return plan.first if self.weight <= 0 or reached == 0 else plan.first + 2 * reached - 1

    @property
    def traffic(self) -> int:
        """Percent of traffic the canary really has."""
        if self.phase is CanaryPhase.WAITING_PROMOTION and self.plan.weights:
            return self.plan.weights[-1]
        return max(0, min(TOTAL, self.weight))

    @property
    def waits_for(self) -> frozenset[Gate]:
        """The gates of ours that are asked, or will be at the next tick, before it goes on."""
        plan = self.plan
        if self.phase is CanaryPhase.WAITING:
            return plan.own & {Gate.ROLLOUT}
        if self.phase is CanaryPhase.WAITING_PROMOTION:
            return plan.own & {Gate.PROMOTION}
        if self.phase is not CanaryPhase.PROGRESSING:
            return frozenset()
        if plan.iterations:
            return plan.own & {Gate.PROMOTION} if self.iterations >= plan.iterations else frozenset()
        last = bool(plan.weights) and self.weight >= plan.weights[-1]
        return plan.own & ({Gate.TRAFFIC, Gate.PROMOTION} if last else {Gate.TRAFFIC})


def own_gates(hooks: Iterable[tuple[str, str]]) -> frozenset[Gate]:
    """The gates among ``hooks`` (type, URL) that opsroom answers."""
    found = set()
    for type_, url in hooks:
        try:
            parts = urlsplit(url).path.rstrip("/").split("/")
        except ValueError:
            continue
        # A hook of one type that points at the path of another would turn a yes into its opposite.
        if parts[-2:] == [PATH, type_] and type_ in _GATES:
            found.add(Gate(type_))
    return frozenset(found)


def weights(step: int, steps: Sequence[int], maximum: int) -> tuple[int, ...]:
    """The weights of a progressive canary from ``stepWeight``, ``stepWeights`` and ``maxWeight`` (0: not given)."""
    top = min(TOTAL, steps[-1]) if steps else maximum if maximum > 0 else TOTAL
    if step > 0:
        found = [min(TOTAL, step)]
        while found[-1] < min(top, TOTAL):
            found.append(min(TOTAL, found[-1] + step))
        return tuple(found)
    return tuple(min(TOTAL, weight) for weight in steps if weight > 0)


def revision_of(applied: str, configs: Mapping[str, str] | None) -> str:
    """A name for what a Canary analyses, from ``lastAppliedSpec`` and ``trackedConfigs``.

    Flagger's own ``checksum`` is a hash of Go's deep print of exactly these two, which nobody outside Go can make:
    so marks bear this name, and the gates pair it with the checksum that they are asked with.
    """
    if not configs:
        return applied
    import hashlib  # loads OpenSSL, which no screen has to wait for

    told = hashlib.sha256("\n".join(f"{key}={configs[key]}" for key in sorted(configs)).encode())
    return f"{applied}+{told.hexdigest()[:10]}"


def interval_of(text: str) -> float:
    """Seconds of ``analysis.interval``, a Go duration; Flagger's default for what is none."""
    seconds = go_seconds(text)
    return INTERVAL if seconds is None else seconds


def phase_of(text: str) -> CanaryPhase:
    """``status.phase``; never raises."""
    try:
        return CanaryPhase(text)
    except ValueError:
        return CanaryPhase.STRANGE


_GATES = frozenset(gate.value for gate in Gate)
