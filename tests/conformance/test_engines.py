"""Every engine's deeds against the API server under test: what is sent is accepted, and what is stored is right.

Where no controller runs (Rollouts here, pods everywhere) the patch and its stored result are what is checked.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
import uuid
from collections.abc import Awaitable, Callable, Iterator
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec
import pytest

from opsroom.delivery.deliver import carry_out, deliver
from opsroom.delivery.hands import Hands
from opsroom.delivery.journal import Entry
from opsroom.delivery.lease import Lease
from opsroom.delivery.prepare import prepare
from opsroom.delivery.shared import freeze, read_approved, read_freeze, thaw
from opsroom.domain.deed import Deed, DeedState, Effect, Intent, Precondition, Refusal, Target, Verb
from opsroom.domain.rollout import Engine, Shape, Uid
from opsroom.errors import Conflict, Gone
from opsroom.kube.connection import Connection, connect
from opsroom.kube.endpoint import Endpoint
from opsroom.kube.reader import Reader
from opsroom.kube.writer import Writer

if TYPE_CHECKING:
    from tests.conformance.conftest import ApiServerUnderTest

T = TypeVar("T")
Obj = dict[str, Any]
STEPS: list[Obj] = [{"setWeight": 20}, {"pause": {}}, {"setWeight": 50}, {"pause": {}}]


class Pages:
    """A journal that keeps nothing."""

    def write(self, entry: Entry) -> None:
        """Accepted."""


class Hall:
    """One namespace of the server, and a client of ours in it."""

    def __init__(self, server: ApiServerUnderTest, namespace: str) -> None:
        self.server = server
        self.namespace = namespace

    def run(self, work: Callable[[Reader, Writer], Awaitable[T]]) -> T:
        """Run ``work`` with a connection that lives as long."""

        async def main() -> T:
            async with await self._connect() as connection:
                return await work(Reader(connection), Writer(connection))

        return asyncio.run(main())

    async def _connect(self) -> Connection:
        if self.server.real:
            return await connect(str(self.server.kubeconfig))
        return Connection(Endpoint(host=self.server.url, authorization=self.server.headers()["authorization"]))

    def path(self, group: str, plural: str, name: str = "") -> str:
        """Path of a collection, or of one object in it."""
        return f"/apis/{group}/namespaces/{self.namespace}/{plural}" + (f"/{name}" if name else "")

    def deliver(self, intent: Intent, until: DeedState, patience: float = 0.3) -> list[Deed]:
        """The states of a deed up to ``until`` (what follows needs controllers that may not be here)."""

        async def work(reader: Reader, writer: Writer) -> list[Deed]:
            found = []
            async for deed in deliver(intent, Hands(reader, writer, Pages(), patience=patience)):
                found.append(deed)
                if deed.state is until:
                    break
            return found

        return self.run(work)

    def get(self, path: str) -> Obj:
        """An object as it is stored."""
        return self.run(lambda reader, _writer: reader.get(path, dict))

    def when(self, path: str, holds: Callable[[Obj], bool]) -> Obj:
        """The object as soon as ``holds``; controllers work beside us."""

        async def work(reader: Reader, _writer: Writer) -> Obj:
            end = time.monotonic() + 20.0
            while time.monotonic() < end:
                found: Obj = await reader.get(path, dict)
                if holds(found):
                    return found
                await asyncio.sleep(0.05)
            raise AssertionError(f"{path} never came to that: {found.get('status')}")

        return self.run(work)

    def patch(self, path: str, body: Obj) -> Obj:
        """Somebody else's merge patch."""
        return self.run(lambda _reader, writer: writer.patch(path, body))


@pytest.fixture(scope="module")
def hall(api_server: ApiServerUnderTest) -> Iterator[Hall]:
    made = Hall(api_server, f"opsroom-engines-{uuid.uuid4().hex[:6]}")
    spaces = "/api/v1/namespaces"
    made.run(lambda _reader, writer: writer.post(spaces, {"metadata": {"name": made.namespace}}))
    yield made
    made.run(lambda _reader, writer: writer.delete(f"{spaces}/{made.namespace}"))


def _template(name: str, image: str, **labels: str) -> Obj:
    return {
        "metadata": {"labels": {"app": name, **labels}},
        "spec": {"containers": [{"name": "app", "image": image}]},
    }


