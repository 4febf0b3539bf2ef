"""``opsroom doctor`` with one thing broken at a time: one line says what it is and how to mend it."""

from __future__ import annotations

import errno
import json
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import yaml

from opsroom.cli import doctor_cluster, doctor_here, main
from tests.cli.simulated import Simulated

Finding = dict[str, str]
Patch = pytest.MonkeyPatch
Printed = pytest.CaptureFixture[str]

NOBODY = "http://127.0.0.1:9"
"""The discard port: nobody listens there."""


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """A simulated cluster's ``KUBECONFIG`` and ``OPSROOM_PROMETHEUS``."""
    cluster = Simulated(tmp_path_factory.mktemp("sim"), "--services", "4")
    yield cluster.environment
    cluster.close()


class Patient:
    """A machine on which all is well, until a test breaks something."""

    def __init__(
        self, world: dict[str, str], folder: Path, monkeypatch: Patch, out: pytest.CaptureFixture[str]
    ) -> None:
        self.folder = folder
        self.patch = monkeypatch
        self.settings = ""
        self.kubeconfig = yaml.safe_load(Path(world["KUBECONFIG"]).read_text())
        self._out = out
        for name in ("XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_RUNTIME_DIR", "HOME"):
            (folder / name).mkdir(mode=0o700)
            monkeypatch.setenv(name, str(folder / name))
        monkeypatch.setenv("OPSROOM_PROMETHEUS", world["OPSROOM_PROMETHEUS"])

    def server(self, address: str) -> None:
        self.kubeconfig["clusters"][0]["cluster"]["server"] = address

    def doctor(self, *words: str) -> tuple[int, dict[str, Finding]]:
        """Exit code and findings by check."""
        kubeconfig, settings = self.folder / "kubeconfig", self.folder / "opsroom.toml"
        kubeconfig.write_text(json.dumps(self.kubeconfig))
        kubeconfig.chmod(0o600)
        settings.write_text(self.settings)
        line = ["doctor", "-o", "json", "--config", str(settings), "--kubeconfig", str(kubeconfig), *words]
        code = main(line)
        return code, {one["check"]: one for one in json.loads(self._out.readouterr().out)}


@pytest.fixture
def patient(world: dict[str, str], tmp_path: Path, monkeypatch: Patch, capsys: Printed) -> Patient:
    return Patient(world, tmp_path, monkeypatch, capsys)


def unreachable(one: Patient) -> None:
    one.server(NOBODY)


def expired(one: Patient) -> None:
    base = one.kubeconfig["clusters"][0]["cluster"]["server"].partition("/as/")[0]
    one.server(base)
    one.kubeconfig["users"][0]["user"] = {"token": "expired"}


def another_server(one: Patient) -> None:
    one.server(os.environ["OPSROOM_PROMETHEUS"])


def not_a_kubeconfig(one: Patient) -> None:
    one.kubeconfig = ["not", "a", "kubeconfig"]


def no_prometheus(one: Patient) -> None:
    one.patch.delenv("OPSROOM_PROMETHEUS")


def dead_prometheus(one: Patient) -> None:
    one.patch.setenv("OPSROOM_PROMETHEUS", NOBODY)


def no_such_prometheus(one: Patient) -> None:
    one.patch.setenv("OPSROOM_PROMETHEUS", one.kubeconfig["clusters"][0]["cluster"]["server"].partition("/as/")[0])


def wrong_preset(one: Patient) -> None:
    one.settings = '[prometheus]\npreset = "istio"\n'


def unknown_preset(one: Patient) -> None:
    one.settings = '[prometheus]\npreset = "isto"\n'


def wrong_query(one: Patient) -> None:
    one.settings = '[prometheus.queries]\nerror_rate = "sum by (x) ("\n'


def empty_query(one: Patient) -> None:
    one.settings = '[prometheus.queries]\nqueue_depth = "no_such_metric"\n'


def clock(one: Patient) -> None:
    one.patch.setattr(doctor_cluster, "time", SimpleNamespace(time=lambda: time.time() - 600.0))


def no_keyring(one: Patient) -> None:
    one.patch.setattr(doctor_here, "keyring_name", lambda: "")


def full_disk(one: Patient) -> None:
    def full(**_: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    one.patch.setattr(tempfile, "TemporaryFile", full)


def little_room(one: Patient) -> None:
    one.patch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=1000))


@pytest.mark.parametrize(
    ("breaking", "check", "status", "said", "fix"),
    [
        (unreachable, "API server", "fail", "No answer", "Check network, VPN and the server of context"),
        (expired, "API server", "fail", "have expired", "Log in again (kubectl --context"),
        (another_server, "API server", "fail", "is none", "Check the server of this context"),
        (not_a_kubeconfig, "context", "fail", "not a usable kubeconfig", "kubectl config view"),
        (no_prometheus, "prometheus", "warn", "nothing can be scored", "--prometheus URL"),
        (dead_prometheus, "prometheus", "fail", "No answer", "Check --prometheus"),
        (no_such_prometheus, "prometheus", "fail", "is no Prometheus (HTTP 404)", "Check --prometheus"),
        (wrong_preset, "preset", "fail", "istio_requests_total does not exist", 'set it to "http"'),
        (unknown_preset, "preset", "fail", "opentelemetry", "Leave prometheus.preset out"),
        (wrong_query, "query error_rate", "fail", "parse error", ""),
        (empty_query, "query queue_depth", "warn", "no data for any rollout", "prometheus.queries.queue_depth"),
        (clock, "clock", "fail", "behind the API server's", "timedatectl set-ntp true"),
        (no_keyring, "keyring", "warn", "no usable keyring", "PROMETHEUS_TOKEN_FILE"),
        (full_disk, "state folder", "fail", "No space left", "df -h"),
        (little_room, "disk", "fail", "0 MiB free", "Make room"),
    ],
)
def test_what_is_broken_is_one_line_and_so_is_the_way_to_mend_it(
    breaking: Callable[[Patient], None], check: str, status: str, said: str, fix: str, patient: Patient
) -> None:
    breaking(patient)
    code, told = patient.doctor()
    assert told[check]["status"] == status, told
    assert said in told[check]["detail"]
    assert fix in told[check]["fix"]
    assert code == int("fail" in {one["status"] for one in told.values()})
    assert all("\n" not in one["detail"] + one["fix"] for one in told.values())


def test_where_nothing_is_broken_nothing_fails(patient: Patient) -> None:
    code, told = patient.doctor()
    assert code == 0
    assert {"settings", "kubeconfig", "context", "API server", "clock", "engines", "who am I", "may watch"} <= set(told)
    assert {"hold at admission", "prometheus", "preset", "keyring", "disk", "terminal"} <= set(told)
    assert told["preset"]["detail"].startswith("http")
    assert [one for one in told if one.startswith("query ")]
    assert "fail" not in {one["status"] for one in told.values()}


def test_prometheus_is_asked_though_the_api_server_is_away(patient: Patient) -> None:
    patient.server(NOBODY)
    assert patient.doctor()[1]["preset"]["status"] == "ok"
