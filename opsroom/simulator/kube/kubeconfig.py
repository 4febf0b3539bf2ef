"""Writes the kubeconfig that leads kubectl, and the product, to the simulated API server."""

from __future__ import annotations

import os
from pathlib import Path

import msgspec

from opsroom.simulator.kube.access import ADMIN_TOKEN

CONTEXT = "opsroom-sim"


def write_kubeconfig(path: Path, port: int, *, token: str = ADMIN_TOKEN) -> Path:
    """A kubeconfig for http://127.0.0.1:`port` with a bearer token, readable by its owner only.

    The token stands in the server's URL as well: kubectl drops every credential over plain http.
    """
    body = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": CONTEXT, "cluster": {"server": f"http://127.0.0.1:{port}/as/{token}"}}],
        "users": [{"name": CONTEXT, "user": {"token": token}}],
        "contexts": [{"name": CONTEXT, "context": {"cluster": CONTEXT, "user": CONTEXT, "namespace": "default"}}],
        "current-context": CONTEXT,
    }
    text = msgspec.json.format(msgspec.json.encode(body), indent=2)  # JSON is YAML
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(text + b"\n")
    return path