def _workload(hall: Hall, group: str, kind: str, name: str, spec: Obj, **labels: str) -> str:
    """Create a workload of two pods; returns its path."""
    plural = f"{kind.lower()}s"
    body = {
        "apiVersion": group,
        "kind": kind,
        "metadata": {"name": name, "namespace": hall.namespace},
        "spec": {
            "replicas": 2,
            "selector": {"matchLabels": {"app": name.removesuffix("-canary"), **labels}},
            "template": _template(name.removesuffix("-canary"), "registry/app:v1", **labels),
            **spec,
        },
    }
    hall.run(lambda _reader, writer: writer.post(hall.path(group, plural), body))
    return hall.path(group, plural, name)


def _rollout(hall: Hall, **status: Any) -> str:
    """A Rollout at its first pause, as its controller would have left it."""
    if not hall.server.serves("argoproj.io/v1alpha1"):
        pytest.skip("needs the Argo Rollouts CRDs")
    name = f"cart-{uuid.uuid4().hex[:6]}"
    spec = {"strategy": {"canary": {"steps": STEPS}}}
    path = _workload(hall, "argoproj.io/v1alpha1", "Rollout", name, spec)
    generation = hall.get(path)["metadata"]["generation"]
    at_pause = {
        "currentPodHash": "new",
        "stableRS": "old",
        "currentStepIndex": 1,
        "observedGeneration": str(generation),
        "controllerPause": True,
        "pauseConditions": [{"reason": "CanaryPauseStep", "startTime": "2026-01-02T03:04:05Z"}],
    }
    hall.patch(f"{path}/status", {"status": at_pause | status})
    return path


def _intent(hall: Hall, path: str, verb: Verb, shape: Shape, seen: Precondition) -> Intent:
    meta = hall.get(path)["metadata"]
    engine = Engine.ARGO if shape is Shape.CANARY else Engine.DEPLOYMENT
    target = Target(uid=Uid(meta["uid"]), engine=engine, shape=shape, namespace=hall.namespace, name=meta["name"])
    return Intent(id=uuid.uuid4().hex, verb=verb, target=target, precondition=seen, actor="conformance", at=time.time())


AT_PAUSE = Precondition(canary_hash="new", stable_hash="old", step=1)


def test_a_promotion_clears_the_pause_and_nothing_else(hall: Hall) -> None:
    path = _rollout(hall)
    deeds = hall.deliver(_intent(hall, path, Verb.PROMOTE, Shape.CANARY, AT_PAUSE), DeedState.UNKNOWN)
    assert [deed.state for deed in deeds][:3] == [DeedState.JOURNALLED, DeedState.SENT, DeedState.ACCEPTED]
    status = hall.get(path)["status"]
    assert not status.get("pauseConditions")
    assert (status["currentStepIndex"], status["controllerPause"]) == (1, True)
    again = hall.deliver(_intent(hall, path, Verb.PROMOTE, Shape.CANARY, AT_PAUSE), DeedState.UNKNOWN)
    assert again[-1].refusal is Refusal.NOT_OBSERVED


def test_an_abort_clears_a_full_promotion_in_the_same_patch(hall: Hall) -> None:
    path = _rollout(hall, promoteFull=True)
    hall.deliver(_intent(hall, path, Verb.ROLL_BACK, Shape.CANARY, AT_PAUSE), DeedState.ACCEPTED)
    status = hall.get(path)["status"]
    assert status["abort"] is True
    assert not status.get("promoteFull")


def test_an_inconclusive_analysis_is_stepped_over(hall: Hall) -> None:
    path = _rollout(hall, canary={"currentStepAnalysisRunStatus": {"name": "x", "status": "Inconclusive"}})
    deeds = hall.deliver(_intent(hall, path, Verb.PROMOTE, Shape.CANARY, AT_PAUSE), DeedState.DONE)
    assert deeds[-1].effect is Effect.ACCEPT_INCONCLUSIVE
    status = hall.get(path)["status"]
    assert status["currentStepIndex"] == 2
    assert not status.get("controllerPause")


