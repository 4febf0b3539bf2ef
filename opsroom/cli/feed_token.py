"""The bearer token for a feed that is reached over https; a unix socket and loopback need none."""

from __future__ import annotations

from collections.abc import Callable

from opsroom.config.settings import Settings, of_one_context


def feed_token(where: str, settings: Settings, *, alone: bool = True) -> Callable[[], str] | None:
    """What gives the token for the feed at ``where`` at each attempt; None where none is needed or there is none.

    The token for all feeds goes to none of several (not ``alone``) and to none that belongs to one context: a cluster
    must not be shown what opens another.

    Raises:
        ConfigError: the file named by ``FEED_TOKEN_FILE`` is missing, empty, or readable by others.
    """
    if not where.startswith("https:"):
        return None
    from opsroom.config.secrets import token

    shared = alone and not of_one_context(settings, where)
    # Asked once now, so that a wrong file is a sentence before there is a screen; later a renewed one is used.
    if token("feed", url=where, shared=shared) is None:
        return None

    def give() -> str:
        secret = token("feed", url=where, shared=shared)
        return secret.reveal() if secret is not None else ""

    return give
