"""The versions a service brings out, one after another: image, author, commit, and the hidden quality.

Every draw is keyed by seed, service and release number: the fifth release of a service is the same whenever it comes
and whatever became of the fourth. Nothing that a cluster shows (tag, digest, annotations) depends on the quality.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np

from opsroom.simulator.traffic.quality import HEALTHY, Quality, draw_quality
from opsroom.simulator.world.catalog import ServiceSpec
from opsroom.simulator.world.draws import drawer, key_number

_PEOPLE = ("amara", "bao", "chiara", "dmitri", "esra", "farid", "greta", "hiro", "ines", "jonas", "kemal", "lucia")
_AGENTS = ("shipwright-agent", "refactor-agent", "deps-agent")
REGISTRY = "registry.example/shop"
# Seconds that a canary is usually watched at this world's pace; onsets, ramps and blips are placed by them.
WATCHED = 45.0


@dataclass(frozen=True, slots=True)
class Release:
    """One version. Number 0 is the one that runs when the world begins; it is always healthy."""

    number: int
    tag: str
    digest: str
    image: str
    commit: str
    author: str
    origin: str  # "human" or "ai"
    quality: Quality
    wait: float  # seconds of rest before it, once its predecessor is settled, at the usual rate of change


def release(seed: int, service: ServiceSpec, number: int) -> Release:
    """The `number`-th release of a service in the world of this seed."""
    who = (seed, service.namespace, service.name)
    draw = drawer(*who, "release", number)
    major, minor, patch = _version(who, number)
    tag = f"v{major}.{minor}.{patch}"
    digest = "sha256:" + hashlib.sha256(f"{who}{number}image".encode()).hexdigest()
    origin = "ai" if draw.random() < 0.6 else "human"
    author = draw.choice(_AGENTS if origin == "ai" else _PEOPLE)
    commit = hashlib.sha256(f"{who}{number}commit".encode()).hexdigest()[:40]
    wait = draw.uniform(30.0, 100.0)
    quality = HEALTHY
    if number:
        quality = draw_quality(np.random.default_rng(key_number(*who, "quality", number)), horizon=WATCHED)
    image = f"{REGISTRY}/{service.name}:{tag}@{digest}"
    return Release(number, tag, digest, image, commit, author, origin, quality, wait)


def first_wait(seed: int, service: ServiceSpec) -> float:
    """Seconds from the world's start to a service's first release, at the usual rate of change.

    Most come within the first minute, so that a newcomer sees canaries at once; the rest follow.
    """
    draw = drawer(seed, service.namespace, service.name, "first")
    return draw.uniform(2.0, 40.0) if draw.random() < 0.7 else draw.uniform(40.0, 120.0)


def _version(who: tuple[int, str, str], number: int) -> tuple[int, int, int]:
    draw = drawer(*who, "version")
    major, minor, patch = draw.randint(1, 4), draw.randint(3, 60), draw.randint(0, 4)
    for _ in range(number):
        if draw.random() < 0.6:
            minor, patch = minor + 1, 0
        else:
            patch += 1
    return major, minor, patch
