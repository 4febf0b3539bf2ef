"""The gates: a small HTTP application that answers Flagger's webhooks, and nothing else.

Each question is answered from a look at the Canary taken for it; when the cluster does not answer in time the answer
is "not now". The replies are 200 and 403 only: Flagger reads 204 as a no and repeats 5xx. There is no login but a
shared secret in the hook's ``metadata.token``; without one only loopback may ask. Source: fluxcd/flagger
pkg/controller/webhook.go (payload and reply), docs/gitbook/usage/webhooks.md.
"""

from __future__ import annotations

import asyncio
import hmac
import logging
import re
from collections import Counter, OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import msgspec
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from opsroom.config.secrets import Secret
from opsroom.control.gate import Answer, Asked, answer
from opsroom.delivery.engines.flagger_state import run_of
from opsroom.delivery.plan import Sight
from opsroom.delivery.raw import annotation, text
from opsroom.domain.clean import clean
from opsroom.domain.flagger import PATH, Gate, Run
from opsroom.domain.marks import GATE, read_gate
from opsroom.errors import OpsroomError
from opsroom.feed.server import Authorize, everybody, is_local

BODY_LIMIT = 16 * 1024
READ_SECONDS = 2.0
LOOK_SECONDS = 2.0
"""Flagger waits for each answer inside its tick, 10 s by default."""

AT_ONCE = 16
"""Looks under way; more questions at the same time are answered with "not now" and asked again."""

REMEMBERED = 10_000
EVENT = "event"

_NAME = re.compile(r"[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?")
_METHODS = ("GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS")
_TYPES = frozenset(gate.value for gate in Gate)

log = logging.getLogger(__name__)


class Payload(msgspec.Struct, frozen=True):
    """What Flagger sends."""

    name: str
    namespace: str
    phase: str = ""
    checksum: str = ""
    metadata: dict[str, str] | None = None


Queue = Callable[[str, str, str], str]
"""From uid, namespace and template hash of a Canary to what the queue keeps its start back for; empty for nothing."""


def no_queue(_uid: str, _namespace: str, _hash: str) -> str:
    """Nothing is kept back."""
    return ""


Look = Callable[[str, str, bool], Awaitable[Sight]]
"""From namespace and name to a fresh look at the Canary, with its template's hash if asked for; raises OpsroomError."""


@dataclass(slots=True)
class GateApp:
    """What the routes share."""

    look: Look
    starts: Callable[[], bool]
    """Whether new versions may start without a person at this moment."""
    now: Callable[[], float]
    frozen: Callable[[], bool]
    """Whether automatic decisions must not take effect at this moment."""
    queue: Queue = no_queue
    secret: Secret | None = None
    authorize: Authorize = everybody
    local_names_only: bool = False
    closing: asyncio.Event = field(default_factory=asyncio.Event)
    answers: Counter[tuple[str, str]] = field(default_factory=Counter)
    """How often each gate said what (``yes`` or why not)."""
    _known: OrderedDict[tuple[str, str], tuple[str, str]] = field(default_factory=OrderedDict)
    """Of each Canary: the checksum that it was last asked with, and what was under analysis then."""
    _looking: int = 0

    def asgi(self) -> Starlette:
        """The application to serve."""
        # Every path and method: Flagger knows only yes and no, so a 404 or 405 of the framework's would be a surprise.
        return Starlette(routes=[Route("/{rest:path}", self._answer, methods=_METHODS)])

    async def _answer(self, request: Request) -> Response:
        type_ = _type_of(request.url.path)
        said = await self._said(request, type_)
        self.answers[type_ or "none", "yes" if said.yes else said.why] += 1
        status, text = (200, "yes") if said.yes else (403, f"opsroom: not now ({_words(said)})")
        return PlainTextResponse(text + "\n", status_code=status, headers={"cache-control": "no-store"})

    async def _said(self, request: Request, type_: str) -> Answer:
        if request.method != "POST" or not type_:
            return _no("not_a_gate")
        if self.local_names_only and not is_local(request.headers.get("host", "")):
            return _no("only_by_a_local_name")
        body = await _body(request)
        if body is None:
            return _no("unreadable")
        try:
            payload = msgspec.json.decode(body, type=Payload)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            return _no("unreadable")
        if not self._knows(payload):
            return _no("wrong_token")
        if not (_NAME.fullmatch(payload.name) and _NAME.fullmatch(payload.namespace)):
            return _no("unreadable")
        if type_ == EVENT:
            return Answer(yes=True, why=EVENT)
        return await self._decided(Gate(type_), payload)

    def _knows(self, payload: Payload) -> bool:
        if self.secret is None:
            return True
        given = (payload.metadata or {}).get("token", "")
        return hmac.compare_digest(given.encode(errors="replace"), self.secret.reveal().encode())

    async def _decided(self, gate: Gate, payload: Payload) -> Answer:
        if self._looking >= AT_ONCE:
            return _no("busy")
        self._looking += 1
        try:
            async with asyncio.timeout(LOOK_SECONDS):
                sight = await self.look(payload.namespace, payload.name, gate is Gate.ROLLOUT)
        except (OpsroomError, TimeoutError) as error:
            log.warning("gate %s of %s/%s: %s", gate, payload.namespace, payload.name, clean(error) or "too slow")
            return _no("no_fresh_picture")
        finally:
            self._looking -= 1
        run = run_of(sight)
        if gate is not Gate.ROLLOUT and not self._same(payload, run):
            return _no("another_revision")
        mark = read_gate(annotation(sight.target, GATE))
        kept = gate is Gate.ROLLOUT or run.held
        asked = Asked(
            gate=gate,
            run=run,
            mark=mark,
            now=self.now(),
            starts=self.starts(),
            queue=self.queue(text(sight.target, "metadata", "uid"), payload.namespace, run.hash) if kept else "",
            frozen=self.frozen(),
        )
        said = answer(asked)
        log.debug("gate %s of %s/%s: %s", gate, payload.namespace, payload.name, said)
        return said

    def _same(self, payload: Payload, run: Run) -> bool:
        """Whether the checksum of the question belongs to the revision that was just seen.

        Nobody outside Go can compute it, but one checksum never has two revisions, and a revision never two.
        """
        key = (payload.namespace, payload.name)
        known = self._known.get(key, (payload.checksum, run.revision))
        # A pair that does not fit is kept as well: were the former one the false one, it would lock the gate for ever.
        self._known[key] = (payload.checksum, run.revision)
        self._known.move_to_end(key)
        if len(self._known) > REMEMBERED:
            self._known.popitem(last=False)
        return (known[0] == payload.checksum) == (known[1] == run.revision)


def _type_of(path: str) -> str:
    """The hook type that a path is for; empty for none."""
    parts = path.rstrip("/").split("/")
    type_ = parts[-1]
    return type_ if parts[-2:-1] == [PATH] and (type_ in _TYPES or type_ == EVENT) else ""


async def _body(request: Request) -> bytes | None:
    """The whole body; None for one that is too long, too slow or cut off."""
    body = b""
    try:
        async with asyncio.timeout(READ_SECONDS):
            async for part in request.stream():
                body += part
                if len(body) > BODY_LIMIT:
                    return None
    except (TimeoutError, ClientDisconnect):
        return None
    return body


def _words(said: Answer) -> str:
    return f"{said.why}: {clean(said.detail)}" if said.detail else said.why


def _no(why: str) -> Answer:
    return Answer(yes=False, why=why)
