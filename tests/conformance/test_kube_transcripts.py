"""Every request that a real kube-apiserver 1.36 was asked, asked again, and the answers compared.

`data/kube-1.36.jsonl` holds request and answer pairs in the order they were made. They are replayed once, in that
order, against the server under test; each pair is then one test. What must differ from run to run (uids,
resourceVersions, times, generated names) is made equal on both sides first; everything else must be the same, but
for the differences that are named here with their reason.
"""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.conformance.conftest import ApiServerUnderTest

DATA = Path(__file__).parent / "data" / "kube-1.36.jsonl"
RECORDED_NAMESPACE = "shop"
WATCH_SECONDS = {"watch-from-rv": 3}  # long enough for a bookmark, which comes two seconds before the end
NAMES_ANOTHER = {"pods-2"}  # its one item is the first by name, and names are generated

NEEDS_A_HAND_INSIDE = {
    "argo-resources": "depends on the installed CRD",
    "flagger-resources": "depends on the installed CRD",
    "forbidden": "needs a user without rights",
    "ssar-denied": "needs a user without rights",
    "ssrr": "needs a user without rights",
    "selfsubjectreview": "needs a known user",
    "tokenreview": "needs a known token",
    "no-token": "anonymous access may be off",
    "service-proxy-no-endpoints": "needs a user without rights",
    "evict-pending": "pods leave Pending where there is a kubelet",
    "evict-blocked": "pods leave Pending where there is a kubelet",
    "pod-log-no-kubelet": "pods leave Pending where there is a kubelet",
    "pods": "pods leave Pending where there is a kubelet",
    "pods-2": "pods leave Pending where there is a kubelet",
    "pdb-get": "pods leave Pending where there is a kubelet",
    "events-list": "other controllers write events too",
    "list-storage-initializing": "needs a CRD installed a moment ago",
}


@dataclass(frozen=True)
class Pair:
    """One recorded request and its answer."""

    name: str
    why: str
    request: dict[str, Any]
    response: dict[str, Any]


@dataclass
class Answer:
    """What the server under test answered."""

    status: int
    headers: dict[str, str]
    body: Any = None
    lines: list[Any] = field(default_factory=list)


PAIRS = [Pair(**json.loads(line)) for line in DATA.read_text(encoding="utf-8").splitlines()]