def test_a_full_promotion_is_asked_for_in_the_status(hall: Hall) -> None:
    path = _rollout(hall)
    hall.deliver(_intent(hall, path, Verb.PROMOTE_FULLY, Shape.CANARY, AT_PAUSE), DeedState.ACCEPTED)
    assert hall.get(path)["status"]["promoteFull"] is True


def test_hold_and_release_of_a_rollout(hall: Hall) -> None:
    path = _rollout(hall)
    for verb, held in ((Verb.HOLD, True), (Verb.RELEASE, False)):
        deeds = hall.deliver(_intent(hall, path, verb, Shape.CANARY, AT_PAUSE), DeedState.DONE)
        assert deeds[-1].state is DeedState.DONE
        found = hall.get(path)
        assert bool(found["spec"].get("paused")) is held
        assert ("opsroom.dev/queue" in found["metadata"]["annotations"]) is held


def test_a_paused_update_is_reverted_in_one_patch(hall: Hall) -> None:
    path = _workload(hall, "apps/v1", "Deployment", f"pay-{uuid.uuid4().hex[:6]}", {})
    revision = "deployment.kubernetes.io/revision"
    _observed(hall, path, lambda found: found["metadata"].get("annotations", {}).get(revision) == "1")
    name = hall.get(path)["metadata"]["name"]
    hall.patch(path, {"spec": {"template": _template(name, "registry/app:v2")}})
    _observed(hall, path, lambda found: found["metadata"]["annotations"][revision] == "2")
    hall.patch(path, {"spec": {"paused": True}})
    _observed(hall, path, lambda found: found["spec"].get("paused") is True)
    seen = Precondition(canary_hash=_hash(hall, path, "2"), stable_hash=_hash(hall, path, "1"))
    deeds = hall.deliver(_intent(hall, path, Verb.ROLL_BACK, Shape.ROLLING, seen), DeedState.SEEN, patience=20.0)
    assert (deeds[-1].state, deeds[-1].effect) == (DeedState.SEEN, Effect.REVERT)
    found = hall.get(path)
    assert found["spec"]["template"]["spec"]["containers"][0]["image"] == "registry/app:v1"
    assert not found["spec"].get("paused")
    assert "pod-template-hash" not in found["spec"]["template"]["metadata"]["labels"]


def test_stable_takes_the_canarys_template_under_its_own_labels(hall: Hall) -> None:
    name = f"shop-{uuid.uuid4().hex[:6]}"
    stable = _workload(hall, "apps/v1", "Deployment", name, {}, track="stable")
    canary = _workload(hall, "apps/v1", "Deployment", f"{name}-canary", {"replicas": 1}, track="canary")
    notes = {"metadata": {"annotations": {"opsroom.dev/canary-of": name}}}
    hall.patch(canary, notes | {"spec": {"template": _template(name, "registry/app:v2", track="canary")}})
    for path in (stable, canary):
        _observed(hall, path, lambda found: "deployment.kubernetes.io/revision" in found["metadata"]["annotations"])
    intent = _intent(hall, canary, Verb.PROMOTE, Shape.PAIR, Precondition())
    deeds = hall.deliver(intent, DeedState.SEEN, patience=20.0)
    assert (deeds[-1].state, deeds[-1].effect) == (DeedState.SEEN, Effect.TAKE_TEMPLATE)
    template = hall.get(stable)["spec"]["template"]
    assert template["spec"]["containers"][0]["image"] == "registry/app:v2"
    assert template["metadata"]["labels"] == {"app": name, "track": "stable"}
    assert hall.get(canary)["metadata"]["annotations"]["opsroom.dev/promoting"].startswith(intent.id)
    back = hall.deliver(_intent(hall, canary, Verb.ROLL_BACK, Shape.PAIR, Precondition()), DeedState.SEEN, 20.0)
    assert back[-1].effect is Effect.REVERT
    assert hall.get(stable)["spec"]["template"]["spec"]["containers"][0]["image"] == "registry/app:v1"


def test_a_recreated_object_is_not_touched(hall: Hall) -> None:
    path = _workload(hall, "apps/v1", "Deployment", f"gone-{uuid.uuid4().hex[:6]}", {})
    intent = _intent(hall, path, Verb.HOLD, Shape.ROLLING, Precondition())
    hall.run(lambda _reader, writer: writer.delete(path))
    assert hall.deliver(intent, DeedState.DONE)[-1].refusal is Refusal.GONE


