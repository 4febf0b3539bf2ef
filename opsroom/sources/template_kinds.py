"""Pod templates, of which we keep images and version, and, where revisions must be told apart, a digest."""

from __future__ import annotations

from hashlib import blake2b
from typing import Any

import msgspec

NOT_TOLD = ("pod-template-hash", "rollouts-pod-template-hash", "track")
"""Labels of a template that do not make it another revision."""


class Container(msgspec.Struct, frozen=True, gc=False):
    """One container of a template."""

    image: str = ""


class VersionLabel(msgspec.Struct, frozen=True, gc=False):
    """The label people read."""

    version: str = msgspec.field(name="app.kubernetes.io/version", default="")


class TemplateMeta(msgspec.Struct, frozen=True, gc=False):
    """Metadata of a pod template."""

    labels: VersionLabel | None = None


class PodSpec(msgspec.Struct, frozen=True, gc=False):
    """Spec of a pod template."""

    containers: tuple[Container, ...] | None = None


class PodTemplate(msgspec.Struct, frozen=True, gc=False):
    """A pod template of which only images and labels count."""

    metadata: TemplateMeta = TemplateMeta()
    spec: PodSpec = PodSpec()

    @property
    def images(self) -> tuple[str, ...]:
        """Images of the containers, as written."""
        return tuple(container.image for container in self.spec.containers or ())

    @property
    def version(self) -> str:
        """``app.kubernetes.io/version``."""
        return self.metadata.labels.version if self.metadata.labels is not None else ""


class Fingerprinted(msgspec.Struct, gc=False):
    """A pod template that can be told from another: images, version, track and a digest stay.

    Two templates are the same revision when their digests are: like the Deployment controller's comparison
    (deployment_util.go EqualIgnoreHash), without the hash labels and ``track``, which differ inside a pair.
    """

    metadata: msgspec.Raw = msgspec.Raw(b"{}")
    spec: msgspec.Raw = msgspec.Raw(b"{}")
    images: tuple[str, ...] = ()
    version: str = ""
    track: str = ""
    digest: bytes = b""

    def __post_init__(self) -> None:
        meta, spec = _mapping(self.metadata), _mapping(self.spec)
        found = meta.get("labels")
        labels = found if isinstance(found, dict) else {}
        told = {key: value for key, value in labels.items() if key not in NOT_TOLD}
        whole = msgspec.json.encode([told, meta.get("annotations") or {}, spec], order="deterministic")
        self.digest = blake2b(whole, digest_size=8).digest()
        containers = spec.get("containers")
        images = [one.get("image", "") for one in containers or () if isinstance(one, dict)]
        self.images = tuple(map(str, images))
        self.version = str(labels.get("app.kubernetes.io/version", ""))
        self.track = str(labels.get("track", ""))
        self.metadata = self.spec = msgspec.Raw(b"{}")


def _mapping(raw: msgspec.Raw) -> dict[str, Any]:
    """Whatever a strange API server sends as metadata or spec: only an object counts."""
    value = msgspec.json.decode(raw)
    return value if isinstance(value, dict) else {}
