"""Deeds on pairs and rolling Deployments, against the simulated API server and controller."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from opsroom.delivery.engines import pair as pair_engine
from opsroom.delivery.follow import TRIES
from opsroom.domain.deed import Deed, DeedState, Effect, Precondition, Refusal, Verb
from opsroom.domain.rollout import Shape
from opsroom.errors import NotPermitted, OutcomeUnknown, Unreachable
from opsroom.kube.reader import Reader
from opsroom.kube.writer import Writer

Sim = Any
BAD = "registry/app:v2"


def image(sim: Sim, name: str) -> str:
    """What ``name`` runs."""
    return str(sim.get("deployments", name)["spec"]["template"]["spec"]["containers"][0]["image"])


def rolling(sim: Sim) -> None:
    """``pay`` paused half-way to v2."""
    sim.deployment("pay")
    sim.set_image("deployments", "pay", BAD)
    sim.cluster.pass_time(1)
    sim.change("deployments", "pay", spec={"paused": True})
    sim.cluster.pass_time(30)
    assert sim.get("deployments", "pay")["status"]["updatedReplicas"] == 1


def test_a_pair_is_promoted_without_a_dip_in_capacity(sim: Sim) -> None:
    sim.pair()
    intent = sim.intent(Verb.PROMOTE, "pay-canary", Shape.PAIR)
    deeds = sim.run(sim.deliver(intent))
    assert (deeds[-1].state, deeds[-1].effect) == (DeedState.DONE, Effect.TAKE_TEMPLATE)
    paths = [path.rpartition("/")[2] for path, _body in sim.writer.sent]
    assert paths == ["pay-canary", "pay", "pay-canary"]
    assert image(sim, "pay") == BAD
    stable, canary = sim.get("deployments", "pay"), sim.get("deployments", "pay-canary")
    assert stable["spec"]["template"]["metadata"]["labels"]["track"] == "stable"
    assert canary["spec"]["replicas"] == 0
    assert "opsroom.dev/promoting" not in canary["metadata"]["annotations"]
    assert stable["spec"]["replicas"] == 4


def test_a_second_promotion_while_one_is_under_way_is_told_so(sim: Sim) -> None:
    sim.pair()
    first = sim.intent(Verb.PROMOTE, "pay-canary", Shape.PAIR)
    sim.annotate("deployments", "pay-canary", {"opsroom.dev/promoting": f"{first.id} {sim.clock():.0f}"})
    sim.cluster.pass_time(1)
    second = sim.intent(Verb.PROMOTE, "pay-canary", Shape.PAIR)
    assert sim.run(sim.deliver(second))[-1].refusal is Refusal.BUSY
    sim.cluster.pass_time(pair_engine.ABANDONED)
    third = sim.intent(Verb.PROMOTE, "pay-canary", Shape.PAIR)
    assert sim.run(sim.deliver(third))[-1].state is DeedState.DONE


@pytest.mark.parametrize(("fencing", "state"), [(3, DeedState.DONE), (2, DeedState.REFUSED), (None, DeedState.REFUSED)])
def test_the_next_decider_finishes_what_the_one_before_it_began(
    sim: Sim, fencing: int | None, state: DeedState
) -> None:
    sim.pair()
    first = sim.intent(Verb.PROMOTE, "pay-canary", Shape.PAIR)
    sim.annotate("deployments", "pay-canary", {"opsroom.dev/promoting": f"{first.id} {sim.clock():.0f} 2"})
    sim.cluster.pass_time(1)
    second = sim.intent(Verb.PROMOTE, "pay-canary", Shape.PAIR)
    second = msgspec.structs.replace(second, automatic=fencing is not None, fencing=fencing)
    assert sim.run(sim.deliver(second))[-1].state is state


def test_stable_never_takes_a_version_that_came_after_the_decision(sim: Sim) -> None:
    sim.pair()
    intent = sim.intent(Verb.PROMOTE, "pay-canary", Shape.PAIR)
    sim.annotate("deployments", "pay-canary", {"opsroom.dev/promoting": f"{intent.id} {sim.clock():.0f}"})
    sim.set_image("deployments", "pay-canary", "registry/app:v3")
    engine, deed = pair_engine.PairEngine(), Deed(intent=intent, state=DeedState.ACCEPTED, at=sim.clock())
    deed = msgspec.structs.replace(deed, effect=Effect.TAKE_TEMPLATE)
    assert engine.outcome(sim.run(engine.look(sim.reader, intent)), deed) is None
    sim.cluster.pass_time(5)
    progress = engine.outcome(sim.run(engine.look(sim.reader, intent)), deed)
    assert progress is not None
    assert (progress.state, progress.detail, progress.then) == (DeedState.FAILED, "superseded", None)


def test_a_stable_that_moved_since_the_decision_is_not_overwritten(sim: Sim) -> None:
    sim.pair()
    seen = Precondition(canary_hash=sim.hash("pay-canary"), stable_hash=sim.hash("pay"))
    intent = sim.intent(Verb.PROMOTE, "pay-canary", Shape.PAIR, precondition=seen)
    sim.writer.after.append(lambda _path: sim.set_image("deployments", "pay", "registry/app:v1-mended"))
    deeds = sim.run(sim.deliver(intent))
    assert (deeds[-1].state, deeds[-1].detail) == (DeedState.FAILED, "superseded")
    assert image(sim, "pay") == "registry/app:v1-mended"
    assert "opsroom.dev/promoting" not in sim.get("deployments", "pay-canary")["metadata"]["annotations"]
    assert sim.get("deployments", "pay-canary")["spec"]["replicas"] == 1


def test_a_stable_that_is_put_back_is_not_fought_over(sim: Sim) -> None:
    """A GitOps controller writes its own template again as often as we do."""
    sim.pair()
    intent = sim.intent(Verb.PROMOTE, "pay-canary", Shape.PAIR)
    sim.writer.after += [
        lambda _path: None,
        lambda _path: sim.set_image("deployments", "pay", "registry/app:v1"),
    ]
    deeds = sim.run(sim.deliver(intent))
    assert (deeds[-1].state, deeds[-1].detail) == (DeedState.FAILED, "superseded")
    assert sum(path.endswith("/pay") for path, _body in sim.writer.sent) == 1
    assert image(sim, "pay") == "registry/app:v1"


def test_a_promotion_that_stable_cannot_follow_fails_and_can_be_taken_back(sim: Sim) -> None:
    sim.pair()
    sim.change("deployments", "pay", spec={"progressDeadlineSeconds": 20})
    sim.cluster.pass_time(5)
    sim.programs.sick.add(BAD)
    deeds = sim.run(sim.deliver(sim.intent(Verb.PROMOTE, "pay-canary", Shape.PAIR)))
    assert (deeds[-1].state, deeds[-1].detail) == (DeedState.FAILED, "ProgressDeadlineExceeded")
    back = sim.run(sim.deliver(sim.intent(Verb.ROLL_BACK, "pay-canary", Shape.PAIR)))
    assert (back[-1].state, back[-1].effect) == (DeedState.DONE, Effect.REVERT)
    assert image(sim, "pay") == "registry/app:v1"
    assert sim.get("deployments", "pay-canary")["spec"]["replicas"] == 0


def test_a_pair_is_rolled_back_by_its_canary_alone(sim: Sim) -> None:
    sim.pair()
    deeds = sim.run(sim.deliver(sim.intent(Verb.ROLL_BACK, "pay-canary", Shape.PAIR)))
    assert (deeds[-1].state, deeds[-1].effect) == (DeedState.DONE, Effect.SCALE_DOWN)
    assert [path.rpartition("/")[2] for path, _body in sim.writer.sent] == ["pay-canary"]
    assert image(sim, "pay") == "registry/app:v1"


def test_a_finished_pair_is_undone_on_stable(sim: Sim) -> None:
    sim.pair()
    sim.run(sim.deliver(sim.intent(Verb.PROMOTE, "pay-canary", Shape.PAIR)))
    seen = Precondition(stable_hash=sim.hash("pay"))
    intent = sim.intent(Verb.ROLL_BACK, "pay-canary", Shape.PAIR, precondition=seen)
    deeds = sim.run(sim.deliver(intent))
    assert (deeds[-1].state, deeds[-1].effect) == (DeedState.DONE, Effect.UNDO)
    assert image(sim, "pay") == "registry/app:v1"


def test_a_pair_whose_stable_is_gone_is_refused(sim: Sim) -> None:
    sim.pair()
    intent = sim.intent(Verb.PROMOTE, "pay-canary", Shape.PAIR)
    sim.cluster.store.delete("deployments", "shop", "pay")
    assert sim.run(sim.deliver(intent))[-1].refusal is Refusal.GONE


@pytest.mark.parametrize("lost", [0, 1, 2])
def test_a_pair_promotion_survives_a_lost_answer_at_each_request(sim: Sim, lost: int) -> None:
    sim.pair()

    def lose(_path: str) -> None:
        raise OutcomeUnknown("no answer")

    sim.writer.after.extend([lambda _path: None] * lost + [lose])
    deeds = sim.run(sim.deliver(sim.intent(Verb.PROMOTE, "pay-canary", Shape.PAIR)))
    assert deeds[-1].state is DeedState.DONE
    assert len(sim.writer.sent) == 3


def test_a_paused_update_is_promoted_by_unpausing(sim: Sim) -> None:
    rolling(sim)
    deeds = sim.run(sim.deliver(sim.intent(Verb.PROMOTE, "pay", Shape.ROLLING)))
    assert (deeds[-1].state, deeds[-1].effect) == (DeedState.DONE, Effect.UNPAUSE)
    assert sim.get("deployments", "pay")["status"]["updatedReplicas"] == 4


def test_a_paused_update_is_reverted_in_one_patch(sim: Sim) -> None:
    rolling(sim)
    deeds = sim.run(sim.deliver(sim.intent(Verb.ROLL_BACK, "pay", Shape.ROLLING)))
    assert (deeds[-1].state, deeds[-1].effect) == (DeedState.DONE, Effect.REVERT)
    assert len(sim.writer.sent) == 1
    deployment = sim.get("deployments", "pay")
    assert image(sim, "pay") == "registry/app:v1"
    assert not deployment["spec"].get("paused")
    assert "pod-template-hash" not in deployment["spec"]["template"]["metadata"]["labels"]


def test_a_revert_keeps_the_annotations_of_others(sim: Sim) -> None:
    rolling(sim)
    sim.annotate("deployments", "pay", {"argocd.argoproj.io/tracking-id": "x"})
    sim.run(sim.deliver(sim.intent(Verb.ROLL_BACK, "pay", Shape.ROLLING)))
    assert sim.get("deployments", "pay")["metadata"]["annotations"]["argocd.argoproj.io/tracking-id"] == "x"


def test_a_revert_that_loses_the_race_looks_again(sim: Sim) -> None:
    rolling(sim)

    def touch(_path: str) -> None:
        meta = sim.get("deployments", "pay")["metadata"]
        sim.change("deployments", "pay", metadata={**meta, "labels": {"touched": "1"}})

    sim.writer.before.append(touch)
    deeds = sim.run(sim.deliver(sim.intent(Verb.ROLL_BACK, "pay", Shape.ROLLING)))
    assert deeds[-1].state is DeedState.DONE
    assert len(sim.writer.sent) == 2


def test_a_new_version_pushed_in_between_is_not_reverted(sim: Sim) -> None:
    rolling(sim)
    intent = sim.intent(Verb.ROLL_BACK, "pay", Shape.ROLLING)

    def push(_path: str) -> None:
        sim.change("deployments", "pay", spec={"paused": False})
        sim.set_image("deployments", "pay", "registry/app:v3")
        sim.cluster.pass_time(20)

    sim.writer.before.append(push)
    assert sim.run(sim.deliver(intent))[-1].refusal is Refusal.CHANGED
    assert image(sim, "pay") == "registry/app:v3"


def test_a_second_undo_goes_further_back_and_never_to_what_was_undone(sim: Sim) -> None:
    sim.deployment("pay")
    for version in ("v2", "v3"):
        sim.set_image("deployments", "pay", f"registry/app:{version}")
        sim.cluster.pass_time(60)
    for wanted in ("v2", "v1"):
        seen = Precondition(stable_hash=sim.hash("pay"))
        intent = sim.intent(Verb.ROLL_BACK, "pay", Shape.ROLLING, precondition=seen)
        assert sim.run(sim.deliver(intent))[-1].state is DeedState.DONE
        assert image(sim, "pay") == f"registry/app:{wanted}"
        sim.cluster.pass_time(60)


def test_a_first_revision_has_no_former_one(sim: Sim) -> None:
    sim.deployment("pay")
    seen = Precondition(stable_hash=sim.hash("pay"))
    intent = sim.intent(Verb.ROLL_BACK, "pay", Shape.ROLLING, precondition=seen)
    assert sim.run(sim.deliver(intent))[-1].refusal is Refusal.NO_FORMER


def test_an_unobserved_spec_is_not_touched(sim: Sim) -> None:
    rolling(sim)
    intent = sim.intent(Verb.PROMOTE, "pay", Shape.ROLLING)
    sim.change("deployments", "pay", spec={"minReadySeconds": 5})
    assert sim.run(sim.deliver(intent))[-1].refusal is Refusal.NOT_OBSERVED


def test_too_many_requests_are_waited_for_and_tried_again(sim: Sim) -> None:
    rolling(sim)

    def busy(_path: str) -> None:
        raise Unreachable("too many requests", retry_after=3.0)

    sim.writer.before.append(busy)
    deeds = sim.run(sim.deliver(sim.intent(Verb.PROMOTE, "pay", Shape.ROLLING)))
    assert deeds[-1].state is DeedState.DONE


def hold_everything(sim: Sim) -> None:
    """Switch our admission policy on for the namespace."""
    store = sim.cluster.store
    space = store.get("namespaces", None, "shop")
    labels = {**space["metadata"].get("labels", {}), "opsroom.dev/queue": "enabled"}
    store.replace("namespaces", {**space, "metadata": {**space["metadata"], "labels": labels}}, manager="test")
    selector = {"namespaceSelector": {"matchLabels": {"opsroom.dev/queue": "enabled"}}}
    binding = {"policyName": "opsroom-hold", "matchResources": selector}
    for resource, spec in (("mutatingadmissionpolicies", {}), ("mutatingadmissionpolicybindings", binding)):
        store.create(resource, {"metadata": {"name": "opsroom-hold"}, "spec": spec}, manager="test")


def operator(sim: Sim) -> None:
    """From now on a user who may patch Deployments and nothing else."""
    sim.auth.add("operator", "bob")
    rules = [
        {"apiGroups": ["apps"], "resources": ["deployments", "replicasets"], "verbs": ["get", "list", "patch"]},
    ]
    sim.cluster.store.create("clusterroles", {"metadata": {"name": "op"}, "rules": rules}, manager="test")
    binding = {
        "metadata": {"name": "op"},
        "roleRef": {"kind": "ClusterRole", "name": "op"},
        "subjects": [{"kind": "User", "name": "bob"}],
    }
    sim.cluster.store.create("clusterrolebindings", binding, manager="test")
    connection = sim.connect("operator")
    sim.reader, sim.writer.inner = Reader(connection), Writer(connection)


def test_our_own_hold_holds_the_pipeline_but_not_the_promotion_of_a_pair(sim: Sim) -> None:
    sim.pair()
    hold_everything(sim)
    path = "/apis/apps/v1/namespaces/shop/deployments/pay"
    body: dict[str, Any] = {"spec": {"template": {"metadata": {"annotations": {"a": "b"}}}}}
    sim.run(sim.writer.inner.patch(path, body))
    assert sim.get("deployments", "pay")["spec"]["paused"] is True
    body = {"metadata": {"annotations": {"opsroom.dev/queue": None}}, "spec": {"paused": False}}
    sim.run(sim.writer.inner.patch(path, body))
    sim.cluster.pass_time(60)
    deeds = sim.run(sim.deliver(sim.intent(Verb.PROMOTE, "pay-canary", Shape.PAIR)))
    assert deeds[-1].state is DeedState.DONE
    assert len(sim.writer.sent) == 3
    assert not sim.get("deployments", "pay")["spec"].get("paused")


@pytest.mark.parametrize("shape", [Shape.PAIR, Shape.ROLLING])
def test_a_person_without_the_right_to_pass_the_hold_releases_what_it_caught(sim: Sim, shape: Shape) -> None:
    if shape is Shape.PAIR:
        sim.pair()
    else:
        rolling(sim)
    hold_everything(sim)
    operator(sim)
    verb, name = (Verb.PROMOTE, "pay-canary") if shape is Shape.PAIR else (Verb.ROLL_BACK, "pay")
    deeds = sim.run(sim.deliver(sim.intent(verb, name, shape)))
    assert deeds[-1].state is DeedState.DONE
    deployment = sim.get("deployments", "pay")
    assert not deployment["spec"].get("paused")
    assert "opsroom.dev/queue" not in deployment["metadata"]["annotations"]
    assert image(sim, "pay") == (BAD if shape is Shape.PAIR else "registry/app:v1")


def test_the_canary_of_a_pair_is_held_at_no_pods_and_gets_them_back(sim: Sim) -> None:
    sim.pair()
    sim.change("deployments", "pay-canary", spec={"replicas": 3})
    sim.cluster.pass_time(20)
    held = sim.run(sim.deliver(sim.intent(Verb.HOLD, "pay-canary", Shape.PAIR, automatic=True, fencing=4)))
    assert held[-1].state is DeedState.DONE
    sim.cluster.pass_time(20)
    canary = sim.get("deployments", "pay-canary")
    assert canary["metadata"]["annotations"]["opsroom.dev/queue"] == "held"
    assert (canary["spec"]["replicas"], canary["status"].get("replicas", 0)) == (0, 0)

    released = sim.run(sim.deliver(sim.intent(Verb.RELEASE, "pay-canary", Shape.PAIR, automatic=True, fencing=4)))
    assert released[-1].state is DeedState.DONE
    sim.cluster.pass_time(20)
    canary = sim.get("deployments", "pay-canary")
    notes = canary["metadata"]["annotations"]
    assert canary["status"]["readyReplicas"] == 3
    assert not {"opsroom.dev/queue", "opsroom.dev/replicas"} & notes.keys()
    assert notes["opsroom.dev/by"] == "ada#4"


def held_at_admission(sim: Sim, image_: str = BAD) -> None:
    """``pay`` as the admission policy leaves it: paused, with a template of which nothing was made."""
    sim.deployment("pay")
    sim.change("deployments", "pay", spec={"paused": True})
    sim.annotate("deployments", "pay", {"opsroom.dev/queue": "held"})
    sim.set_image("deployments", "pay", image_)
    sim.cluster.pass_time(10)


def test_what_is_held_before_it_was_made_is_released_by_the_name_the_queue_knows(sim: Sim) -> None:
    held_at_admission(sim)
    admitted = sim.intent(Verb.RELEASE, "pay", Shape.ROLLING, automatic=True, fencing=4, precondition=Precondition())
    assert sim.run(sim.deliver(admitted))[-1].state is DeedState.DONE
    sim.cluster.pass_time(60)
    assert image(sim, "pay") == BAD
    assert sim.get("deployments", "pay")["status"]["updatedReplicas"] == 4


def test_a_pipeline_that_pauses_again_at_once_hides_no_release(sim: Sim) -> None:
    held_at_admission(sim)
    sim.writer.after.append(lambda _path: sim.change("deployments", "pay", spec={"paused": True}))
    release = sim.intent(Verb.RELEASE, "pay", Shape.ROLLING, precondition=Precondition())
    assert sim.run(sim.deliver(release))[-1].state is DeedState.DONE


@pytest.mark.parametrize("seen", ["", "the-version-before"])
def test_the_queue_releases_and_holds_only_the_version_that_it_saw(sim: Sim, seen: str) -> None:
    rolling(sim)
    other = Precondition(canary_hash=seen)
    hold = sim.intent(Verb.HOLD, "pay", Shape.ROLLING, automatic=True, fencing=4, precondition=other)
    sim.change("deployments", "pay", spec={"paused": False})
    assert sim.run(sim.deliver(hold))[-1].refusal is Refusal.CHANGED
    sim.annotate("deployments", "pay", {"opsroom.dev/queue": "held"})
    release = sim.intent(Verb.RELEASE, "pay", Shape.ROLLING, automatic=True, fencing=4, precondition=other)
    deed = sim.run(sim.deliver(release))[-1]
    assert (deed.refusal, deed.detail.partition(",")[0]) == (Refusal.CHANGED, "canary")
    assert sim.writer.sent == []


def test_the_canary_of_a_pair_is_not_released_as_another_version(sim: Sim) -> None:
    sim.pair()
    first = sim.intent(Verb.RELEASE, "pay-canary", Shape.PAIR, automatic=True, fencing=4)
    sim.run(sim.deliver(sim.intent(Verb.HOLD, "pay-canary", Shape.PAIR, automatic=True, fencing=4)))
    sim.set_image("deployments", "pay-canary", "registry/app:v3")
    sim.cluster.pass_time(5)
    assert sim.run(sim.deliver(first))[-1].refusal is Refusal.CHANGED
    assert sim.get("deployments", "pay-canary")["spec"]["replicas"] == 0
    by_hand = sim.intent(Verb.RELEASE, "pay-canary", Shape.PAIR, precondition=Precondition())
    assert sim.run(sim.deliver(by_hand))[-1].state is DeedState.DONE


def test_a_roll_back_of_what_waits_unmade_reverts_it_and_does_not_undo_stable(sim: Sim) -> None:
    held_at_admission(sim)
    back = sim.intent(Verb.ROLL_BACK, "pay", Shape.ROLLING, precondition=Precondition())
    deed = sim.run(sim.deliver(back))[-1]
    assert (deed.state, deed.effect) == (DeedState.DONE, Effect.REVERT)
    assert image(sim, "pay") == "registry/app:v1"


def refuse(sim: Sim, name: str, first: int, times: int) -> None:
    """The API server refuses each PATCH of ``name`` from the request number ``first`` on, ``times`` times."""
    seen: list[str] = []

    def hook(path: str) -> None:
        seen.append(path)
        if path.endswith(f"/{name}") and len(seen) > first and len(seen) <= first + times:
            raise NotPermitted("the quota is used up")

    sim.writer.before.extend([hook] * 30)


def test_a_promotion_whose_second_request_is_refused_leaves_nothing_and_locks_nobody_out(sim: Sim) -> None:
    sim.pair()
    refuse(sim, "pay", 1, TRIES)
    deed = sim.run(sim.deliver(sim.intent(Verb.PROMOTE, "pay-canary", Shape.PAIR)))[-1]
    assert (deed.state, deed.detail) == (DeedState.FAILED, "taken_back:the quota is used up")
    assert "opsroom.dev/promoting" not in sim.get("deployments", "pay-canary")["metadata"]["annotations"]
    assert image(sim, "pay") == "registry/app:v1"
    sim.cluster.pass_time(1)
    assert sim.run(sim.deliver(sim.intent(Verb.PROMOTE, "pay-canary", Shape.PAIR)))[-1].state is DeedState.DONE


def test_a_promotion_that_cannot_end_says_that_both_run_the_new_version_and_the_next_one_ends_it(sim: Sim) -> None:
    sim.pair()
    refuse(sim, "pay-canary", 2, TRIES)
    deed = sim.run(sim.deliver(sim.intent(Verb.PROMOTE, "pay-canary", Shape.PAIR)))[-1]
    assert (deed.state, deed.detail) == (DeedState.FAILED, "half_done:both_new:the quota is used up")
    assert image(sim, "pay") == BAD
    assert sim.get("deployments", "pay-canary")["spec"]["replicas"] == 1
    sim.cluster.pass_time(1)
    again = sim.run(sim.deliver(sim.intent(Verb.PROMOTE, "pay-canary", Shape.PAIR)))[-1]
    assert again.state is DeedState.DONE
    assert sim.get("deployments", "pay-canary")["spec"]["replicas"] == 0


def test_what_cannot_end_can_be_taken_back_as_a_whole(sim: Sim) -> None:
    sim.pair()
    refuse(sim, "pay-canary", 2, TRIES)
    assert sim.run(sim.deliver(sim.intent(Verb.PROMOTE, "pay-canary", Shape.PAIR)))[-1].state is DeedState.FAILED
    sim.cluster.pass_time(1)
    back = sim.run(sim.deliver(sim.intent(Verb.ROLL_BACK, "pay-canary", Shape.PAIR)))[-1]
    assert (back.state, back.effect) == (DeedState.DONE, Effect.REVERT)
    assert image(sim, "pay") == "registry/app:v1"
    assert sim.get("deployments", "pay-canary")["spec"]["replicas"] == 0


def test_a_second_request_that_loses_a_race_looks_again(sim: Sim) -> None:
    sim.pair()
    lost: list[str] = []

    def race(path: str) -> None:
        if path.endswith("/pay") and not lost:
            lost.append(path)
            sim.annotate("deployments", "pay", {"who": "an autoscaler"})

    sim.writer.before.extend([race] * 30)
    assert sim.run(sim.deliver(sim.intent(Verb.PROMOTE, "pay-canary", Shape.PAIR)))[-1].state is DeedState.DONE
    assert lost


def test_a_promotion_that_fails_locks_nobody_out(sim: Sim) -> None:
    sim.pair()
    sim.change("deployments", "pay", spec={"progressDeadlineSeconds": 20})
    sim.cluster.pass_time(5)
    sim.programs.sick.add(BAD)
    assert sim.run(sim.deliver(sim.intent(Verb.PROMOTE, "pay-canary", Shape.PAIR)))[-1].state is DeedState.FAILED
    sim.programs.sick.clear()
    sim.cluster.pass_time(1)
    again = sim.run(sim.deliver(sim.intent(Verb.PROMOTE, "pay-canary", Shape.PAIR)))[-1]
    assert again.refusal is not Refusal.BUSY
