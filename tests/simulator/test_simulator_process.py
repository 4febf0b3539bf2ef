"""The process behind `opsroom sim`: it says where it answers, and ends when it should, leaving nothing behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

TOKEN_HEADER = {"Authorization": "Bearer simulated-admin"}
COMMAND = (sys.executable, "-m", "opsroom.simulator", "--services", "4")


@contextmanager
def started(*arguments: str, tmp_path: Path) -> Iterator[tuple[subprocess.Popen[str], str, str]]:
    """The process with what its two lines say: kubeconfig path and Prometheus address."""
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    pipe = subprocess.PIPE
    with subprocess.Popen([*COMMAND, *arguments], stdout=pipe, stderr=pipe, text=True, env=environment) as process:
        try:
            assert process.stdout is not None
            kubeconfig = process.stdout.readline().strip().removeprefix("KUBECONFIG=")
            prometheus = process.stdout.readline().strip().removeprefix("PROMETHEUS_URL=")
            yield process, kubeconfig, prometheus
        finally:
            process.kill()
            process.wait()


def server_in(kubeconfig: str) -> str:
    text = Path(kubeconfig).read_text()
    return next(word.strip('",') for word in text.split() if word.startswith('"http'))


def test_both_addresses_answer_as_soon_as_they_are_printed(tmp_path: Path) -> None:
    with started(tmp_path=tmp_path) as (_, kubeconfig, prometheus):
        kube = server_in(kubeconfig)
        rollouts = httpx.get(f"{kube}/apis/argoproj.io/v1alpha1/rollouts", headers=TOKEN_HEADER, timeout=10)
        assert len(rollouts.json()["items"]) == 2
        answer = httpx.get(f"{prometheus}/api/v1/query", params={"query": "count(up)"}, timeout=10).json()
        assert float(answer["data"]["result"][0]["value"][1]) > 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_ends_it_cleanly(number: signal.Signals, tmp_path: Path) -> None:
    with started(tmp_path=tmp_path) as (process, kubeconfig, _):
        process.send_signal(number)
        assert process.wait(timeout=10) == 0
        assert not Path(kubeconfig).exists()
        assert list(tmp_path.iterdir()) == []


def test_an_open_watch_neither_keeps_it_alive_nor_makes_it_complain(tmp_path: Path) -> None:
    with started(tmp_path=tmp_path) as (process, kubeconfig, _):
        query = "watch=1&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true"
        url = f"{server_in(kubeconfig)}/api/v1/pods?{query}"
        with httpx.stream("GET", url, headers=TOKEN_HEADER, timeout=10) as stream:
            assert stream.status_code == 200
            process.send_signal(signal.SIGTERM)
            assert process.wait(timeout=10) == 0
        assert process.stderr is not None
        assert process.stderr.read() == ""


def test_it_ends_when_its_parent_dies(tmp_path: Path) -> None:
    line = f"exec {' '.join(COMMAND)} --die-with-parent --dir {tmp_path}"
    script = f"import subprocess,time\nsubprocess.Popen(['/bin/sh', '-c', {line!r}])\ntime.sleep(600)\n"
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        assert parent.stdout.readline().startswith("KUBECONFIG=")
        assert parent.stdout.readline().startswith("PROMETHEUS_URL=")
        assert parent.stdout.readline().startswith("OPSROOM_PROMETHEUS=")
        os.kill(parent.pid, signal.SIGKILL)
        # The pipe ends when the last process that holds it, the simulator, has ended.
        assert parent.stdout.read() == ""
    assert not (tmp_path / "kubeconfig").exists()


def test_a_given_folder_gets_the_kubeconfig_and_stays(tmp_path: Path) -> None:
    folder = tmp_path / "here"
    with started("--dir", str(folder), tmp_path=tmp_path) as (process, kubeconfig, _):
        assert Path(kubeconfig) == folder / "kubeconfig"
        process.terminate()
        process.wait(timeout=10)
    assert folder.is_dir()


@pytest.mark.parametrize(
    "arguments", [("--services", "0"), ("--change-rate", "-5"), ("--port-kube", "70000"), ("--services", "many")]
)
def test_wrong_arguments_are_refused_with_their_name(arguments: tuple[str, str]) -> None:
    done = subprocess.run([*COMMAND, *arguments], capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 2
    assert arguments[0] in done.stderr


def test_a_taken_port_is_one_clear_line(tmp_path: Path) -> None:
    with started(tmp_path=tmp_path) as (_, _, prometheus):
        port = prometheus.rpartition(":")[2]
        command = [*COMMAND, "--port-kube", port]
        done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 1
    assert done.stderr.startswith("opsroom sim: ")
    assert "Traceback" not in done.stderr


def test_asking_for_help_loads_nothing_heavy() -> None:
    code = "import sys; from opsroom.simulator.main import parser; parser(); print('numpy' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=30, check=True)
    assert done.stdout.strip() == "False"
