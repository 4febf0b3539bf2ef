"""Styles as terminals take them (SGR, ECMA-48 8.3.117): what can be seen of one, and the shortest way to another."""

from __future__ import annotations

from functools import lru_cache

_OFF = {"1": "22", "2": "22", "3": "23", "4": "24", "5": "25", "7": "27", "9": "29"}
"""The parameter that ends an attribute."""


@lru_cache(maxsize=4096)
def _parsed(style: str) -> tuple[str, str, frozenset[str]]:
    """SGR parameters as foreground, background and attributes."""
    fore = back = ""
    flags: set[str] = set()
    codes = style.split(";") if style else []
    at = 0
    while at < len(codes):
        code = codes[at]
        if code in ("38", "48"):
            length = 5 if codes[at + 1 : at + 2] == ["2"] else 3
            words = ";".join(codes[at : at + length])
            fore, back = (words, back) if code == "38" else (fore, words)
            at += length
            continue
        number = int(code or 0)
        if 30 <= number <= 39 or 90 <= number <= 97:
            fore = "" if number == 39 else code
        elif 40 <= number <= 49 or 100 <= number <= 107:
            back = "" if number == 49 else code
        elif number == 0:
            fore, back = "", ""
            flags.clear()
        else:
            flags.add(code)
        at += 1
    return fore, back, frozenset(flags)


@lru_cache(maxsize=4096)
def blank(style: str) -> tuple[str, ...]:
    """What of a style can be seen on a blank cell."""
    fore, back, flags = _parsed(style)
    if "7" in flags:
        return ("7", fore, back)
    return (back, *sorted(flags & {"4", "9", "21", "53"}), fore if flags & {"4", "9", "21", "53"} else "")


@lru_cache(maxsize=8192)
def transition(old: str, new: str) -> str:
    """The shortest SGR from one style to another."""
    if not new:
        return "\x1b[m" if old else ""
    whole = f"\x1b[0;{new}m" if old else f"\x1b[{new}m"
    fore, back, flags = _parsed(old)
    new_fore, new_back, new_flags = _parsed(new)
    gone = flags - new_flags
    if any(flag not in _OFF for flag in gone):
        return whole
    off = {_OFF[flag] for flag in gone}
    kept = {flag for flag in new_flags if _OFF.get(flag) in off}
    codes = sorted(off) + sorted((new_flags - flags) | kept)
    if fore != new_fore:
        codes.append(new_fore or "39")
    if back != new_back:
        codes.append(new_back or "49")
    step = f"\x1b[{';'.join(codes)}m" if codes else ""
    return step if len(step) <= len(whole) else whole
