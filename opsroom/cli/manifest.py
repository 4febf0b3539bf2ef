"""``opsroom manifest``: what to apply so that a worker, a person or a wall has the rights it uses and no others.

Texts lie in ``manifests/`` with ``@NAME@`` where something is filled in; rules are shared pieces, so that what the
worker and an operator both do is granted once. ``tests/rights/test_roles_in_use.py`` runs every role against an
authorizing API server and compares what was asked with what is granted.
"""

from __future__ import annotations

import argparse
import re
import shlex
import sys
from collections.abc import Mapping
from importlib import resources
from pathlib import Path

from opsroom import __version__
from opsroom.cli.options import namespaces_of
from opsroom.config.settings import Prometheus, refuse_secrets
from opsroom.errors import ConfigError, UsageError

HOME = "opsroom"
"""Our namespace: Lease, ConfigMaps and the worker."""

ROLES = ("worker", "operator", "wall", "hold", "alerts", "systemd")
DOES = {
    "observe": "writes nothing",
    "advise": "flags what a person should look at",
    "auto": "promotes and rolls back",
}
_DOTTED = re.compile(r"[a-z0-9]([-a-z0-9.]*[a-z0-9])?")
_PROXIED = re.compile(r"kube:(?P<namespace>[a-z0-9-]+)/(?P<service>[a-z0-9:-]+)/?")


def run(arguments: argparse.Namespace) -> int:
    """Print one manifest.

    Raises:
        UsageError: a namespace, address or name that cannot stand in one.
        ConfigError: the policy file cannot be used, or the address of Prometheus holds a secret.
    """
    sys.stdout.write(text(arguments))
    return 0


def text(arguments: argparse.Namespace) -> str:
    """The manifest that ``arguments`` ask for, with its end of line."""
    given = vars(arguments)
    namespaces = namespaces_of(given)
    prometheus = given.get("prometheus", "")
    refuse_secrets(Prometheus(url=prometheus), "--prometheus")
    role, mode = arguments.role, arguments.mode
    if role in ("hold", "alerts"):
        return _piece(f"{role}.yaml")
    if role == "systemd":
        return _unit(arguments, namespaces, prometheus)
    if role == "worker":
        grants = _grants(f"opsroom-worker-{mode}", _account("opsroom-worker"), mode, namespaces, prometheus)
        worker = _worker(arguments, namespaces, prometheus)
        return _joined(_piece("namespace.yaml"), _filled("account.yaml", NAME="opsroom-worker"), *grants, worker)
    if role == "wall":
        grants = _grants("opsroom-wall", _account("opsroom-wall"), "wall", namespaces, prometheus)
        return _joined(_piece("namespace.yaml"), _filled("account.yaml", NAME="opsroom-wall"), *grants)
    subject = _person(arguments)
    return _joined(_piece("namespace.yaml"), *_grants("opsroom-operator", subject, "operator", namespaces, prometheus))


EVERYWHERE = {
    "wall": ("watch",),
    "observe": ("watch",),
    "advise": ("watch", "marks"),
    "auto": ("watch", "deeds"),
    "operator": ("watch", "deeds", "persons"),
}
"""Rules in the namespaces that are watched."""

AT_HOME = {
    "wall": ("home-look",),
    "observe": ("home-look",),
    "advise": ("home-look", "home-decide", "home-quarantine"),
    "auto": ("home-look", "home-decide", "home-quarantine", "home-create"),
    "operator": ("home-look", "home-share", "home-create"),
}
"""Rules in our own namespace."""

WORKERS = ("observe", "advise", "auto")
"""Who serves a feed in the cluster, and so asks the API server about others."""


def _grants(name: str, subject: str, who: str, namespaces: tuple[str, ...], prometheus: str) -> list[str]:
    """Roles and bindings; without ``namespaces`` for all of them."""
    watched = _rules(*EVERYWHERE[who])
    found = [_role(name, subject, watched, namespace) for namespace in namespaces or ("",)]
    cluster = ["hold-look"]
    if who in WORKERS or not namespaces:
        # Who may see two namespaces only need not know the names of the others.
        cluster.append("namespaces")
    if who in WORKERS:
        cluster.append("reviews")
    found.append(_role(f"{name}-cluster", subject, _rules(*cluster)))
    found.append(_role(f"{name}-home", subject, _rules(*AT_HOME[who]), HOME))
    if prometheus.startswith("kube:"):
        proxied = _PROXIED.fullmatch(prometheus)
        if proxied is None:
            raise UsageError(f"{prometheus!r} is no address", "Use kube:NAMESPACE/SERVICE:PORT")
        service = proxied["service"]
        spelled = f"http:{service}" if service.count(":") == 1 else service
        rules = _rules("proxy").replace("@SERVICE@", spelled)
        found.append(_role(f"{name}-prometheus", subject, rules, proxied["namespace"]))
    return found


def _role(name: str, subject: str, rules: str, namespace: str = "") -> str:
    place = f"\n  namespace: {namespace}" if namespace else ""
    kind = "Role" if namespace else "ClusterRole"
    return _filled("role.yaml", KIND=kind, NAME=name, PLACE=place, RULES=rules, SUBJECT=subject)


def _rules(*names: str) -> str:
    return "".join(_indented(_piece(f"{name}.rules.yaml"), 2) for name in names).rstrip("\n")


def _account(name: str) -> str:
    return f"  - kind: ServiceAccount\n    name: {name}\n    namespace: {HOME}"


