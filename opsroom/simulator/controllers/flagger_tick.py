"""One tick of one Canary: everything Flagger looks at, in its order, up to the first thing that ends the tick.

A generator: it yields changes to apply and calls to make (and is sent their replies), so the loop never waits.
Source: fluxcd/flagger pkg/controller/scheduler.go (advanceCanary and its helpers), scheduler_hooks.go.
Not simulated: mirroring, metric checks, autoscalers, alerts, session affinity.
"""

from __future__ import annotations

from opsroom.simulator.controllers import flagger_objects as objects
from opsroom.simulator.controllers import flagger_status as status
from opsroom.simulator.controllers.changes import Create
from opsroom.simulator.controllers.flagger_gates import Answer, Gates, Stage
from opsroom.simulator.controllers.flagger_sight import ALL
from opsroom.simulator.controllers.objects import Obj, desired_replicas, name_of, status_of

_RUNNING = ("Progressing", "Waiting", "WaitingPromotion", "Promoting", "Finalising")
_RUN = ("Progressing", "WaitingPromotion", "Promoting", "Finalising")


class Tick(Gates):
    """The stages of one tick."""

    def run(self) -> Stage:
        """The whole tick."""
        if self.canary["spec"].get("suspend"):
            yield [self.note("skipping canary run as object is suspended")]
            return
        yield objects.services_of(self.canary, self.target)
        primary = self.get("deployments", self.namespace, f"{name_of(self.target)}{objects.PRIMARY}")
        if self.phase in ("", "Initializing"):
            yield from self._initialize(primary)
            return
        if primary is None:
            yield [Create("deployments", objects.primary_of(self.canary, self.target))]
            return
        changed = self.applied != status_of(self.canary).get("lastAppliedSpec")
        changed = changed and self.applied != status_of(self.canary).get("lastPromotedSpec")
        if self.phase == "Failed":
            # It takes over the present template first and compares with the copy it had read.
            weight = int(status_of(self.canary).get("canaryWeight") or 0)
            failed = int(status_of(self.canary).get("failedChecks") or 0)
            yield [
                self.write(status.synced(self.fresh, "Failed", self.applied, self.now, weight=weight, failed=failed))
            ]
        if self.phase not in _RUNNING and not changed:
            return
        if not self.skipping and (reason := objects.unready(primary, self.threshold("primaryReadyThreshold"))):
            yield [self.warn(f"{name_of(primary)}.{self.namespace} not ready: {reason}")]
            if objects.overdue(primary, self.canary, self.now):
                yield from self._keep(reason) if self.phase in ("Promoting", "Finalising") else self._roll_back()
            return
        if self.phase not in _RUN:
            yield from self._begin(primary)
            return
        yield from self._advance(primary, changed)

    def _initialize(self, primary: Obj | None) -> Stage:
        if primary is None:
            yield [
                Create("deployments", objects.primary_of(self.canary, self.target)),
                self.write(status.synced(self.fresh, "Initializing", self.applied, self.now)),
            ]
            return
        if reason := objects.unready(primary, ALL):
            yield [self.warn(f"{name_of(primary)}.{self.namespace} not ready: {reason}")]
            return
        self.route(0)
        yield [
            *objects.scaled(self.target, 0),
            self.write(status.synced(self.fresh, "Initialized", self.applied, self.now)),
            self.note(f"Initialization done! {self.name}.{self.namespace}"),
        ]

    def _begin(self, primary: Obj) -> Stage:
        """A change was found: the gate before the start, then the target is scaled up."""
        if not (yield from self.confirmed("confirm-rollout", self.phase)):
            if self.phase != "Waiting":
                yield [self.write(status.in_phase(self.fresh, "Waiting", 0, self.now))]
            return
        yield [
            self.note(f"New revision detected! Scaling up {self.workload}"),
            *objects.scaled(self.target, max(1, desired_replicas(primary))),
            self.write(status.synced(self.fresh, "Progressing", self.applied, self.now)),
        ]

    def _advance(self, primary: Obj, changed: bool) -> Stage:
        if changed and self.phase in ("Progressing", "WaitingPromotion"):
            self.route(0)
            text = f"New revision detected! Restarting analysis for {self.workload}"
            yield [self.write(status.synced(self.fresh, "Progressing", self.applied, self.now)), self.note(text)]
            return
        if reason := objects.unready(self.target, self.threshold("canaryReadyThreshold")):
            yield [self.warn(f"canary deployment {self.workload} not ready: {reason}")]
            if objects.overdue(self.target, self.canary, self.now):
                yield [self.warn(f"Rolling back {self.full} progress deadline exceeded {reason}")]
                yield from self._roll_back()
            return
        if self.skipping:
            yield from self._skip(primary)
            return
        if self.phase in ("Progressing", "WaitingPromotion") and (yield from self.asked_to_roll_back()):
            yield [self.warn(f"Rolling back {self.full} manual webhook invoked")]
            yield from self._roll_back()
            return
        if self.phase in ("Promoting", "Finalising"):
            yield from self._finish()
            return
        failed = int(status_of(self.canary).get("failedChecks") or 0)
        if failed >= self.failures_allowed:
            yield [self.warn(f"Rolling back {self.full} failed checks threshold reached {failed}")]
            yield from self._roll_back()
            return
        if not (yield from self.checked()):
            yield [self.write(status.with_fields(self.fresh, self.now, failedChecks=failed + 1))]
            return
        if int(self.analysis.get("iterations") or 0):
            yield from self._iterate(primary)
        else:
            yield from self._increase(primary)

    def _increase(self, primary: Obj) -> Stage:
        """A progressive canary: more traffic, and the promotion at the highest weight."""
        step = self.next_step()
        if step <= 0:
            return
        if self.phase != "WaitingPromotion" and not (yield from self.confirmed("confirm-traffic-increase")):
            return
        if self.weight < self.highest:
            weight = min(ALL, self.weight + step)
            self.route(weight)
            yield [
                self.write(status.with_fields(self.fresh, self.now, canaryWeight=weight)),
                self.note(f"Advance {self.full} canary weight {weight}"),
            ]
            return
        yield from self._promote(primary)

    def _iterate(self, primary: Obj) -> Stage:
        """A/B and blue-green: so many checks, then all traffic, then the promotion."""
        wanted, done = int(self.analysis["iterations"]), int(status_of(self.canary).get("iterations") or 0)
        ab = bool(self.analysis.get("match"))
        if done < wanted:
            if ab:
                self.route(ALL)
            yield [
                self.write(status.with_fields(self.fresh, self.now, iterations=done + 1)),
                self.note(f"Advance {self.full} canary iteration {done + 1}/{wanted}"),
            ]
        elif ab or done > wanted:
            yield from self._promote(primary)
        elif (yield from self._promotion_confirmed()):
            self.route(ALL)
            yield [
                self.note("Routing all traffic to canary"),
                self.write(status.with_fields(self.fresh, self.now, iterations=done + 1)),
            ]

    def _promote(self, primary: Obj) -> Stage:
        if not (yield from self._promotion_confirmed()):
            return
        yield [
            self.note(f"Copying {self.workload} template spec to {name_of(primary)}.{self.namespace}"),
            objects.promoted(self.target, primary),
            self.into("Promoting"),
        ]

    def _promotion_confirmed(self) -> Answer:
        if (yield from self.confirmed("confirm-promotion")):
            return True
        if self.phase != "WaitingPromotion":
            yield [self.into("WaitingPromotion")]
        return False

    def _finish(self) -> Stage:
        """After the promotion: traffic back to the primary, then the target to 0."""
        if self.phase == "Promoting":
            self.route(0)
            yield [self.note("Routing all traffic to primary"), self.into("Finalising")]
            return
        yield [
            *objects.scaled(self.target, 0),
            self.into("Succeeded"),
            self.note(f"Promotion completed! Scaling down {self.workload}"),
        ]
        yield from self.told("Succeeded")

    def _skip(self, primary: Obj) -> Stage:
        self.route(0)
        yield [
            self.note(f"Copying {self.workload} template spec to {name_of(primary)}.{self.namespace}"),
            objects.promoted(self.target, primary),
            *objects.scaled(self.target, 0),
            self.into("Succeeded"),
            self.note(f"Promotion completed! Canary analysis was skipped for {self.workload}"),
        ]

    def _roll_back(self) -> Stage:
        self.route(0)
        yield [
            self.warn(f"Canary failed! Scaling down {self.full}"),
            *objects.scaled(self.target, 0),
            self.write(status.synced(self.fresh, "Failed", self.applied, self.now)),
        ]
        yield from self.told("Failed")

    def _keep(self, reason: str) -> Stage:
        """The promotion failed: the canary is the only healthy copy and gets everything (since v1.44, flagger#1931)."""
        self.route(ALL)
        yield [
            self.warn(f"Promotion of {self.workload} failed, primary not ready: {reason}"),
            self.write(status.synced(self.fresh, "Failed", self.applied, self.now, weight=ALL)),
        ]
        yield from self.told("Failed")
