"""Settings of one run: the settings file with the command line's common options laid over it."""

from __future__ import annotations

import argparse

import msgspec

from opsroom.config.settings import Settings, load_settings, refuse_secrets


def settings_for(arguments: argparse.Namespace) -> Settings:
    """The settings of this run.

    Raises:
        ConfigError: the file is wrong, or an option holds a secret.
    """
    given = vars(arguments)
    settings = load_settings(given.get("config"))
    changes = {key: given[key] for key in ("kubeconfig", "context", "feed", "policy", "read_only") if given.get(key)}
    namespaces = (*given.get("namespaces_first", ()), *given.get("namespaces", ()))
    if namespaces:
        changes["namespaces"] = namespaces
    if given.get("prometheus"):
        changes["prometheus"] = msgspec.structs.replace(settings.prometheus, url=given["prometheus"])
        refuse_secrets(changes["prometheus"], "--prometheus")
    return msgspec.structs.replace(settings, **changes)
