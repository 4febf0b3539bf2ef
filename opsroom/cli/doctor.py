"""``opsroom doctor``: every precondition of the others, one line each, with the command that mends it.

The checks themselves lie beside this file: what is found on this machine (``doctor_here``), in the cluster
(``doctor_cluster``) and in Prometheus (``doctor_prometheus``). Nothing is changed, no secret is shown, and a check that
breaks off is a finding like any other.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
from collections.abc import Sequence

import msgspec

from opsroom.cli.doctor_cluster import cluster_findings
from opsroom.cli.doctor_findings import Finding, Status, failed
from opsroom.cli.doctor_here import here_findings
from opsroom.cli.options import settings_for
from opsroom.config.settings import Settings
from opsroom.errors import OpsroomError

LIMIT_SECONDS = 90.0
"""For everything that is asked over a network; each question has its own, shorter limit."""


def run(arguments: argparse.Namespace) -> int:
    """Print the findings; 1 when one of them is a failure."""
    try:
        settings = settings_for(arguments)
    except OpsroomError as error:
        findings = [failed("settings", error)]
    else:
        findings = [
            Finding(check="settings", status=Status.OK, detail=_of(settings)),
            *here_findings(settings, os.environ),
            *asyncio.run(_far(settings)),
        ]
    sys.stdout.write(as_json(findings) if arguments.output == "json" else as_lines(findings))
    return int(any(one.status is Status.FAIL for one in findings))


async def _far(settings: Settings) -> list[Finding]:
    findings: list[Finding] = []
    try:
        async with asyncio.timeout(LIMIT_SECONDS):
            await cluster_findings(settings, findings.append)
    except TimeoutError:
        findings.append(Finding(check="time", status=Status.FAIL, detail=f"no end within {LIMIT_SECONDS:.0f} s"))
    return findings


def _of(settings: Settings) -> str:
    where = settings.path if os.path.exists(settings.path) else f"built-in values (there is no {settings.path})"
    return where + (f", namespaces {', '.join(settings.namespaces)}" if settings.namespaces else "")


def as_json(findings: Sequence[Finding]) -> str:
    """A list of objects, for scripts."""
    return msgspec.json.format(msgspec.json.encode(findings), indent=2).decode() + "\n"


def as_lines(findings: Sequence[Finding]) -> str:
    """One line each: status, check, what was found, and what mends it."""
    wide = max(len(one.check) for one in findings)
    lines = []
    for one in findings:
        fix = f". {one.fix}" if one.fix else ""
        lines.append(f"{one.status.value:<4}  {one.check:<{wide}}  {one.detail}{fix}\n")
    return "".join(lines)
