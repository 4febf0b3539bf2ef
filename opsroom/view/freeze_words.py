"""What ``!`` asks and says: stopping all automatic deeds for everybody, and letting them go on."""

from __future__ import annotations

from opsroom.view import numbers


def question(frozen: bool) -> str:
    """After the first press."""
    if frozen:
        return "THAW: automatic deeds go on for everybody. Press ! again to do it."
    return "FREEZE: no automatic deed for anybody until it is thawed. Press ! again to do it."


def doing(frozen: bool) -> str:
    """After the second press."""
    return "Thawing." if frozen else "Freezing."


def already(by: str, since: float, now: float, added: bool) -> str:
    """The answer to a second freeze."""
    ago = f" {numbers.duration(now - since)} ago" if since else ""
    reason = " Your reason was added." if added else ""
    return f"{by or 'Somebody'} froze{ago} already, until opsroom thaw.{reason}"


def failed(why: str) -> str:
    """The command did not come through; ``why`` are its own words."""
    return f"Nothing was changed: {why}" if why else "Nothing was changed, and nobody said why."


UNFOCUSED = "The terminal got the focus a moment ago; press again."
TOO_FAST = "Keys came faster than a person types; nothing was done."
READ_ONLY = "This board is read-only; nothing was sent."
LATE = "This key was pressed before the screen could take it, so nothing was done; press again."
