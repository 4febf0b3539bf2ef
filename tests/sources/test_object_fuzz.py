"""Objects and watch lines that somebody tampered with: left out or read, and no other object is the worse for it."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from opsroom.domain.deed import Verb
from opsroom.domain.marks import DEED, FLAG, VERDICT, Marks, read_gate
from opsroom.domain.offer import offer, seen
from opsroom.domain.rollout import Rollout
from opsroom.errors import OpsroomError
from opsroom.kube.connection import Connection
from opsroom.kube.endpoint import Endpoint
from opsroom.kube.objects import read_page, shallow
from opsroom.kube.reader import Reader
from opsroom.sources.argo_kinds import ArgoRollout
from opsroom.sources.flagger_kinds import FlaggerCanary
from opsroom.sources.happenings import Happenings
from opsroom.sources.index import Index
from opsroom.sources.kinds import Deployment, KubeEvent, Pod, ReplicaSet
from tests.feed.mutations import changes, tampered

TRANSCRIPTS = Path(__file__).parents[1] / "conformance" / "data" / "kube-1.36.jsonl"
STATUS = {
    "phase": "Paused",
    "observedGeneration": "1",
    "currentPodHash": "new",
    "stableRS": "old",
    "currentStepIndex": 1,
    "pauseConditions": [{"reason": "CanaryPauseStep", "startTime": "2026-01-02T03:04:05Z"}],
    "conditions": [{"type": "Progressing", "status": "True", "reason": "RolloutPaused"}],
}
STEPS = [{"setWeight": 20}, {"pause": {}}, {"setWeight": 50}, {"pause": {"duration": "5m"}}, {"plugin": {"name": "x"}}]
NOTES = {"opsroom.dev/verdict": '{"flag":{"reason":"person"}}', "opsroom.dev/canary-of": "checkout"}


def bodies(objects: Any) -> list[tuple[str, type[Any], dict[str, Any]]]:
    """(handler of the index, type, JSON) of one object of each kind, all about ``tampered``."""
    canary = {
        "metadata": objects.meta("tampered", uid="uid-canary", annotations=NOTES),
        "spec": {
            "targetRef": {"kind": "Deployment", "name": "tampered"},
            "analysis": {
                "interval": "30s",
                "stepWeights": [20, 50],
                "webhooks": [{"type": "rollout", "url": "http://x"}],
            },
        },
        "status": {"phase": "Progressing", "canaryWeight": 20, "conditions": [{"type": "Promoted"}]},
    }
    spec = {"strategy": {"canary": {"steps": STEPS}}, "workloadRef": {"kind": "Deployment", "name": "tampered"}}
    argo = objects.rollout("tampered", spec=spec, status=STATUS, annotations=NOTES)
    deployment = objects.deployment("tampered", annotations=NOTES)
    replica_set = objects.replica_set("new", "reg/app:v2", owner="tampered", argo=True)
    pod = objects.pod("p9", "tampered-new", restarts=3, waiting="CrashLoopBackOff")
    event = objects.event("e1", "uid-tampered", "2026-01-02T03:04:05Z")
    return [
        ("argo_changed", ArgoRollout, msgspec.json.decode(msgspec.json.encode(argo))),
        ("canary_changed", FlaggerCanary, canary),
        ("deployment_changed", Deployment, msgspec.json.decode(msgspec.json.encode(deployment))),
        ("replica_set_changed", ReplicaSet, msgspec.json.decode(msgspec.json.encode(replica_set))),
        ("pod_changed", Pod, msgspec.json.decode(msgspec.json.encode(pod))),
        ("event_changed", KubeEvent, msgspec.json.decode(msgspec.json.encode(event))),
    ]


def healthy(index: Index, objects: Any) -> None:
    """A rollout that nobody tampers with."""
    index.argo_changed(None, objects.rollout(status=STATUS, spec={"strategy": {"canary": {"steps": STEPS}}}))
    index.replica_set_changed(None, objects.replica_set("old", argo=True))
    index.replica_set_changed(None, objects.replica_set("new", "reg/app:v2", argo=True))
    index.pod_changed(None, objects.pod("p1", "checkout-new", restarts=1))


def shown(index: Index) -> dict[str, Rollout]:
    found = {rollout.name: rollout for rollout in index.rollouts()}
    for rollout in index.rollouts():
        assert isinstance(index.marks(rollout.uid), Marks)
        for verb in Verb:
            offer(rollout, verb)
            seen(rollout, verb)
        msgspec.json.encode(rollout)
    return found


@settings(derandomize=True, deadline=None, max_examples=200)
@given(kind=st.integers(0, 5), wishes=changes, again=changes)
def test_an_object_of_another_shape_harms_no_other(
    objects: Any, kind: int, wishes: list[Any], again: list[Any]
) -> None:
    index, happenings = Index(), Happenings()
    healthy(index, objects)
    before = shown(index)
    for at, (handler, type_, body) in enumerate(bodies(objects)):
        versions = [tampered(body, wishes), tampered(body, again)] if at == kind else [body]
        old = None
        for version in versions:
            page, unreadable = read_page(msgspec.json.encode({"metadata": {}, "items": [version, body]}), type_)
            assert unreadable <= 1
            items = page.items or []
            assert len(items) == 2 - unreadable
            # As the mirror does: one without uid is nobody.
            if not unreadable and items[0].metadata.uid not in ("", "uid-checkout"):
                getattr(happenings if type_ is KubeEvent else index, handler)(old, items[0])
                old = items[0]
            after = shown(index)
    assert after["checkout"] == before["checkout"]


class Canned(httpx.AsyncBaseTransport):
    """A watch that brings these bytes, in pieces, and ends."""

    def __init__(self, *chunks: bytes) -> None:
        self.chunks = chunks

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        async def pieces() -> Any:
            for chunk in self.chunks:
                yield chunk

        return httpx.Response(200, content=pieces())


def watched(*chunks: bytes) -> list[str]:
    """Names of what a watch brings."""

    async def run() -> list[str]:
        reader = Reader(Connection(Endpoint(host="http://api.test"), transport=Canned(*chunks)))
        return [event.object.metadata.name async for event in reader.watch("/x", ArgoRollout, "1")]

    return asyncio.run(run())


def recorded_lines() -> list[bytes]:
    """Lines of a real API server's watches."""
    found: list[bytes] = []
    for record in map(json.loads, TRANSCRIPTS.read_text().splitlines()):
        said = [one["line"] for one in record["response"].get("lines") or []]
        found += [msgspec.json.encode(line) for line in said if "object" in line]
    return found


