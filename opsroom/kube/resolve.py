"""Resolve a kubeconfig (or the pod's own account) with the official client, in a process of its own.

``python -m opsroom.kube.resolve KUBECONFIG CONTEXT`` prints one JSON object: an ``Endpoint`` or a ``Trouble``. A
process, because credential plugins may prompt, hang or print: here they find no terminal and no standard input, a
time limit ends them together with this process, and the client's 500 modules never load into the worker.
"""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

from opsroom.domain.clean import clean
from opsroom.kube.endpoint import Endpoint

ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")


class Trouble(msgspec.Struct, frozen=True, kw_only=True, tag="trouble"):
    """Why there is no endpoint."""

    message: str
    fix: str = ""
    credentials: bool = False
    """The configuration is sound, the credentials could not be had."""


class Resolved(msgspec.Struct, frozen=True, kw_only=True, tag="endpoint"):
    """The way in."""

    endpoint: Endpoint


class _Refused(Exception):
    def __init__(self, trouble: Trouble) -> None:
        super().__init__(trouble.message)
        self.trouble = trouble


def resolve(kubeconfig: str, context: str, heard: Sequence[str] = ()) -> Resolved | Trouble:
    """Find the endpoint for ``context`` (empty: the current one) of ``kubeconfig`` (empty: the usual places).

    ``heard`` collects what the client logs meanwhile: a plugin's failure is told nowhere else.
    """
    try:
        paths = _paths(kubeconfig)
        if not paths:
            return Resolved(endpoint=_in_cluster())
        endpoint = _from_file(paths, context)
        _must_have_credentials(endpoint, heard)
        return Resolved(endpoint=endpoint)
    except _Refused as refused:
        return refused.trouble


def _paths(kubeconfig: str) -> list[str]:
    named = kubeconfig or os.environ.get("KUBECONFIG", "")
    if named:
        paths = [os.path.expanduser(path) for path in named.split(os.pathsep) if path]
        found = [path for path in paths if os.path.exists(path)]
        if not found:
            fix = "Name another with --kubeconfig or KUBECONFIG, or try opsroom demo, which needs none"
            raise _Refused(Trouble(message=f"There is no kubeconfig at {clean(named)}", fix=fix))
        return found
    usual = os.path.expanduser("~/.kube/config")
    if os.path.exists(usual):
        return [usual]
    if "KUBERNETES_SERVICE_HOST" in os.environ:
        return []
    fix = "Name one with --kubeconfig or KUBECONFIG, or try opsroom demo, which needs none"
    raise _Refused(Trouble(message=f"There is no kubeconfig at {usual}, and this is not a pod", fix=fix))


def _in_cluster() -> Endpoint:
    from kubernetes.client import Configuration
    from kubernetes.config import ConfigException, incluster_config

    official: Any = incluster_config
    configuration = Configuration()
    try:
        official.load_incluster_config(client_configuration=configuration)
    except (ConfigException, OSError) as error:
        message = f"The pod's service account cannot be used: {clean(error)}"
        raise _Refused(Trouble(message=message, fix="Set automountServiceAccountToken, or --kubeconfig")) from error
    namespace = ACCOUNT / "namespace"
    return _endpoint(
        configuration,
        context="in-cluster",
        source="in-cluster",
        namespace=namespace.read_text().strip() if namespace.exists() else "",
    )


def _from_file(paths: list[str], context: str) -> Endpoint:
    from kubernetes.client import Configuration
    from kubernetes.config import ConfigException, kube_config
    from yaml import YAMLError

    official: Any = kube_config
    where = clean(os.pathsep.join(paths))
    try:
        merger = official.KubeConfigMerger(os.pathsep.join(paths))
        if merger.config is None:
            raise ConfigException("it is empty")
        chosen = _context(merger.config.value, context, where)
        configuration = Configuration()
        loader = official.KubeConfigLoader(
            config_dict=merger.config,
            active_context=str(chosen["name"]),
            config_base_path=None,
            config_persister=merger.save_changes,
        )
        loader.load_and_set(configuration)
    except _Refused:
        raise
    except OSError as error:
        message = f"{where} cannot be read: {clean(error.strerror or error)}"
        raise _Refused(
            Trouble(message=message, fix="Check its permissions, or name another with --kubeconfig")
        ) from error
    except (ConfigException, YAMLError, TypeError, KeyError, AttributeError, ValueError) as error:
        message = f"{where} is not a usable kubeconfig: {clean(error, 200)}"
        raise _Refused(Trouble(message=message, fix="Compare it with kubectl config view")) from error
    inner = chosen.get("context") or {}
    user = str(inner.get("user", ""))
    endpoint = _endpoint(
        configuration,
        context=str(chosen["name"]),
        user=user,
        cluster=str(inner.get("cluster", "")),
        namespace=str(inner.get("namespace", "")),
        source=where,
        expires=_expiry(loader),
    )
    return msgspec.structs.replace(endpoint, impersonate=_impersonated(merger.config.value, user))


