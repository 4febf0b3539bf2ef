"""What a check found, and the judgements that need no more than a number or two."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from opsroom.errors import OpsroomError

SKEW_WARN, SKEW_FAIL = 5.0, 30.0
"""Seconds between two clocks. Ages on screen are off by as much; at 30 s every score would look old."""

DISK_WARN, DISK_FAIL = 500 * 2**20, 20 * 2**20
"""Bytes for journals and logs."""

SMALL = (80, 24)


class Status(StrEnum):
    """How bad it is."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """One line."""

    check: str
    status: Status
    detail: str
    fix: str = ""
    """A command or a sentence; empty where nothing is to be done."""


def ok(check: str, detail: str) -> Finding:
    """All is well."""
    return Finding(check=check, status=Status.OK, detail=detail)


def warn(check: str, detail: str, fix: str = "") -> Finding:
    """Something will be missing."""
    return Finding(check=check, status=Status.WARN, detail=detail, fix=fix)


def fail(check: str, detail: str, fix: str = "") -> Finding:
    """It will not work."""
    return Finding(check=check, status=Status.FAIL, detail=detail, fix=fix)


def failed(check: str, error: OpsroomError) -> Finding:
    """What an error of ours says."""
    return fail(check, error.message, error.fix)


def skew(seconds: float, slack: float) -> Finding:
    """Our clock minus the API server's; ``slack`` (s) is what the measurement itself cannot tell."""
    off = max(0.0, abs(seconds) - slack)
    detail = "this clock and the API server's agree" if off < 1 else f"this clock is {_way(seconds, off)}"
    fix = "Switch time synchronisation on: timedatectl set-ntp true"
    if off > SKEW_FAIL:
        return fail("clock", detail, fix)
    return warn("clock", detail, fix) if off > SKEW_WARN else ok("clock", detail)


def _way(seconds: float, off: float) -> str:
    return f"{off:.0f} s {'ahead of' if seconds > 0 else 'behind'} the API server's"


def disk(free: int, folder: str) -> Finding:
    """Room for the journal, in bytes."""
    detail = f"{free / 2**20:,.0f} MiB free in {folder}"
    fix = "Make room: without a journal nothing is promoted"
    if free < DISK_FAIL:
        return fail("disk", detail, fix)
    return warn("disk", detail, fix) if free < DISK_WARN else ok("disk", detail)


def size(columns: int, lines: int) -> Finding:
    """Of the terminal, in cells."""
    detail = f"{columns} x {lines}"
    if columns < SMALL[0] or lines < SMALL[1]:
        return warn("terminal size", detail, f"From {SMALL[0]} x {SMALL[1]} on nothing is left out")
    return ok("terminal size", detail)
