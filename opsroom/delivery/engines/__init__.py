"""One module a kind of rollout: what its controller understands, as requests and as outcomes."""

from __future__ import annotations

from opsroom.delivery.engines.acknowledging import AcknowledgingEngine
from opsroom.delivery.engines.approving import ApprovingEngine
from opsroom.delivery.engines.argo import ArgoEngine
from opsroom.delivery.engines.flagger import FlaggerEngine
from opsroom.delivery.engines.pair import PairEngine
from opsroom.delivery.engines.rolling import RollingEngine
from opsroom.delivery.plan import Engine
from opsroom.domain.deed import Target, Verb
from opsroom.domain.rollout import Engine as Kind
from opsroom.domain.rollout import Shape


def engine_for(target: Target, verb: Verb) -> Engine | None:
    """The engine that can do ``verb`` to ``target``; None would mean that there is none yet."""
    if verb is Verb.ACKNOWLEDGE:
        return AcknowledgingEngine()
    if verb is Verb.APPROVE:
        return ApprovingEngine()
    if target.engine is Kind.ARGO:
        return ArgoEngine()
    if target.engine is Kind.DEPLOYMENT:
        return PairEngine() if target.shape is Shape.PAIR else RollingEngine()
    return FlaggerEngine()
