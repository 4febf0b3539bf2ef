"""Metrics of both arms of every rollout, from Prometheus, step by step.

Each look asks one grouped query a metric and only for the newest steps; what was closed before stays in the ring.
Whatever goes wrong (nobody there, refused, slow, garbage, empty) becomes a sentence in ``states`` and gaps in the
arrays; no exception reaches the worker's loop.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Iterable, Mapping, Sequence

import httpx
import numpy as np

from opsroom.domain.freshness import SourceState
from opsroom.domain.rollout import Rollout
from opsroom.errors import OpsroomError
from opsroom.kube.reader import Reader
from opsroom.sources.align import Services, align
from opsroom.sources.aligned import Aligned
from opsroom.sources.answers import Found, Series, Unusable, points
from opsroom.sources.asking import Address, Failed, RangeQueries, authorization
from opsroom.sources.discovery import Catalog, NoRequests, Official, Proxied, discover
from opsroom.sources.queries import RESTART_COUNT, Plan, Query
from opsroom.sources.ring import Arm, Ring

AT_ONCE = 4
"""Queries in flight; more only queue inside Prometheus."""

REFETCH = 2
"""Steps asked for again: their last samples may have come late."""

LATENESS = 5.0
REDISCOVER = 600.0
RETRY = 2.0
RETRY_MAX = 30.0
"""Seconds of rest after a failure, doubled each time: an overloaded Prometheus must not be asked for more and more."""

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
        """
        self._namespaces = tuple(namespaces)
        self._preset, self._custom, self._scrape, self._lateness = preset, dict(queries or {}), scrape, lateness
        self._address = Address(url.rstrip("/"), {**(headers or {}), **authorization(token)}, ca_file, client, seconds)
        self._reader = reader
        self._ranges = RangeQueries(self._address, reader, transport)
        self._catalog = catalog
        self._plan: Plan | None = None
        self._plan_due = -math.inf
        self._ring: Ring | None = None
        self._at: float | None = None
        self._interval = 10.0
        self._errors: dict[str, str] = {}
        self._partial: dict[str, str] = {}
        """Of the queries whose last answer was not whole: the sentence."""
        self._lost = ""
        """The sentence, while all answers are empty that were not before."""
        self._some, self._some_now = False, False
        """Whether any series was ever answered, and in this look."""
        self._away: float | None = None
        """Set while no query is answered: when one may be asked again."""
        self._rests: dict[str, tuple[float, float]] = {}
        """Of what failed: (not before, seconds of the last rest)."""

    def __repr__(self) -> str:
        return f"Metrics({self._address.place!r})"

    async def aclose(self) -> None:
        """Close every socket."""
        await self._ranges.aclose()

    def states(self) -> tuple[SourceState, ...]:
        """One state: fresh only while every query is answered in full; ``detail`` names the preset.

        Its age is that of the question: an answer may have waited for us, and is never newer than what was asked.
        """
        preset = self._plan.preset if self._plan is not None else None
        return (
            SourceState(
                name="prometheus",
                interval=self._interval,
                at=self._at,
                error=next(iter((*self._errors.values(), *self._partial.values())), self._lost),
                detail=preset.name if preset is not None else "custom" if self._plan is not None else "",
            ),
        )

    async def fetch(
        self,
        rollouts: Sequence[Rollout],
        now: float,
        step: float,
        window: int,
        services: Services | None = None,
        idle: float = 1.0,
    ) -> Aligned:
        """Ask for the steps that have closed since the last look, and align both arms of every canary.

        ``now`` is epoch seconds, ``step`` seconds, ``window`` the number of steps in the result. ``services`` is
        asked only where a preset tells arms apart by Service. ``idle``: see ``sources.load``.
        """
        self._interval = step
        if self._ring is None or (self._ring.step, self._ring.window) != (step, window):
            self._ring = Ring(step, window)
        ring = self._ring
        plan = await self._learn(now)
        if plan is None:
            ring.advance(math.floor((now - LATENESS) / step))
            return align(ring, rollouts, (), 0.0)
        late = min(LATENESS, plan.scrape) if self._lateness is None else self._lateness
        ring.advance(math.floor((now - plan.scrape - late) / step))
        queries = plan.queries(self._namespaces, step)
        await self._ask_all(ring, queries, now)
        names = list(queries)
        if RESTART_COUNT not in queries:
            _from_pods(ring, rollouts)
            names.append(RESTART_COUNT)
        by_service = plan.preset is not None and plan.preset.by_service
        return align(ring, rollouts, names, plan.rate_window(step), services if by_service else None, idle)

    async def _learn(self, now: float) -> Plan | None:
        """The plan; made anew after a while, because exporters come and go. The old one serves until then."""
        if self._plan is not None and now < self._plan_due:
            return self._plan
        if self._resting("discovery", now):
            return self._plan
        try:
            async with asyncio.timeout(self._address.seconds * 2):
                self._plan_made(await discover(self._questions(), self._preset, self._custom, self._scrape), now)
        except NoRequests as error:
            fix = "Name your own under [prometheus.queries]"
            self._failed(
                "discovery", f"Prometheus at {self._address.place} has no request metrics: {error}. {fix}", now
            )
        except TimeoutError:
            self._failed("discovery", self._address.slow(), now)
        except OpsroomError as error:
            self._failed("discovery", str(error), now)
        except Exception as error:
            # The official client lets through whatever requests, urllib3 and json raise.
            self._failed("discovery", self._address.silent(error), now)
        return self._plan

    def _plan_made(self, plan: Plan, now: float) -> None:
        self._worked("discovery")
        if not plan.partial:
            self._plan, self._plan_due = plan, now + (REDISCOVER if plan.settled else RETRY)
            self._partial.pop("discovery", None)
            return
        self._plan_due = now + RETRY_MAX
        # A metric that an absent store has is no metric that does not exist: the plan of a better day knows more.
        if self._plan is None or "discovery" in self._partial:
            self._plan = plan
            self._partial["discovery"] = self._address.partial("names of metrics", plan.partial)

    def _questions(self) -> Catalog:
        if self._catalog is None:
            if self._address.proxied and self._reader is not None:
                self._catalog = Proxied(self._reader, self._address.proxied)
            else:
                self._catalog = Official(self._address)
        return self._catalog

    async def _ask_all(self, ring: Ring, queries: Mapping[str, Query], now: float) -> None:
        turns = asyncio.Semaphore(AT_ONCE)
        self._some_now = False

        async def ask(name: str, query: Query) -> bool:
            async with turns:
                return await self._ask(ring, name, query, now)

        # Errors of queries that are asked no more would stand for ever.
        self._errors = {name: error for name, error in self._errors.items() if name in queries or name == "discovery"}
        self._partial = {name: error for name, error in self._partial.items() if name in queries or name == "discovery"}
        probe = next(iter(queries), "")
        if self._away is not None and not await self._back(ring, probe, queries[probe], now):
            return
        known = {probe} if self._away is not None else set()
        worked = await asyncio.gather(*(ask(name, query) for name, query in queries.items() if name not in known))
        if all(worked) and not self._partial:
            self._answered(now)
        self._away = None if known or any(worked) or not queries else now + RETRY

    def _answered(self, asked: float) -> None:
        """Every query was answered in full. No series at all is news only where there never was one."""
        self._lost = "" if self._some_now or not self._some else self._address.empty()
        if not self._lost:
            self._at = asked

    async def _back(self, ring: Ring, name: str, query: Query, now: float) -> bool:
        """Whether a Prometheus that answered nothing is there again: one question tells, and ends all rests."""
        if self._away is not None and self._away - RETRY <= now < self._away:
            return False
        self._rests.pop(name, None)
        if not await self._ask(ring, name, query, now):
            self._away = now + RETRY
            return False
        self._rests = {name: rest for name, rest in self._rests.items() if name == "discovery"}
        return True

    async def _ask(self, ring: Ring, name: str, query: Query, now: float) -> bool:
        """Fill the ring with the answer to one query; False when there was none."""
        if self._resting(name, now):
            return False
        gap = ring.missing_since(name)
        newest = ring.end - REFETCH + 1
        first = newest if gap is None else max(ring.end - ring.window + 1, min(gap, newest))
        try:
            # The newest steps tell whether answers are whole again; the whole window each time would heal nothing.
            if name not in self._partial or await self._fill(ring, name, query, newest):
                await self._fill(ring, name, query, first)
        except Failed as error:
            self._failed(name, str(error), now)
            return False
        except Unusable as error:
            self._failed(name, self._address.garbled(name, error), now)
            return False
        self._worked(name)
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
        if found.partial:
            self._partial[name] = self._address.partial(name, found.partial)
        else:
            self._partial.pop(name, None)
        return not found.partial

    def _resting(self, name: str, now: float) -> bool:
        left = self._rests.get(name, (-math.inf, 0.0))[0] - now
        # More than any rest is left only where the clock was set back.
        return 0.0 < left <= RETRY_MAX

    def _failed(self, name: str, sentence: str, now: float) -> None:
        self._errors[name] = sentence
        longest = DISCOVERY_RETRY_MAX if name == "discovery" and self._plan is None else RETRY_MAX
        rest = min(longest, self._rests.get(name, (0.0, RETRY / 2))[1] * 2)
        self._rests[name] = (now + rest, rest)

    def _worked(self, name: str) -> None:
        self._errors.pop(name, None)
        self._rests.pop(name, None)


def fill(ring: Ring, name: str, factor: float, first: int, answer: Found) -> None:
    """Store one answer for the steps from ``first`` on.

    Raises:
        Unusable: its values are no numbers.
    """
    series = [one for one in answer.series if one.metric.get("rs")]
    lengths, values = points(series)
    values[:, 1] *= factor
    ring.fill(name, first, ring.end, [_arm(one) for one in series], lengths, values, whole=not answer.partial)


def _arm(series: Series) -> Arm:
    namespace = next((value for label, value in series.metric.items() if label != "rs"), "")
    return namespace, series.metric["rs"]


def _from_pods(ring: Ring, rollouts: Sequence[Rollout]) -> None:
    """Restarts as the pods' own status tells them, where Prometheus does not know."""
    counted: dict[Arm, float] = {}
    for rollout in rollouts:
        for revision in (rollout.stable, rollout.canary):
            if revision is not None and revision.replica_set:
                counted[rollout.namespace, revision.replica_set] = float(revision.restarts)
    if counted:
        ring.put(RESTART_COUNT, list(counted), np.array(list(counted.values())), 1)
