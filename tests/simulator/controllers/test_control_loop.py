"""The loop itself: broken objects, timers, and what wakes whom."""

from __future__ import annotations

import pytest

from opsroom.simulator.clock import Clock
from opsroom.simulator.controllers.changes import Change, Create, Delete, Key, Merge, Status, Wake, key_of
from opsroom.simulator.controllers.loop import ControlLoop
from opsroom.simulator.controllers.objects import Obj, controller_reference
from opsroom.simulator.kube.store import Store


def made(store: Store, name: str, **spec: object) -> Obj:
    return store.create("configmaps", {"metadata": {"name": name, "namespace": "shop"}, "data": dict(spec)})


def test_an_object_that_breaks_its_controller_gets_an_event_and_the_others_go_on() -> None:
    store = Store(Clock(1000.0), seed=1)
    seen: list[str] = []

    def reconcile(obj: Obj, _loop: ControlLoop, _now: float) -> list[Change]:
        seen.append(str(obj["data"]["wanted"]))
        return []

    loop = ControlLoop(store, {"configmaps": reconcile})
    made(store, "broken")
    made(store, "good", wanted="1")
    loop.run(1000.0)
    assert seen == ["1"]
    (event,) = store.list("events", "shop")
    assert (event["reason"], event["involvedObject"]["name"]) == ("ReconciliationError", "broken")


def test_a_wake_up_comes_at_its_time_and_only_once() -> None:
    store = Store(Clock(1000.0), seed=1)
    times: list[float] = []

    def reconcile(_obj: Obj, _loop: ControlLoop, now: float) -> list[Change]:
        times.append(now)
        return [Wake(1010.0)] if now < 1010.0 else []

    loop = ControlLoop(store, {"configmaps": reconcile})
    made(store, "one")
    loop.run(1000.0)
    assert loop.next_due == 1010.0
    loop.run(1009.0)
    loop.run(1010.0)
    loop.run(1011.0)
    assert times == [1000.0, 1010.0]
    assert loop.next_due is None


def test_a_child_wakes_its_controller() -> None:
    store = Store(Clock(1000.0), seed=1)
    seen: list[str] = []

    def reconcile(obj: Obj, loop: ControlLoop, _now: float) -> list[Change]:
        seen.append(f"{obj['metadata']['name']}:{len(loop.owned('pods', obj))}")
        return []

    loop = ControlLoop(store, {"configmaps": reconcile})
    owner = made(store, "owner")
    loop.run(1000.0)
    pod = {"metadata": {"name": "child", "namespace": "shop", "ownerReferences": [controller_reference(owner)]}}
    store.create("pods", {**pod, "spec": {"containers": []}})
    loop.run(1000.0)
    store.delete("pods", "shop", "child")
    loop.run(1000.0)
    assert seen == ["owner:0", "owner:1", "owner:0"]


def test_controllers_that_never_settle_are_found_out() -> None:
    store = Store(Clock(1000.0), seed=1)

    def reconcile(obj: Obj, _loop: ControlLoop, _now: float) -> list[Change]:
        number = int(obj["data"].get("number", "0")) + 1
        return [Merge(key_of("configmaps", obj), {"data": {"number": str(number)}})]

    loop = ControlLoop(store, {"configmaps": reconcile})
    made(store, "restless")
    with pytest.raises(RuntimeError, match="do not settle"):
        loop.run(1000.0)


def test_changes_of_what_is_gone_or_there_already_do_nothing() -> None:
    store = Store(Clock(1000.0), seed=1)

    def reconcile(obj: Obj, _loop: ControlLoop, _now: float) -> list[Change]:
        gone = Key("deployments", "shop", "gone")
        return [
            Delete(gone),
            Merge(gone, {"spec": {}}),
            Status(gone, {}),
            Create("configmaps", {"metadata": obj["metadata"]}),
        ]

    loop = ControlLoop(store, {"configmaps": reconcile})
    made(store, "one")
    loop.run(1000.0)
    assert len(store.list("configmaps", "shop")) == 1
    loop.close()
    made(store, "two")
    assert loop.next_due is None
