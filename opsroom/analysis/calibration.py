"""What was learned from outcomes: where on the scale of evidence the promised thresholds lie, as inspectable data.

A JSON file with a hash over its content ships with the package; `opsroom learn` writes another one from recorded
outcomes. A file that is missing, damaged or out of range is not used: then the marks of ``tuning`` hold, which are
what the shipped file was learned around. It must not import scikit-learn: reading costs nothing.
"""

from __future__ import annotations

import hashlib
from functools import lru_cache
from importlib import resources
from pathlib import Path

import msgspec

RANGE = (0.5, 12.0)
"""Nats between which a learned mark for rolling back is believed."""


class Calibration(msgspec.Struct, frozen=True, kw_only=True):
    """Marks on the scale of evidence (nats) and how probable harm is there."""

    roll_back: float
    """Harm at which the score passes 0.8 for a budget of 10 false rollbacks in 1000."""
    promote_early: float
    promote_late: float
    """Harm below which the score passes 0.2: at the end of the watch, and a while later."""
    slope: float
    intercept: float
    """P(harm) = 1 / (1 + exp(-(slope * nats + intercept))) for as many sick as healthy rollouts."""
    rollouts: dict[str, int] = {}
    """How many rollouts of which source it was learned from."""
    log_loss: dict[str, dict[str, float]] = {}
    """Out-of-fold log loss per method and held-out source, as it was when learned."""
    sha256: str = ""
    """Over the other fields, encoded as JSON with sorted keys."""


class BadCalibration(ValueError):
    """A calibration that must not be used; the message says why."""


def seal(calibration: Calibration) -> Calibration:
    """The same with its hash."""
    return msgspec.structs.replace(calibration, sha256=_digest(calibration))


def read(data: bytes) -> Calibration:
    """Decode and check.

    Raises:
        BadCalibration: not JSON of this shape, a wrong hash, or marks that cannot be right.
    """
    try:
        found = msgspec.json.decode(data, type=Calibration)
    except (msgspec.DecodeError, UnicodeDecodeError) as problem:
        raise BadCalibration(f"not a calibration: {problem}") from problem
    if found.sha256 != _digest(found):
        raise BadCalibration("the hash does not fit the content")
    low, high = RANGE
    if not (low <= found.roll_back <= high and found.slope > 0):
        raise BadCalibration("marks out of range")
    if max(found.promote_early, found.promote_late) >= found.roll_back:
        raise BadCalibration("the mark for promoting is not below the one for rolling back")
    return found


def write(calibration: Calibration, path: Path) -> None:
    """Write ``calibration``, sealed, as JSON that a person can read."""
    path.write_bytes(msgspec.json.format(msgspec.json.encode(seal(calibration)), indent=2) + b"\n")


@lru_cache(maxsize=1)
def shipped() -> Calibration | None:
    """The calibration that came with the package; None when it cannot be used."""
    try:
        return read((resources.files("opsroom.analysis") / "calibration.json").read_bytes())
    except (OSError, BadCalibration):
        return None


def _digest(calibration: Calibration) -> str:
    fields = msgspec.to_builtins(msgspec.structs.replace(calibration, sha256=""))
    return hashlib.sha256(msgspec.json.encode(fields, order="sorted")).hexdigest()
