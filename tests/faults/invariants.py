"""What must never happen, checked on what was recorded: pure functions from calls, journals and schedules to words."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from opsroom.delivery.journal import Entry
from opsroom.delivery.lease import DURATION, RENEW_WITHIN
from opsroom.domain import marks
from opsroom.domain.deed import DeedState, Verb
from opsroom.domain.freshness import verdict_patience
from tests.faults.record import Call

ROLLBACK_MARK = marks.ROLLBACK.replace("/", "~1")
"""End of the JSON path under which a template bears its intent's id."""

LEASES = "/apis/coordination.k8s.io/"
FRESH = 10.0
"""Seconds a look may be old when the write that rests on it leaves the worker."""

FRESH_WHEN_BUSY = 60.0
"""The same on a machine that does other things meanwhile: that it was of this very version is always held."""

ON_THE_WAY = 4.5
"""Seconds from a worker's last look at its Lease to the proxy; five are between the holder's end and another one."""

JOURNALLED_WITHIN = 120.0
"""Seconds from a deed's journal line to its request at most, where the request does not say whose it is."""

SLACK = 0.5
"""Seconds by which the proxy's clock and a worker's idea of the same moment may differ."""


@dataclass(frozen=True, slots=True)
class Act:
    """One write that moves traffic, as the server stored it (or refused it)."""

    call: Call
    target: str
    """Path of the object, without subresource."""
    verb: str
    hash: str
    step: str
    version: str
    """resourceVersion that its precondition names; empty: it has none."""
    intent: str = ""
    """Id of the intent, where the request bears it."""

    @property
    def stored(self) -> bool:
        """Whether the server took it."""
        return 200 <= self.call.upstream < 300

    @property
    def key(self) -> tuple[str, ...]:
        """One deed."""
        return self.target, self.hash, self.step, self.verb


def acts(calls: Iterable[Call], entries: Iterable[Entry] = ()) -> list[Act]:
    """The deeds among ``calls``; marks, Leases, Events and shared maps are none.

    A template goes to a Deployment to roll it back, or to promote its canary: the journals (``entries``) know which.
    """
    deeds = [entry.deed for entry in entries if entry.deed is not None]
    promotions = {deed.intent.id for deed in deeds if deed.intent.verb is not Verb.ROLL_BACK}
    return [act for call in calls if call.method == "PATCH" and (act := _act(call, promotions)) is not None]


def _act(call: Call, promotions: set[str]) -> Act | None:
    target = call.path.removesuffix("/status")
    kind = target.split("/")[-2] if target.count("/") > 2 else ""
    if kind not in ("rollouts", "deployments", "canaries"):
        return None
    verb, intent = _verb(call.sent), _intent(call.sent)
    if not verb:
        return None
    if intent in promotions:
        verb = "take_template"
    answer = call.answered if isinstance(call.answered, dict) else {}
    answer = {} if answer.get("kind") == "Status" else answer
    status, metadata = answer.get("status") or {}, answer.get("metadata") or {}
    notes = metadata.get("annotations") or {}
    revision = str(status.get("currentPodHash") or notes.get("deployment.kubernetes.io/revision", ""))
    step = "" if verb == "roll_back" else str(status.get("currentStepIndex", ""))
    return Act(call, target, verb, revision, step, _version(call.sent), intent)


def _verb(body: Any) -> str:
    if isinstance(body, list):
        paths = [str(op.get("path")) for op in body if op.get("op") != "test"]
        return "roll_back" if any(path == "/spec/template" for path in paths) else ""
    if not isinstance(body, dict):
        return ""
    status, spec = body.get("status") or {}, body.get("spec") or {}
    if status.get("abort") is True:
        return "roll_back"
    if status.get("promoteFull") is True:
        return "promote_fully"
    if "pauseConditions" in status:
        return "promote"
    if spec.get("paused") is False:
        return "unpause"
    return "scale" if spec.get("replicas") == 0 else ""


def _intent(body: Any) -> str:
    operations = body if isinstance(body, list) else ()
    marked = (str(op.get("value")) for op in operations if str(op.get("path")).endswith(ROLLBACK_MARK))
    return next(marked, "")


def _version(body: Any) -> str:
    if isinstance(body, list):
        tests = (op.get("value") for op in body if op.get("op") == "test" and "resourceVersion" in str(op.get("path")))
        return str(next(tests, ""))
    return str((body.get("metadata") or {}).get("resourceVersion", ""))


def deeds_twice(found: Sequence[Act]) -> list[str]:
    """The same deed on the same canary at the same step, stored more than once by whomever."""
    first: dict[tuple[str, ...], Act] = {}
    wrong = []
    for act in found:
        if not act.stored:
            continue
        if act.key in first:
            wrong.append(f"deed twice: {act.key} by {first[act.key].call.client} and {act.call.client}")
        first.setdefault(act.key, act)
    return wrong


def without_precondition(found: Sequence[Act]) -> list[str]:
    """Deeds that would overwrite whatever somebody else did meanwhile."""
    return [f"no precondition: {act.key}" for act in found if not act.version]


