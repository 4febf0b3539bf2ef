"""What ``opsroom manifest`` prints: valid, least, and about things that exist."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from opsroom.cli import main
from opsroom.cli.manifest import text
from opsroom.cli.parser import build
from opsroom.config.secrets import ADDRESSES_FILE
from opsroom.domain.board import Decider, Freeze, Room
from opsroom.domain.freshness import SourceState
from opsroom.errors import ConfigError, UsageError
from opsroom.worker.metrics import Tally, exposition

PROXIED = "--prometheus kube:default/prometheus:9090"
ROLES = ("worker --mode auto --gates --apprise-secret notices", "operator", "wall", "hold", "alerts")


def printed(line: str) -> str:
    return text(build().parse_args(["manifest", *line.split()]))


def documents(line: str) -> list[dict[str, Any]]:
    return list(yaml.safe_load_all(printed(line)))


def rules(line: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for one in documents(line):
        found += one.get("rules") or []
    return found


@pytest.mark.parametrize("line", ROLES)
def test_every_manifest_is_yaml_with_nothing_left_to_fill_in(line: str) -> None:
    found = documents(f"{line} -n shop -n payments {PROXIED}")
    assert all({"apiVersion", "kind", "metadata"} <= one.keys() for one in found)
    assert not re.search(r"@[A-Z_]+@", printed(line))


@pytest.mark.parametrize("line", ["worker --mode auto", "worker", "operator", "wall"])
def test_no_role_has_a_wildcard_a_secret_or_a_way_to_more_rights(line: str) -> None:
    for rule in rules(f"{line} {PROXIED}"):
        named = {*rule["apiGroups"], *rule["resources"], *rule["verbs"]}
        assert not named & {"*", "secrets", "bind", "escalate", "impersonate", "pods/exec", "deletecollection"}


@pytest.mark.parametrize("line", ["operator", "wall"])
def test_namespaces_narrow_everything_to_them(line: str) -> None:
    found = documents(f"{line} -n shop -n payments")
    spaces = {one["metadata"].get("namespace") for one in found if one["kind"] == "Role"}
    assert spaces == {"shop", "payments", "opsroom"}
    cluster = [one for one in found if one["kind"] == "ClusterRole"]
    resources = {resource for one in cluster for rule in one["rules"] for resource in rule["resources"]}
    assert resources == {"mutatingadmissionpolicies", "mutatingadmissionpolicybindings"}


def test_who_only_looks_gets_no_verb_that_changes_anything() -> None:
    assert {verb for rule in rules(f"wall {PROXIED}") for verb in rule["verbs"]} == {"get", "list", "watch"}


def test_a_policy_goes_with_the_worker_and_a_wrong_one_does_not(tmp_path: Path) -> None:
    policy = tmp_path / "policy.toml"
    for text_ in ("step = 5.0\n\n[[rows]]\nname = 'x'\n", "  step = 5.0\n\t# as\n[[rows]]\nname = 'x: @MODE@'\n"):
        policy.write_text(text_)
        found = next(one for one in documents(f"worker --policy {policy}") if one["kind"] == "ConfigMap")
        assert found["data"]["policy.toml"] == text_
    policy.write_text("stepp = 5.0\n")
    with pytest.raises(ConfigError, match="stepp"):
        printed(f"worker --policy {policy}")
    # Without one, applying again must leave the policy that is in force.
    assert "ConfigMap" not in {one["kind"] for one in documents("worker")}


@pytest.mark.parametrize(
    "line",
    [
        "wall -n Shop",
        "wall -n a/b",
        "wall --prometheus kube:nowhere",
        "worker --gates",
        "systemd --group a;b",
        "worker --apprise-secret A}",
    ],
)
def test_what_cannot_stand_in_a_manifest_is_refused(line: str) -> None:
    with pytest.raises(UsageError):
        printed(line)


def test_a_worker_is_given_the_secrets_that_are_named_and_no_others() -> None:
    def pod(line: str) -> tuple[dict[str, str], dict[str, str], dict[str, str]]:
        spec = next(one for one in documents(line) if one["kind"] == "Deployment")["spec"]["template"]["spec"]
        container = spec["containers"][0]
        volumes = {one["name"]: one["secret"]["secretName"] for one in spec["volumes"] if "secret" in one}
        mounts = {one["name"]: one["mountPath"] for one in container["volumeMounts"]}
        return {one["name"]: one["value"] for one in container["env"]}, mounts, volumes

    environment, _, volumes = pod("worker")
    assert not {name for name in environment if name.endswith("_TOKEN_FILE")}
    assert volumes == {"tls": "opsroom-worker-tls"}
    environment, mounts, volumes = pod(
        "worker --apprise-secret team.notices --prometheus-secret prom --gates --mode auto"
    )
    assert (volumes["apprise"], volumes["prometheus"]) == ("team.notices", "prom")
    for variable in (ADDRESSES_FILE, "PROMETHEUS_TOKEN_FILE", "GATES_TOKEN_FILE"):
        folder, _, _ = environment[variable].rpartition("/")
        assert folder in mounts.values()
    hints = [
        line for line in printed("worker --apprise-secret a --prometheus-secret b").splitlines() if "#   kube" in line
    ]
    assert any("generic a --from-file=addresses=FILE" in line for line in hints)
    assert any("generic b --from-file=token=FILE" in line for line in hints)


def test_names_of_people_are_quoted() -> None:
    found = next(one for one in documents("operator --user x:y@z") if one["kind"].endswith("Binding"))
    assert found["subjects"][0]["name"] == "x:y@z"


def test_the_workers_command_line_is_one_that_opsroom_takes() -> None:
    deployment = next(
        one for one in documents(f"worker --mode auto --gates -n shop {PROXIED}") if one["kind"] == "Deployment"
    )
    container = deployment["spec"]["template"]["spec"]["containers"][0]
    arguments = build().parse_args([*container["command"][1:], *container["args"]])
    assert (arguments.mode, arguments.tls, arguments.namespaces) == ("auto", "/tls", ["shop"])


def test_the_units_command_line_is_one_that_opsroom_takes() -> None:
    line = next(one for one in printed(f"systemd -n shop {PROXIED}").splitlines() if one.startswith("ExecStart="))
    program, *words = line.removeprefix("ExecStart=").split()
    assert Path(program).is_absolute()
    arguments = build().parse_args(words)
    assert (arguments.group, arguments.listen) == ("opsroom", "unix:/run/opsroom/worker.sock")


def test_alerts_speak_of_metrics_that_the_worker_exposes() -> None:
    room = Room(
        at=1.0,
        sources=(SourceState(name="kube", interval=1.0, at=1.0),),
        decider=Decider(me=True),
        freeze=Freeze(by="x", since=1.0),
    )
    exposed = set(re.findall(r"^# TYPE (\S+)", exposition(room, (), Tally(), 0, 2.0), re.MULTILINE))
    manifest = printed("alerts")
    told = {name for line in manifest.splitlines() if line.startswith("#") for name in re.findall(r"opsroom_\w+", line)}
    used = {name for rule in alert_rules() for name in re.findall(r"opsroom_\w+", rule["expr"])}
    assert used <= exposed
    assert told == exposed


def alert_rules() -> list[dict[str, Any]]:
    (document,) = documents("alerts")
    return [rule for group in document["spec"]["groups"] for rule in group["rules"]]


@pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool is not installed")
def test_prometheus_takes_the_alerts(tmp_path: Path) -> None:
    (document,) = documents("alerts")
    file = tmp_path / "rules.yaml"
    file.write_text(yaml.safe_dump({"groups": document["spec"]["groups"]}))
    run = subprocess.run(["promtool", "check", "rules", str(file)], capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr


def test_printing_needs_no_cluster_and_no_configuration(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["manifest", "hold"]) == 0
    assert "MutatingAdmissionPolicy" in capsys.readouterr().out