class Replay:
    """Replays the pairs, learning what the recorded uids, versions and generated names are called this time."""

    def __init__(self, server: ApiServerUnderTest) -> None:
        self.server = server
        self.known: dict[str, str] = {}
        self.answers: dict[str, Answer] = {}
        self.http = server.client()

    def run(self) -> None:
        for pair in PAIRS:
            if self.not_applicable(pair):
                continue
            if (prepare := getattr(self, "before_" + pair.name.replace("-", "_"), None)) is not None:
                prepare()
            answer = self.answers[pair.name] = self._ask(pair)
            if pair.name in NAMES_ANOTHER:
                continue
            learn(pair.response.get("body"), answer.body, self.known)
            for old, new in zip(pair.response.get("lines", ()), answer.lines, strict=False):
                learn(old["line"], new, self.known)
        if not self.server.real:
            self.server.inside(lambda store: store.initializing.clear())

    def not_applicable(self, pair: Pair) -> str:
        """Why this pair cannot be asked of this server; empty when it can."""
        if not self.server.real:
            return ""
        for group in ("argoproj.io/v1alpha1", "flagger.app/v1beta1"):
            if f"/{group}/" in pair.request["path"] and not self.server.serves(group):
                return f"{group} is not installed"
        return NEEDS_A_HAND_INSIDE.get(pair.name, "")

    def before_watch_from_rv(self) -> None:
        """The recording changed two objects while the watch was open."""
        path = f"/apis/argoproj.io/v1alpha1/namespaces/{self.server.namespace}/rollouts"
        merge = "application/merge-patch+json"

        def change() -> None:
            with self.server.client() as http:
                time.sleep(0.2)
                for patch in ({"spec": {"paused": True}}, {"metadata": {"labels": {"team": "search"}}}):
                    headers = {**self.headers("ADMIN"), "content-type": merge}
                    http.patch(f"{path}/svc-0", headers=headers, json=patch).raise_for_status()
                http.delete(f"{path}/svc-6", headers=self.headers("ADMIN")).raise_for_status()

        threading.Thread(target=change, daemon=True).start()

    def before_deployment_set_image(self) -> None:
        self.until_deployment(lambda status: status.get("updatedReplicas") == 2)

    def before_deployment_pause(self) -> None:
        self.until_deployment(lambda status: status.get("updatedReplicas") == 1 and status.get("replicas") == 3)

    def before_replicasets(self) -> None:
        self.until_deployment(lambda status: status.get("observedGeneration") == 3)

    def before_evict_blocked(self) -> None:
        """The recording had made the pod run before it was evicted in earnest."""
        name = next(new for old, new in self.known.items() if old == "cart-57489d9888-f9c8l")
        ready = {"type": "Ready", "status": "True", "lastTransitionTime": "2026-01-01T00:00:00Z"}
        status = {"phase": "Running", "conditions": [ready]}
        self.server.inside(
            lambda store: store.merge("pods", self.server.namespace, name, {"status": status}, subresource="status")
        )

    def before_list_storage_initializing(self) -> None:
        self.server.inside(lambda store: store.initializing.add("rollouts"))

    def until_deployment(self, holds: Callable[[dict[str, Any]], bool]) -> None:
        path = f"/apis/apps/v1/namespaces/{self.server.namespace}/deployments/cart"
        for _ in range(500):
            body = self.http.get(path, headers=self.headers("ADMIN")).json()
            if holds(body.get("status", {})):
                return
            time.sleep(0.02)
        pytest.fail(f"the Deployment controller did not get there: {body.get('status')}")

    def headers(self, who: str) -> dict[str, str]:
        return {**self.server.headers(who), "user-agent": "python-httpx/0.28"}

    def _ask(self, pair: Pair) -> Answer:
        request = pair.request
        headers = {key: value for key, value in request["headers"].items() if value and key != "authorization"}
        who = request["headers"].get("authorization")
        headers |= self.headers(who.removeprefix("Bearer ")) if who else {}
        path = self.renamed(request["path"].replace(f"/{RECORDED_NAMESPACE}/", f"/{self.server.namespace}/"))
        if "watch=1" in path:
            seconds = WATCH_SECONDS.get(pair.name, 1)
            path = re.sub(r"timeoutSeconds=\d+", f"timeoutSeconds={seconds}", path)
        body = request["body"]
        content = b""
        if body is not None:
            content = body.encode() if isinstance(body, str) else json.dumps(self.translated(body)).encode()
        with self.http.stream(request["method"], path, headers=headers, content=content) as response:
            raw = response.read()
        answer = Answer(response.status_code, dict(response.headers))
        if "watch=1" in path:
            answer.lines = [json.loads(line) for line in raw.splitlines() if line.strip()]
        else:
            is_json = response.headers.get("content-type", "").startswith("application/json")
            answer.body = json.loads(raw) if is_json else raw.decode()
        return answer

    def renamed(self, text: str) -> str:
        for old in sorted(self.known, key=len, reverse=True):
            if old in text:
                text = re.sub(rf"(?<![\w-]){re.escape(old)}(?![\w-])", self.known[old], text)
        return text

    def translated(self, value: Any, name: str = "") -> Any:
        if isinstance(value, dict):
            return {key: self.translated(below, key) for key, below in value.items()}
        if isinstance(value, list):
            return [self.translated(item) for item in value]
        if value == RECORDED_NAMESPACE and name in ("namespace", "name"):
            return self.server.namespace
        if isinstance(value, str) and name in ("uid", "resourceVersion", "name"):
            return self.known.get(value, value)
        return value


def learn(recorded: Any, live: Any, known: dict[str, str]) -> None:
    """Walk two bodies side by side and note what recorded identities are called in the live one."""
    if isinstance(recorded, dict) and isinstance(live, dict):
        for key, value in recorded.items():
            other = live.get(key)
            identity = key in ("uid", "resourceVersion", "continue", "pod-template-hash")
            generated = key == "name" and isinstance(value, str) and GENERATED.search(value) is not None
            if (
                (identity or generated)
                and isinstance(value, str)
                and isinstance(other, str)
                and value not in ("", other)
            ):
                known[value] = other
            elif key == "items" and isinstance(other, list):
                for one, another in zip(sorted(value, key=owner), sorted(other, key=owner), strict=False):
                    learn(one, another, known)
            else:
                learn(value, other, known)


def owner(item: Any) -> str:
    """Sorts items whose names are generated: by what is the same each time."""
    meta = item.get("metadata", {})
    annotations = meta.get("annotations", {})
    image = re.search(r'"image": "([^"]*)"', json.dumps(item.get("spec", {})))
    revision = annotations.get("deployment.kubernetes.io/revision", "")
    return f"{revision} {image and image[1]} {'' if revision or image else meta.get('name')}"


