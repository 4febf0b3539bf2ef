"""Logs are bounded and cleaned, manifests are masked: nothing that may be a secret gets out."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from opsroom.domain.masking import MASK
from opsroom.domain.rollout import Engine, Phase, Revision, Rollout, Shape, Uid
from opsroom.errors import NotPermitted
from opsroom.kube.objects import Listing
from opsroom.sources.happenings import happening
from opsroom.sources.kinds import KubeEvent
from opsroom.sources.manifest import LAST_APPLIED, manifest, masked
from opsroom.sources.pod_logs import LINES, PODS, pod_logs

ROLLOUT = Rollout(
    uid=Uid("u"),
    engine=Engine.ARGO,
    shape=Shape.CANARY,
    namespace="shop",
    name="cart",
    phase=Phase.PAUSED,
    canary=Revision(hash="new", replica_set="cart-new", version="v2", images=("registry/cart:v2",)),
    stable=Revision(hash="old", replica_set="cart-old", version="v1"),
)


class Cluster:
    """A reader that answers from what a test puts in."""

    def __init__(self) -> None:
        self.pods: dict[str, list[Any]] = {}
        self.logs: dict[str, bytes | Exception] = {}
        self.asked: list[tuple[str, dict[str, str]]] = []
        self.object: Any = {}

    async def list_pages(self, path: str, type_: Any, params: dict[str, str]) -> Any:
        found = self.pods.get(params["labelSelector"], [])
        return Listing(items=msgspec.convert(found, list[type_]), resource_version="1", unreadable=0)

    async def get_bytes(self, path: str, params: dict[str, str]) -> bytes:
        self.asked.append((path, params))
        said = self.logs[path.split("/")[-2]]
        if isinstance(said, Exception):
            raise said
        return said

    async def get(self, path: str, type_: Any) -> Any:
        return self.object


def pod(name: str, *containers: tuple[str, str], note: str = "") -> dict[str, Any]:
    notes = {"kubectl.kubernetes.io/default-container": note} if note else {}
    return {
        "metadata": {"name": name, "annotations": notes},
        "spec": {"containers": [{"name": one, "image": image} for one, image in containers]},
    }


def read(cluster: Cluster) -> Any:
    return asyncio.run(pod_logs(cluster, ROLLOUT))  # type: ignore[arg-type]


def test_both_sides_are_read_from_their_own_pods_and_merged_by_time() -> None:
    cluster = Cluster()
    side = ("proxy", "envoy:1"), ("app", "registry/cart:v2")
    cluster.pods["rollouts-pod-template-hash=new"] = [
        pod("cart-new-a", *side),
        pod("cart-new-b", *side),
        pod("other-x"),
    ]
    cluster.pods["rollouts-pod-template-hash=old"] = [pod("cart-old-a", ("app", "x"), ("log", "y"), note="log")]
    cluster.logs = {
        "cart-new-a": b"2026-08-05T12:00:01Z one\n2026-08-05T12:00:03Z three\n",
        "cart-new-b": b"2026-08-05T12:00:02Z two\n",
        "cart-old-a": b"",
    }
    logs = read(cluster)
    assert [(line.pod, line.text) for line in logs.canary.lines] == [
        ("cart-new-a", "one"),
        ("cart-new-b", "two"),
        ("cart-new-a", "three"),
    ]
    assert logs.stable.lines == ()
    assert [params["container"] for _, params in cluster.asked] == ["app", "app", "log"]
    assert all(int(params["limitBytes"]) and int(params["tailLines"]) for _, params in cluster.asked)


def test_a_pod_that_may_not_be_read_is_said_and_the_others_are_shown() -> None:
    cluster = Cluster()
    cluster.pods["rollouts-pod-template-hash=new"] = [pod("cart-new-a"), pod("cart-new-b")]
    cluster.logs = {"cart-new-a": NotPermitted("pods/log is forbidden"), "cart-new-b": b"2026-08-05T12:00:02Z two"}
    side = read(cluster).canary
    assert "forbidden" in side.error
    assert [line.text for line in side.lines] == ["two"]


def test_logs_are_bounded_in_pods_and_lines() -> None:
    cluster = Cluster()
    names = [f"cart-new-{at}" for at in range(PODS + 4)]
    cluster.pods["rollouts-pod-template-hash=new"] = [pod(name) for name in names]
    cluster.logs = dict.fromkeys(names, b"2026-08-05T12:00:02Z x\n" * 5000)
    side = read(cluster).canary
    assert (len(side.lines), len(side.pods), side.more) == (LINES, PODS, 4)


def test_a_secret_that_a_program_lets_slip_is_masked_in_its_log() -> None:
    cluster = Cluster()
    cluster.pods["rollouts-pod-template-hash=new"] = [pod("cart-new-a")]
    said = b'connect postgres://ada:hunter2@db/shop\n{"password": "hunter2", "user": "ada"}\nexport TOKEN=hunter2'
    cluster.logs = {"cart-new-a": b"\n".join(b"2026-08-05T12:00:02Z " + line for line in said.splitlines())}
    texts = [line.text for line in read(cluster).canary.lines]
    assert len(texts) == 3
    assert "hunter2" not in "".join(texts)
    assert '"user": "ada"' in texts[1]


def test_a_secret_that_an_event_quotes_is_masked_before_anybody_is_served() -> None:
    event = {"reason": "Unhealthy", "message": "probe of http://ada:hunter2@10.0.0.7/ failed, token=hunter2"}
    text = happening(msgspec.convert(event, KubeEvent)).text
    assert text == "Unhealthy: probe of http://(masked)@10.0.0.7/ failed, token=(masked)"


def test_what_programs_write_never_reaches_a_terminal_raw() -> None:
    cluster = Cluster()
    cluster.pods["rollouts-pod-template-hash=new"] = [pod("cart-new-a")]
    cluster.logs = {"cart-new-a": b"2026-08-05T12:00:02Z \x1b[31mred\x1b[0m \x1b]52;c;eA==\x07 \xff\xfe end\r\n"}
    text = read(cluster).canary.lines[0].text
    assert text.isprintable()
    assert text.startswith("red ")
    assert "[31m" not in text


SECRETS = {
    "metadata": {
        "name": "cart",
        "managedFields": [{"manager": "x"}],
        "annotations": {LAST_APPLIED: '{"s": "hunter2"}', "vault/token": "hunter2", "note": "kept"},
    },
    "spec": {
        "containers": [
            {
                "image": "registry/cart:v2",
                "env": [
                    {"name": "MODE", "value": "hunter2"},
                    {"name": "P", "valueFrom": {"secretKeyRef": {"name": "cart-secret", "key": "password"}}},
                    "hunter2",
                ],
                "args": ["--token=hunter2", "--db-password", "hunter2", "--port", "8080", "API_KEY=hunter2"],
                "command": ["sh", "postgres://user:hunter2@db/x"],
            }
        ],
    },
}


def test_literal_values_of_variables_and_words_that_speak_of_secrets_are_masked() -> None:
    cluster = Cluster()
    cluster.object = SECRETS
    found = asyncio.run(manifest(cluster, "/apis/x"))  # type: ignore[arg-type]
    assert b"hunter2" not in msgspec.json.encode(found)
    container = found["spec"]["containers"][0]
    assert container["env"][0] == {"name": "MODE", "value": MASK}
    assert container["env"][1]["valueFrom"]["secretKeyRef"] == {"name": "cart-secret", "key": "password"}
    assert container["args"][3:5] == ["--port", "8080"]
    assert container["command"][1].endswith("@db/x")
    assert found["metadata"] == {"name": "cart", "annotations": {"vault/token": MASK, "note": "kept"}}


TREES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["env", "args", "command", "value", "a"]), inner, max_size=3)
    ),
    max_leaves=12,
)


@given(TREES)
def test_any_object_can_be_masked(tree: Any) -> None:
    masked(tree)


@pytest.mark.parametrize("depth", [500])
def test_a_deep_object_is_cut_and_not_followed(depth: int) -> None:
    deep: Any = "x"
    for _ in range(depth):
        deep = [deep]
    found, levels = masked(deep), 0
    while isinstance(found, list):
        found, levels = found[0], levels + 1
    assert found == "..."
    assert levels < depth
