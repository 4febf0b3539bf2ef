"""The watch, the engine and the gates read one Canary alike: a decision for a step means the same step to each."""

from __future__ import annotations

from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from opsroom.delivery.engines import flagger_state
from opsroom.delivery.plan import Sight
from opsroom.domain.flagger import CanaryPhase
from opsroom.kube.objects import decoder
from opsroom.sources import flagger
from opsroom.sources.flagger_kinds import FlaggerCanary

TYPES = ("confirm-rollout", "confirm-traffic-increase", "confirm-promotion", "rollback", "rollout", "event", "")

hooks = st.lists(
    st.fixed_dictionaries(
        {"type": st.sampled_from(TYPES), "url": st.sampled_from([f"http://h/opsroom/{type_}" for type_ in TYPES])}
    ),
    max_size=5,
)
analyses = st.fixed_dictionaries(
    {"webhooks": hooks},
    optional={
        "interval": st.sampled_from(["", "2s", "30s", "1m30s", "1h", "soon", "5"]),
        "stepWeight": st.integers(0, 60),
        "stepWeights": st.lists(st.integers(1, 120), max_size=4),
        "maxWeight": st.integers(0, 120),
        "iterations": st.integers(0, 12),
    },
)
statuses = st.fixed_dictionaries(
    {"phase": st.sampled_from([*(phase.value for phase in CanaryPhase), "Newfangled"])},
    optional={
        "canaryWeight": st.integers(0, 100),
        "iterations": st.integers(-1, 13),
        "lastAppliedSpec": st.sampled_from(["a", "b"]),
        "trackedConfigs": st.dictionaries(st.sampled_from(["configmap/x", "secret/y"]), st.sampled_from(["1", "2"])),
        "conditions": st.just([{"type": "Promoted", "lastUpdateTime": "2026-01-02T03:04:05Z"}]),
    },
)


@given(
    analyses,
    statuses,
    st.sampled_from(["analysis", "canaryAnalysis"]),
    st.booleans(),
    st.sampled_from(["", "nginx", "kubernetes"]),
    st.sampled_from([None, "held", "kept", "other"]),
)
def test_all_readers_agree(
    analysis: dict[str, Any], status: dict[str, Any], key: str, suspend: bool, provider: str, queue: str | None
) -> None:
    body: dict[str, Any] = {
        "metadata": {"name": "c", "annotations": {} if queue is None else {"opsroom.dev/queue": queue}},
        "spec": {key: analysis, "suspend": suspend, "provider": provider},
        "status": status,
    }
    typed = decoder(FlaggerCanary).decode(msgspec.json.encode(body))
    watched, fresh = flagger.run_of(typed, ""), flagger_state.run_of(Sight(target=body))
    assert watched == fresh
    assert watched.plan.steps() == fresh.plan.steps()
    assert 0 <= watched.step <= len(watched.plan.steps())
    assert 0 <= watched.traffic <= 100
