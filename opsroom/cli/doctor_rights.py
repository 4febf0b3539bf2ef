"""What ``opsroom doctor`` asks about rights: what the board, each deed, freezing and leading need, verb by verb.

Every answer is the API server's own, by access reviews; what is missing is told in words of RBAC, with the role to ask
for.
"""

from __future__ import annotations

from collections.abc import Callable

from opsroom.cli.doctor_findings import Finding, fail, failed, ok, warn
from opsroom.config.settings import Settings
from opsroom.delivery.lease import NAME as LEASE
from opsroom.delivery.shared import ACKNOWLEDGED, APPROVED, FREEZE, NAMESPACE
from opsroom.errors import OpsroomError
from opsroom.kube.access import may, whoami
from opsroom.kube.writer import Writer

Need = tuple[str, str, str, str]
"""API group, resource, subresource, verb."""

Named = tuple[Need, str]
"""A right on the one object of that name; an empty name is all of them (RBAC cannot restrict create)."""

WATCHED: tuple[Need, ...] = tuple(
    (group, resource, "", verb)
    for group, resource in (("apps", "deployments"), ("apps", "replicasets"), ("", "pods"), ("", "events"))
    for verb in ("list", "watch")
)
DRIVEN: dict[str, tuple[Need, ...]] = {
    "argoproj.io": (("argoproj.io", "rollouts", "", "list"), ("argoproj.io", "rollouts", "", "watch")),
    "flagger.app": (("flagger.app", "canaries", "", "list"), ("flagger.app", "canaries", "", "watch")),
}
DEEDS: dict[str, dict[str, tuple[Need, ...]]] = {
    "promote": {
        "": (("apps", "deployments", "", "get"), ("apps", "deployments", "", "patch")),
        "argoproj.io": (
            ("argoproj.io", "rollouts", "", "get"),
            ("argoproj.io", "rollouts", "", "patch"),
            ("argoproj.io", "rollouts", "status", "patch"),
        ),
        "flagger.app": (("flagger.app", "canaries", "", "get"), ("flagger.app", "canaries", "", "patch")),
    },
    "roll back": {
        "": (("apps", "replicasets", "", "list"), ("apps", "deployments", "", "patch")),
        "argoproj.io": (("argoproj.io", "rollouts", "status", "patch"), ("argoproj.io", "rollouts", "", "patch")),
        "flagger.app": (("flagger.app", "canaries", "", "patch"), ("flagger.app", "canaries", "status", "patch")),
    },
}
"""By deed and by API group of the engine; empty: plain Deployments, which are always there."""

LEAD: tuple[Named, ...] = (
    (("coordination.k8s.io", "leases", "", "get"), LEASE),
    (("coordination.k8s.io", "leases", "", "create"), ""),
    (("coordination.k8s.io", "leases", "", "update"), LEASE),
)
LOGS: tuple[Need, ...] = (("", "pods", "log", "get"),)


def _shared(name: str, *verbs: str) -> tuple[Named, ...]:
    """What one of our ConfigMaps is read and written with."""
    create = (("", "configmaps", "", "create"), "")
    return (create, *((("", "configmaps", "", verb), name) for verb in ("get", "patch", *verbs)))


SHARE = {
    "freeze": _shared(FREEZE, "delete"),
    "acknowledge": _shared(ACKNOWLEDGED),
    "approve": _shared(APPROVED),
}
"""By what a person does there."""

Tell = Callable[[Finding], None]


async def rights_findings(writer: Writer, settings: Settings, groups: frozenset[str], tell: Tell) -> None:
    """Tell every finding as it comes; ``groups`` are the API groups of the engines that are here."""
    try:
        tell(ok("who am I", await whoami(writer) or "the API server does not say"))
        everywhere = await _missing(writer, "", (("", "namespaces", "", "list"),))
        if everywhere and not settings.namespaces:
            fix = "Name those you may read with -n, or in the settings: namespaces = [...]"
            tell(warn("namespaces", "they may not be listed", fix))
        else:
            tell(ok("namespaces", ", ".join(settings.namespaces) or "all"))
        engines = [group for group in DRIVEN if group in groups]
        for namespace in settings.namespaces or ("",):
            place = f" in {namespace}" if namespace else ""
            watch = WATCHED + tuple(need for group in engines for need in DRIVEN[group])
            tell(_right(f"watch{place}", await _missing(writer, namespace, watch), "wall", settings, essential=True))
            for deed, by_engine in DEEDS.items():
                needs = tuple(need for group in ("", *engines) for need in by_engine[group])
                tell(_right(f"{deed}{place}", await _missing(writer, namespace, needs), "operator", settings))
            tell(_right(f"read logs{place}", await _missing(writer, namespace, LOGS), "operator", settings))
        for what, needed in SHARE.items():
            tell(_right(what, await _missing_named(writer, needed), "operator", settings))
        lead = await _missing_named(writer, LEAD)
        tell(ok("may lead", "no; only a worker that decides needs it" if lead else "yes"))
    except OpsroomError as error:
        tell(failed("rights", error))


async def _missing(writer: Writer, namespace: str, needs: tuple[Need, ...]) -> list[str]:
    """The rights that are missing, in RBAC's words."""
    rights = [await may(writer, namespace, *need) for need in needs]
    return [right.missing for right in rights if not right.allowed]


async def _missing_named(writer: Writer, needs: tuple[Named, ...]) -> list[str]:
    """The same for single objects of our own namespace."""
    rights = [await may(writer, NAMESPACE, *need, name=name) for need, name in needs]
    return [right.missing for right in rights if not right.allowed]


def _right(what: str, missing: list[str], role: str, settings: Settings, *, essential: bool = False) -> Finding:
    if not missing:
        return ok(f"may {what}", "yes")
    words = " ".join(["opsroom manifest", role, *(f"-n {name}" for name in settings.namespaces)])
    detail, fix = f"no: there is no right to {_grouped(missing)}", f"Ask for: {words}"
    return fail(f"may {what}", detail, fix) if essential else warn(f"may {what}", detail, fix)


def _grouped(missing: list[str]) -> str:
    """``list pods``, ``watch pods``, ``list events``, ``watch events`` as ``list+watch pods, events``."""
    verbs: dict[str, list[str]] = {}
    for verb, _, resource in (one.partition(" ") for one in missing):
        verbs.setdefault(resource, []).append(verb)
    resources: dict[str, list[str]] = {}
    for resource, found in verbs.items():
        resources.setdefault("+".join(found), []).append(resource)
    return "; ".join(f"{found} {', '.join(names)}" for found, names in resources.items())
