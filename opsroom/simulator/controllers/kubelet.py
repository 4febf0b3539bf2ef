"""The simulated kubelet: a pod gets a node and an address, starts within seconds, may crash and come back.

How long a start takes and how the program fares is asked of `Programs`, which the world answers; this module does
not know why a program ends. Deleted pods are simply gone (no grace).
Field shapes: core/v1 PodStatus, checked against a real API server 1.36.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from opsroom.simulator.clock import moment, stamp
from opsroom.simulator.controllers.changes import Change, Merge, Note, Status, Wake, key_of
from opsroom.simulator.controllers.objects import Obj, name_of, status_of, uid_of

COMPONENT = "kubelet"
NODES = 12


def node_name(number: int) -> str:
    """The `number`-th node, from 0 to `NODES` - 1."""
    return f"node-{number + 1:02d}"


@dataclass(frozen=True, slots=True)
class Container:
    """How a pod's program fares: how often it ended, whether it runs now, and whether it was killed for its memory."""

    restarts: int = 0
    running: bool = True
    starved: bool = False


class Programs(Protocol):
    """What the kubelet must know of the programs in the pods."""

    def start_seconds(self, pod: Obj) -> float:
        """Seconds from the pod's creation until it is Ready."""
        ...

    def container(self, pod: Obj) -> Container:
        """The state of the pod's program now; only asked once it was started."""
        ...


def reconcile_pod(pod: Obj, programs: Programs, now: float) -> list[Change]:
    """The pod's next state, and when to look again. `now` is unix seconds."""
    status = status_of(pod)
    if not status.get("containerStatuses"):
        return _place(pod, programs, now)
    container = status["containerStatuses"][0]
    if container["state"].get("waiting", {}).get("reason") == "ContainerCreating":
        when = moment(pod["metadata"]["creationTimestamp"]) + programs.start_seconds(pod)
        return [Wake(when)] if now < when else _run(pod, container, now)
    program = programs.container(pod)
    if program.restarts > int(container["restartCount"]):
        crashed = _crashed(pod, container, program, now)
        return _run(pod, crashed, now) if program.running else _back_off(pod, crashed, now)
    if program.running and not container["ready"]:
        return _run(pod, container, now)
    return []


def _place(pod: Obj, programs: Programs, now: float) -> list[Change]:
    number = int(uid_of(pod).replace("-", "")[:8], 16)
    node = node_name(number % NODES)
    spec = pod["spec"]["containers"][0]
    status: Obj = {
        **_phase("Pending", ready=False, pod=pod, now=now),
        "hostIP": f"10.0.1.{number % NODES + 10}",
        "podIP": f"10.{64 + number % 60}.{number // 60 % 250}.{number // 15000 % 250 + 2}",
        "startTime": stamp(now),
        "containerStatuses": [
            {
                "name": spec["name"],
                "image": spec["image"],
                "imageID": "",
                "ready": False,
                "started": False,
                "restartCount": 0,
                "state": {"waiting": {"reason": "ContainerCreating"}},
                "lastState": {},
            }
        ],
        "qosClass": "Burstable",
    }
    where = f"Successfully assigned {pod['metadata']['namespace']}/{name_of(pod)} to {node}"
    return [
        Merge(key_of("pods", pod), {"spec": {"nodeName": node}}),
        Status(key_of("pods", pod), status),
        Note(pod, "default-scheduler", "Normal", "Scheduled", where),
        Wake(moment(pod["metadata"]["creationTimestamp"]) + programs.start_seconds(pod)),
    ]


def _run(pod: Obj, container: Obj, now: float) -> list[Change]:
    running = {
        **container,
        "ready": True,
        "started": True,
        "imageID": str(container["image"]),
        "containerID": f"containerd://{uid_of(pod).replace('-', '')}{int(container['restartCount']):032x}",
        "state": {"running": {"startedAt": stamp(now)}},
    }
    what = f"Started container {container['name']}"
    return [_write(pod, running, ready=True, now=now), Note(pod, COMPONENT, "Normal", "Started", what)]


def _crashed(pod: Obj, container: Obj, program: Container, now: float) -> Obj:
    began = container["state"].get("running", {}).get("startedAt") or pod["metadata"]["creationTimestamp"]
    why = {"exitCode": 137, "reason": "OOMKilled"} if program.starved else {"exitCode": 1, "reason": "Error"}
    ended = {**why, "startedAt": began, "finishedAt": stamp(now)}
    return {**container, "restartCount": program.restarts, "lastState": {"terminated": ended}}


def _back_off(pod: Obj, container: Obj, now: float) -> list[Change]:
    text = f"back-off restarting failed container={container['name']} pod={name_of(pod)}"
    down = {
        **container,
        "ready": False,
        "started": False,
        "state": {"waiting": {"reason": "CrashLoopBackOff", "message": text}},
    }
    note = f"Back-off restarting failed container {container['name']} in pod {name_of(pod)}"
    return [_write(pod, down, ready=False, now=now), Note(pod, COMPONENT, "Warning", "BackOff", note)]


def _write(pod: Obj, container: Obj, *, ready: bool, now: float) -> Status:
    kept = {key: value for key, value in status_of(pod).items() if key not in ("phase", "conditions")}
    status = {**kept, **_phase("Running", ready=ready, pod=pod, now=now), "containerStatuses": [container]}
    return Status(key_of("pods", pod), status)


def _phase(phase: str, *, ready: bool, pod: Obj, now: float) -> Obj:
    before = {one["type"]: one for one in status_of(pod).get("conditions") or ()}
    wanted = (
        ("PodReadyToStartContainers", True),
        ("Initialized", True),
        ("Ready", ready),
        ("ContainersReady", ready),
        ("PodScheduled", True),
    )
    conditions: list[Obj] = []
    for kind, holds in wanted:
        word = "True" if holds else "False"
        moved = stamp(now)
        if kind in before and before[kind]["status"] == word:
            moved = str(before[kind]["lastTransitionTime"])
        entry: Obj = {"type": kind, "status": word, "lastProbeTime": None, "lastTransitionTime": moved}
        if not holds:
            unready = f"containers with unready status: [{pod['spec']['containers'][0]['name']}]"
            entry |= {"reason": "ContainersNotReady", "message": unready}
        conditions.append(entry)
    return {"phase": phase, "conditions": conditions}
