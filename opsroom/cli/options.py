"""Settings of one run: the settings file with the command line's common options laid over it."""

from __future__ import annotations

import argparse
import re
from collections.abc import Mapping, Sequence
from typing import Any

from msgspec.structs import replace

from opsroom.config.settings import Settings, in_context, load_settings, refuse_secrets
from opsroom.errors import UsageError


def settings_for(arguments: argparse.Namespace) -> Settings:
    """The settings of this run.

    Raises:
        ConfigError: the file is wrong, or an option holds a secret.
        UsageError: several contexts or feeds are named.
    """
    contexts, feeds = _given(arguments, "contexts"), _given(arguments, "feeds")
    for option, values in (("--context", contexts), ("--feed", feeds)):
        if len(values) > 1:
            raise UsageError(
                f"here {option} can be given once, not {len(values)} times", "Only the board shows several"
            )
    base = load_settings(vars(arguments).get("config"))
    return _laid_over(base, vars(arguments), "".join(contexts), "".join(feeds))


def board_settings(arguments: argparse.Namespace) -> list[Settings]:
    """The settings of each context that the board shows; at least one.

    Contexts and feeds that are named belong together in their order: a deed goes to the context beside its feed.

    Raises:
        ConfigError: the file is wrong, or an option holds a secret.
        UsageError: it cannot be told which feed belongs to which context.
    """
    given, base = vars(arguments), load_settings(vars(arguments).get("config"))
    contexts, feeds = _given(arguments, "contexts"), _given(arguments, "feeds")
    if not contexts and not feeds:
        contexts = base.screen.contexts
    if len(set(contexts)) < len(contexts) or len(set(feeds)) < len(feeds):
        raise UsageError("a context or a feed is named twice", "Name each once")
    if len(contexts) > 1 and not all(contexts):
        raise UsageError("one of the contexts has no name", "Name each, also the current one")
    if max(len(contexts), len(feeds)) < 2:
        return [_laid_over(base, given, "".join(contexts), "".join(feeds))]
    if not contexts:
        if not (base.read_only or given.get("read_only")):
            fix = "Name a --context for each --feed, in the same order, or add --read-only"
            raise UsageError("nobody knows which context the deeds of each feed go to", fix)
        # The one context of the settings is not that of each feed: none must be named or looked into for another.
        return [_laid_over(replace(base, context=""), given, "", feed) for feed in feeds]
    if feeds and len(feeds) != len(contexts):
        raise UsageError(
            f"{len(contexts)} contexts and {len(feeds)} feeds are named", "Name one --feed for each --context"
        )
    if base.feed and not feeds and not all(name in base.contexts and base.contexts[name].feed for name in contexts):
        raise UsageError(f"the feed {base.feed} serves one context", "Name it in [contexts.NAME] instead")
    found = [
        _laid_over(base, given, name, feed) for name, feed in zip(contexts, feeds or [""] * len(contexts), strict=True)
    ]
    named = [settings.feed for settings in found if settings.feed]
    if len(set(named)) < len(named):
        raise UsageError("one feed is named for two contexts", "A feed serves one context: name each its own")
    return found


def _given(arguments: argparse.Namespace, name: str) -> Sequence[str]:
    """Values of an option that stands before or after the command; those after it win."""
    given = vars(arguments)
    return given.get(name) or given.get(f"{name}_first") or ()


def _laid_over(base: Settings, given: dict[str, Any], context: str, feed: str) -> Settings:
    """``base`` in its context, with what the command line says."""
    changes = {key: given[key] for key in ("kubeconfig", "policy", "read_only") if given.get(key)}
    namespaces = namespaces_of(given)
    settings = replace(
        base, context=context or base.context, **changes, **({"namespaces": namespaces} if namespaces else {})
    )
    settings = replace(in_context(settings, _name(settings)), context=settings.context)
    if feed:
        settings = replace(settings, feed=feed)
    if given.get("prometheus"):
        settings = replace(settings, prometheus=replace(settings.prometheus, url=given["prometheus"]))
        refuse_secrets(settings.prometheus, "--prometheus")
    return settings


def namespaces_of(given: Mapping[str, Any]) -> tuple[str, ...]:
    """The namespaces that the command line names.

    Raises:
        UsageError: one of them cannot be a namespace: an empty board would look as if all were well.
    """
    namespaces = (*given.get("namespaces_first", ()), *given.get("namespaces", ()))
    for namespace in namespaces:
        if not re.fullmatch(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?", namespace):
            raise UsageError(f"{namespace!r} is no name of a namespace")
    return namespaces


def _name(settings: Settings) -> str:
    """The context whose own settings count: where none is named, the current one."""
    if settings.context or not settings.contexts:
        return settings.context
    from opsroom.cli.own_worker import current_context

    return current_context(settings)
