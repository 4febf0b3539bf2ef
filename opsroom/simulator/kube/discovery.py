"""Discovery: which groups, versions, kinds and subresources are served; legacy and aggregated (v2) form.

All of it is derived from the table of kinds. Shapes: K8S staging/src/k8s.io/api/apidiscovery/v2/types.go and the
recorded transcripts. Also /version, and as much OpenAPI v3 as makes kubectl trust server-side field validation.
"""

from __future__ import annotations

from typing import Any

from opsroom.simulator.kube.event_spelling import NEW_EVENTS
from opsroom.simulator.kube.resources import ALL_VERBS, KINDS, REVIEWS, Kind, Review

Doc = dict[str, Any]
_SUB_VERBS = ["get", "patch", "update"]
_OTHER_VERBS = {
    "log": ["get"],
    "eviction": ["create"],
    "proxy": ["create", "delete", "get", "patch", "update"],
}
AGGREGATED = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"

VERSION: Doc = {
    "major": "1",
    "minor": "36",
    "emulationMajor": "1",
    "emulationMinor": "36",
    "minCompatibilityMajor": "1",
    "minCompatibilityMinor": "35",
    "gitVersion": "v1.36.2",
    "gitCommit": "",
    "gitTreeState": "clean",
    "buildDate": "1970-01-01T00:00:00Z",
    "goVersion": "go1.27.3",
    "compiler": "gc",
    "platform": "linux/amd64",
}


def served() -> dict[tuple[str, str], list[Kind | Review]]:
    """(group, version) → what it serves, in the order of the table."""
    found: dict[tuple[str, str], list[Kind | Review]] = {}
    for kind in (*KINDS, NEW_EVENTS):
        found.setdefault((kind.group, kind.version), []).append(kind)
    for review in REVIEWS:
        found.setdefault((review.group, "v1"), []).append(review)
    return found


def groups() -> list[str]:
    """The named API groups."""
    return list(dict.fromkeys(group for group, _ in served() if group))


def group(name: str) -> Doc:
    """One APIGroup without its kind and apiVersion, as it stands in the list."""
    versions = [
        {"groupVersion": f"{name}/{version}", "version": version} for group, version in served() if group == name
    ]
    return {"name": name, "versions": versions, "preferredVersion": versions[0]}


def group_list() -> Doc:
    """APIGroupList: GET /apis."""
    return {"kind": "APIGroupList", "apiVersion": "v1", "groups": [group(name) for name in groups()]}


def one_group(name: str) -> Doc:
    """APIGroup: GET /apis/GROUP."""
    return {"kind": "APIGroup", "apiVersion": "v1", **group(name)}


def core_versions() -> Doc:
    """APIVersions: GET /api."""
    addresses = [{"clientCIDR": "0.0.0.0/0", "serverAddress": "127.0.0.1"}]
    return {"kind": "APIVersions", "versions": ["v1"], "serverAddressByClientCIDRs": addresses}


def resource_list(group_name: str, version: str) -> Doc:
    """APIResourceList of one group version; raises KeyError when it is not served."""
    resources: list[Doc] = []
    for kind in served()[(group_name, version)]:
        resources += _legacy(kind)
    group_version = f"{group_name}/{version}" if group_name else version
    return {"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": group_version, "resources": resources}


def _legacy(kind: Kind | Review) -> list[Doc]:
    names = {"name": kind.plural, "singularName": kind.kind.lower(), "namespaced": kind.namespaced, "kind": kind.kind}
    if isinstance(kind, Review):
        return [{**names, "verbs": ["create"]}]
    main: Doc = {**names, "verbs": list(ALL_VERBS)}
    if kind.short:
        main["shortNames"] = list(kind.short)
    if kind.categories:
        main["categories"] = list(kind.categories)
    rows = [main]
    for name, sub_kind, verbs in _subresources(kind):
        row: Doc = {"name": f"{kind.plural}/{name}", "singularName": "", "namespaced": kind.namespaced}
        if name == "scale":
            row |= {"group": "autoscaling", "version": "v1"}
        if name == "eviction":
            row |= {"group": "policy", "version": "v1"}
        rows.append({**row, "kind": sub_kind, "verbs": verbs})
    return rows