def _person(arguments: argparse.Namespace) -> str:
    kind, name = ("User", arguments.user) if arguments.user else ("Group", arguments.group or "opsroom-operators")
    return f"  - apiGroup: rbac.authorization.k8s.io\n    kind: {kind}\n    name: {_quoted(name)}"


GATES = {
    "GATES_HINT": "# The secret of its gates, also in each hook's metadata.token:\n"
    "#   kubectl -n opsroom create secret generic opsroom-gates --from-file=token=FILE",
    "GATES_ENV": "            - {name: GATES_TOKEN_FILE, value: /gates/token}",
    "GATES_PORT": "            - {name: gates, containerPort: 8444}",
    "GATES_MOUNT": "            - {name: gates, mountPath: /gates, readOnly: true}",
    "GATES_VOLUME": "        - {name: gates, secret: {secretName: opsroom-gates, defaultMode: 288}}",
    "GATES_SERVICE": "    - {name: gates, port: 8444, targetPort: gates}",
}
"""Lines of the worker that answers the gates of Flagger Canaries."""


SECRETS = {
    "apprise": ("addresses", "Where notices go, one address a line (the image needs opsroom[apprise]):"),
    "prometheus": ("token", "What Prometheus wants to see, a bearer token or USER:PASSWORD:"),
}
"""Secrets that a worker may be given: the key that is read, and what it holds."""


def _secrets(given: Mapping[str, str | None]) -> dict[str, str]:
    """The lines of the worker for ``given`` names of Secrets, by what they are for."""
    lines: dict[str, str] = {"HINT": "", "ENV": "", "MOUNT": "", "VOLUME": ""}
    for target, name in given.items():
        if not name:
            continue
        if not _DOTTED.fullmatch(name):
            raise UsageError(f"{name!r} is no name of a Secret")
        key, words = SECRETS[target]
        create = f"kubectl -n {HOME} create secret generic {name} --from-file={key}=FILE"
        lines["HINT"] += f"\n# {words}\n#   {create}"
        lines["ENV"] += f"\n            - {{name: {target.upper()}_TOKEN_FILE, value: /{target}/{key}}}"
        lines["MOUNT"] += f"\n            - {{name: {target}, mountPath: /{target}, readOnly: true}}"
        lines["VOLUME"] += f"\n        - {{name: {target}, secret: {{secretName: {name}, defaultMode: 288}}}}"
    return {f"SECRETS_{part}": text for part, text in lines.items()}


def _worker(arguments: argparse.Namespace, namespaces: tuple[str, ...], prometheus: str) -> str:
    if arguments.gates and arguments.mode == "observe":
        raise UsageError("a worker that observes answers no gates", "Add --mode advise or --mode auto")
    args = [f"--mode={arguments.mode}", "--listen=https://0.0.0.0:8443", "--tls=/tls"]
    args += ["--gates=0.0.0.0:8444"] if arguments.gates else []
    args += [f"--prometheus={prometheus}"] if prometheus else []
    args += [f"--namespace={namespace}" for namespace in namespaces]
    return _filled(
        "worker.yaml",
        MODE=arguments.mode,
        DOES=DOES[arguments.mode],
        IMAGE=_quoted(arguments.image or f"opsroom:{__version__}"),
        ARGS="\n".join(f"            - {_quoted(word)}" for word in args),
        POLICY=_policy(vars(arguments).get("policy", "")),
        **{name: f"\n{line}" if arguments.gates else "" for name, line in GATES.items()},
        **_secrets({"apprise": arguments.apprise_secret, "prometheus": arguments.prometheus_secret}),
    )


def _policy(path: str) -> str:
    """The policy's ConfigMap; without a file none, so that applying again leaves the one that is there."""
    if not path:
        return ""
    from opsroom.config.policy_file import load_policy

    load_policy(Path(path))
    policy = _indented(Path(path).read_text(encoding="utf-8"), 4).rstrip("\n")
    return _filled("policy.yaml", POLICY=policy) + "---\n"


def _unit(arguments: argparse.Namespace, namespaces: tuple[str, ...], prometheus: str) -> str:
    group = arguments.group or "opsroom"
    if not re.fullmatch(r"[a-z_][a-z0-9_-]*", group):
        raise UsageError(f"{group!r} is no name of a group")
    words = ["--mode", arguments.mode, "--listen", "unix:/run/opsroom/worker.sock", "--group", group]
    words += ["--kubeconfig", "/etc/opsroom/kubeconfig"]
    words += ["--prometheus", prometheus] if prometheus else []
    for namespace in namespaces:
        words += ["--namespace", namespace]
    line = shlex.join(words).replace("%", "%%")
    program = Path(sys.executable).with_name("opsroom")
    return _filled("opsroom-worker.service", GROUP=group, MODE=arguments.mode, ARGS=line, OPSROOM=str(program))


def _piece(name: str) -> str:
    return resources.files("opsroom.cli").joinpath("manifests", name).read_text(encoding="utf-8")


def _filled(name: str, **values: str) -> str:
    found = _piece(name)
    for key, value in values.items():
        found = found.replace(f"@{key}@", value)
    return found


def _joined(*documents: str) -> str:
    return "---\n".join(documents)


def _indented(lines: str, by: int) -> str:
    return "".join(f"{' ' * by}{line}" if line.strip() else line for line in lines.splitlines(keepends=True))


def _quoted(word: str) -> str:
    """A YAML scalar: JSON's strings are YAML's."""
    import json

    if not word.isprintable():
        raise ConfigError("a name holds characters that cannot be printed")
    return json.dumps(word, ensure_ascii=False)
