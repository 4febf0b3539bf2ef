"""The file that tells graders which versions are bad. Nothing else of the world reads or repeats it."""

from __future__ import annotations

import json
from pathlib import Path

from opsroom.simulator.traffic.quality import Quality, Truth
from opsroom.simulator.world.pipelines import Deployed

_WORDS = {Truth.HEALTHY: "good", Truth.BAD: "bad", Truth.UNKNOWABLE: "unknowable"}


class TruthFile:
    """JSON Lines, one a deploy, written when it happens; emptied at the start. Raises OSError as files do."""

    def __init__(self, path: Path) -> None:
        self._path = path
        path.write_text("", encoding="utf-8")

    def write(self, deployed: Deployed, quality: Quality) -> None:
        """Add one line: service, version, pod hash, truth ("good", "bad" or "unknowable"), kind, size, onset.

        `quality` is the one that the traffic shows; `onset_seconds` counts from the moment at which the first pod of
        the version is ready.
        """
        line = {
            "namespace": deployed.service.namespace,
            "service": deployed.service.name,
            "delivery": deployed.service.delivery.value,
            "release": deployed.release.number,
            "version": deployed.release.tag,
            "digest": deployed.release.digest,
            "image": deployed.release.image,
            "pod_hash": deployed.pod_hash,
            "truth": _WORDS[quality.truth],
            "kind": quality.fault.value,
            "size": None if quality.size is None else quality.size.value,
            "effect": quality.effect,
            "onset_seconds": quality.onset,
            "deployed_at": deployed.at,
        }
        with self._path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")
