"""What the kubelet is told of the programs in the pods: how long they take to start, and how they fare."""

from __future__ import annotations

from opsroom.simulator.clock import Clock
from opsroom.simulator.controllers.kubelet import Container
from opsroom.simulator.controllers.objects import Obj, name_of, namespace_of, uid_of
from opsroom.simulator.traffic.traffic import Traffic

_FASTEST, _SLOWEST = 2.0, 5.0


class TrafficPrograms:
    """Reads the traffic model: a program that crashes there crashes for the kubelet."""

    def __init__(self, traffic: Traffic, clock: Clock) -> None:
        self._traffic = traffic
        self._clock = clock
        self.at_once = False  # all start together: for a past that nobody saw

    def start_seconds(self, pod: Obj) -> float:
        """Two to five seconds, by the pod's uid."""
        if self.at_once:
            return _FASTEST
        part = int(uid_of(pod).replace("-", "")[8:12], 16) / 0xFFFF
        return _FASTEST + (_SLOWEST - _FASTEST) * part

    def container(self, pod: Obj) -> Container:
        """Restarts, whether it runs, and what ended it, at this moment."""
        found = self._traffic.condition(namespace_of(pod), name_of(pod), self._clock())
        return Container(found.restarts, found.running, found.starved)
