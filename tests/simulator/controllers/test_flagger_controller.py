"""The simulated Flagger: phases, weights, counters, and webhooks as the real one calls them and reads their replies."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest

from opsroom.simulator.clock import Clock
from opsroom.simulator.controllers.cluster import Cluster
from opsroom.simulator.controllers.flagger_hooks import Ask, HttpCaller, Reply, seconds
from opsroom.simulator.controllers.kubelet import Container

Obj = dict[str, Any]
START = 1_750_000_000.0


class Steady:
    """Programs that start in two seconds, but for images that never do, or never in a primary."""

    def start_seconds(self, pod: Obj) -> float:
        image, primary = pod["spec"]["containers"][0]["image"], "-primary-" in pod["metadata"]["name"]
        return 1e9 if "broken" in image or (primary and "picky" in image) else 2.0

    def container(self, _pod: Obj) -> Container:
        return Container()


@dataclass
class Operator:
    """Answers hooks by type, late if told so, and keeps what was asked."""

    says: dict[str, bool] = field(default_factory=dict)
    asked: list[tuple[str, Obj]] = field(default_factory=list)
    told: list[Obj] = field(default_factory=list)
    late: list[Callable[[], None]] | None = None

    def call(self, ask: Ask, answered: Callable[[Reply], None]) -> None:
        type_ = ask.url.rpartition("/")[2]
        self.asked.append((type_, ask.payload))
        reply = Reply(yes=self.says.get(type_, True))
        if self.late is None:
            answered(reply)
        else:
            self.late.append(lambda: answered(reply))

    def tell(self, ask: Ask) -> None:
        self.told.append(ask.payload)

    def types(self) -> list[str]:
        return [type_ for type_, _ in self.asked]


@dataclass
class Room:
    """A cluster with one Canary, `cart`."""

    operator: Operator = field(default_factory=Operator)

    def __post_init__(self) -> None:
        self.clock = Clock(START)
        self.cluster = Cluster(self.clock, Steady(), 7, caller=self.operator)

    def canary(self, *types: str, **analysis: Any) -> None:
        labels = {"app": "cart"}
        template = {"metadata": {"labels": labels}, "spec": {"containers": [{"name": "app", "image": "app:v1"}]}}
        spec = {"replicas": 3, "selector": {"matchLabels": labels}, "template": template}
        self.cluster.store.create("deployments", {"metadata": {"name": "cart", "namespace": "shop"}, "spec": spec})
        hooks = [{"name": type_, "type": type_, "url": f"http://x/{type_}", "metadata": {"k": "v"}} for type_ in types]
        checks = {"interval": "10s", "threshold": 2, "stepWeight": 20, "maxWeight": 40, "webhooks": hooks} | analysis
        body = {
            "metadata": {"name": "cart", "namespace": "shop"},
            "spec": {
                "targetRef": {"kind": "Deployment", "name": "cart"},
                "service": {"port": 80},
                "progressDeadlineSeconds": 60,
                "analysis": checks,
            },
        }
        self.cluster.store.create("canaries", body)
        self.cluster.pass_time(40)

    def deploy(self, image: str) -> None:
        containers = [{"name": "app", "image": image}]
        self.cluster.store.merge(
            "deployments", "shop", "cart", {"spec": {"template": {"spec": {"containers": containers}}}}
        )

    def until(self, phase: str, within: int = 300) -> None:
        for _ in range(within):
            if self.status["phase"] == phase:
                return
            self.cluster.pass_time(1)
        raise AssertionError(f"{self.status['phase']} and never {phase}")

    def get(self, resource: str, name: str) -> Obj:
        found = self.cluster.store.get(resource, "shop", name)
        assert found is not None
        return found

    @property
    def status(self) -> Obj:
        return dict(self.get("canaries", "cart")["status"])

    @property
    def weight(self) -> int:
        return self.cluster.flagger.mesh["shop", "cart"]

    def replicas(self, name: str) -> int:
        return int(self.get("deployments", name)["spec"]["replicas"])

    def image(self, name: str) -> str:
        return str(self.get("deployments", name)["spec"]["template"]["spec"]["containers"][0]["image"])

    def words(self) -> list[str]:
        events = self.cluster.store.list("events", "shop")
        return [event["message"] for event in events if event["source"]["component"] == "flagger"]


@pytest.fixture
def room() -> Room:
    return Room()


def test_a_new_canary_gets_a_primary_and_its_target_goes_to_rest(room: Room) -> None:
    room.canary()
    assert (room.status["phase"], room.replicas("cart"), room.replicas("cart-primary")) == ("Initialized", 0, 3)
    primary = room.get("deployments", "cart-primary")
    assert primary["spec"]["selector"]["matchLabels"] == {"app": "cart-primary"}
    assert primary["metadata"]["ownerReferences"][0]["kind"] == "Canary"
    assert room.get("services", "cart")["spec"]["selector"] == {"app": "cart-primary"}
    assert room.get("services", "cart-canary")["spec"]["selector"] == {"app": "cart"}


def test_a_change_goes_up_by_weights_and_is_promoted(room: Room) -> None:
    room.canary()
    room.deploy("app:v2")
    room.until("Progressing")
    seen = []
    while room.status["phase"] == "Progressing":
        seen.append(room.weight)
        room.cluster.pass_time(10)
    assert sorted(set(seen)) == [0, 20, 40]
    room.until("Succeeded")
    assert (room.image("cart-primary"), room.replicas("cart"), room.weight) == ("app:v2", 0, 0)
    assert room.status["lastAppliedSpec"] == room.status["lastPromotedSpec"]
    (condition,) = room.status["conditions"]
    assert (condition["type"], condition["status"], condition["reason"]) == ("Promoted", "True", "Succeeded")
    for stem in ("New revision detected! Scaling up", "Advance cart.shop canary weight 40", "Promotion completed!"):
        assert any(word.startswith(stem) for word in room.words())


def test_events_have_one_reason_whatever_happened(room: Room) -> None:
    room.canary()
    events = [one for one in room.cluster.store.list("events", "shop") if one["source"]["component"] == "flagger"]
    assert events
    assert {event["reason"] for event in events} == {"Synced"}


def test_a_closed_gate_before_the_start_waits_with_the_former_checksum(room: Room) -> None:
    room.operator.says["confirm-rollout"] = False
    room.canary("confirm-rollout")
    room.deploy("app:v2")
    room.until("Waiting")
    room.cluster.pass_time(30)
    first = {payload["checksum"] for _, payload in room.operator.asked}
    room.deploy("app:v3")
    room.cluster.pass_time(30)
    assert {payload["checksum"] for _, payload in room.operator.asked} == first
    assert room.replicas("cart") == 0
    room.operator.says["confirm-rollout"] = True
    room.until("Progressing")
    assert room.replicas("cart") == 3


def test_a_closed_traffic_gate_changes_no_phase_and_no_counter(room: Room) -> None:
    room.canary("confirm-traffic-increase")
    room.operator.says["confirm-traffic-increase"] = False
    room.deploy("app:v2")
    room.cluster.pass_time(200)
    assert (room.status["phase"], room.weight, room.status["failedChecks"]) == ("Progressing", 0, 0)
    assert any("waiting for traffic increase approval" in word for word in room.words())


def test_waiting_for_the_promotion_zeroes_the_status_but_not_the_mesh(room: Room) -> None:
    room.canary("confirm-promotion")
    room.operator.says["confirm-promotion"] = False
    room.deploy("app:v2")
    room.until("WaitingPromotion")
    assert (room.status["canaryWeight"], room.status["iterations"], room.weight) == (0, -1, 40)
    asked = [payload["phase"] for type_, payload in room.operator.asked if type_ == "confirm-promotion"]
    assert set(asked) == {"Progressing"}
    room.operator.says["confirm-promotion"] = True
    room.until("Succeeded")


def test_a_yes_of_the_roll_back_gate_rolls_back(room: Room) -> None:
    room.canary("rollback")
    room.operator.says["rollback"] = False
    room.deploy("app:v2")
    room.until("Progressing")
    room.cluster.pass_time(25)
    room.operator.says["rollback"] = True
    room.until("Failed")
    assert (room.replicas("cart"), room.image("cart-primary"), room.weight) == (0, "app:v1", 0)
    assert "Rolling back cart.shop manual webhook invoked" in room.words()


def test_failed_checks_add_up_to_a_roll_back(room: Room) -> None:
    room.canary("rollout")
    room.operator.says["rollout"] = False
    room.deploy("app:v2")
    room.until("Failed")
    assert "Rolling back cart.shop failed checks threshold reached 2" in room.words()


def test_a_counter_set_from_outside_rolls_back(room: Room) -> None:
    room.canary(stepWeight=1)
    room.deploy("app:v2")
    room.until("Progressing")
    canary = room.get("canaries", "cart")
    status = {**canary["status"], "failedChecks": 2}
    room.cluster.store.replace("canaries", {**canary, "status": status}, subresource="status")
    room.until("Failed")


def test_a_version_that_never_starts_is_rolled_back_at_the_deadline(room: Room) -> None:
    room.canary("rollback")
    room.deploy("app:broken")
    room.until("Failed")
    assert "rollback" not in room.operator.types(), "an unready canary is not asked about"
    assert any("progress deadline exceeded" in word for word in room.words())


def test_a_promotion_whose_primary_never_gets_ready_leaves_all_traffic_with_the_canary(room: Room) -> None:
    room.canary("post-rollout")
    room.deploy("app:picky")
    room.until("Failed", within=900)
    assert any(word.startswith("Promotion of cart.shop failed, primary not ready") for word in room.words())
    room.cluster.pass_time(60)
    assert room.get("canaries", "cart")["status"]["canaryWeight"] == room.weight == 100
    assert room.get("deployments", "cart")["spec"]["replicas"] == 3, "it serves everybody"
    assert room.operator.types() == ["post-rollout"]


def test_a_newer_version_restarts_the_analysis(room: Room) -> None:
    room.canary(stepWeight=5)
    room.deploy("app:v2")
    room.until("Progressing")
    room.cluster.pass_time(60)
    before = room.weight
    room.deploy("app:v3")
    room.cluster.pass_time(10)
    assert before > 0 == room.weight
    assert "New revision detected! Restarting analysis for cart.shop" in room.words()


def test_suspended_stands_still_and_asks_nobody(room: Room) -> None:
    room.canary("rollback", stepWeight=5)
    room.operator.says["rollback"] = False
    room.deploy("app:v2")
    room.until("Progressing")
    room.cluster.pass_time(40)
    room.cluster.store.merge("canaries", "shop", "cart", {"spec": {"suspend": True}})
    room.cluster.pass_time(10)
    before, asked = room.weight, len(room.operator.asked)
    room.cluster.pass_time(60)
    assert (room.weight, len(room.operator.asked)) == (before, asked)


def test_skipping_the_analysis_promotes_at_once(room: Room) -> None:
    room.canary(stepWeight=1)
    room.deploy("app:v2")
    room.until("Progressing")
    room.cluster.store.merge("canaries", "shop", "cart", {"spec": {"skipAnalysis": True}})
    room.until("Succeeded", within=30)
    assert room.image("cart-primary") == "app:v2"


def test_blue_green_counts_iterations_and_asks_twice(room: Room) -> None:
    room.canary("confirm-promotion", iterations=3)
    room.deploy("app:v2")
    room.until("Promoting")
    assert room.operator.types().count("confirm-promotion") == 2
    room.until("Succeeded")


def test_the_promoted_template_is_never_a_change(room: Room) -> None:
    room.canary("rollback")
    room.deploy("app:v2")
    room.until("Failed")
    room.deploy("app:v1")
    room.cluster.pass_time(60)
    assert room.status["phase"] == "Failed"
    assert room.status["lastAppliedSpec"] == room.status["lastPromotedSpec"]


def test_the_payload_is_flaggers_and_the_checksum_names_the_revision(room: Room) -> None:
    room.canary("rollout", "event")
    room.deploy("app:v2")
    room.until("Succeeded")
    _, payload = room.operator.asked[0]
    assert payload == {**payload, "name": "cart", "namespace": "shop", "phase": "Progressing", "metadata": {"k": "v"}}
    first = {payload["checksum"] for type_, payload in room.operator.asked if type_ == "rollout"}
    room.operator.asked.clear()
    room.deploy("app:v3")
    room.until("Progressing")
    room.until("Succeeded")
    second = {payload["checksum"] for type_, payload in room.operator.asked if type_ == "rollout"}
    assert (len(first), len(second), first & second) == (1, 1, set())
    event = room.operator.told[-1]["metadata"]
    assert event["eventType"] == "Normal"
    assert event["timestamp"].isdecimal()


def test_one_tick_at_a_time_however_late_the_answer(room: Room) -> None:
    room.canary("rollback")
    room.operator.late = []
    room.deploy("app:v2")
    room.cluster.pass_time(120)
    assert len(room.operator.asked) == 1
    room.operator.late.pop()()
    room.cluster.run()
    assert room.status["phase"] == "Failed"


def answered(handler: Callable[[httpx.Request], httpx.Response]) -> Reply:
    async def run() -> Reply:
        caller = HttpCaller(client=httpx.AsyncClient(transport=httpx.MockTransport(handler), follow_redirects=True))
        found: asyncio.Future[Reply] = asyncio.get_running_loop().create_future()
        caller.call(Ask("http://gates/x", {"name": "cart"}, 1.0), found.set_result)
        try:
            return await found
        finally:
            await caller.close()

    return asyncio.run(run())


@pytest.mark.parametrize(
    ("code", "yes"), [(200, True), (201, True), (202, True), (203, False), (204, False), (403, False), (500, False)]
)
def test_replies_up_to_202_are_a_yes(code: int, yes: bool) -> None:
    assert answered(lambda _request: httpx.Response(code)).yes is yes


def test_the_text_of_a_no_is_kept_and_that_of_a_broken_server_is_not() -> None:
    assert answered(lambda _request: httpx.Response(403, text="not now")).text == "not now"
    assert "giving up" in answered(lambda _request: httpx.Response(503, text="secret")).text


def test_nobody_there_is_a_no() -> None:
    def refuse(request: httpx.Request) -> httpx.Response:
        assert json.loads(request.content) == {"name": "cart"}
        raise httpx.ConnectError("refused")

    assert not answered(refuse).yes


@pytest.mark.parametrize(("text", "expected"), [("2s", 2.0), ("1m30s", 90.0), ("", 60.0), ("soon", 60.0), ("5", 60.0)])
def test_intervals_are_go_durations(text: str, expected: float) -> None:
    assert seconds(text, 60.0) == expected
