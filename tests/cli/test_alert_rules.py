"""The printed alert rules before Prometheus' own rule tester: each wakes somebody when it should, and only then."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from opsroom.cli.manifest import text
from opsroom.cli.parser import build

pytestmark = pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool is not installed")

A, B = 'instance="a"', 'instance="b"'

WAKES: tuple[tuple[str, str, dict[str, str], dict[str, str], str], ...] = (
    ("OpsroomAbsent", "10m", {'something_else{job="x"}': "1x300"}, {}, "No opsroom worker is scraped"),
    ("OpsroomNobodyDecides", "10m", {f"opsroom_decides{{{A}}}": "0x300"}, {}, "No worker holds the Lease"),
    (
        "OpsroomFeedOld",
        "5m",
        {f"opsroom_feed_age_seconds{{{A}}}": "0+60x300"},
        {"instance": "a"},
        "a has made no picture for 5m 0s",
    ),
    (
        "OpsroomSourceDown",
        "10m",
        {f'opsroom_source_down{{{A},source="prometheus"}}': "1x300"},
        {"instance": "a", "source": "prometheus"},
        "The worker gets no answer from prometheus",
    ),
    (
        "OpsroomPersonNeeded",
        "20m",
        {
            f'opsroom_flagged{{{A},reason="undecided"}}': "1x300",
            f'opsroom_flagged{{{A},reason="no_data"}}': "1x300",
            f'opsroom_flagged{{{B},reason="no_data"}}': "1x300",
        },
        {},
        "For 15 minutes a person has been needed; 2 wait now",
    ),
    (
        "OpsroomDeedFailed",
        "12m",
        {f'opsroom_deeds_total{{{A},verb="promote",state="failed"}}': "0x8 1x300"},
        {"verb": "promote"},
        "An automatic promote failed",
    ),
    (
        "OpsroomManyRollBacks",
        "60m",
        {f'opsroom_results_total{{{A},result="rolled_back"}}': "0+1x300"},
        {},
        "60 roll backs within an hour",
    ),
    (
        "OpsroomFrozen",
        "250m",
        {f"opsroom_frozen{{{A}}}": "1x300"},
        {},
        "Automatic deeds have been frozen for four hours",
    ),
    (
        "OpsroomTicksSlow",
        "30m",
        {f"opsroom_ticks_total{{{A}}}": "0+6x300", f"opsroom_tick_seconds_total{{{A}}}": "0+12x300"},
        {"instance": "a"},
        "A tick of a takes 2s of CPU",
    ),
    (
        "OpsroomStumbles",
        "12m",
        {f"opsroom_errors_total{{{A}}}": "0x8 1x300"},
        {"instance": "a"},
        "a has made a mistake of its own",
    ),
)
"""Alert, when it is looked for, series a minute apart, its labels beside the severity, its summary."""

CALM = {
    f'opsroom_build_info{{{A},version="1"}}': "1x300",
    f"opsroom_decides{{{A}}}": "1x300",
    f"opsroom_decides{{{B}}}": "0x300",
    f"opsroom_feed_age_seconds{{{A}}}": "2x300",
    f'opsroom_source_down{{{A},source="prometheus"}}': " ".join(["1", "1", "0"] * 100),
    f'opsroom_flagged{{{A},reason="no_data"}}': " ".join(["3"] * 10 + ["0"] + ["2"] * 10 + ["0"] * 280),
    f'opsroom_deeds_total{{{A},verb="promote",state="failed"}}': "3x300",
    f'opsroom_deeds_total{{{A},verb="promote",state="done"}}': "0+1x300",
    f'opsroom_results_total{{{A},result="rolled_back"}}': " ".join(str(n // 10) for n in range(300)),
    f'opsroom_results_total{{{B},result="rolled_back"}}': " ".join(str(n // 10) for n in range(300)),
    f"opsroom_frozen{{{A}}}": "1x200 0x100",
    f"opsroom_ticks_total{{{A}}}": "0+6x300",
    f"opsroom_tick_seconds_total{{{A}}}": "0+3x300",
    f"opsroom_errors_total{{{A}}}": "2x300",
}
"""A busy day on which nobody needs to be woken, with two workers."""


def rules() -> dict[str, Any]:
    (document,) = yaml.safe_load_all(text(build().parse_args(["manifest", "alerts"])))
    return {"groups": document["spec"]["groups"]}


def promtool(folder: Path, tests: list[dict[str, Any]]) -> None:
    """Run promtool on ``tests``."""
    (folder / "rules.yaml").write_text(yaml.safe_dump(rules()))
    (folder / "tests.yaml").write_text(yaml.safe_dump({"rule_files": ["rules.yaml"], "tests": tests}))
    words = ["promtool", "test", "rules", "tests.yaml"]
    run = subprocess.run(words, cwd=folder, capture_output=True, text=True, check=False, timeout=60)
    assert run.returncode == 0, run.stdout + run.stderr


def one_test(series: dict[str, str], *asked: dict[str, Any]) -> dict[str, Any]:
    inputs = [{"series": name, "values": values} for name, values in series.items()]
    return {"interval": "1m", "input_series": inputs, "alert_rule_test": list(asked)}


def test_every_alert_comes_when_it_should(tmp_path: Path) -> None:
    known = {rule["alert"]: rule for group in rules()["groups"] for rule in group["rules"]}
    assert set(known) == {alert for alert, *_ in WAKES}
    tests = []
    for alert, at, series, labels, summary in WAKES:
        annotations = {"summary": summary, "description": known[alert]["annotations"]["description"]}
        expected = {"exp_labels": {**labels, **known[alert]["labels"]}, "exp_annotations": annotations}
        tests.append(one_test(series, {"eval_time": at, "alertname": alert, "exp_alerts": [expected]}))
    promtool(tmp_path, tests)


def test_no_alert_comes_on_a_busy_day(tmp_path: Path) -> None:
    quiet: list[dict[str, Any]] = [
        {"eval_time": at, "alertname": alert, "exp_alerts": []} for alert, *_ in WAKES for at in ("30m", "2h", "290m")
    ]
    promtool(tmp_path, [one_test(CALM, *quiet)])
