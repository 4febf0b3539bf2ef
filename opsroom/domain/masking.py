"""Secrets that people and programs let slip into texts, masked by how they look. Pure.

Nothing that is read is a secret by design: no Secret, no environment, no annotation reaches a frame. But an event, an
error or a log line may quote one, and a recording outlives the incident and is passed on. Foreign sentences are masked
where they enter (``said``), whole lines of JSON once more before they are written down (``without_secrets``).
"""

from __future__ import annotations

import re
from itertools import pairwise

import msgspec

from opsroom.domain.clean import LINE_LIMIT, clean

MASK = "(masked)"
_MASK = MASK.encode()

_NAMES = rb"pass(?:word|wd|phrase)|pwd|secret|token|credential|signature|(?:api|private|access|session)[-_]?(?:key|id)"
_NAME = rb"[\w-]{0,40}(?:" + _NAMES + rb")[\w-]{0,40}"
_QUOTE = rb"(?:\\\"|')?"

_SHAPES = (
    # -----BEGIN RSA PRIVATE KEY----- and what follows in the same text
    (re.compile(rb"-----BEGIN [A-Z ]*PRIVATE KEY-----(?:[^\"\\]|\\.)*"), _MASK),
    # Authorization: Bearer x, Basic x
    (re.compile(rb"\b(bearer|basic)(\s+)[\w.~+/=-]{8,}", re.IGNORECASE), rb"\1\2" + _MASK),
    # Cookie: a=x; b=y, Set-Cookie: a=x
    (re.compile(rb"\b((?:set-)?cookie" + _QUOTE + rb"\s*[=:]\s*)[^\"\\\s][^\"\\]*", re.IGNORECASE), rb"\1" + _MASK),
    # JSON Web Tokens, those of service accounts among them; no head is longer, and a hostile line shall not take hours
    (re.compile(rb"\beyJ[\w-]{8,1000}\.[\w-]{8,}(?:\.[\w-]*)?"), _MASK),
    # https://user:password@host
    (re.compile(rb"(?<=://)[^/@\s\"\\]+(?=@)"), _MASK),
    # password=x, "token": "x" in a quoted document, --api-key=x
    (
        re.compile(rb"(?<![\w-])(" + _NAME + _QUOTE + rb"\s*[=:]\s*" + _QUOTE + rb")[^\s\"'\\,;&(]{3,}", re.IGNORECASE),
        rb"\1" + _MASK,
    ),
    # Tokens that begin with their maker's sign: AWS, GitHub, GitLab, Slack, Google
    (
        re.compile(
            rb"\b(?:(?:AKIA|ASIA)[A-Z0-9]{16}|gh[pousr]_\w{20,}|github_pat_\w{20,}|glpat-[\w-]{16,}"
            rb"|xox[abeprs]-[\w-]{10,}|AIza[\w-]{30,})"
        ),
        _MASK,
    ),
)

_SIGN = re.compile(
    _NAMES + rb"|PRIVATE|bearer|basic|cookie|eyJ|://|AKIA|ASIA|gh[pousr]_|github_pat_|glpat-|xox|AIza", re.IGNORECASE
)
"""Without any of these no shape fits: most sentences are done here."""

_LONG = re.compile(r"(?<!sha256:)(?<![\w+/-])[\w+/-]{20,}={0,2}", re.ASCII)
"""Words that may be a key without a name beside it; the digest of an image is none."""

_TRACE = re.compile(r"(?:trace|span|request|correlation)[\w-]{0,20}[\"']?\s{0,2}[=:]\s{0,2}[\"']?$", re.IGNORECASE)
"""What stands before a word that looks like a key and is the number of a request."""

_CUTS = re.compile(r"[/_=-]+")


def without_secrets(line: bytes) -> bytes:
    """``line`` (JSON, one line) with what looks like a secret replaced by ``(masked)``: JSON of the same shape.

    Only shapes that no name, hash or digest has: every pattern stays inside one string.
    """
    if _SIGN.search(line) is None:
        return line
    for shape, put in _SHAPES:
        line = shape.sub(put, line)
    return line


def masked(sentence: str) -> str:
    """A foreign sentence without what looks like a secret, long words of chance among them."""
    line = msgspec.json.encode(sentence)
    safe = without_secrets(line)
    return _LONG.sub(_by_chance, sentence if safe is line else msgspec.json.decode(safe, type=str))


def said(text: object, limit: int = LINE_LIMIT) -> str:
    """What somebody else said, as one printable line of at most ``limit`` characters without secrets.

    Masked before it is cut: half a secret looks like none.
    """
    return clean(masked(clean(text, limit * 4)), limit)


def _by_chance(match: re.Match[str]) -> str:
    word = match[0]
    if len(word) < 32 and word.islower():
        return word
    pieces = _CUTS.split(word)
    number = len(pieces) == 1 and _TRACE.search(match.string, max(0, match.start() - 40), match.start())
    return MASK if not number and (_restless(word, 32) or any(map(_dense, pieces))) else word


def _dense(piece: str) -> bool:
    """Whether nobody would have written that: hex is long and full of digits, base64 changes its kind of sign a lot."""
    digits = sum(map(str.isdigit, piece))
    return (digits > 1 and _restless(piece, 16)) or (len(piece) >= 32 and 6 <= digits < len(piece))


def _restless(word: str, length: int) -> bool:
    """Whether upper case, lower case and digits take turns more often than in any name in camel case."""
    if len(word) < length:
        return False
    kinds = ["A" if sign.isupper() else "0" if sign.isdigit() else "a" for sign in word if sign.isalnum()]
    turns = sum(one != other for one, other in pairwise(kinds))
    both = min(kinds.count("A"), kinds.count("a")) >= length // 8
    return both and "0" in kinds and turns > 0.3 * len(kinds)
