"""``opsroom show NAME --logs|--manifest``: what a rollout's pods said last, and how it stands in the cluster.

With the operator's own credentials, by GET alone: neither the worker nor the board needs the right to read logs. The
board starts this as a child for its pages.
"""

from __future__ import annotations

import argparse
import asyncio
import sys

import msgspec

from opsroom.cli.options import settings_for
from opsroom.config.settings import Settings
from opsroom.delivery.kinds import path_of
from opsroom.domain.deed import target_of
from opsroom.domain.rollout import Rollout
from opsroom.kube.connection import connect
from opsroom.kube.reader import Reader
from opsroom.sources.manifest import manifest
from opsroom.sources.pod_logs import pod_logs
from opsroom.view.inside_pages import plain_logs
from opsroom.view.yaml_text import yaml_text


def show_inside(arguments: argparse.Namespace, rollout: Rollout) -> int:
    """Print what was asked for; raises the errors of ``Reader`` where nothing can be read."""
    text = asyncio.run(_text(arguments, settings_for(arguments), rollout))
    sys.stdout.write(text + "\n")
    return 0


async def _text(arguments: argparse.Namespace, settings: Settings, rollout: Rollout) -> str:
    connection = await connect(settings.kubeconfig or None, settings.context or None)
    try:
        reader = Reader(connection)
        as_json = arguments.output == "json"
        if arguments.manifest:
            found = await manifest(reader, path_of(target_of(rollout)))
            return msgspec.json.encode(found).decode() if as_json else yaml_text(found)
        logs = await pod_logs(reader, rollout)
        return msgspec.json.encode(logs).decode() if as_json else plain_logs(logs)
    finally:
        await connection.aclose()
