"""``opsroom doctor``: what it judges, how it prints, and that it breaks on nothing and shows no secret."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from opsroom.cli import doctor_cluster, main
from opsroom.cli.doctor import as_lines
from opsroom.cli.doctor_findings import DISK_FAIL, DISK_WARN, Finding, Status, disk, fail, ok, size, skew, warn
from opsroom.cli.doctor_here import here_findings
from opsroom.cli.own_worker import identity
from opsroom.config.lock import locked
from opsroom.config.paths import worker_lock
from opsroom.config.settings import Screen, Settings

PLANTED = "planted-secret"


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine with nothing set up."""
    for name in ("XDG_CONFIG_HOME", "XDG_STATE_HOME"):
        monkeypatch.setenv(name, str(tmp_path / name))
    run = tmp_path / "run"
    run.mkdir()
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(run))
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("KUBECONFIG", "KUBERNETES_SERVICE_HOST"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


def found(settings: Settings, environment: dict[str, str]) -> dict[str, Finding]:
    return {one.check: one for one in here_findings(settings, environment)}


@pytest.mark.parametrize(
    ("seconds", "slack", "status"),
    [
        (0.4, 0.5, "ok"),
        (-3.0, 0.5, "ok"),
        (8.0, 0.5, "warn"),
        (-8.0, 0.5, "warn"),
        (8.0, 7.0, "ok"),
        (95.0, 1.0, "fail"),
    ],
)
def test_clocks_may_differ_by_as_much_as_nobody_can_tell(seconds: float, slack: float, status: str) -> None:
    assert skew(seconds, slack).status == status


def test_a_wrong_clock_says_which_way() -> None:
    assert "behind" in skew(-60.0, 0.0).detail
    assert "ahead" in skew(60.0, 0.0).detail


@pytest.mark.parametrize(("free", "status"), [(DISK_FAIL - 1, "fail"), (DISK_WARN - 1, "warn"), (DISK_WARN, "ok")])
def test_the_journal_needs_room(free: int, status: str) -> None:
    assert disk(free, "/x").status == status


@pytest.mark.parametrize(("columns", "lines", "status"), [(80, 24, "ok"), (79, 24, "warn"), (80, 23, "warn")])
def test_a_small_terminal_is_told(columns: int, lines: int, status: str) -> None:
    assert size(columns, lines).status == status


def test_each_finding_is_one_line_with_its_fix() -> None:
    lines = as_lines([ok("a", "well"), warn("bb", "so", "Do this"), fail("c", "bad")]).splitlines()
    assert lines == ["ok    a   well", "warn  bb  so. Do this", "fail  c   bad"]


def test_a_machine_with_nothing_set_up_is_described_and_fails(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor", "-o", "json"]) == 1
    findings = json.loads(capsys.readouterr().out)
    assert all(set(one) == {"check", "status", "detail", "fix"} for one in findings)
    status = {one["check"]: one["status"] for one in findings}
    assert status["kubeconfig"] == status["context"] == "fail"
    assert status["policy"] == status["runtime folder"] == status["state folder"] == status["own worker"] == "ok"
    assert status["prometheus"] == "warn"
    assert all(one["fix"] for one in findings if one["status"] == "fail")


def test_wrong_settings_are_a_finding(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = home / "x.toml"
    file.write_text("contextt = 'prod'\n")
    assert main(["doctor", "--config", str(file)]) == 1
    assert "contextt" in capsys.readouterr().out


def test_files_that_others_can_read_are_told(home: Path) -> None:
    kubeconfig, token = home / "kubeconfig", home / "token"
    for file in (kubeconfig, token):
        file.write_text(PLANTED)
        file.chmod(0o644)
    told = found(Settings(kubeconfig=str(kubeconfig)), {"PROMETHEUS_TOKEN_FILE": str(token)})
    assert told["kubeconfig"].status is Status.WARN
    assert told["token of prometheus"].status is Status.FAIL
    assert f"chmod 600 {token}" in told["token of prometheus"].fix
    for file in (kubeconfig, token):
        file.chmod(0o600)
    told = found(Settings(kubeconfig=str(kubeconfig)), {"PROMETHEUS_TOKEN_FILE": str(token)})
    assert told["kubeconfig"].status is told["token of prometheus"].status is Status.OK
    assert told["keyring"].status is Status.OK
    assert PLANTED not in as_lines(list(told.values()))


def test_a_policy_outside_the_bounds_is_a_failure(home: Path) -> None:
    policy = home / "policy.toml"
    policy.write_text("[[rows]]\npromote_below = 0.9\n")
    told = found(Settings(policy=str(policy)), {})["policy"]
    assert told.status is Status.FAIL
    assert "promote_below" in told.detail


@pytest.mark.parametrize(
    ("screen", "told"), [(Screen(theme="dya"), "dya"), (Screen(keymap={"promot": "P"}), "promot"), (Screen(), "night")]
)
def test_a_theme_or_key_that_the_board_would_refuse_is_told_before(home: Path, screen: Screen, told: str) -> None:
    finding = found(Settings(screen=screen), {})["screen"]
    assert finding.status is (Status.OK if told == "night" else Status.FAIL)
    assert told in finding.detail


def test_a_worker_that_holds_its_lock_and_does_not_answer_is_told(home: Path) -> None:
    settings = Settings()
    assert found(settings, {})["own worker"].status is Status.OK
    with locked(worker_lock(identity(settings))):
        assert found(settings, {})["own worker"].status is Status.WARN


def test_a_pod_needs_no_kubeconfig(home: Path) -> None:
    assert found(Settings(), {"KUBERNETES_SERVICE_HOST": "10.0.0.1"})["kubeconfig"].status is Status.OK


def test_a_state_folder_that_cannot_be_made_is_a_failure(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    in_the_way = home / "file"
    in_the_way.write_text("")
    monkeypatch.setenv("XDG_STATE_HOME", str(in_the_way))
    assert found(Settings(), {})["state folder"].status is Status.FAIL


def test_a_cluster_with_argo_cd_only_has_no_argo_rollouts() -> None:
    class ArgoCd:
        """Serves the group that Argo Rollouts has as well."""

        async def get(self, path: str, type_: type[Any]) -> Any:
            if path == "/apis":
                return msgspec.convert({"groups": [{"name": "argoproj.io"}, {"name": "apps"}]}, type_)
            assert path == "/apis/argoproj.io/v1alpha1"
            return msgspec.convert({"resources": [{"name": "applications"}]}, type_)

    told: list[Finding] = []
    assert asyncio.run(doctor_cluster._engines(ArgoCd(), told.append)) == frozenset()  # type: ignore[arg-type]
    assert told == [ok("engines", "Deployments; not here: Argo Rollouts, Flagger")]
