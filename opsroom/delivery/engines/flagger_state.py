"""What a Canary says about itself, with its target beside it, as the engine and the gates read it afresh.

Sources: fluxcd/flagger pkg/apis/flagger/v1beta1/canary.go (defaults: interval 60 s, threshold at least 1),
pkg/controller/scheduler.go.
"""

from __future__ import annotations

from datetime import datetime

from opsroom.delivery import raw
from opsroom.delivery.doors import Raw
from opsroom.delivery.engines.deployment_state import current, hash_of
from opsroom.delivery.engines.former import DEPLOYMENT_REVISION
from opsroom.delivery.plan import Sight
from opsroom.domain import flagger, marks
from opsroom.domain.flagger import Plan, Run


def run_of(sight: Sight) -> Run:
    """Where the Canary stands."""
    canary = sight.target
    status = raw.table(canary, "status")
    configs = {key: str(value) for key, value in raw.table(status, "trackedConfigs").items()}
    return Run(
        plan=plan_of(canary),
        phase=flagger.phase_of(raw.text(status, "phase")),
        weight=raw.number(status, "canaryWeight"),
        iterations=raw.number(status, "iterations"),
        revision=flagger.revision_of(raw.text(status, "lastAppliedSpec"), configs),
        number=_number(sight.partner),
        hash=hash_of(current(sight.partner, sight.replica_sets)) if sight.partner is not None else "",
        since=epoch(raw.text(raw.condition(canary, "Promoted"), "lastUpdateTime")),
        suspended=raw.flag(canary, "spec", "suspend"),
        held=raw.annotation(canary, marks.QUEUE) in (marks.HELD, marks.KEPT),
    )


def _number(target: Raw | None) -> int:
    text = raw.annotation(target, DEPLOYMENT_REVISION)
    return int(text) if text.isdecimal() else 0


def plan_of(canary: Raw) -> Plan:
    """How it is to go."""
    checks = analysis(canary)
    hooks = [(raw.text(hook, "type"), raw.text(hook, "url")) for hook in raw.items(checks, "webhooks")]
    iterations = raw.number(checks, "iterations")
    blue_green = iterations > 0 or raw.text(canary, "spec", "provider") == "kubernetes"
    found = raw.dig(checks, "stepWeights")
    steps = [one for one in found if isinstance(one, int)] if isinstance(found, list) else []
    ladder = flagger.weights(raw.number(checks, "stepWeight"), steps, raw.number(checks, "maxWeight"))
    return Plan(
        own=flagger.own_gates(hooks),
        asked=frozenset(type_ for type_, _ in hooks),
        weights=() if blue_green else ladder,
        iterations=min(1000, iterations or 10) if blue_green else 0,
        interval=flagger.interval_of(raw.text(checks, "interval")),
    )


def analysis(canary: Raw) -> Raw:
    """``spec.analysis``, or ``canaryAnalysis`` as it was called before."""
    return raw.table(canary, "spec", "analysis") or raw.table(canary, "spec", "canaryAnalysis")


def threshold(canary: Raw) -> int:
    """Failed checks at which Flagger rolls back."""
    return max(1, raw.number(analysis(canary), "threshold"))


def target_name(canary: Raw) -> str:
    """The Deployment it drives; empty for targets of other kinds."""
    reference = raw.table(canary, "spec", "targetRef")
    return raw.text(reference, "name") if raw.text(reference, "kind") == "Deployment" else ""


def epoch(text: str) -> float | None:
    """Epoch seconds of a time of the API; None for what is none."""
    try:
        return datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()
    except ValueError:
        return None
