"""Secrets: found where the system keeps them, held in a type that does not print.

Order: a file named by ``*_TOKEN_FILE`` (headless bastions), then the OS keyring (``opsroom login``). The keyring is
imported when asked for and only in the worker's and the commands' processes. Neither value nor length of a secret
appears in ``repr``, ``str``, logs or tracebacks (Textual prints local variables when it crashes).
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

from opsroom.errors import ConfigError, OpsroomError

SERVICE = "opsroom"
"""Name of our entries in the keyring."""


ADDRESSES = "apprise"
"""Name of the notices' address in the keyring."""

ADDRESSES_FILE = "APPRISE_TOKEN_FILE"


class Secret:
    """A value that shows itself only to ``reveal``."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """The value; call it where it is sent, keep it nowhere."""
        return self._value

    def __repr__(self) -> str:
        return "Secret(…)"

    def __str__(self) -> str:
        return "…"

    def __reduce__(self) -> str:
        raise TypeError("a Secret is not pickled")


def token(
    target: str, environment: Mapping[str, str] | None = None, *, url: str = "", shared: bool = True
) -> Secret | None:
    """The bearer token for ``target`` (``prometheus``, ``feed``), None where there is none.

    One that is stored for the server of ``url`` (``prometheus@prom.eu:9090``) goes to that server alone and wins over
    the one for all servers, which is looked for only where ``shared``.

    Raises:
        ConfigError: the token file is missing, empty, or readable by others.
    """
    environment = os.environ if environment is None else environment
    server = urlsplit(url).netloc
    for name in (*((f"{target}@{server}",) if server else ()), *((target,) if shared or not server else ())):
        variable = variable_of(name)
        path = environment.get(variable)
        found = _from_file(Path(path), variable) if path else _from_keyring(name)
        if found is not None:
            return found
    return None


def variable_of(name: str) -> str:
    """The variable that names a file with the token: ``PROMETHEUS_PROM_EU_9090_TOKEN_FILE`` for one server's."""
    return re.sub(r"[^A-Z0-9]", "_", name.upper()) + "_TOKEN_FILE"


def addresses(environment: Mapping[str, str] | None = None) -> tuple[Secret, ...]:
    """Where notices go, as Apprise writes addresses; they hold tokens, so they are secrets as a whole.

    A file has one on each line (empty lines and those that begin with ``#`` count for nothing), the keyring has one.

    Raises:
        ConfigError: the file is missing, empty, or readable by others.
    """
    environment = os.environ if environment is None else environment
    path = environment.get(ADDRESSES_FILE)
    if not path:
        found = _from_keyring(ADDRESSES)
        return () if found is None else (found,)
    lines = [line.strip() for line in _private(Path(path), ADDRESSES_FILE).splitlines()]
    wanted = [line for line in lines if line and not line.startswith("#")]
    if not wanted or not all(line.isprintable() for line in wanted):
        raise ConfigError(f"{path} ({ADDRESSES_FILE}) holds no address", "Put one address on each line")
    return tuple(Secret(line) for line in wanted)


def _private(path: Path, variable: str) -> str:
    try:
        if _open_to_others(path.stat()):
            raise ConfigError(f"{path} ({variable}) can be read by others", f"Run: chmod 600 {path}")
        return path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} ({variable}) cannot be read", "Correct the variable or unset it") from error


def _from_file(path: Path, variable: str) -> Secret:
    value = _private(path, variable)
    if not value or not value.isprintable():
        raise ConfigError(f"{path} ({variable}) holds no token", "Put one line with the token into it")
    return Secret(value)


def _open_to_others(told: os.stat_result) -> bool:
    if told.st_mode & 0o007:
        return True
    # A Secret in a pod belongs to root and is read by its group: nobody else is in there.
    return bool(told.st_mode & 0o070) and not (told.st_uid == 0 and os.getuid() != 0)


def _from_keyring(target: str) -> Secret | None:
    import keyring
    import keyring.errors

    try:
        value = keyring.get_password(SERVICE, target)
    except keyring.errors.KeyringError:
        return None
    return Secret(value) if value else None


def store(target: str, secret: Secret) -> str:
    """Put ``secret`` for ``target`` into the OS keyring; returns the keyring's name.

    Raises:
        OpsroomError: no usable keyring, as on most headless machines.
    """
    import keyring
    import keyring.errors

    backend = keyring.get_keyring()
    try:
        keyring.set_password(SERVICE, target, secret.reveal())
    except keyring.errors.KeyringError as error:
        raise OpsroomError(
            "this machine has no usable keyring",
            f"Write the token to a file of mode 0600 and name it in {variable_of(target)}",
        ) from error
    return str(backend.name)


def keyring_name() -> str:
    """Name of the usable keyring; empty where there is none (``fail`` and ``null`` backends, chains of nothing)."""
    import keyring

    backend = keyring.get_keyring()
    usable = backend.priority > 0 and not type(backend).__module__.endswith((".fail", ".null"))
    return str(backend.name) if usable else ""
