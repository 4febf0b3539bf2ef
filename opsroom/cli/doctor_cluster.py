"""What ``opsroom doctor`` asks the API server: who we are to it, what we may, what is installed, who decides."""

from __future__ import annotations

import time
from collections.abc import Callable
from email.utils import parsedate_to_datetime

import msgspec

from opsroom.cli.doctor_findings import Finding, fail, failed, ok, skew, warn
from opsroom.cli.doctor_prometheus import prometheus_findings
from opsroom.cli.doctor_rights import rights_findings
from opsroom.config.settings import Settings
from opsroom.delivery.lease import Lease
from opsroom.delivery.queue_facts import installed, switched_on
from opsroom.domain.clean import clean
from opsroom.errors import Gone, NotPermitted, OpsroomError
from opsroom.kube.connection import Connection, Request, connect
from opsroom.kube.failures import refusal
from opsroom.kube.reader import Reader
from opsroom.kube.writer import Writer

ADMISSION = "/apis/admissionregistration.k8s.io/v1"
ENGINES = {
    "argoproj.io": ("Argo Rollouts", "v1alpha1", "rollouts"),
    "flagger.app": ("Flagger", "v1beta1", "canaries"),
}
"""Name, version and kind of each engine's CRD by API group; Argo CD serves the group of Argo Rollouts as well."""

Tell = Callable[[Finding], None]


class _Version(msgspec.Struct, rename="camel"):
    git_version: str = ""


class _Group(msgspec.Struct):
    name: str


class _Groups(msgspec.Struct):
    groups: list[_Group] = []


class _Resource(msgspec.Struct):
    name: str


class _Resources(msgspec.Struct):
    resources: list[_Resource] = []


async def cluster_findings(settings: Settings, tell: Tell) -> None:
    """Tell every finding as it comes."""
    try:
        connection = await connect(settings.kubeconfig or None, settings.context or None)
    except OpsroomError as error:
        tell(failed("context", error))
        if not settings.prometheus.url.startswith("kube:"):
            await prometheus_findings(settings, None, tell)
        return
    async with connection:
        endpoint = connection.endpoint
        tell(ok("context", f"{clean(endpoint.context)}, server {endpoint.address}"))
        if not await _server(connection, tell):
            if not settings.prometheus.url.startswith("kube:"):
                await prometheus_findings(settings, None, tell)
            return
        reader = Reader(connection)
        groups = await _engines(reader, tell)
        if settings.read_only:
            tell(warn("rights", "not asked: read-only sends no reviews", "Leave --read-only out to ask"))
        else:
            await rights_findings(Writer(connection), settings, groups, tell)
        await _hold(reader, tell)
        await _decider(connection, tell)
        await prometheus_findings(settings, reader, tell)


async def _server(connection: Connection, tell: Tell) -> bool:
    before = time.time()
    try:
        response = await connection.send(Request("GET", "/version"))
        after = time.time()
        if response.status_code >= 300:
            raise refusal(response, connection.endpoint, "version")
        version = msgspec.json.decode(response.content, type=_Version).git_version
    except (Gone, msgspec.MsgspecError, RecursionError):
        address = connection.endpoint.address
        tell(fail("API server", f"{address} is none: /version is no version", "Check the server of this context"))
        return False
    except OpsroomError as error:
        tell(failed("API server", error))
        return False
    tell(ok("API server", f"{clean(version)}, answers in {(after - before) * 1000:.0f} ms"))
    try:
        theirs = parsedate_to_datetime(response.headers.get("Date", "")).timestamp()
    except ValueError:
        tell(warn("clock", "the API server does not tell its time"))
    else:
        # The header has whole seconds, and was written somewhere between the two readings of our clock.
        tell(skew((before + after) / 2 - (theirs + 0.5), (after - before) / 2 + 0.5))
    return True


async def _engines(reader: Reader, tell: Tell) -> frozenset[str]:
    try:
        groups = frozenset(one.name for one in (await reader.get("/apis", _Groups)).groups)
        served = {group: group in groups and await _serves(reader, group) for group in ENGINES}
    except OpsroomError as error:
        tell(failed("engines", error))
        return frozenset()
    found = [ENGINES[group][0] for group in ENGINES if served[group]]
    absent = [ENGINES[group][0] for group in ENGINES if not served[group]]
    tell(ok("engines", ", ".join([*found, "Deployments"]) + (f"; not here: {', '.join(absent)}" if absent else "")))
    return frozenset(group for group in ENGINES if served[group])


async def _serves(reader: Reader, group: str) -> bool:
    _, version, kind = ENGINES[group]
    try:
        return kind in {one.name for one in (await reader.get(f"/apis/{group}/{version}", _Resources)).resources}
    except Gone:
        return False


async def _hold(reader: Reader, tell: Tell) -> None:
    check = "hold at admission"
    try:
        served = {one.name for one in (await reader.get(ADMISSION, _Resources)).resources}
        if "mutatingadmissionpolicies" not in served:
            fix = "Kubernetes 1.36 has it; until then new versions are paused after they began"
            tell(warn(check, "this API server has no MutatingAdmissionPolicy", fix))
            return
        there = await installed(reader)
        on = there and await switched_on(reader)
    except NotPermitted as error:
        tell(warn(check, f"possible; not known whether it is installed: {error.message}", error.fix))
        return
    except OpsroomError as error:
        tell(failed(check, error))
        return
    if not there:
        tell(warn(check, "possible, not installed", "To hold new versions: opsroom manifest hold | kubectl apply -f -"))
    else:
        tell(ok(check, "on" if on else "installed, switched off"))


async def _decider(connection: Connection, tell: Tell) -> None:
    lease = Lease(Reader(connection), Writer(connection), "doctor")
    await lease.watch()
    decider = lease.decider()
    if lease.error:
        tell(warn("decider", lease.error))
    elif decider.identity:
        tell(ok("decider", decider.identity))
    else:
        tell(
            warn("decider", "nobody decides here", "Start one: opsroom worker --mode auto, or opsroom manifest worker")
        )
