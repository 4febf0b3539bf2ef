"""Metrics of both arms of every rollout, from Prometheus, step by step.

Each look asks one grouped query a metric and only for the newest steps; what was closed before stays in the ring.
Whatever goes wrong (nobody there, refused, slow, garbage, empty) becomes a sentence in ``states`` and gaps in the
arrays; no exception reaches the worker's loop.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable, Iterable, Mapping, Sequence

import httpx

from opsroom.clock import awake_or_not
from opsroom.domain.freshness import SourceState
from opsroom.domain.rollout import Rollout
from opsroom.errors import OpsroomError
from opsroom.kube.reader import Reader
from opsroom.sources.align import align
from opsroom.sources.aligned import Aligned, Look
from opsroom.sources.answers import Unusable
from opsroom.sources.asking import Address, Failed, RangeQueries, authorization
from opsroom.sources.discovery import Catalog, NoRequests, Official, Proxied, discover
from opsroom.sources.filling import fill, from_pods
from opsroom.sources.queries import RESTART_COUNT, Plan, Query
from opsroom.sources.ring import Ring
from opsroom.sources.troubles import RETRY, RETRY_MAX, Troubles

AT_ONCE = 4
"""Queries in flight; more only queue inside Prometheus."""

REFETCH = 2
"""Steps asked for again: their last samples may have come late."""

LATENESS = 5.0
REDISCOVER = 600.0
DISCOVERY = "discovery"
"""Name of the question what to ask for, beside those of the queries."""

DISCOVERY_RETRY_MAX = 6.0
"""Before the first plan nothing else is asked, so there is nothing to spare Prometheus from."""


class Metrics:
    """The metrics source. ``fetch`` once a tick; ``states`` whenever somebody looks."""

    def __init__(
        self,
        url: str,
        *,
        reader: Reader | None = None,
        namespaces: Iterable[str] = (),
        token: str = "",
        headers: Mapping[str, str] | None = None,
        preset: str = "",
        queries: Mapping[str, str] | None = None,
        scrape: float | None = None,
        lateness: float | None = None,
        seconds: float = 10.0,
        ca_file: str = "",
        client: tuple[str, str] | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
        catalog: Catalog | None = None,
        clock: Callable[[], float] = awake_or_not,
    ) -> None:
        """Nothing is sent yet.

        Args:
            url: base URL; ``kube:NAMESPACE/SERVICE:PORT`` goes through ``reader``'s API server.
            token: bearer token or ``USER:PASSWORD``, kept out of every ``repr``.
            preset, queries: see ``presets`` and ``queries``; both may be empty.
            scrape: seconds between two samples; None measures it.
            lateness: seconds a step stays open after its last scrape; None: as long as a scrape, at most 5 s.
            seconds: time limit of one query.
            client: (certificate file, key file).
            clock: seconds; ages, and what is asked again when, must not hang on a wall clock that somebody sets.
        """
        self._namespaces = tuple(namespaces)
        self._preset, self._custom, self._scrape, self._lateness = preset, dict(queries or {}), scrape, lateness
        self._address = Address(url.rstrip("/"), {**(headers or {}), **authorization(token)}, ca_file, client, seconds)
        self._reader = reader
        self._ranges = RangeQueries(self._address, reader, transport)
        self._catalog = catalog
        self._clock = clock
        self._plan: Plan | None = None
        self._plan_due = -math.inf
        self._ring: Ring | None = None
        self._at: float | None = None
        self._interval = 10.0
        self._troubles = Troubles(clock)
        self._lost = ""
        """The sentence, while all answers are empty that were not before."""
        self._some, self._some_now = False, False
        """Whether any series was ever answered, and in this look."""
        self._away: float | None = None
        """Set while no query is answered: when one may be asked again."""

    def __repr__(self) -> str:
        return f"Metrics({self._address.place!r})"

    async def aclose(self) -> None:
        """Close every socket."""
        await self._ranges.aclose()

    def states(self) -> tuple[SourceState, ...]:
        """One state: fresh only while every query is answered in full; ``detail`` names the preset.

        Dated by our clock. Its age is that of the question: an answer may have waited for us, and is never newer than
        what was asked.
        """
        preset = self._plan.preset if self._plan is not None else None
        return (
            SourceState(
                name="prometheus",
                interval=self._interval,
                at=self._at,
                error=self._troubles.said or self._lost,
                detail=preset.name if preset is not None else "custom" if self._plan is not None else "",
            ),
        )

    async def fetch(self, rollouts: Sequence[Rollout], look: Look) -> Aligned:
        """Ask for the steps that have closed since the last look, and align both arms of every canary."""
        now, step, asked = look.now, look.step, self._clock()
        self._interval = step
        if self._ring is None or (self._ring.step, self._ring.window) != (step, look.window):
            self._ring = Ring(step, look.window)
        ring = self._ring
        plan = await self._learn()
        if plan is None:
            ring.advance(math.floor((now - LATENESS) / step))
            return align(ring, rollouts, (), 0.0)
        late = min(LATENESS, plan.scrape) if self._lateness is None else self._lateness
        ring.advance(math.floor((now - plan.scrape - late) / step))
        queries = plan.queries(self._namespaces, step)
        await self._ask_all(ring, queries, asked)
        names = list(queries)
        if RESTART_COUNT not in queries:
            from_pods(ring, rollouts)
            names.append(RESTART_COUNT)
        by_service = plan.preset is not None and plan.preset.by_service
        services = look.services if by_service else None
        return align(ring, rollouts, names, plan.rate_window(step), services, look.idle)

    async def _learn(self) -> Plan | None:
        """The plan; made anew after a while, because exporters come and go. The old one serves until then."""
        if self._clock() < self._plan_due or self._troubles.resting(DISCOVERY):
            return self._plan
        try:
            async with asyncio.timeout(self._address.seconds * 2):
                self._plan_made(await discover(self._questions(), self._preset, self._custom, self._scrape))
        except NoRequests as error:
            fix = "Name your own under [prometheus.queries]"
            self._unlearned(f"Prometheus at {self._address.place} has no request metrics: {error}. {fix}")
        except TimeoutError:
            self._unlearned(self._address.slow())
        except OpsroomError as error:
            self._unlearned(str(error))
        except Exception as error:
            # The official client lets through whatever requests, urllib3 and json raise.
            self._unlearned(self._address.silent(error))
        return self._plan

    def _unlearned(self, sentence: str) -> None:
        longest = DISCOVERY_RETRY_MAX if self._plan is None else RETRY_MAX
        self._troubles.failed(DISCOVERY, sentence, longest)

    def _plan_made(self, plan: Plan) -> None:
        self._troubles.worked(DISCOVERY)
        if not plan.partial:
            self._plan, self._plan_due = plan, self._clock() + (REDISCOVER if plan.settled else RETRY)
            self._troubles.found(DISCOVERY, "")
            return
        self._plan_due = self._clock() + RETRY_MAX
        # A metric that an absent store has is no metric that does not exist: the plan of a better day knows more.
        if self._plan is None or self._troubles.partly(DISCOVERY):
            self._plan = plan
            self._troubles.found(DISCOVERY, self._address.partial("names of metrics", plan.partial))

    def _questions(self) -> Catalog:
        if self._catalog is None:
            if self._address.proxied and self._reader is not None:
                self._catalog = Proxied(self._reader, self._address.proxied)
            else:
                self._catalog = Official(self._address)
        return self._catalog

    async def _ask_all(self, ring: Ring, queries: Mapping[str, Query], asked: float) -> None:
        turns = asyncio.Semaphore(AT_ONCE)
        self._some_now = False

        async def ask(name: str, query: Query) -> bool:
            async with turns:
                return await self._ask(ring, name, query)

        self._troubles.keep((*queries, DISCOVERY))
        probe = next(iter(queries), "")
        if self._away is not None and not await self._back(ring, probe, queries):
            return
        known = {probe} if self._away is not None else set()
        worked = await asyncio.gather(*(ask(name, query) for name, query in queries.items() if name not in known))
        if all(worked) and self._troubles.whole:
            self._answered(asked)
        self._away = None if known or any(worked) or not queries else self._clock() + RETRY

    def _answered(self, asked: float) -> None:
        """Every query was answered in full. No series at all is news only where there never was one."""
        before, self._lost = self._lost, "" if self._some_now or not self._some else self._address.empty()
        if not self._lost:
            self._at = asked
        if before and not self._lost:
            self._troubles.wake((DISCOVERY,))

    async def _back(self, ring: Ring, name: str, queries: Mapping[str, Query]) -> bool:
        """Whether a Prometheus that answered nothing is there again: one question tells, and ends all rests."""
        if self._away is not None and self._clock() < self._away:
            return False
        self._troubles.wake((name,))
        if not await self._ask(ring, name, queries[name]):
            self._away = self._clock() + RETRY
            return False
        self._troubles.wake((*queries, DISCOVERY))
        return True

    async def _ask(self, ring: Ring, name: str, query: Query) -> bool:
        """Fill the ring with the answer to one query; False when there was none."""
        if self._troubles.resting(name):
            return False
        gap = ring.missing_since(name)
        newest = ring.end - REFETCH + 1
        first = newest if gap is None else max(ring.end - ring.window + 1, min(gap, newest))
        try:
            # The newest steps tell whether answers are whole again; the whole window each time would heal nothing.
            if not self._troubles.partly(name) or await self._fill(ring, name, query, newest):
                await self._fill(ring, name, query, first)
        except Failed as error:
            self._troubles.failed(name, str(error))
            return False
        except Unusable as error:
            self._troubles.failed(name, self._address.garbled(name, error))
            return False
        self._troubles.worked(name)
        return True

    async def _fill(self, ring: Ring, name: str, query: Query, first: int) -> bool:
        """Ask for the steps from ``first`` on; False when something may be missing in the answer.

        Raises:
            Failed, Unusable: there is no answer to use.
        """
        found = await self._ranges.ask(name, query.promql, first * ring.step, ring.end * ring.step, ring.step)
        fill(ring, name, query.factor, first, found)
        if any(one.metric.get("rs") for one in found.series):
            self._some = self._some_now = True
        self._troubles.found(name, self._address.partial(name, found.partial) if found.partial else "")
        return not found.partial