def test_the_lease_goes_from_hand_to_hand(hall: Hall) -> None:
    async def work(reader: Reader, writer: Writer) -> tuple[bool, bool, int]:
        name = f"decider-{uuid.uuid4().hex[:6]}"
        ada = Lease(reader, writer, "ada", namespace=hall.namespace, name=name)
        bob = Lease(reader, writer, "bob", namespace=hall.namespace, name=name)
        await ada.step()
        await bob.step()
        assert (ada.held, bob.held) == (True, False)
        await ada.step()
        assert ada.held
        await ada.release()
        await bob.step()
        return ada.held, bob.held, bob.transitions

    assert hall.run(work) == (False, True, 1)


def test_a_freeze_is_seen_by_all_and_thawed(hall: Hall) -> None:
    async def work(reader: Reader, writer: Writer) -> None:
        try:
            await reader.get("/api/v1/namespaces/opsroom", dict)
        except Gone:
            await writer.post("/api/v1/namespaces", {"metadata": {"name": "opsroom"}})
        await thaw(writer)
        await freeze(writer, "ada", "test", time.time)
        found = await read_freeze(reader)
        assert found is not None
        assert (found.by, found.reason) == ("ada", "test")
        assert await thaw(writer) is True
        assert await read_freeze(reader) is None

    hall.run(work)


def test_of_two_people_the_first_approves_in_a_shared_map_and_the_second_promotes(hall: Hall) -> None:
    path = _rollout(hall)
    intent = msgspec.structs.replace(
        _intent(hall, path, Verb.PROMOTE, Shape.CANARY, AT_PAUSE), two_people=True, actor="whoever"
    )

    async def does(reader: Reader, writer: Writer, user: str) -> list[Deed]:
        hands = Hands(reader, writer, Pages(), patience=0.3, user=user)
        again = msgspec.structs.replace(intent, id=uuid.uuid4().hex, at=time.time(), actor=user)
        ready = await prepare(again, hands)
        return [ready] if isinstance(ready, Deed) else [deed async for deed in carry_out(ready, hands)]

    async def work(reader: Reader, writer: Writer) -> None:
        with contextlib.suppress(Conflict):
            await writer.post("/api/v1/namespaces", {"metadata": {"name": "opsroom"}})
        first = await does(reader, writer, "ada")
        assert (first[-1].state, first[-1].intent.verb) == (DeedState.DONE, Verb.APPROVE)
        assert (await read_approved(reader))[intent.target.uid].by == "ada"
        assert (await does(reader, writer, "ada"))[-1].refusal is Refusal.SAME_PERSON
        second = await does(reader, writer, "bob")
        assert [deed.state for deed in second][:2] == [DeedState.SENT, DeedState.ACCEPTED]
        assert (second[0].intent.verb, second[0].intent.approved_by) == (Verb.PROMOTE, "ada")

    before = hall.get(path)["status"]["pauseConditions"]
    hall.run(work)
    assert before
    assert not hall.get(path)["status"].get("pauseConditions")


def test_a_stale_merge_patch_is_a_conflict(hall: Hall) -> None:
    path = _workload(hall, "apps/v1", "Deployment", f"stale-{uuid.uuid4().hex[:6]}", {})
    with pytest.raises(Conflict):
        hall.patch(path, {"metadata": {"resourceVersion": "1"}, "spec": {"paused": True}})


def _observed(hall: Hall, path: str, holds: Callable[[Obj], bool]) -> Obj:
    def seen(found: Obj) -> bool:
        behind = found["metadata"]["generation"] > found.get("status", {}).get("observedGeneration", 0)
        return not behind and "annotations" in found["metadata"] and holds(found)

    return hall.when(path, seen)


def _hash(hall: Hall, path: str, revision: str) -> str:
    uid = hall.get(path)["metadata"]["uid"]
    for found in hall.get(hall.path("apps/v1", "replicasets"))["items"]:
        meta = found["metadata"]
        mine = meta["ownerReferences"][0]["uid"] == uid
        if mine and meta["annotations"]["deployment.kubernetes.io/revision"] == revision:
            return str(meta["labels"]["pod-template-hash"])
    raise AssertionError(f"no ReplicaSet of revision {revision}")
