"""Canary secrets: strings that are planted wherever real ones live, and looked for in everything that was written."""

from __future__ import annotations

import json
import os
import urllib.error
import urllib.request
import zlib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

KUBE_TOKEN = "canary-kube-token-5f1e9a"
PROMETHEUS_TOKEN = "canary-prometheus-token-77ab02"
SECRET_OBJECT = "canary-secret-object-c0ffee"
POD_ENV = "canary-pod-env-d15ea5e"
SERVER_PATH = "simulated-admin"
"""The simulator's own token, which stands in the path of its server's address."""

ALL = (KUBE_TOKEN, PROMETHEUS_TOKEN, SECRET_OBJECT, POD_ENV, SERVER_PATH)


def plant(kubeconfig: Path) -> None:
    """Put our token into ``kubeconfig`` (JSON)."""
    config: dict[str, Any] = json.loads(kubeconfig.read_text())
    for user in config["users"]:
        user["user"] = {"token": KUBE_TOKEN}
    kubeconfig.write_text(json.dumps(config))


def token_file(folder: Path) -> Path:
    """A file for ``PROMETHEUS_TOKEN_FILE``."""
    path = folder / "prometheus-token"
    path.write_text(PROMETHEUS_TOKEN + "\n")
    path.chmod(0o600)
    return path


def plant_in_cluster(server: str) -> None:
    """A Secret object, and a Deployment with a secret as a literal environment value, at the API server itself."""
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "canary", "namespace": "default"}}
    _post(f"{server}/api/v1/namespaces/default/secrets", {**secret, "stringData": {"password": SECRET_OBJECT}})
    labels = {"app": "canary-env"}
    container = {"name": "main", "image": "shop/canary:1", "env": [{"name": "PASSWORD", "value": POD_ENV}]}
    spec = {
        "replicas": 1,
        "selector": {"matchLabels": labels},
        "template": {"metadata": {"labels": labels}, "spec": {"containers": [container]}},
    }
    metadata = {"name": "canary-env", "namespace": "default"}
    body = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata, "spec": spec}
    _post(f"{server}/apis/apps/v1/namespaces/default/deployments", body)


def _post(url: str, body: Any) -> None:
    data = json.dumps(body).encode()
    request = urllib.request.Request(url, data, {"Content-Type": "application/json"})  # noqa: S310 - loopback
    try:
        with urllib.request.urlopen(request, timeout=5) as answer:  # noqa: S310
            answer.read()
    except urllib.error.HTTPError as error:
        if error.code != 409:
            raise


def leaks(texts: Iterable[tuple[str, bytes]]) -> list[str]:
    """``WHERE holds WHAT`` for each secret found."""
    return [f"{where} holds {secret}" for where, text in texts for secret in ALL if secret.encode() in text]


def written(folder: Path, but: Iterable[Path]) -> Iterable[tuple[str, bytes]]:
    """Every file under ``folder`` except those that we planted ourselves."""
    skipped = set(but)
    for path in folder.rglob("*"):
        if path.is_file() and path not in skipped:
            yield str(path), readable(path)


def readable(path: Path) -> bytes:
    """What stands in the file, unpacked where it is packed (recordings); one that was cut off as far as it goes."""
    data = path.read_bytes()
    text = b""
    while data.startswith(b"\x1f\x8b"):
        member = zlib.decompressobj(wbits=31)
        text += member.decompress(data)
        data = member.unused_data
    return text + data


def visible_to_all(pid: int) -> Iterable[tuple[str, bytes]]:
    """Command lines of ``pid`` and of its children, which every user of the machine can read."""
    for entry in os.listdir("/proc"):
        if not entry.isdecimal():
            continue
        try:
            parent = int(Path(f"/proc/{entry}/stat").read_text().rpartition(")")[2].split()[1])
            if int(entry) == pid or parent == pid:
                yield f"command line of {entry}", Path(f"/proc/{entry}/cmdline").read_bytes()
        except (OSError, IndexError):
            continue