TIME = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$")
GENERATED = re.compile(r"\bcart-[bcdf0-9a-z]{6,10}(-[a-z0-9]{5})?(\.[0-9a-f]{16,17})?\b|\bcheckout-[a-z0-9]{5}\b")


def sortable(value: Any) -> str:
    return json.dumps(value, sort_keys=True)


class Levelled:
    """Makes recorded and live values comparable."""

    def __init__(self, namespace: str) -> None:
        self.namespace = namespace

    def value(self, value: Any, name: str = "") -> Any:
        if isinstance(value, dict):
            levelled = {self.text(key): self.value(below, key) for key, below in value.items() if key not in IGNORED}
            if levelled.get("managedFields") == []:
                del levelled["managedFields"]
            return levelled
        if isinstance(value, list) and name == "managedFields":
            entries = [self.value(one) for one in value if one["manager"] != "kube-controller-manager"]
            return sorted(entries, key=sortable)
        if isinstance(value, list):
            items = [self.value(item, name) for item in value]
            return sorted(items, key=sortable) if name in UNORDERED else items
        if not isinstance(value, str):
            return value
        if name in PER_RUN:
            return name if value else ""
        if TIME.match(value) and name not in SENT_TIMES:
            return "TIME"
        if name == "message":
            value = re.sub(r"^(too old resource version: \d+) \(\d+\)$", r"\1 (COMPACTED)", value)
        if name == "cells" and re.fullmatch(r"\d+s", value):
            return "AGE"
        return self.text(value)

    def text(self, text: str) -> str:
        if text == self.namespace:
            return RECORDED_NAMESPACE
        text = text.replace(f'"{self.namespace}"', f'"{RECORDED_NAMESPACE}"')
        text = re.sub(r'"uid\\?":\\?"[0-9a-f-]{36}', '"uid":"UID', text)
        return GENERATED.sub(lambda found: "cart-" + "GENERATED" + ("-POD" if found[1] else ""), text)


def differences(got: Any, wanted: Any, path: str = "") -> list[str]:
    """Where two values differ, one line a place."""
    if isinstance(got, dict) and isinstance(wanted, dict):
        found = []
        for key in sorted(got.keys() | wanted.keys()):
            found += differences(got.get(key, "absent"), wanted.get(key, "absent"), f"{path}.{key}")
        return found
    if isinstance(got, list) and isinstance(wanted, list) and len(got) == len(wanted):
        return [
            line
            for number, (one, other) in enumerate(zip(got, wanted, strict=True))
            for line in differences(one, other, f"{path}[{number}]")
        ]
    return [] if got == wanted else [f"{path}: got {got!r}, wanted {wanted!r}"]


PER_RUN = {"uid", "resourceVersion", "continue", "pod-template-hash", "generateName", "remainingItemCount"}
UNORDERED = {"items", "rows", "conditions"}
SENT_TIMES = {"acquireTime", "renewTime", "eventTime"}
IGNORED = {
    "time",  # of managedFields
    "storageVersionHash",  # of etcd; nothing is stored here
    "volumes",  # the next five are put into pods by admission plugins that the simulator does not have
    "volumeMounts",
    "tolerations",
    "priority",
    "preemptionPolicy",
}


@pytest.fixture(scope="module")
def replay(api_server: ApiServerUnderTest) -> Replay:
    player = Replay(api_server)
    with player.http:
        player.run()
    return player


DISCOVERY = {"version", "api-groups", "argo-resources", "flagger-resources", "aggregated-discovery"}
COMPARED = [pair for pair in PAIRS if pair.name not in DISCOVERY]


def live_answer(replay: Replay, pair: Pair) -> Answer:
    if why := replay.not_applicable(pair):
        pytest.skip(f"not applicable to a real cluster: {why}")
    return replay.answers[pair.name]


@pytest.mark.parametrize("pair", PAIRS, ids=lambda pair: pair.name)
def test_status_and_headers_are_those_of_a_real_server(replay: Replay, pair: Pair) -> None:
    answer = live_answer(replay, pair)
    assert answer.status == pair.response["status"]
    for name in ("content-type", "warning", "retry-after"):
        assert answer.headers.get(name) == pair.response["headers"].get(name), name


