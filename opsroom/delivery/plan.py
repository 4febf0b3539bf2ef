"""What an engine answers: a plan of requests, a refusal, or how far a deed has come.

Engines are pure between two reads: ``look`` reads, ``plan`` turns what it saw and an intent into the first request,
``outcome`` turns a later look into progress and, for deeds of several requests, into the next request. Because every
request after the first is found from the state alone, a deed that was cut off anywhere is taken up by anybody.
"""

from __future__ import annotations

from typing import Protocol

import msgspec

from opsroom.delivery.doors import MERGE, Raw, Reader
from opsroom.domain.deed import Deed, DeedState, Effect, Intent, Refusal


class Need(msgspec.Struct, frozen=True, kw_only=True):
    """A right, in RBAC's terms."""

    group: str
    resource: str
    subresource: str = ""
    verb: str = "patch"
    namespace: str = ""
    name: str = ""
    """The right may be on this one object only: a review for all of its kind would say no, so none is asked."""

    @property
    def words(self) -> str:
        """As people ask for it: ``patch rollouts/status``."""
        return f"{self.verb} {self.resource}" + (f"/{self.subresource}" if self.subresource else "")


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """One PATCH. Its body carries its precondition: a resourceVersion (409) or a ``test`` (422)."""

    path: str
    body: object
    need: Need
    content_type: str = MERGE
    fallback: Request | None = None
    """Sent instead when ``path`` answers 404 (a CRD without status subresource)."""
    new: Raw | None = None
    """Made in ``collection`` when ``path`` answers 404: the first writer of a shared map makes it."""
    collection: str = ""


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """The effect, and the first request towards it."""

    effect: Effect
    request: Request
    further: tuple[Need, ...] = ()
    """Rights that a later request of the same deed needs: asked for before, so that nothing is left half-done."""

    @property
    def needs(self) -> tuple[Need, ...]:
        """Every right the deed needs."""
        return (self.request.need, *self.further)


class Refused(msgspec.Struct, frozen=True, kw_only=True):
    """Why nothing is sent."""

    refusal: Refusal
    detail: str = ""


HALF_DONE = "half_done"
"""``half_done:STANDS:WHY``: a further request was refused, and what ``Progress.stands`` names is left behind."""

TAKEN_BACK = "taken_back"
"""``taken_back:WHY``: a further request was refused, and what the first one did was taken back."""

NOT_DECIDER = "not_decider"
"""WHY of a deed whose decider lost its Lease half-way: the next one goes on with it."""


class Progress(msgspec.Struct, frozen=True, kw_only=True):
    """How far a deed that was sent has come."""

    state: DeedState
    """``ACCEPTED``, ``SEEN``, ``DONE`` or ``FAILED``."""
    detail: str = ""
    then: Request | None = None
    """The next request, where the deed needs more than one."""
    stands: str = ""
    """What is left behind if ``then`` is refused for good, as a code; ``view`` has a sentence for each."""
    back: Request | None = None
    """Sent when the deed fails, or ``then`` is refused for good: takes back its beginning, or lets others go on."""
    lasting: bool = False
    """Something stands even after ``back``."""
    patience: float = 0.0
    """Seconds that this engine may take to react, where it looks around more rarely than others."""


class Sight(msgspec.Struct, frozen=True, kw_only=True):
    """One fresh look at everything a deed depends on."""

    target: Raw
    replica_sets: tuple[Raw, ...] = ()
    """Of the target (and of the partner)."""
    partner: Raw | None = None
    """The stable Deployment of a pair, the workload behind a ``workloadRef``, the target of a Canary."""
    primary: Raw | None = None
    """The primary of a Canary."""
    lease: Raw | None = None
    """The decider's Lease; empty where there is none, None where it was not read."""


class Engine(Protocol):
    """One kind of rollout."""

    async def look(self, reader: Reader, intent: Intent) -> Sight:
        """Read afresh; raises ``opsroom.errors`` types, ``Gone`` where the target is no more."""
        ...

    def plan(self, sight: Sight, intent: Intent) -> Plan | Refused:
        """The first request for ``intent``, or why not."""
        ...

    def outcome(self, sight: Sight, deed: Deed) -> Progress | None:
        """How far ``deed`` has come; None while nothing of it can be seen."""
        ...


def changed(detail: str) -> Refused:
    """The target is not what it was when the key was pressed; ``detail`` names what differs."""
    return Refused(refusal=Refusal.CHANGED, detail=detail)