def _subresources(kind: Kind) -> list[tuple[str, str, list[str]]]:
    found = [(name, sub_kind, _OTHER_VERBS[name]) for name, sub_kind in kind.other_subresources]
    if kind.status:
        found.append(("status", kind.kind, _SUB_VERBS))
    if kind.scale:
        found.append(("scale", "Scale", _SUB_VERBS))
    return found


def aggregated(core: bool) -> Doc:
    """APIGroupDiscoveryList: GET /api (core) or /apis."""
    versions: dict[str, list[Doc]] = {}
    for (group_name, version), kinds in served().items():
        if core is (group_name == ""):
            resources = sorted((_modern(kind) for kind in kinds), key=lambda row: str(row["resource"]))
            entry = {"version": version, "resources": resources, "freshness": "Current"}
            versions.setdefault(group_name, []).append(entry)
    items = [{"metadata": {"name": name} if name else {}, "versions": entries} for name, entries in versions.items()]
    return {"kind": "APIGroupDiscoveryList", "apiVersion": "apidiscovery.k8s.io/v2", "metadata": {}, "items": items}


def _modern(kind: Kind | Review) -> Doc:
    row: Doc = {
        "resource": kind.plural,
        "responseKind": {"group": "", "version": "", "kind": kind.kind},
        "scope": "Namespaced" if kind.namespaced else "Cluster",
        "singularResource": kind.kind.lower(),
    }
    if isinstance(kind, Review):
        return {**row, "verbs": ["create"]}
    row["verbs"] = list(ALL_VERBS)
    if kind.custom:
        row["responseKind"] = {"group": kind.group, "version": kind.version, "kind": kind.kind}
    if kind.short:
        row["shortNames"] = list(kind.short)
    if kind.categories:
        row["categories"] = list(kind.categories)
    below = []
    for name, sub_kind, verbs in sorted(_subresources(kind)):
        response = {**row["responseKind"], "kind": sub_kind}
        if name in ("scale", "eviction"):
            response |= {"group": "autoscaling" if name == "scale" else "policy", "version": "v1"}
        below.append({"subresource": name, "responseKind": response, "verbs": verbs})
    return {**row, "subresources": below} if below else row


def openapi_paths(prefix: str) -> Doc:
    """GET /openapi/v3: where each group version's document is; `prefix` goes before absolute paths."""
    paths = {}
    for group_name, version in served():
        path = f"apis/{group_name}/{version}" if group_name else f"api/{version}"
        paths[path] = {"serverRelativeURL": f"{prefix}/openapi/v3/{path}?hash=simulated"}
    return {"paths": paths}


def openapi_document(group_name: str, version: str) -> Doc:
    """A document without schemas: it only says that PATCH understands fieldValidation, which kubectl asks."""
    paths: Doc = {}
    parameter = {"name": "fieldValidation", "in": "query", "schema": {"type": "string", "uniqueItems": True}}
    base = f"/apis/{group_name}/{version}" if group_name else f"/api/{version}"
    for kind in served()[(group_name, version)]:
        if isinstance(kind, Kind):
            middle = "/namespaces/{namespace}" if kind.namespaced else ""
            operation = {
                "parameters": [parameter],
                "responses": {"200": {"description": "OK"}},
                "x-kubernetes-action": "patch",
                "x-kubernetes-group-version-kind": {"group": group_name, "version": version, "kind": kind.kind},
            }
            paths[f"{base}{middle}/{kind.plural}/{{name}}"] = {"patch": operation}
    info = {"title": "Kubernetes", "version": VERSION["gitVersion"]}
    return {"openapi": "3.0.0", "info": info, "paths": paths, "components": {"schemas": {}}}
