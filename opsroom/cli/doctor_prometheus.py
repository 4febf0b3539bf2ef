"""What ``opsroom doctor`` asks Prometheus: whether it answers, which preset fits, and whether each query finds anybody.

The questions are those of the worker, asked once over one step; "finds anybody" means that a series bears the name of
a ReplicaSet that runs.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

from opsroom.cli.doctor_findings import Finding, fail, failed, ok, warn
from opsroom.config.secrets import token
from opsroom.config.settings import Settings
from opsroom.errors import OpsroomError
from opsroom.kube.reader import Reader
from opsroom.sources.asking import Address, Failed, RangeQueries, authorization
from opsroom.sources.discovery import Catalog, NoRequests, Official, Proxied, discover
from opsroom.sources.kinds import ReplicaSet
from opsroom.sources.presets import PRESETS, preset_named
from opsroom.sources.queries import Plan

STEP = 10.0
PRESET_NAMES = tuple(one.name for one in PRESETS)
Tell = Callable[[Finding], None]


async def prometheus_findings(settings: Settings, reader: Reader | None, tell: Tell) -> None:
    """Tell every finding as it comes; ``reader`` is needed for ``kube:`` addresses."""
    told = settings.prometheus
    if not told.url:
        fix = "Name one with --prometheus URL, or kube:NAMESPACE/SERVICE:PORT"
        tell(warn("prometheus", "none is configured: nothing can be scored", fix))
        return
    try:
        secret = await asyncio.to_thread(token, "prometheus")
    except OpsroomError as error:
        tell(failed("prometheus", error))
        return
    proof = authorization(secret.reveal()) if secret is not None else {}
    client = (told.client_cert, told.client_key) if told.client_cert else None
    address = Address(told.url.rstrip("/"), {**told.headers, **proof}, told.ca_file, client, told.timeout)
    plan = await _plan(settings, address, reader, tell)
    if plan is None:
        return
    running = await _running(settings, reader)
    asking = RangeQueries(address, reader)
    try:
        for name, query in plan.queries(settings.namespaces, STEP).items():
            tell(await _asked(asking, name, query.promql, plan, running))
    finally:
        await asking.aclose()


async def _plan(settings: Settings, address: Address, reader: Reader | None, tell: Tell) -> Plan | None:
    told = settings.prometheus
    try:
        async with asyncio.timeout(address.seconds * 2):
            proxied = address.proxied and reader is not None
            catalog: Catalog = Official(address)
            if proxied and reader is not None:
                catalog = Proxied(reader, address.proxied)
            fitting = [one.name for one in PRESETS if one.requests in await catalog.names()]
            plan = await discover(catalog, told.preset, told.queries)
    except NoRequests as error:
        tell(ok("prometheus", address.place))
        tell(_no_preset(told.preset, fitting, error))
    except TimeoutError:
        tell(fail("prometheus", address.slow(), "Raise prometheus.timeout, or look why it is slow"))
    except OpsroomError as error:
        tell(failed("prometheus", error))
    except Exception as error:
        # The official client lets through whatever requests, urllib3 and json raise.
        detail, _, fix = address.silent(error).partition(". ")
        tell(fail("prometheus", detail, fix))
    else:
        partial = address.partial("names of metrics", plan.partial) if plan.partial else ""
        tell(warn("prometheus", partial) if partial else ok("prometheus", address.place))
        tell(_preset(plan, fitting))
        return plan
    return None


def _preset(plan: Plan, fitting: list[str]) -> Finding:
    """Which preset is used, and which others would do."""
    every = f"scraped each {plan.scrape:g} s" if plan.settled else "too few samples yet to tell the scrape interval"
    if plan.preset is None:
        return ok("preset", f"own queries, {every}")
    name = plan.preset.name
    if name not in fitting:
        return fail("preset", f"{name} is set, and {plan.preset.requests} does not exist here", _instead(fitting))
    others = [one for one in fitting if one != name]
    also = f"; {', '.join(others)} would fit as well" if others else ""
    return ok("preset", f"{name}, {every}{also}")


def _no_preset(told: str, fitting: list[str], error: NoRequests) -> Finding:
    if told and preset_named(told) is None:
        return fail("preset", f"there is none called {told}; there are {', '.join(PRESET_NAMES)}", _instead(fitting))
    return fail("preset", f"no request metrics: {error}", "Name your own queries under [prometheus.queries]")


def _instead(fitting: list[str]) -> str:
    if fitting:
        return f'Leave prometheus.preset out, or set it to "{fitting[0]}"'
    return "Name your own queries under [prometheus.queries]"


async def _running(settings: Settings, reader: Reader | None) -> frozenset[str]:
    """Names of ReplicaSets; empty where they cannot be read (then any series counts)."""
    if reader is None:
        return frozenset()
    found: set[str] = set()
    for namespace in settings.namespaces or ("",):
        place = f"/namespaces/{namespace}" if namespace else ""
        try:
            listing = await reader.list_pages(f"/apis/apps/v1{place}/replicasets", ReplicaSet)
        except OpsroomError:
            continue
        found.update(one.metadata.name for one in listing.items)
    return frozenset(found)


async def _asked(asking: RangeQueries, name: str, promql: str, plan: Plan, running: frozenset[str]) -> Finding:
    end = time.time() // STEP * STEP
    try:
        found = await asking.ask(name, promql, end - 3 * STEP, end, STEP)
    except Failed as error:
        return fail(f"query {name}", str(error))
    if found.partial:
        fix = "Look at the stores behind it; until answers are whole nothing is promoted"
        return warn(f"query {name}", f"a partial answer: {found.partial}", fix)
    arms = {one.metric.get("rs", "") for one in found.series} - {""}
    by_service = plan.preset is not None and plan.preset.by_service
    known = arms if by_service or not running else arms & running
    if known:
        return ok(f"query {name}", f"{len(known)} {'services' if by_service else 'revisions'} with data")
    if arms:
        fix = "Its label for the pod is another one: write your own under [prometheus.queries]"
        return warn(f"query {name}", f"{len(arms)} series, none of a revision that runs here", fix)
    fix = f'Ask Prometheus itself, or write your own: prometheus.queries.{name} = "..."'
    return warn(f"query {name}", "no data for any rollout", fix)
