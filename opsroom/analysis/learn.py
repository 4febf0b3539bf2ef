"""`opsroom learn`: put the thresholds' marks where recorded outcomes say they belong.

scikit-learn calibrates the first layer's evidence (sigmoid), and compares that with what it could do instead: isotonic
calibration and gradient boosting on the features, monotone in harm, each on sources that were held out. On public
data boosting won on the systems it had seen and lost on those it had not, so it does not decide; the comparison is
printed every time, because with your outcomes it may come out otherwise. It must not be needed for judging.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

import numpy as np
from numpy.typing import NDArray

from opsroom.analysis.budget import Budget
from opsroom.analysis.calibration import Calibration, seal, write
from opsroom.analysis.features import HARMFUL, NAMES, features
from opsroom.analysis.outcomes import Outcome, read_outcomes, windows
from opsroom.analysis.protocol import length
from opsroom.analysis.tuning import Tuning
from opsroom.analysis.window import Floats

EVERY = 5
"""Every so many steps of a rollout are an example; neighbours say the same."""
SEEN_STEPS = 2
"""Steps that harm needs before anybody can be asked to see it."""
PRIOR_ROLLOUTS = 4000.0
"""The shipped mark counts as so many healthy rollouts against the recorded ones."""
FEWEST = 20

Predict = Callable[[Floats], Floats]
Fit = Callable[[Floats, NDArray[np.int64], Floats], Predict]


@dataclass(frozen=True, slots=True)
class Examples:
    """Steps of rollouts: features (N, F), labels, weights (a rollout's sum to 1), origins and peaks."""

    x: Floats
    y: NDArray[np.int64]
    weight: Floats
    origin: NDArray[np.str_]
    healthy_peaks: Floats
    """Largest harm that each healthy rollout ever showed, nats."""


def run_learn(paths: list[Path], out: Path | None, report: TextIO) -> int:
    """Learn from the outcome files, report, write the calibration to ``out`` (if any); 0 done, 1 too little data.

    Raises:
        OSError, ValueError: as ``read_outcomes``.
    """
    outcomes = read_outcomes(paths)
    sick = sum(o.regressed for o in outcomes)
    if min(sick, len(outcomes) - sick) < FEWEST:
        report.write(f"too few outcomes: {sick} regressed, {len(outcomes) - sick} healthy\n")
        return 1
    calibration = learn(outcomes)
    report.write(describe(calibration))
    if out is not None:
        write(calibration, out)
    return 0


def learn(outcomes: list[Outcome], budget: Budget | None = None, tuning: Tuning | None = None) -> Calibration:
    """A sealed calibration from labelled rollouts; deterministic."""
    budget, tuning = budget or Budget(), tuning or Tuning()
    examples = examples_of(outcomes, budget, tuning)
    slope, intercept = _sigmoid_fit(examples.x, examples.y, examples.weight)
    roll_back = _mark(examples.healthy_peaks, budget, tuning)
    shift = roll_back - tuning.roll_back
    return seal(
        Calibration(
            roll_back=round(roll_back, 4),
            promote_early=round(tuning.promote_early + min(shift, 0.0), 4),
            promote_late=round(tuning.promote_late + min(shift, 0.0), 4),
            slope=round(slope, 6),
            intercept=round(intercept, 6),
            rollouts=dict(sorted(Counter(o.origin for o in outcomes).items())),
            log_loss=compare(examples),
        )
    )


def examples_of(outcomes: list[Outcome], budget: Budget, tuning: Tuning) -> Examples:
    """Every fifth step and the last of each rollout, but not steps at which harm has only just begun."""
    rows: list[Floats] = []
    labels: list[int] = []
    weights: list[float] = []
    origins: list[str] = []
    peaks: list[float] = []
    for members, window in windows(outcomes):
        found = features(window, budget, tuning)
        for outcome, course in zip(members, found, strict=True):
            course = course[: length(outcome)]
            known = [t for t in _chosen(outcome) if np.isfinite(course[t]).all()]
            onset = outcome.onset or 0
            for t in known:
                rows.append(course[t])
                labels.append(int(outcome.regressed and t >= onset + SEEN_STEPS))
                weights.append(1.0 / len(known))
                origins.append(outcome.origin)
            if not outcome.regressed and known:
                peaks.append(float(np.nanmax(course[:, 0])))
    return Examples(
        np.stack(rows), np.array(labels), np.array(weights), np.array(origins), np.array(peaks, dtype=np.float64)
    )


def compare(examples: Examples) -> dict[str, dict[str, float]]:
    """Log loss of each method on each origin, learned from the others; empty when there is only one origin."""
    from sklearn.metrics import log_loss  # type: ignore[import-untyped]

    methods: dict[str, Fit] = {"sigmoid": _sigmoid, "isotonic": _isotonic, "boosting": _boosting}
    found: dict[str, dict[str, float]] = {name: {} for name in methods}
    for origin in sorted(set(examples.origin.tolist())):
        held = examples.origin == origin
        if held.all() or len(set(examples.y[~held].tolist())) < 2:
            continue
        for name, fit in methods.items():
            predict = fit(examples.x[~held], examples.y[~held], examples.weight[~held])
            guess = np.clip(predict(examples.x[held]), 1e-3, 1.0 - 1e-3)
            loss = log_loss(examples.y[held], guess, sample_weight=examples.weight[held], labels=[0, 1])
            found[name][origin] = round(float(loss), 4)
    return {name: losses for name, losses in found.items() if losses}


def describe(calibration: Calibration) -> str:
    """The calibration and the comparison, as a table."""
    lines = [
        f"rolls back at {calibration.roll_back:.2f} nats; promotes below {calibration.promote_early:.2f}"
        f" to {calibration.promote_late:.2f}",
        f"P(harm) = 1/(1+exp(-({calibration.slope:.3f} * nats + {calibration.intercept:.3f})))",
        "rollouts: " + ", ".join(f"{n} {name}" for name, n in calibration.rollouts.items()),
    ]
    origins = sorted({o for losses in calibration.log_loss.values() for o in losses})
    if origins:
        lines.append("log loss on held-out sources:")
        lines.append(" " * 12 + "".join(f"{o[:14]:>15}" for o in origins))
        for name, losses in calibration.log_loss.items():
            lines.append(f"{name:12}" + "".join(f"{losses.get(o, float('nan')):15.3f}" for o in origins))
    return "\n".join(lines) + f"\nsha256 {calibration.sha256}\n"


def _chosen(outcome: Outcome) -> list[int]:
    steps = length(outcome)
    chosen = sorted({*range(EVERY, steps, EVERY), steps - 1} if steps else set())
    if not outcome.regressed:
        return chosen
    onset = outcome.onset or 0
    return [t for t in chosen if not onset <= t < onset + SEEN_STEPS]


def _mark(peaks: Floats, budget: Budget, tuning: Tuning) -> float:
    """The harm that the budgeted part of healthy rollouts ever passes, shrunk towards the shipped mark."""
    if not len(peaks):
        return tuning.roll_back
    wanted = float(np.quantile(peaks, 1.0 - budget.false_rollbacks / 1000.0))
    share = len(peaks) / (len(peaks) + PRIOR_ROLLOUTS)
    return float(np.clip(share * wanted + (1.0 - share) * tuning.roll_back, 1.0, 10.0))


def _sigmoid_fit(x: Floats, y: NDArray[np.int64], weight: Floats) -> tuple[float, float]:
    from sklearn.linear_model import LogisticRegression  # type: ignore[import-untyped]

    balance = np.where(y == 1, 0.5 / max(weight[y == 1].sum(), 1e-9), 0.5 / max(weight[y == 0].sum(), 1e-9))
    model = LogisticRegression(C=100.0)
    model.fit(x[:, :1], y, sample_weight=weight * balance * len(y))
    return float(model.coef_[0, 0]), float(model.intercept_[0])


def _sigmoid(x: Floats, y: NDArray[np.int64], weight: Floats) -> Predict:
    from sklearn.linear_model import LogisticRegression

    model = LogisticRegression(C=100.0).fit(x[:, :1], y, sample_weight=weight)
    return lambda new: np.asarray(model.predict_proba(new[:, :1])[:, 1])


def _isotonic(x: Floats, y: NDArray[np.int64], weight: Floats) -> Predict:
    from sklearn.isotonic import IsotonicRegression  # type: ignore[import-untyped]

    model = IsotonicRegression(out_of_bounds="clip").fit(x[:, 0], y, sample_weight=weight)
    return lambda new: np.asarray(model.predict(new[:, 0]))


def _boosting(x: Floats, y: NDArray[np.int64], weight: Floats) -> Predict:
    from sklearn.ensemble import HistGradientBoostingClassifier  # type: ignore[import-untyped]

    model = HistGradientBoostingClassifier(
        max_iter=120,
        learning_rate=0.06,
        max_leaf_nodes=12,
        min_samples_leaf=40,
        l2_regularization=5.0,
        monotonic_cst=[int(name in HARMFUL) for name in NAMES],
        random_state=0,
    ).fit(x, y, sample_weight=weight)
    return lambda new: np.asarray(model.predict_proba(new)[:, 1])
