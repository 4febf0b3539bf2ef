"""The simulated world: a cluster with its services, their traffic and its scrapes, one tick a second.

Made in its past (everything settled, with plausible ages) and then let go on the wall clock. Same seed, same
services, releases and qualities; only what people and workers do to it differs.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from opsroom.simulator.clock import Clock
from opsroom.simulator.controllers.changes import Key
from opsroom.simulator.controllers.cluster import Cluster
from opsroom.simulator.prometheus.scrape import Scraper
from opsroom.simulator.prometheus.tsdb import Tsdb
from opsroom.simulator.traffic.quality import Fault
from opsroom.simulator.traffic.service import Service, draw_service
from opsroom.simulator.traffic.traffic import Traffic
from opsroom.simulator.traffic.visibility import made_visible
from opsroom.simulator.world.canaries import PACE
from opsroom.simulator.world.catalog import Delivery, ServiceSpec, services
from opsroom.simulator.world.draws import key_number
from opsroom.simulator.world.gitops import GitOps
from opsroom.simulator.world.ground import OWN_NAMESPACE, lay_ground
from opsroom.simulator.world.holding import lay_hold, take_part
from opsroom.simulator.world.manifests import manifests
from opsroom.simulator.world.pipelines import Deployed, Pipelines
from opsroom.simulator.world.programs import TrafficPrograms
from opsroom.simulator.world.releases import WATCHED
from opsroom.simulator.world.shares import Shares
from opsroom.simulator.world.truth import TruthFile

AGE = 3600.0
_SETTLING = 60.0
_SHORTEST_MEMORY = 300.0  # seconds of samples kept where a thousand services and more fill the memory
_MORTAL = (Fault.CRASH_LOOP, Fault.LEAK)


class World:
    """Cluster, time series and traffic of one world; `tick` moves it on.

    `rate` is the rate of change in percent, `gates` the URL of what answers the gates of Canaries, `hold` puts the
    hold at admission in force, `wave` is how many releases come at once after a minute. Raises ValueError for a
    number of services out of range.
    """

    def __init__(
        self,
        seed: int,
        count: int,
        rate: float,
        now: float,
        truth: Path | None = None,
        gates: str = "",
        *,
        hold: bool = False,
        wave: int = 0,
    ) -> None:
        self.clock = Clock(now - AGE)
        self.tsdb = Tsdb(retention_seconds=max(_SHORTEST_MEMORY, min(2400.0, 240_000.0 / count)))
        self.scraper = Scraper(self.tsdb)
        self.traffic = Traffic(seed)
        self.services: list[ServiceSpec] = services(seed, count)
        self._programs = TrafficPrograms(self.traffic, self.clock)
        self.cluster = Cluster(self.clock, self._programs, seed, floor=PACE)
        self.store, self.loop = self.cluster.store, self.cluster.loop
        routed = (one for one in self.services if one.delivery is Delivery.ROUTED)
        named = frozenset((one.namespace, one.name) for one in routed)
        self.shares = Shares(self.store, named, self.cluster.flagger.mesh)
        self._pipelines = Pipelines(seed, self.services, rate, self.cluster)
        self._gitops = GitOps(self._pipelines.lines, self.store)
        self._models: dict[tuple[str, str], Service] = {}
        self._mortal: set[str] = set()
        self._truth = None if truth is None else TruthFile(truth)
        self._found(seed, gates)
        self.clock.move(now)
        if hold:
            lay_hold(self.store, OWN_NAMESPACE)
            take_part(self.store, (service.namespace for service in self.services))
        self._pipelines.begin(now, wave)

    def tick(self) -> None:
        """One second of the world: deploys, controllers, traffic, a scrape."""
        now = self.clock()
        for deployed in self._pipelines.run(now):
            self._learn(deployed)
        self._gitops.run(now)
        self.loop.run(now)
        pods = self.shares.pods()
        self.scraper.scrape(now, self.traffic.step(now, pods))
        for pod in pods:
            if pod.version in self._mortal:
                self.loop.touch(Key("pods", pod.namespace, pod.name))
        self.loop.run(now)

    def _found(self, seed: int, gates: str) -> None:
        """Make the services as they stood an hour ago, and let everything settle."""
        self.loop.quiet = self._programs.at_once = True
        lay_ground(self.store, (service.namespace for service in self.services))
        for line in self._pipelines.lines:
            service = line.service
            who = (service.namespace, service.name)
            model = draw_service(np.random.default_rng(key_number(seed, *who, "traffic")))
            self._models[who] = model
            self.traffic.add_service(*who, model)
            self.traffic.add_version(line.current.digest, line.current.quality)
            for resource, body in manifests(service, line.current, gates):
                self.store.create(resource, body)
        self.cluster.pass_time(_SETTLING)
        self.loop.quiet = self._programs.at_once = False

    def _learn(self, deployed: Deployed) -> None:
        """Tell the traffic of a new version before its first pod is ready, and the graders' file."""
        service, new = deployed.service, deployed.release
        who = (service.namespace, service.name)
        quality = made_visible(new.quality, self._models[who], WATCHED)
        self.traffic.add_version(new.digest, quality)
        if quality.fault in _MORTAL:
            self._mortal.add(new.digest)
        if self._truth is not None:
            self._truth.write(deployed, quality)
