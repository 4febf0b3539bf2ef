"""What a deed of several requests left behind when one of them was refused for good, and what to do about it.

Delivery says it in codes: ``half_done:STANDS:WHY``, or ``taken_back:WHY`` where nothing is left.
"""

from __future__ import annotations

HALF_DONE = "half_done"
TAKEN_BACK = "taken_back"

STANDS = {
    "mark": "nothing has changed but a mark on {name}, which keeps others from promoting it for 15 minutes; "
    "opsroom promote --force goes past it",
    "stable_held": "the stable Deployment has the template and is held by the queue; release it there",
    "both_new": "stable runs the new version and the canary still has its pods; "
    "p once more takes them away, x takes both back",
    "canary_left": "stable is back at its former version and the canary still has its pods; "
    "x once more takes them away",
    "held": "the template is back and our own hold has caught it; opsroom release {name} lets it go on",
    "paused": "the promotion is stored, and spec.paused keeps {name} from going on; un-pause it",
    "paused_canary": "it is aborted, and spec.paused keeps the canary's pods serving; un-pause it",
    "overwritten": "the counter that rolls it back could not be set, or Flagger has overwritten it; x sets it again",
    "suspended": "the failed checks are set, and the Canary is suspended, so Flagger does not look; un-suspend it",
    "skipping": "it is over, and skipAnalysis still stands: every later version would go out unchecked; "
    "set spec.skipAnalysis to false",
}
"""What stands, and what to do, by the engine's code."""

FOUND = {
    "found_done": "it was done when it was looked at again",
    "never_sent": "its request never reached the cluster",
    "not_seen": "it was accepted and its controller has not reacted",
    "cut_off": "it was begun, and whoever began it is not there any more",
    "not_journalled": "not journalled",
}
"""What a deed was left with, or found at, by delivery's code."""

NOT_DECIDER = "not_decider"


def sentence(detail: str, name: str) -> str:
    """``detail`` of a deed on ``name`` as a clause; empty for one that speaks of something else."""
    if detail in FOUND:
        return FOUND[detail]
    kind, _, rest = detail.partition(":")
    if kind == TAKEN_BACK:
        return f"a further request was refused ({rest}), and what the first one did was taken back"
    stands, _, why = rest.partition(":")
    if kind != HALF_DONE:
        return ""
    cause = "this worker no longer decides; the next one goes on with it" if why == NOT_DECIDER else why
    what = STANDS.get(stands, "").format(name=name)
    return f"half-done: {what} ({cause})" if what else f"half-done ({cause})"
