"""What a tick of Flagger asks of its webhooks, and what it makes of the answers.

Generators: each yields its calls (and is sent their replies) and the Events of them, and returns whether all is well.
Source: fluxcd/flagger pkg/controller/scheduler_hooks.go.
"""

from __future__ import annotations

from collections.abc import Generator

from opsroom.simulator.controllers.changes import Change
from opsroom.simulator.controllers.flagger_hooks import Ask, Reply, ask_of, hooks
from opsroom.simulator.controllers.flagger_sight import Sight
from opsroom.simulator.controllers.objects import Obj, status_of

Stage = Generator[list[Change] | Ask, Reply | None, None]
Answer = Generator[list[Change] | Ask, Reply | None, bool]

_GATES = {
    "confirm-rollout": ("Confirm-rollout", "waiting for approval"),
    "confirm-traffic-increase": ("Confirm-traffic-increase", "waiting for traffic increase approval"),
    "confirm-promotion": ("Confirm-promotion", "waiting for promotion approval"),
}


class Gates(Sight):
    """The webhooks of one Canary at one moment."""

    def confirmed(self, gate: str, phase: str = "Progressing") -> Answer:
        """Whether every gate of a type says yes."""
        word, waiting = _GATES[gate]
        for hook in hooks(self.canary, gate):
            name = hook.get("name", "")
            if not (yield from self._asked(hook, phase)).yes:
                yield [self.warn(f"Halt {self.full} advancement {waiting} {name}")]
                return False
            yield [self.note(f"{word} check {name} passed")]
        return True

    def asked_to_roll_back(self) -> Answer:
        """Whether one of the rollback hooks says yes, which means: roll back."""
        for hook in hooks(self.canary, "rollback"):
            name = hook.get("name", "")
            if (yield from self._asked(hook, self.phase)).yes:
                yield [self.warn(f"Rollback check {name} passed")]
                return True
            yield [self.note(f"Rollback hook {name} not signaling a rollback")]
        return False

    def checked(self) -> Answer:
        """The hooks before the first traffic, or those of each later tick. Metric checks would follow here."""
        first = self.weight == 0 and not status_of(self.canary).get("iterations")
        types, word = (("pre-rollout",), "pre-rollout") if first else (("", "rollout"), "external")
        if first:
            yield [self.note(f"Starting canary analysis for {self.workload}")]
        for hook in hooks(self.canary, *types):
            name = hook.get("name", "")
            reply = yield from self._asked(hook, "Progressing")
            if not reply.yes:
                yield [self.warn(f"Halt {self.full} advancement {word} check {name} failed {reply.text}")]
                return False
            if first:
                yield [self.note(f"Pre-rollout check {name} passed")]
        return True

    def told(self, phase: str) -> Stage:
        """The hooks after the end, whatever they say."""
        for hook in hooks(self.canary, "post-rollout"):
            passed = (yield from self._asked(hook, phase)).yes
            name = hook.get("name", "")
            yield [self.note(f"Post-rollout check {name} passed" if passed else f"Post-rollout hook {name} failed")]

    def _asked(self, hook: Obj, phase: str) -> Generator[list[Change] | Ask, Reply | None, Reply]:
        reply = yield ask_of(self.canary, hook, phase)
        return reply or Reply(yes=False)
