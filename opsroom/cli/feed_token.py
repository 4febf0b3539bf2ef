"""The bearer token for a feed that is reached over https; a unix socket and loopback need none."""

from __future__ import annotations

from collections.abc import Callable


def feed_token(where: str) -> Callable[[], str] | None:
    """What gives the token for the feed at ``where`` at each attempt; None where none is needed or there is none.

    Raises:
        ConfigError: the file named by ``FEED_TOKEN_FILE`` is missing, empty, or readable by others.
    """
    if not where.startswith("https:"):
        return None
    from opsroom.config.secrets import token

    # Asked once now, so that a wrong file is a sentence before there is a screen; later a renewed one is used.
    if token("feed") is None:
        return None

    def give() -> str:
        secret = token("feed")
        return secret.reveal() if secret is not None else ""

    return give
