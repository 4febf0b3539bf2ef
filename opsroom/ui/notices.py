"""Sequences for the terminal around the screen: desktop notices, and the way out of tmux.

OSC 9 (iTerm2, kitty, WezTerm, Windows Terminal) and OSC 777 (urxvt, foot); inside tmux a sequence must be wrapped to
reach the outer terminal (tmux(1), allow-passthrough).
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from opsroom.domain.clean import clean

TEXT = 200
"""Characters of a notice."""


class Notices(StrEnum):
    """How a desktop notice is asked for."""

    OFF = "off"
    OSC9 = "osc9"
    OSC777 = "osc777"


def notices_here(wanted: str, environment: Mapping[str, str]) -> Notices:
    """What ``wanted`` (a name, or empty for what fits) means on this terminal; over SSH nothing unless it was named."""
    if wanted:
        return Notices(wanted)
    if remote(environment):
        return Notices.OFF
    return Notices.OSC777 if environment.get("TERM", "").startswith(("rxvt", "foot")) else Notices.OSC9


def remote(environment: Mapping[str, str]) -> bool:
    """Whether a person looks at this over SSH."""
    return bool(environment.get("SSH_CONNECTION") or environment.get("SSH_TTY"))


def wrapped(sequence: str, environment: Mapping[str, str]) -> str:
    """``sequence`` so that it reaches the outermost terminal."""
    if "TMUX" not in environment:
        # GNU screen hands on what stands in a DCS string (screen(1), "Special Terminal Capabilities").
        return f"\x1bP{sequence}\x1b\\" if environment.get("STY") else sequence
    doubled = sequence.replace("\x1b", "\x1b\x1b")
    return f"\x1bPtmux;{doubled}\x1b\\"


def clipboard(coded: str, environment: Mapping[str, str]) -> str:
    """The sequence (OSC 52) that hands base64 text to the terminal's clipboard.

    tmux takes it itself where ``set-clipboard`` is on, and passes it on wrapped where ``allow-passthrough`` is: which
    of the two holds cannot be asked, and the same text twice does no harm.
    """
    plain = f"\x1b]52;c;{coded}\x07"
    whole = wrapped(plain, environment)
    return plain + whole if "TMUX" in environment else whole


def notice(text: str, how: Notices) -> str:
    """The sequence that asks for a notice; ``text`` cannot end it early."""
    said = clean(text, TEXT)
    if how is Notices.OFF:
        return ""
    return f"\x1b]9;{said}\x07" if how is Notices.OSC9 else f"\x1b]777;notify;opsroom;{said.replace(';', ',')}\x07"
