"""Settings: what a person says once about clusters, Prometheus and the screen.

Order, the last wins: built-in values, the TOML file, ``OPSROOM_*`` variables, the command line. A key that is not
here is an error, so that a misspelt limit is not silently no limit. No secret stands in settings: only where one is
found (``config.secrets``).
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import msgspec

from opsroom.config.paths import settings_file
from opsroom.config.toml_file import load
from opsroom.errors import ConfigError

LONGEST_QUERY = 300.0
"""Seconds: what takes longer is of no use to anybody, and TOML knows ``inf`` and ``nan``."""


class Prometheus(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where metrics come from."""

    url: str = ""
    """Base URL; ``kube:NAMESPACE/SERVICE:PORT`` goes through the API server's service proxy."""
    preset: str = ""
    """Name of the preset; empty: the one whose metrics exist."""
    queries: dict[str, str] = {}
    """Own grouped PromQL by metric name; they win over the preset."""
    headers: dict[str, str] = {}
    """Extra headers such as ``X-Scope-OrgID``; never a secret (``refuse_secrets``)."""
    ca_file: str = ""
    client_cert: str = ""
    client_key: str = ""
    timeout: float = 10.0


class Screen(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How the board looks."""

    contexts: tuple[str, ...] = ()
    """Names of the kube contexts that the board shows, the first one first; empty: ``context`` alone."""
    theme: str = "night"
    graphs: str = ""
    """``braille``, ``block`` or ``ascii``; empty: what the terminal can."""
    promote_countdown: float = 3.0
    """Seconds from ``p`` to the deed, 0 to 10."""
    roll_back_countdown: float = 1.0
    second_key: bool = False
    """Instead of the countdown a second, different key (``Y``) does what is armed."""
    keymap: dict[str, str] = {}
    """Keys by action id; several keys are separated by commas."""
    bell: bool | None = None
    """Ring when a rollout needs a person; not set: yes, but not over SSH and never on the wall."""
    notices: str = ""
    """Desktop notices at the same moments: ``osc9``, ``osc777`` or ``off``; empty: what the terminal takes, not over
    SSH and never on the wall."""


class Guard(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What one context wants otherwise than ``[screen]`` says; what is not set is as there."""

    promote_countdown: float | None = None
    roll_back_countdown: float | None = None
    second_key: bool | None = None


class Context(Guard, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One kube context: how its keys are guarded, and where its feed and its metrics come from."""

    feed: str = ""
    """As ``feed`` above, for this context."""
    prometheus: Prometheus = Prometheus()
    """What is not set is as in ``[prometheus]``."""


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All settings."""

    kubeconfig: str = ""
    context: str = ""
    namespaces: tuple[str, ...] = ()
    """Empty: all; name them where you may not list namespaces."""
    feed: str = ""
    """``unix:PATH`` or ``https://HOST``: a worker that runs elsewhere."""
    policy: str = ""
    """Path of the policy file."""
    read_only: bool = False
    prometheus: Prometheus = Prometheus()
    screen: Screen = Screen()
    contexts: dict[str, Context] = {}
    """By the name of a kube context: what is otherwise there."""
    path: str = ""
    """The file these settings came from; filled in by ``load_settings``."""


_SECRET_HEADERS = frozenset({"authorization", "cookie", "proxy-authorization", "x-api-key"})

VARIABLES = {
    "OPSROOM_KUBECONFIG": ("kubeconfig",),
    "OPSROOM_CONTEXT": ("context",),
    "OPSROOM_NAMESPACES": ("namespaces",),
    "OPSROOM_FEED": ("feed",),
    "OPSROOM_POLICY": ("policy",),
    "OPSROOM_READ_ONLY": ("read_only",),
    "OPSROOM_PROMETHEUS": ("prometheus", "url"),
    "OPSROOM_THEME": ("screen", "theme"),
    "OPSROOM_GRAPHS": ("screen", "graphs"),
}
"""Environment variables and the setting each overrides."""


def load_settings(path: str | None = None, environment: Mapping[str, str] | None = None) -> Settings:
    """The settings of this process.

    ``path`` names a file that must exist; None reads the file in the XDG folder if there is one.

    Raises:
        ConfigError: a file, key or value is wrong.
    """
    file = Path(path) if path else settings_file()
    settings = Settings() if not path and not file.is_file() else load(file, Settings)
    if settings.path:
        raise ConfigError(f"{file}: path is not a setting", "Remove it")
    settings = msgspec.structs.replace(settings, path=str(file))
    settings = _overridden(settings, os.environ if environment is None else environment)
    _checked(settings)
    return settings


def _overridden(settings: Settings, environment: Mapping[str, str]) -> Settings:
    for variable, key in VARIABLES.items():
        value = environment.get(variable)
        if not value:
            continue
        settings = _for_all(settings, key)
        if key == ("namespaces",):
            settings = msgspec.structs.replace(settings, namespaces=tuple(value.replace(",", " ").split()))
        elif key == ("read_only",):
            settings = msgspec.structs.replace(settings, read_only=_truth(variable, value))
        elif key[0] == "prometheus":
            settings = msgspec.structs.replace(
                settings, prometheus=msgspec.structs.replace(settings.prometheus, **{key[1]: value})
            )
        elif key[0] == "screen":
            settings = msgspec.structs.replace(
                settings, screen=msgspec.structs.replace(settings.screen, **{key[1]: value})
            )
        else:
            settings = msgspec.structs.replace(settings, **{key[0]: value})
    return settings


def _for_all(settings: Settings, key: tuple[str, ...]) -> Settings:
    """``settings`` in which nothing that is said of one context stands before what a variable says of all."""
    contexts, screen = settings.contexts, settings.screen
    match key:
        case ("context",):
            screen = msgspec.structs.replace(screen, contexts=())
        case ("feed",):
            contexts = {name: msgspec.structs.replace(told, feed="") for name, told in contexts.items()}
        case ("prometheus", "url"):
            contexts = {
                name: msgspec.structs.replace(told, prometheus=msgspec.structs.replace(told.prometheus, url=""))
                for name, told in contexts.items()
            }
    return msgspec.structs.replace(settings, contexts=contexts, screen=screen)


def in_context(settings: Settings, name: str) -> Settings:
    """``settings`` for the kube context ``name``: what ``[contexts.NAME]`` sets stands before what is set for all."""
    told = settings.contexts.get(name, Context())
    own = {
        field: value
        for field in Prometheus.__struct_fields__
        if (value := getattr(told.prometheus, field)) != getattr(Prometheus(), field)
    }
    return msgspec.structs.replace(
        settings,
        context=name,
        feed=told.feed or settings.feed,
        prometheus=msgspec.structs.replace(settings.prometheus, **own),
    )


def of_one_context(settings: Settings, url: str) -> bool:
    """Whether ``url`` is the feed or the Prometheus of one context: what is stored for all is not meant for it."""
    return any(url and url in (told.feed, told.prometheus.url) for told in settings.contexts.values())


def _truth(variable: str, value: str) -> bool:
    if value.lower() in ("1", "true", "yes", "on"):
        return True
    if value.lower() in ("0", "false", "no", "off"):
        return False
    raise ConfigError(f"{variable} is {value!r}", "Set it to true or false")


def refuse_secrets(prometheus: Prometheus, where: str) -> None:
    """Settings are handed on to children as arguments, which everybody on the machine can read.

    Raises:
        ConfigError: the URL names a user or a password, or a header is one. It never quotes them.
    """
    fix = "Use opsroom login prometheus, or a file of mode 0600 named by PROMETHEUS_TOKEN_FILE"
    if "@" in prometheus.url.partition("://")[2].partition("/")[0]:
        raise ConfigError(f"{where}: the URL of Prometheus names a user or a password", f"{fix}: USER:PASSWORD")
    for name in prometheus.headers:
        if name.lower() in _SECRET_HEADERS:
            raise ConfigError(f"{where}: the header {name} is a secret", fix)


def _checked(settings: Settings) -> None:
    screen = settings.screen
    for name in ("promote_countdown", "roll_back_countdown"):
        for where, seconds in (
            (f"screen.{name}", getattr(screen, name)),
            *((f"contexts.{context}.{name}", getattr(guard, name)) for context, guard in settings.contexts.items()),
        ):
            if seconds is not None and not 0 <= seconds <= 10:
                raise ConfigError(f"{settings.path}: {where} must be 0 to 10 seconds", "Correct that value")
    if screen.graphs not in ("", "braille", "block", "ascii"):
        raise ConfigError(f"{settings.path}: screen.graphs must be braille, block or ascii", "Correct that value")
    if screen.notices not in ("", "off", "osc9", "osc777"):
        raise ConfigError(f"{settings.path}: screen.notices must be osc9, osc777 or off", "Correct that value")
    for where, told in (
        ("prometheus", settings.prometheus),
        *((f"contexts.{context}.prometheus", one.prometheus) for context, one in settings.contexts.items()),
    ):
        if not 0 < told.timeout <= LONGEST_QUERY:
            words = f"more than 0 and at most {LONGEST_QUERY:.0f} seconds"
            raise ConfigError(f"{settings.path}: {where}.timeout must be {words}", "Correct that value")
        refuse_secrets(told, settings.path)
