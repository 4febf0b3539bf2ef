"""The requests that a deed on a pair is made of, each with its precondition."""

from __future__ import annotations

from opsroom.delivery.doors import JSON_PATCH, Raw
from opsroom.delivery.engines import body, former, marking
from opsroom.delivery.engines.pair_state import signed
from opsroom.delivery.kinds import need_of, path_of
from opsroom.delivery.plan import Request
from opsroom.domain.deed import Effect, Intent
from opsroom.domain.marks import DEED, PROMOTING


def put_mark(canary: Raw, intent: Intent, mark: str | None) -> Request:
    """The mark of a promotion that is under way, of one that is over but half-done, or none."""
    begun = body.deed_mark(intent, Effect.TAKE_TEMPLATE) if mark == signed(intent) else None
    patch = body.merge(canary, intent, annotations={PROMOTING: mark, DEED: begun})
    return Request(path=path_of(intent.target), body=patch, need=need_of(intent.target))


def scale_down(canary: Raw, intent: Intent) -> Request:
    """No pods of the canary any more, and no marks."""
    patch = body.merge(canary, intent, spec={"replicas": 0}, annotations={PROMOTING: None, DEED: None})
    return Request(path=path_of(intent.target), body=patch, need=need_of(intent.target))


def give_template(stable: Raw, intent: Intent, template: Raw) -> Request:
    """Stable's pod template, in one write with its un-pausing."""
    return Request(
        path=former.deployment_path(stable),
        body=body.template(stable, intent, template, unpause=True),
        need=former.deployment_need(stable),
        content_type=JSON_PATCH,
    )


def unhold(stable: Raw, intent: Intent) -> Request | None:
    """The release of a stable that our own hold has caught; None where it has not."""
    return marking.unhold(stable, intent, former.deployment_path(stable), former.deployment_need(stable))
