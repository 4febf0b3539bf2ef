"""The judge that the policy in force asks for; a new one when its budget changes."""

from __future__ import annotations

from collections.abc import Callable

from opsroom.analysis.budget import MARGINS, Budget, Direction, Margin
from opsroom.analysis.judge import Judge
from opsroom.analysis.window import Window
from opsroom.domain.judge_policy import JudgePolicy
from opsroom.domain.verdict import Verdict


def budget_of(policy: JudgePolicy) -> Budget:
    """The judge's budget in its own record."""
    own = {name: Margin(metric.matters, Direction(metric.worse)) for name, metric in policy.metrics.items()}
    return Budget(
        false_rollbacks=policy.false_rollbacks,
        margins={**MARGINS, **own},
        error_rise=policy.error_rise,
        watch_seconds=policy.watch_seconds,
    )


class PolicyJudge:
    """Judges by the policy in force at each look."""

    def __init__(self, policy: Callable[[], JudgePolicy]) -> None:
        self._policy = policy
        self._asked = policy()
        self._judge = Judge(budget_of(self._asked))

    def verdicts(self, window: Window, now: float) -> list[Verdict]:
        """One verdict a rollout of the window, in its order."""
        asked = self._policy()
        if asked != self._asked:
            self._asked, self._judge = asked, Judge(budget_of(asked))
        return self._judge.verdicts(window, now)
