"""The watch and the engines name the version of a Deployment alike, also while it is paused before it was made."""

from __future__ import annotations

from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from opsroom.delivery.engines.deployment_state import current, hash_of
from opsroom.kube.objects import decoder
from opsroom.sources.kinds import Deployment, ReplicaSet
from opsroom.sources.revisions import Parts
from opsroom.sources.rolling import newest

Obj = dict[str, Any]

images = st.sampled_from(["v1", "v2", "v3"])
tracks = st.sampled_from([{}, {"track": "stable"}, {"track": "canary"}])
notes = st.sampled_from([None, {}, {"restartedAt": "noon"}])


@st.composite
def templates(draw: st.DrawFn) -> Obj:
    metadata: Obj = {"labels": {"app": "pay"} | draw(tracks)}
    found = draw(notes)
    if found is not None:
        metadata["annotations"] = found
    return {"metadata": metadata, "spec": {"containers": [{"name": "app", "image": draw(images)}]}}


def replica_set(number: int, template: Obj, born: int) -> Obj:
    labels = {**template["metadata"]["labels"], "pod-template-hash": f"h{number}"}
    return {
        "metadata": {
            "name": f"pay-h{number}",
            "uid": f"rs-{number}",
            "labels": {"pod-template-hash": f"h{number}"},
            "annotations": {"deployment.kubernetes.io/revision": str(number)},
            "creationTimestamp": f"2026-01-01T00:00:{born:02}Z",
            "ownerReferences": [{"uid": "d", "controller": True, "kind": "Deployment", "name": "pay"}],
        },
        "spec": {"template": {**template, "metadata": {**template["metadata"], "labels": labels}}},
    }


@given(
    templates(),
    st.lists(templates(), max_size=4),
    st.lists(st.integers(0, 59), min_size=4, max_size=4, unique=True),
    st.integers(1, 4),
    st.booleans(),
)
def test_the_watch_and_the_engines_name_a_version_alike(
    template: Obj, others: list[Obj], born: list[int], revision: int, paused: bool
) -> None:
    meta = {"name": "pay", "uid": "d", "annotations": {"deployment.kubernetes.io/revision": str(revision)}}
    deployment: Obj = {"metadata": meta, "spec": {"paused": paused, "template": template}}
    sets = [replica_set(number, one, born[number - 1]) for number, one in enumerate(others, 1)]
    watched = newest(
        decoder(Deployment).decode(msgspec.json.encode(deployment)),
        Parts(tuple(decoder(ReplicaSet).decode(msgspec.json.encode(one)) for one in sets)),
    )
    assert hash_of(current(deployment, sets)) == ("" if watched is None else watched.metadata.hash)
