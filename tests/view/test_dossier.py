"""The detail page: every fact of the rollout at every width, nothing cut that matters, the height used."""

from __future__ import annotations

import msgspec
import pytest

from opsroom.domain.rollout import Analysis, Shape
from opsroom.domain.series import Series
from opsroom.view.detail import Pane, why
from opsroom.view.dossier import dossier
from opsroom.view.line import Role
from tests.ui.scenes import NOW, all_rows, needing
from tests.ui.show import hostile

SIZES = [(60, 12), (80, 22), (120, 38), (160, 48), (200, 58)]


def text_of(row: int, cells: int, rows: int) -> str:
    return "\n".join(line.text for line in dossier(needing(NOW)[row], Pane(cells, rows, NOW)))


@pytest.mark.parametrize(("cells", "rows"), SIZES)
def test_every_line_fits(cells: int, rows: int) -> None:
    for row in (*all_rows(), *hostile(all_rows()), None):
        assert all(line.width <= cells for line in dossier(row, Pane(cells, rows, NOW)))


@pytest.mark.parametrize(("cells", "rows"), SIZES)
def test_everything_about_the_rollout_is_there(cells: int, rows: int) -> None:
    said = " ".join(text_of(0, cells, rows).split())
    for fact in (
        "p99 1.9 s against 0.4 s for 6 min",
        "errors 7.1% against 0.3%",
        "goes on to step 5/7",
        "returns all traffic to v2.30.4",
        "by ci-deployer (ai), commit 8f2c1d0",
        "https://git.local/checkout-api/8f2c1d0",
        "registry.local/checkout-api:v2.31.0",
        "revision 30",
        "score 0.94",
        "AnalysisRun checkout-api-7d4f9-3 inconclusive",
    ):
        assert fact in said, fact


@pytest.mark.parametrize(("cells", "rows"), SIZES[1:])
def test_pods_in_trouble_come_with_their_reasons(cells: int, rows: int) -> None:
    said = " ".join(text_of(2, cells, rows).split())
    assert "canary fraud-scorer-7d4f9b6c5d-x2k4p 4 restarts, CrashLoopBackOff" in said
    assert "not ready" in said
    assert "1 restart, OOMKilled" in said


@pytest.mark.parametrize(
    ("status", "role"), [("Failed", Role.FLAGGED), ("Inconclusive", Role.WATCH), ("Running", Role.TEXT)]
)
def test_the_engines_own_analysis_runs_are_told(status: str, role: Role) -> None:
    row = needing(NOW)[1]
    run = Analysis(name="run-3", status=status, message="success-rate is 0.93", stage="after")
    seen = msgspec.structs.replace(row.rollout, analyses=(run,), shape=Shape.BLUE_GREEN)
    lines = dossier(msgspec.structs.replace(row, rollout=seen), Pane(120, 38, NOW))
    told = next(line for line in lines if "run-3" in line.text)
    assert told.text.split(maxsplit=1) == ["analysis", f"{status} after it, run-3: success-rate is 0.93"]
    assert told.pieces[-1].role is role


def test_a_tall_terminal_is_filled_and_a_short_one_scrolls() -> None:
    row = needing(NOW)[0]
    assert 44 <= len(dossier(row, Pane(160, 48, NOW))) <= 48
    assert len(dossier(row, Pane(80, 22, NOW))) > 22


def test_what_never_happened_has_no_chart() -> None:
    row = needing(NOW)[0]
    still = msgspec.structs.replace(row.metrics[0], name="restarts")
    never = msgspec.structs.replace(
        still, canary=Series(NOW, 10.0, (0.0,) * 60), baseline=Series(NOW, 10.0, (None,) * 60)
    )
    for metric, shown in ((still, True), (never, False)):
        lines = dossier(msgspec.structs.replace(row, metrics=(*row.metrics, metric)), Pane(120, 60, NOW))
        assert any("restarts " in line.text for line in lines) is shown


def test_a_pod_in_trouble_is_among_the_reasons() -> None:
    said = [text for text, _ in why(needing(NOW)[2], NOW)]
    assert "a canary pod: 4 restarts, CrashLoopBackOff (OOMKilled); 1 more in trouble" in said
    assert not any("canary pod" in text for text, _ in why(needing(NOW)[0], NOW))
