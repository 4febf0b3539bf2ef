"""Whether the API server really does not know a kind: asked of discovery, because a 404 alone proves nothing.

While an API server starts, or an aggregated one is away, it answers 404 for kinds that it serves otherwise. So nothing
is "gone" because of such an answer until discovery, answered in full, does not name the kind either.
Source: K8S staging/src/k8s.io/apiextensions-apiserver/pkg/apiserver/customresource_handler.go (a CRD that is not
established yet, or not yet known to this server, is a plain 404).
"""

from __future__ import annotations

from typing import Protocol, TypeVar

import msgspec

from opsroom.errors import Gone, OpsroomError


class _Resource(msgspec.Struct, frozen=True):
    name: str = ""


class _Resources(msgspec.Struct, frozen=True):
    """``APIResourceList``."""

    resources: tuple[_Resource, ...]


class _Version(msgspec.Struct, frozen=True, rename="camel"):
    group_version: str = ""


class _Group(msgspec.Struct, frozen=True):
    versions: tuple[_Version, ...] = ()


class _Groups(msgspec.Struct, frozen=True):
    """``APIGroupList``."""

    groups: tuple[_Group, ...]


T = TypeVar("T")


class Getter(Protocol):
    """What is asked: GET only."""

    async def get(self, path: str, type_: type[T], params: dict[str, str] | None = None) -> T:
        """The object at ``path``; raises types of ``opsroom.errors``."""
        ...


async def absent(reader: Getter, path: str) -> bool:
    """Whether discovery says that nothing is served at ``path``; False also where nobody would say.

    ``path`` is that of a list, an object or a subresource. Never raises ``OpsroomError``.
    """
    place, resource = kind_of(path)
    if not place:
        return False
    try:
        try:
            found = await reader.get(place, _Resources)
        except Gone:
            groups = (await reader.get("/apis", _Groups)).groups
            version = place.removeprefix("/apis/")
            return all(one.group_version != version for group in groups for one in group.versions)
    except OpsroomError:
        return False
    return all(one.name != resource for one in found.resources)


def kind_of(path: str) -> tuple[str, str]:
    """(path of the group's discovery, resource with its subresource) of ``path``; two empty texts for another path.

    ``/apis/argoproj.io/v1alpha1/namespaces/shop/rollouts/cart/status`` is (``/apis/argoproj.io/v1alpha1``,
    ``rollouts/status``).
    """
    parts = [part for part in path.split("/") if part]
    head = 3 if parts[:1] == ["apis"] else 2
    if parts[:1] not in (["apis"], ["api"]) or len(parts) <= head:
        return "", ""
    rest = parts[head:]
    if rest[0] == "namespaces" and len(rest) > 2:
        rest = rest[2:]
    subresource = f"/{rest[2]}" if len(rest) > 2 else ""
    return "/" + "/".join(parts[:head]), rest[0] + subresource