@pytest.mark.parametrize("pair", COMPARED, ids=lambda pair: pair.name)
def test_the_answer_is_that_of_a_real_server(replay: Replay, pair: Pair) -> None:
    answer = live_answer(replay, pair)
    recorded, live = Levelled(RECORDED_NAMESPACE), Levelled(replay.server.namespace)
    if "lines" in pair.response:
        wanted = in_order([recorded.value(line["line"]) for line in pair.response["lines"]])
        got = in_order([live.value(line) for line in answer.lines])
    else:
        got, wanted = live.value(answer.body), recorded.value(pair.response["body"])
    if replay.server.real and "lines" in pair.response:
        got, wanted = course(got), course(wanted)
    excused = EXCUSED[pair.name][0] if pair.name in EXCUSED else None
    found = [line for line in differences(got, wanted) if excused is None or not line.startswith(excused)]
    if replay.server.real:
        found = [line for line in found if not CONTROLLED.search(line.partition(": got")[0])]
    assert not found, "\n".join(found)


# What controllers of a real cluster write into the same objects while the pairs are replayed.
CONTROLLED = re.compile(r"\.(status|annotations|managedFields|generation|cells|labels\.[\w.-]*hash)")


def course(lines: list[Any]) -> list[Any]:
    """What came and went, without the changes in between: in a real cluster controllers make some of their own."""
    steps = [(line.get("type"), line.get("object", {}).get("metadata", {}).get("name")) for line in lines]
    return [step for step in steps if step[0] != "MODIFIED"]


def in_order(lines: list[Any]) -> list[Any]:
    """Changes in their order, then the bookmarks: when those come is the server's own affair."""
    return sorted(lines, key=lambda line: line.get("type") == "BOOKMARK")


EXCUSED = {
    "ssrr": (".status.nonResourceRules", "the recorded server is a fork that opens /.well-known to everybody"),
    "deployment-after": (".status", "the recording caught the controller one step behind"),
    "pods-2": (".items[0].spec.containers[0].image", "which pod is the first by name differs"),
}


def served_here(replay: Replay, name: str) -> tuple[Any, Any]:
    pair = next(pair for pair in PAIRS if pair.name == name)
    return live_answer(replay, pair).body, pair.response["body"]


def test_the_version_has_every_field_of_a_real_one(replay: Replay) -> None:
    got, wanted = served_here(replay, "version")
    assert got.keys() == wanted.keys()
    if not replay.server.real:
        assert (got["major"], got["minor"]) == (wanted["major"], wanted["minor"])


def test_groups_are_listed_as_a_real_server_lists_them(replay: Replay) -> None:
    got, wanted = served_here(replay, "api-groups")
    recorded = {group["name"]: group for group in wanted["groups"]}
    ours = {group["name"]: group for group in got["groups"]}
    assert {"apps", "argoproj.io", "flagger.app", "policy", "coordination.k8s.io"} <= ours.keys()
    for name in ours.keys() & recorded.keys():
        # Of a group's versions only the preferred one is served here.
        assert ours[name]["preferredVersion"] == recorded[name]["preferredVersion"]
        assert ours[name]["versions"][0] == recorded[name]["versions"][0]


@pytest.mark.parametrize("name", ["argo-resources", "flagger-resources"])
def test_resources_of_custom_groups_are_those_of_their_crds(replay: Replay, name: str) -> None:
    got, wanted = served_here(replay, name)

    def rows(body: Any) -> dict[str, Any]:
        return {
            row["name"]: {**row, "verbs": sorted(row["verbs"]), "storageVersionHash": ""} for row in body["resources"]
        }

    assert rows(got) == rows(wanted)


def test_aggregated_discovery_describes_what_is_served_as_a_real_server_does(replay: Replay) -> None:
    got, wanted = served_here(replay, "aggregated-discovery")
    if replay.server.real:
        assert got["kind"] == wanted["kind"]
        return

    def rows(body: Any) -> dict[tuple[str, str], Any]:
        found = {}
        for group in body["items"]:
            for version in group["versions"]:
                for row in version["resources"]:
                    name = group["metadata"]["name"]
                    found[name, row["resource"]] = {
                        **row,
                        "subresources": {below["subresource"]: below for below in row.get("subresources", ())},
                        "verbs": sorted(row["verbs"]),
                        "version": version["version"] if name != "autoscaling" else "",
                    }
        return found

    ours, recorded = rows(got), rows(wanted)
    assert ours.keys() <= recorded.keys()
    assert differences(list(ours.values()), [recorded[key] for key in ours]) == []