def without_look(found: Sequence[Act], calls: Sequence[Call], fresh: float = FRESH) -> list[str]:
    """Deeds that rest on no GET of their target by the same worker in the last ``fresh`` seconds."""
    wrong = []
    for act in found:
        looks = [
            call
            for call in calls
            if call.method == "GET"
            and call.client == act.call.client
            and call.path == act.target
            and call.done is not None
            and act.call.at - fresh <= call.done <= act.call.at + SLACK
        ]
        seen = {str(((look.answered or {}).get("metadata") or {}).get("resourceVersion", "")) for look in looks}
        if act.version not in seen:
            wrong.append(f"no fresh look before {act.key}: version {act.version}, seen {sorted(seen)}")
    return wrong


@dataclass(frozen=True, slots=True)
class Hold:
    """One write of the Lease that its server stored."""

    client: str
    sent: float
    passed: float
    known: bool
    """Whether its writer was told so."""
    holder: str


def holds(calls: Iterable[Call]) -> list[Hold]:
    """Every stored write of a Lease, in the server's order."""
    found = []
    for call in calls:
        if call.path.startswith(LEASES) and call.method in ("POST", "PUT") and call.passed and call.upstream < 300:
            spec = (call.sent or {}).get("spec") or {}
            found.append(Hold(call.client, call.at, call.passed, call.done is not None, spec.get("holderIdentity", "")))
    return sorted(found, key=lambda one: one.passed)


def without_lease(found: Sequence[Act], calls: Sequence[Call]) -> list[str]:
    """Deeds that left a worker which did not hold the Lease at that moment."""
    record = holds(calls)
    wrong = []
    for act in found:
        at, client = act.call.at, act.call.client
        mine = [one for one in record if one.client == client and one.holder and one.known and one.passed <= at]
        last = mine[-1] if mine else None
        if last is None or at - last.sent > RENEW_WITHIN + ON_THE_WAY:
            wrong.append(f"{act.key} by {client} {at - last.sent if last else -1:.1f} s after its last renewal")
            continue
        after = [one for one in record if last.passed < one.passed < at - SLACK and one.client != client and one.holder]
        if after:
            wrong.append(f"{act.key} by {client} while {after[-1].client} held the Lease")
    return wrong


def overlapping(calls: Sequence[Call]) -> list[str]:
    """Takings of the Lease before the former holder's time was over (unless it was given back)."""
    wrong, last = [], None
    for one in holds(calls):
        changed = last is not None and one.holder and last.holder and one.holder != last.holder
        # Counted from the moment the server stored the last renewal: nobody could have seen it before.
        if changed and last is not None and one.sent - last.passed < DURATION - SLACK:
            wrong.append(f"{one.client} took the Lease {one.sent - last.passed:.1f} s after {last.client} renewed")
        last = one
    return wrong


def on_stale_data(entries: Iterable[Entry], step: float) -> list[str]:
    """Automatic promotions that were decided on an old score or on none."""
    limit = verdict_patience(step)
    wrong = []
    for entry in entries:
        deed = entry.deed
        if deed is None or not deed.intent.automatic or deed.state is not DeedState.JOURNALLED:
            continue
        intent = deed.intent
        if intent.verb is Verb.ROLL_BACK:
            continue
        if intent.score is None or intent.score_age is None or intent.score_age > limit:
            wrong.append(f"promotion of {entry.rollout} on a score {intent.score} that is {intent.score_age} s old")
    return wrong


def in_a_drought(found: Sequence[Act], good: dict[str, list[float]], step: float) -> list[str]:
    """Promotions that left a worker although Prometheus had not answered it for longer than a verdict keeps."""
    limit = verdict_patience(step) + 10.0
    wrong = []
    for act in found:
        # Not "take_template": it is the second request of a promotion that was begun before.
        if act.verb not in ("promote", "promote_fully"):
            continue
        last = max((at for at in good.get(act.call.client, ()) if at <= act.call.at), default=0.0)
        if act.call.at - last > limit:
            wrong.append(f"{act.key} {act.call.at - last:.0f} s after Prometheus last answered")
    return wrong


def without_journal(
    found: Sequence[Act], client: str, entries: Iterable[Entry], skews: Sequence[float] = (0.0,)
) -> list[str]:
    """Deeds of ``client`` of which its journal (``entries``) did not know before their request was sent.

    ``skews``: the seconds by which its wall clock may have been wrong.
    """
    known: dict[str | tuple[str, str], list[float]] = {}
    for entry in entries:
        if entry.deed is not None and entry.deed.state is DeedState.JOURNALLED:
            intent, target = entry.deed.intent, entry.deed.intent.target
            known.setdefault(intent.id, []).append(entry.deed.at)
            known.setdefault((target.namespace, target.name), []).append(entry.deed.at)
    wrong = []
    for act in found:
        # An un-pause may be the second request of a longer deed.
        if act.call.client != client or act.verb not in ("promote", "roll_back", "take_template"):
            continue
        parts = act.target.split("/")
        times = known.get(act.intent or (parts[-3], parts[-1]), ())
        within = float("inf") if act.intent else JOURNALLED_WITHIN
        if not any(0.0 <= act.call.at + skew - at <= within for at in times for skew in skews):
            wrong.append(f"{act.key} by {client} is not in its journal")
    return wrong
