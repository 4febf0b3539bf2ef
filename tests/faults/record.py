"""What passed the proxies: every write with its body and answer, every look at one object, and when things were good.

Times are epoch seconds of this machine, taken in the proxy, so what a worker claims can be held against them.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import msgspec

from tests.faults.weather import Side


@dataclass(slots=True)
class Call:
    """One request. ``path`` is without query and without ``/as/TOKEN``."""

    client: str
    side: Side
    method: str
    path: str
    at: float
    """When its last byte had come."""
    identity: str = ""
    body: bytes = b""
    passed: float | None = None
    """When the server had answered; None: it was never passed on."""
    upstream: int = 0
    """The server's own status; 0 where nothing was passed on."""
    told: int = 0
    """What the client was told; 0: nothing (whole)."""
    done: float | None = None
    answer: bytes = b""
    faults: list[str] = field(default_factory=list)

    @property
    def sent(self) -> Any:
        """The body as JSON; None where it is none."""
        return _json(self.body)

    @property
    def answered(self) -> Any:
        """The server's answer as JSON; None where it is none."""
        return _json(self.answer)


@dataclass(slots=True)
class Record:
    """Everything that happened, in the order in which it came."""

    calls: list[Call] = field(default_factory=list)
    """Writes, and looks at one object; lists and watches are only counted."""
    methods: Counter[tuple[str, str]] = field(default_factory=Counter)
    """Requests by (client, method)."""
    faults: Counter[str] = field(default_factory=Counter)
    good: dict[tuple[str, Side], list[float]] = field(default_factory=dict)
    """Times at which a client had a whole good answer (or event), at most one for each tenth of a second."""
    bytes_to: Counter[str] = field(default_factory=Counter)
    """By client."""

    def is_good(self, client: str, side: Side, at: float) -> None:
        """A whole good answer reached ``client`` at ``at``."""
        times = self.good.setdefault((client, side), [])
        if not times or at - times[-1] >= 0.1:
            times.append(at)
        else:
            times[-1] = at

    def writes(self) -> list[Call]:
        """Everything but GET, in order; reviews change nothing and are left out."""
        return [one for one in self.calls if one.method != "GET" and not is_review(one.path)]

    def keep(self, call: Call) -> None:
        """Remember ``call``."""
        self.methods[call.client, call.method] += 1
        if call.side is Side.KUBE and (call.method != "GET" or is_object(call.path)):
            self.calls.append(call)


def is_review(path: str) -> bool:
    """Access and identity reviews: POST that changes nothing."""
    return path.startswith(("/apis/authorization.k8s.io/", "/apis/authentication.k8s.io/"))


def is_object(path: str) -> bool:
    """Whether ``path`` names one namespaced object (or a subresource of it)."""
    parts = path.split("/")
    return "namespaces" in parts and len(parts) - parts.index("namespaces") > 3


def _json(text: bytes) -> Any:
    try:
        return msgspec.json.decode(text)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return None
