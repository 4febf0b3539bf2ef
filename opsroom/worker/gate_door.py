"""Opening the gates: where they listen, who may ask, and with what they look.

Off loopback nobody but Flagger may ask, and the shared secret is the only way to know it; so there must be one.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter

from opsroom.config.secrets import Secret, token
from opsroom.delivery.engines.flagger import look_for_gate
from opsroom.delivery.plan import Sight
from opsroom.domain.board import Mode
from opsroom.errors import Unreachable, UsageError
from opsroom.feed.address import parse
from opsroom.feed.listening import Door, listen
from opsroom.feed.published import Viewer
from opsroom.worker.gates import GateApp, Queue, no_queue
from opsroom.worker.outside import Outside
from opsroom.worker.sharing import Sharing

TOKEN = "gates"  # noqa: S105 - the name of a secret
"""Read from the file named by ``GATES_TOKEN_FILE``, else from the keyring (``opsroom login gates``)."""


async def open_gates(
    listen_at: str,
    outside: Outside,
    sharing: Sharing,
    mode: Mode,
    answers: Counter[tuple[str, str]] | None = None,
    queue: Queue = no_queue,
) -> Door:
    """Answer gates at ``listen_at`` (``HOST:PORT``) from now on; ``answers`` counts what was said,
    ``queue`` says what it keeps back.

    Raises:
        UsageError: this mode decides nothing, or others could ask and there is no secret.
        ConfigError: the secret's file is wrong.
        ListenError: the place is taken.
    """
    if mode is Mode.OBSERVE:
        raise UsageError("a worker that observes answers no gates", "Use --mode advise or auto with --gates")
    address = parse(listen_at)
    if address.path:
        raise UsageError("Flagger cannot call a unix socket", "Use --gates HOST:PORT")
    secret = await asyncio.to_thread(token, TOKEN)
    if secret is None and not address.loopback:
        raise UsageError(
            f"{address} can be reached from outside and the gates have no secret",
            f"Name a file with it in {TOKEN.upper()}_TOKEN_FILE, and put it into each hook's metadata.token",
        )
    app = gate_app(outside, sharing, mode, secret)
    app.queue = queue
    if answers is not None:
        app.answers = answers
    return await listen(app, address, anywhere=secret is not None)


def gate_app(outside: Outside, sharing: Sharing, mode: Mode, secret: Secret | None) -> GateApp:
    """The application over this worker's cluster."""

    async def look(namespace: str, name: str, template: bool) -> Sight:
        if outside.reader is None:
            raise Unreachable("There is no connection to the cluster yet")
        return await look_for_gate(outside.reader, namespace, name, template=template)

    def frozen() -> bool:
        return not sharing.freeze_known or sharing.freeze is not None

    def starts() -> bool:
        return mode is Mode.AUTO and bool(outside.decider().identity) and not frozen()

    app = GateApp(look=look, starts=starts, now=time.time, frozen=frozen, secret=secret)
    if secret is not None:
        app.authorize = _by_token
    return app


async def _by_token(_: str) -> Viewer:
    """The gates look into each question themselves; this only tells the door that somebody does."""
    return Viewer()