GOOD = b'{"type":"ADDED","object":{"metadata":{"name":"good","uid":"u"}}}\n'
LINES = recorded_lines()


@settings(derandomize=True, deadline=None, max_examples=150)
@given(which=st.integers(0, 99), wishes=changes, cut=st.integers(0, 10**6), keep=st.booleans(), at=st.integers(1, 300))
def test_a_watch_line_of_another_shape_is_passed_over_or_ends_the_watch_in_a_sentence(
    which: int, wishes: list[Any], cut: int, keep: bool, at: int
) -> None:
    line = msgspec.json.encode(tampered(msgspec.json.decode(LINES[which % len(LINES)]), wishes))
    line = line if keep else line[: cut % len(line)]
    body = GOOD + line + b"\n" + GOOD
    try:
        names = watched(*(body[i : i + at] for i in range(0, len(body), at)))
    except OpsroomError as error:
        assert str(error).isprintable()  # noqa: PT017 - an ERROR line ends a watch, all others do not
        return
    assert (names[0], names[-1]) == ("good", "good")


def deep(levels: int) -> bytes:
    return b"[" * levels + b"]" * levels


@pytest.mark.parametrize("levels", [900, 5000, 200_000])
def test_what_is_nested_beyond_reading_hides_nothing_else(levels: int) -> None:
    bad = b'{"metadata":{"name":"bad","uid":"b"},"status":{"x":"]]}}\\"[","y":' + deep(levels) + b"}}"
    items = b'{"metadata":{"name":"good"}},' + bad + b',{"metadata":{"name":"after"}}'
    page, unreadable = read_page(b'{"metadata":{"resourceVersion":"7"},"items":[' + items + b"]}", ArgoRollout)
    assert [one.metadata.name for one in page.items or []] == ["good", "bad", "after"]
    assert (unreadable, page.metadata.resource_version) == (0, "7")
    assert watched(GOOD, b'{"type":"ADDED","object":' + bad + b"}\n", GOOD) == ["good", "bad", "good"]


json_values: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text(st.sampled_from('ab"\\[]{}')),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(st.sampled_from('a"[}')), inner, max_size=3),
)


@settings(derandomize=True, deadline=None, max_examples=200)
@given(json_values, st.integers(0, 4))
def test_depths_are_cut_at_their_level_and_all_else_stays(value: Any, depth: int) -> None:
    def flat(one: Any, left: int) -> Any:
        if not isinstance(one, dict | list):
            return one
        if left == 0:
            return None
        if isinstance(one, list):
            return [flat(inner, left - 1) for inner in one]
        return {key: flat(inner, left - 1) for key, inner in one.items()}

    assert msgspec.json.decode(shallow(msgspec.json.encode(value), depth)) == flat(value, depth)


def test_the_transcripts_hold_watch_lines() -> None:
    assert len(LINES) > 3


@pytest.mark.parametrize("name", [VERDICT, FLAG, DEED])
def test_a_mark_nested_beyond_reading_is_no_mark(objects: Any, name: str) -> None:
    index = Index()
    text = '{"x":' + deep(50_000).decode() + "}"
    index.argo_changed(None, objects.rollout(status=STATUS, annotations={name: text}))
    (rollout,) = index.rollouts()
    assert index.marks(rollout.uid) == Marks()
    assert read_gate(text) is None
