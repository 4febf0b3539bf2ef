"""Learning from outcomes: deterministic, checked by its hash, and never needed for judging."""

from __future__ import annotations

import io
import json
from pathlib import Path

import msgspec
import numpy as np
import pytest

from opsroom.analysis.calibration import BadCalibration, Calibration, read, seal, shipped, write
from opsroom.analysis.judge import Judge, marked
from opsroom.analysis.learn import run_learn
from opsroom.analysis.outcomes import read_outcomes
from opsroom.analysis.tuning import Tuning

GOOD = Calibration(roll_back=3.0, promote_early=-1.0, promote_late=0.3, slope=0.9, intercept=0.7)


def outcome_lines(sick: int, healthy: int, source: str, seed: int) -> list[str]:
    rng = np.random.default_rng(seed)
    lines = []
    for i in range(sick + healthy):
        bad = i < sick
        base, canary = 100 * np.exp(0.08 * rng.standard_normal((2, 40)))
        canary = canary * (1.5 if bad else 1.0)
        lines.append(
            json.dumps(
                {
                    "id": f"{source}-{i}",
                    "step_seconds": 30,
                    "metrics": {"latency_p99": {"baseline": base.tolist(), "canary": canary.tolist()}},
                    "label": "regressed" if bad else "same",
                    "onset": 0 if bad else None,
                    "source": source,
                }
            )
        )
    return lines


@pytest.fixture
def outcomes(tmp_path: Path) -> Path:
    path = tmp_path / "outcomes.jsonl"
    path.write_text("\n".join(outcome_lines(20, 30, "shop", 1) + outcome_lines(20, 30, "bank", 2)) + "\n")
    return path


def test_what_was_learned_is_the_same_each_time_and_readable(outcomes: Path, tmp_path: Path) -> None:
    report, out = io.StringIO(), tmp_path / "calibration.json"
    assert run_learn([outcomes], out, report) == 0
    first = read(out.read_bytes())
    assert first.slope > 0
    assert first.rollouts == {"bank": 50, "shop": 50}
    assert set(first.log_loss) == {"sigmoid", "isotonic", "boosting"}
    assert set(first.log_loss["sigmoid"]) == {"bank", "shop"}
    assert "log loss on held-out sources" in report.getvalue()
    run_learn([outcomes], out, io.StringIO())
    assert read(out.read_bytes()) == first


def test_too_few_outcomes_teach_nothing(tmp_path: Path) -> None:
    path = tmp_path / "few.jsonl"
    path.write_text("\n".join(outcome_lines(3, 3, "shop", 1)) + "\n")
    report = io.StringIO()
    assert run_learn([path], tmp_path / "out.json", report) == 1
    assert "too few" in report.getvalue()
    assert not (tmp_path / "out.json").exists()


def test_an_unlabelled_line_is_named(tmp_path: Path) -> None:
    path = tmp_path / "bad.jsonl"
    line = json.loads(outcome_lines(1, 0, "shop", 1)[0])
    path.write_text(json.dumps({**line, "label": "fine"}) + "\n")
    with pytest.raises(ValueError, match=r"bad\.jsonl:1: label"):
        read_outcomes([path])


def test_a_changed_file_is_not_believed(tmp_path: Path) -> None:
    path = tmp_path / "calibration.json"
    write(GOOD, path)
    assert read(path.read_bytes()) == seal(GOOD)
    with pytest.raises(BadCalibration, match="hash"):
        read(path.read_bytes().replace(b"3.0", b"1.0"))
    with pytest.raises(BadCalibration, match="not a calibration"):
        read(b"{}")


@pytest.mark.parametrize("changes", [{"roll_back": 99.0}, {"slope": -1.0}, {"promote_late": 5.0}])
def test_marks_that_cannot_be_right_are_not_believed(changes: dict[str, float], tmp_path: Path) -> None:
    path = tmp_path / "calibration.json"
    write(msgspec.structs.replace(GOOD, **changes), path)
    with pytest.raises(BadCalibration):
        read(path.read_bytes())


def test_the_shipped_marks_are_used_and_the_judge_does_without_them() -> None:
    assert shipped() is not None
    assert Judge().tuning == marked(Tuning(), shipped())
    assert marked(Tuning(), None) == Tuning()
    assert marked(Tuning(), GOOD).roll_back == 3.0
