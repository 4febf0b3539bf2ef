"""Real kubectl against the API server under test: what a person types at the simulated cluster works."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.conformance.conftest import ApiServerUnderTest

pytestmark = pytest.mark.skipif(shutil.which("kubectl") is None, reason="kubectl is not on the PATH")

ROLLOUT: dict[str, Any] = {
    "apiVersion": "argoproj.io/v1alpha1",
    "kind": "Rollout",
    "metadata": {"name": "checkout", "labels": {"app": "checkout"}},
    "spec": {
        "replicas": 3,
        "selector": {"matchLabels": {"app": "checkout"}},
        "template": {
            "metadata": {"labels": {"app": "checkout"}},
            "spec": {"containers": [{"name": "main", "image": "registry.local/checkout:1"}]},
        },
        "strategy": {"canary": {"steps": [{"setWeight": 20}, {"pause": {}}]}},
    },
}


@dataclass(frozen=True)
class Kubectl:
    """kubectl in a namespace of its own."""

    kubeconfig: Path
    home: Path
    namespace: str

    def command(self, *words: str) -> list[str]:
        return ["kubectl", "--namespace", self.namespace, *words]

    def environment(self) -> dict[str, str]:
        return {**os.environ, "KUBECONFIG": str(self.kubeconfig), "HOME": str(self.home)}

    def run(self, *words: str, text: str | None = None) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            self.command(*words),
            env=self.environment(),
            input=text,
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )

    def __call__(self, *words: str, text: str | None = None) -> str:
        done = self.run(*words, text=text)
        assert done.returncode == 0, f"kubectl {' '.join(words)}: {done.stderr}"
        return done.stdout


@pytest.fixture(scope="module")
def kubectl(api_server: ApiServerUnderTest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kubectl]:
    tool = Kubectl(api_server.kubeconfig, tmp_path_factory.mktemp("home"), f"opsroom-kubectl-{uuid.uuid4().hex[:6]}")
    tool("create", "namespace", tool.namespace)
    tool("create", "deployment", "cart", "--image=registry.local/cart:1", "--replicas=2")
    yield tool
    tool("delete", "namespace", tool.namespace, "--wait=false")


@pytest.fixture(scope="module")
def rollout(kubectl: Kubectl, api_server: ApiServerUnderTest) -> str:
    if not api_server.serves("argoproj.io/v1alpha1"):
        pytest.skip("needs the Argo Rollouts CRDs")
    return kubectl("apply", "-f", "-", text=json.dumps(ROLLOUT))


def test_get_prints_the_servers_own_columns(kubectl: Kubectl, rollout: str) -> None:
    assert "rollout.argoproj.io/checkout created" in rollout
    header, row = kubectl("get", "ro", "checkout").splitlines()
    assert header.split() == ["NAME", "DESIRED", "CURRENT", "UP-TO-DATE", "AVAILABLE", "AGE"]
    assert row.split()[:2] == ["checkout", "3"]


def test_get_watch_shows_the_present_state_and_then_changes(kubectl: Kubectl) -> None:
    command = kubectl.command("get", "deployments", "--watch", "--output=name")
    kubectl("create", "deployment", "watched", "--image=registry.local/w:1")
    with subprocess.Popen(command, env=kubectl.environment(), stdout=subprocess.PIPE, text=True) as watch:
        assert watch.stdout is not None
        seen = [watch.stdout.readline().strip() for _ in range(2)]
        assert {"deployment.apps/cart", "deployment.apps/watched"} == set(seen)
        kubectl("scale", "deployment", "watched", "--replicas=0")
        assert watch.stdout.readline().strip() == "deployment.apps/watched"
        watch.terminate()
    kubectl("delete", "deployment", "watched")


def test_describe_reads_object_and_events(kubectl: Kubectl) -> None:
    text = kubectl("describe", "deployment", "cart")
    assert "RollingUpdateStrategy:  25% max unavailable, 25% max surge" in text
    assert "ScalingReplicaSet" in text


def test_pause_set_image_resume_and_history(kubectl: Kubectl) -> None:
    assert "paused" in kubectl("rollout", "pause", "deployment/cart")
    kubectl("set", "image", "deployment/cart", "cart=registry.local/cart:2")
    paused = json.loads(kubectl("get", "deployment", "cart", "-o", "json"))
    assert paused["spec"]["paused"] is True
    assert paused["spec"]["template"]["spec"]["containers"][0]["image"] == "registry.local/cart:2"
    assert "resumed" in kubectl("rollout", "resume", "deployment/cart")
    kubectl("wait", "--for=jsonpath={.metadata.annotations.deployment\\.kubernetes\\.io/revision}=2", "deployment/cart")
    revisions = kubectl("rollout", "history", "deployment/cart").split()
    assert {"1", "2"} <= set(revisions)
    kubectl("rollout", "undo", "deployment/cart")
    undone = json.loads(kubectl("get", "deployment", "cart", "-o", "json"))
    assert undone["spec"]["template"]["spec"]["containers"][0]["image"] == "registry.local/cart:1"


def test_rollout_status_waits_for_pods_that_no_node_takes(kubectl: Kubectl, api_server: ApiServerUnderTest) -> None:
    if api_server.real:
        pytest.skip("needs a cluster without nodes")
    done = kubectl.run("rollout", "status", "deployment/cart", "--timeout=1s")
    assert done.returncode == 1
    assert "Waiting for deployment" in done.stdout


def test_apply_again_changes_nothing_and_a_change_is_applied(kubectl: Kubectl, rollout: str) -> None:
    assert "unchanged" in kubectl("apply", "-f", "-", text=json.dumps(ROLLOUT))
    more = {**ROLLOUT, "spec": {**ROLLOUT["spec"], "replicas": 4}}
    assert "configured" in kubectl("apply", "-f", "-", text=json.dumps(more))
    assert json.loads(kubectl("get", "ro", "checkout", "-o", "json"))["spec"]["replicas"] == 4


def test_apply_refuses_an_unknown_field(kubectl: Kubectl, rollout: str) -> None:
    wrong = {**ROLLOUT, "spec": {**ROLLOUT["spec"], "nope": 1}}
    done = kubectl.run("apply", "-f", "-", text=json.dumps(wrong))
    assert done.returncode == 1
    assert 'unknown field "spec.nope"' in done.stderr


def test_server_side_apply_meets_a_conflict_and_forces_it(kubectl: Kubectl, rollout: str) -> None:
    other = {**ROLLOUT, "spec": {**ROLLOUT["spec"], "replicas": 9}}
    refused = kubectl.run("apply", "--server-side", "--field-manager=gitops", "-f", "-", text=json.dumps(other))
    assert refused.returncode == 1
    assert ".spec.replicas" in refused.stderr
    forced = ("apply", "--server-side", "--force-conflicts", "--field-manager=gitops", "-f", "-")
    assert "serverside-applied" in kubectl(*forced, text=json.dumps(other))


def test_patch_of_status_needs_the_subresource(kubectl: Kubectl, rollout: str) -> None:
    patch = ("patch", "ro", "checkout", "-o", "json", "--type=merge", "-p", '{"status":{"abort":true}}')
    assert "abort" not in json.loads(kubectl(*patch)).get("status", {})
    assert json.loads(kubectl(*patch, "--subresource=status"))["status"]["abort"] is True


def test_auth_can_i_and_whoami_answer(kubectl: Kubectl, api_server: ApiServerUnderTest) -> None:
    assert kubectl("auth", "can-i", "patch", "deployments").strip() == "yes"
    if not api_server.real:
        assert "system:masters" in kubectl("auth", "whoami")


def test_logs_come_with_a_tail(kubectl: Kubectl, api_server: ApiServerUnderTest) -> None:
    pod = {
        "metadata": {"name": "talker"},
        "spec": {"nodeName": "n1", "containers": [{"name": "main", "image": "i"}]},
        "status": {"phase": "Running", "containerStatuses": [{"name": "main", "ready": True, "restartCount": 0}]},
    }
    api_server.inside(lambda store: store.create("pods", pod, namespace=kubectl.namespace))
    assert kubectl("logs", "talker", "--tail=2") == "talker main line 18\ntalker main line 19\n"
    assert kubectl("logs", "talker", "--tail=1", "--timestamps").startswith("1970-01-12T")


def test_delete_takes_the_dependents_along(kubectl: Kubectl) -> None:
    kubectl("delete", "deployment", "cart")
    assert kubectl("get", "replicasets", "-o", "name", "-l", "app=cart").strip() == ""