def _impersonated(config: dict[str, Any], user: str) -> tuple[tuple[str, str], ...]:
    """The official client does not know ``as``: without this, a context made weaker on purpose would not be."""
    users: list[Any] = [getattr(item, "value", item) for item in config.get("users") or []]
    found = next((item.get("user") or {} for item in users if isinstance(item, dict) and item.get("name") == user), {})
    if not found.get("as"):
        return ()
    headers = [("Impersonate-User", str(found["as"]))]
    if found.get("as-uid"):
        headers.append(("Impersonate-Uid", str(found["as-uid"])))
    headers += [("Impersonate-Group", str(group)) for group in found.get("as-groups") or ()]
    for key, values in (found.get("as-user-extra") or {}).items():
        headers += [(f"Impersonate-Extra-{key}", str(value)) for value in values or ()]
    return tuple(headers)


def _must_have_credentials(endpoint: Endpoint, heard: Sequence[str]) -> None:
    if heard and not endpoint.authorization and not endpoint.certificate:
        message = f"The credentials of context {clean(endpoint.context)} could not be had: {clean(heard[-1], 300)}"
        fix = "Log in with the tool that made this context; plugins run without a terminal here"
        raise _Refused(Trouble(message=message, fix=fix, credentials=True))


def _context(config: dict[str, Any], wanted: str, where: str) -> dict[str, Any]:
    contexts: list[Any] = [getattr(item, "value", item) for item in config.get("contexts") or []]
    names = [str(item.get("name", "")) for item in contexts if isinstance(item, dict)]
    name = wanted or str(config.get("current-context") or "")
    for item in contexts:
        if isinstance(item, dict) and item.get("name") == name:
            return item
    known = ", ".join(clean(known, 80) for known in names[:8]) or "none"
    message = f"There is no context {clean(name)} in {where}" if name else f"{where} names no current context"
    raise _Refused(Trouble(message=message, fix=f"Choose one with --context; it has: {known}"))


def _endpoint(
    configuration: Any,
    *,
    context: str,
    source: str,
    user: str = "",
    cluster: str = "",
    namespace: str = "",
    expires: float | None = None,
) -> Endpoint:
    from kubernetes.client.rest import should_bypass_proxies

    bearer = configuration.auth_settings().get("BearerToken") or {}
    host = str(configuration.host).rstrip("/")
    proxy = str(configuration.proxy or "")
    if proxy and should_bypass_proxies(host, configuration.no_proxy or ""):
        proxy = ""
    try:
        return Endpoint(
            host=host,
            authorization=str(bearer.get("value") or ""),
            ca=_text(configuration.ssl_ca_cert),
            certificate=_text(configuration.cert_file),
            key=_text(configuration.key_file),
            verify=bool(configuration.verify_ssl),
            server_name=str(configuration.tls_server_name or ""),
            proxy=proxy,
            expires=expires,
            context=context,
            user=user,
            cluster=cluster,
            namespace=namespace,
            source=source,
        )
    except (OSError, UnicodeDecodeError) as error:
        message = f"A certificate named by {source} cannot be read: {clean(error)}"
        raise _Refused(Trouble(message=message, fix="Check the path and its permissions")) from error


def _text(path: str | None) -> str:
    return Path(path).read_text() if path else ""


def _expiry(loader: Any) -> float | None:
    expiry = getattr(loader, "expiry", None)
    return None if expiry is None else float(expiry.timestamp())


def _heard() -> list[str]:
    """The client reports a failed credential plugin through ``logging`` alone: listen there."""
    heard: list[str] = []

    class Listener(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            heard.append(record.getMessage())

    root = logging.getLogger()
    root.handlers[:] = [Listener(level=logging.ERROR)]
    return heard


def main(arguments: list[str]) -> int:
    """Print what was found; the exit code is 0 as long as something could be said."""
    kubeconfig, context = (*arguments, "", "")[:2]
    answer = resolve(kubeconfig, context, _heard())
    sys.stdout.buffer.write(msgspec.json.encode(answer) + b"\n")
    sys.stdout.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
