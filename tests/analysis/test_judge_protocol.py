"""`opsroom judge` as a filter: good lines are answered, bad ones say why, and neither disturbs the other."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest

from opsroom.analysis.protocol import run_judge

STEPS = 20
FLAT: list[float | None] = [100.0] * STEPS


def case(name: str = "a", **changes: Any) -> dict[str, Any]:
    arms = {"baseline": FLAT, "canary": FLAT}
    return {"id": name, "step_seconds": 30, "metrics": {"latency_p99": arms}, **changes}


def ask(*lines: object) -> tuple[int, dict[str | None, dict[str, Any]]]:
    text = b"".join((line if isinstance(line, bytes) else json.dumps(line).encode()) + b"\n" for line in lines)
    out = io.BytesIO()
    status = run_judge(io.BytesIO(text), out)
    answers = [json.loads(line) for line in out.getvalue().splitlines()]
    return status, {answer["id"]: answer for answer in answers}


def test_every_step_of_a_case_gets_a_score() -> None:
    status, answers = ask(case())
    assert status == 0
    assert len(answers["a"]["scores"]) == STEPS
    assert all(0 <= s <= 1 for s in answers["a"]["scores"])


def test_scores_do_not_depend_on_the_company() -> None:
    long = {"baseline": [*FLAT, *FLAT], "canary": [*FLAT, *([150.0] * STEPS)]}
    errors = {"error_rate": {"baseline": [0.0] * STEPS, "canary": [0.1] * STEPS}}
    _, alone = ask(case())
    _, crowd = ask(case("b", metrics={"latency_p99": long}), case("c", metrics=errors), case(), case("d"))
    assert crowd["a"] == alone["a"]


@pytest.mark.parametrize(
    ("bad", "word"),
    [
        (case("x", metrics={"latency_p99": {"baseline": FLAT, "canary": FLAT[:-1]}}), "values"),
        (case("x", metrics={}), "no metrics"),
        (case("x", step_seconds=0), "step_seconds"),
        (case("x", step_seconds="soon"), "float"),
        (case("x", requests={"baseline": FLAT[:3], "canary": FLAT}), "requests"),
        (case("x", metrics={"error_rate": {"baseline": FLAT, "canary": FLAT}}), "percent"),
        (case("x", metrics={"latency_p99": {"baseline": [0] * 30_000, "canary": [0] * 30_000}}), "at most"),
        (case("x", metrics={"latency_p99": {"baseline": ["?"] * STEPS, "canary": FLAT}}), "str"),
    ],
)
def test_a_bad_case_says_why_and_the_rest_goes_on(bad: dict[str, Any], word: str) -> None:
    status, answers = ask(case("before"), bad, case("after"))
    assert status == 0
    assert word in answers["x"]["error"]
    assert len(answers["before"]["scores"]) == len(answers["after"]["scores"]) == STEPS


@pytest.mark.parametrize("line", [b"{", b"nonsense", b"\xff\xfe", b"[]", b"null", b'{"id": 7}'])
def test_a_malformed_line_has_no_name_but_an_error(line: bytes) -> None:
    status, answers = ask(line, case())
    assert status == 0
    assert answers[None]["error"]
    assert "scores" in answers["a"]


def test_odd_values_are_gaps_not_errors() -> None:
    odd: list[float | None] = [None, -5.0, 1e308, 0.0] * (STEPS // 4)
    status, answers = ask(
        case(metrics={"latency_p99": {"baseline": odd, "canary": FLAT}}),
        case("empty", metrics={"latency_p99": {"baseline": [], "canary": []}}),
        case("null", metrics={"latency_p99": {"baseline": [None] * 9, "canary": [None] * 9}}),
        case("one", metrics={"latency_p99": {"baseline": [1.0], "canary": [9.0]}}),
    )
    assert status == 0
    assert len(answers["a"]["scores"]) == STEPS
    assert answers["empty"]["scores"] == []
    assert answers["null"]["scores"] == [None] * 9
    assert 0.2 <= answers["one"]["scores"][0] <= 0.8


def test_errors_may_be_counts_but_only_of_counted_requests() -> None:
    arms = {"baseline": [2.0] * 60, "canary": [14.0] * 60}
    served = {"baseline": [200.0] * 60, "canary": [200.0] * 60}
    _, answers = ask(
        case("bare", metrics={"errors": arms}),
        case("counted", metrics={"errors": arms}, requests=served),
        case("misplaced", metrics={"requests": served}),
    )
    assert "requests" in answers["bare"]["error"]
    assert answers["counted"]["scores"][-1] > 0.8
    assert "requests" in answers["misplaced"]["error"]
