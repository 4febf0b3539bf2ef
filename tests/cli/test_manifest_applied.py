"""Manifests as kubectl and a server see them: a dry run against the simulated cluster."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.simulated import Simulated

pytestmark = pytest.mark.skipif(shutil.which("kubectl") is None, reason="kubectl is not installed")


@pytest.fixture(scope="module")
def kubeconfig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    cluster = Simulated(tmp_path_factory.mktemp("sim"))
    yield cluster.environment["KUBECONFIG"]
    cluster.close()


@pytest.mark.parametrize(
    "line",
    [
        "worker --mode auto --gates --policy POLICY --apprise-secret notices --prometheus-secret prom",
        "worker -n payments --prometheus kube:default/prometheus:9090",
        "operator --group sre -n payments",
        "wall",
        "hold",
    ],
)
def test_the_server_would_take_it(line: str, kubeconfig: str, tmp_path: Path) -> None:
    policy = tmp_path / "policy.toml"
    policy.write_text("step = 5.0\n")
    words = line.replace("POLICY", str(policy)).split()
    printed = subprocess.run(
        [sys.executable, "-m", "opsroom", "manifest", *words], capture_output=True, text=True, check=True
    )
    applied = subprocess.run(
        ["kubectl", "apply", "--dry-run=server", "-f", "-"],
        input=printed.stdout,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "KUBECONFIG": kubeconfig, "HOME": str(tmp_path)},
    )
    assert applied.returncode == 0, applied.stderr
    documents = printed.stdout.count("\nkind:")
    assert applied.stdout.count("(server dry run)") == documents
